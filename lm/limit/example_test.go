package limit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
	"github.com/whetgo/whet/lm/lmtest"
)

// Two models share what the account may use.
func ExampleNew() {
	limiter := limit.New(
		limit.Requests(500),
		limit.Tokens(200_000),
		limit.Concurrency(16),
	)
	small := limiter.Wrap(lmtest.Script("from the small one"))
	large := limiter.Wrap(lmtest.Script("from the large one"))
	for _, model := range []lm.LM{small, large} {
		resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Who are you?"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text)
	}
	// Output:
	// from the small one
	// from the large one
}

// With Fail, a request that would have to wait is an error that says for how long.
func ExampleFail() {
	model := lm.Chain(lmtest.Script("one", "two"), limit.With(limit.Requests(1), limit.Fail()))
	for range 2 {
		resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Next!"})
		var e *lm.Error
		switch {
		case errors.As(err, &e):
			fmt.Println(e.Kind, e.RetryAfter > 50*time.Second)
		default:
			fmt.Println(resp.Text)
		}
	}
	// Output:
	// one
	// rate limit reached true
}

// In a context, the limiter is put before every model that is called below.
func ExampleLimiter_Wrap() {
	ctx := lm.Wrap(context.Background(), limit.New(limit.Concurrency(4)).Wrap)
	model := lm.Wrapped(ctx, lmtest.Script("Hello!")) // what a predictor does
	resp, err := model.Generate(ctx, &lm.Request{Prompt: "Greet me."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text)
	// Output: Hello!
}
