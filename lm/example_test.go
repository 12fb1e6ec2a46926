package lm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func ExampleWith() {
	ctx := lm.With(context.Background(), lmtest.Script("Hello!"))
	resp, err := lm.From(ctx).Generate(ctx, &lm.Request{Messages: []lm.Message{lm.User("Greet me.")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text, resp.Finish)
	// Output: Hello! stop
}

func ExampleError() {
	var err error = &lm.Error{
		Kind: lm.ErrContextLength, Provider: "llamacpp", Model: "small",
		Err: &lm.ContextLengthError{Prompt: 4000, Reply: 200, Limit: 4096},
	}
	var tooLong *lm.ContextLengthError
	if errors.Is(err, lm.ErrContextLength) && errors.As(err, &tooLong) {
		fmt.Println("too long by", tooLong.Over(), "tokens")
	}
	// Output: too long by 104 tokens
}
