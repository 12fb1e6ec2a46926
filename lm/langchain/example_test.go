package langchain_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms/fake"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/langchain"
)

func ExampleNew() {
	client := fake.NewFakeLLM([]string{"ham"}) // or openai.New, anthropic.New, googleai.New, ...
	model := langchain.New(client, langchain.Name("fake:1"))
	resp, err := model.Generate(context.Background(), &lm.Request{Messages: []lm.Message{lm.User("Is it spam?")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text, resp.Finish, lm.NameOf(model))
	// Output: ham stop fake:1
}

func ExampleLossy() {
	client := fake.NewFakeLLM([]string{"ham"})
	r := &lm.Request{Messages: []lm.Message{lm.User("Is it spam?")}, Logprobs: true}
	_, err := langchain.New(client).Generate(context.Background(), r)
	fmt.Println(errors.Is(err, lm.ErrUnsupported))
	resp, err := langchain.New(client, langchain.Lossy()).Generate(context.Background(), r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text, len(resp.Logprobs))
	// Output:
	// true
	// ham 0
}
