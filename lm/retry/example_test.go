package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/retry"
)

// The second attempt succeeds, and Notify tells of the first.
func ExampleWith() {
	calls := 0
	provider := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		if calls++; calls == 1 {
			return nil, &lm.Error{Kind: lm.ErrBackend, Provider: "provider", Status: 503}
		}
		return &lm.Response{Text: "Hello!"}, nil
	})
	model := lm.Chain(provider, retry.With(
		retry.Attempts(5),
		retry.Base(time.Millisecond),
		retry.Notify(func(a retry.Attempt) { fmt.Println("attempt", a.Number, "failed:", a.Err) }),
	))
	resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Greet me."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text)
	// Output:
	// attempt 1 failed: lm/provider: backend failure (HTTP 503)
	// Hello!
}

// A call that gives up says how often it was tried, and why no more.
func ExampleError() {
	provider := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.ErrRateLimit, Provider: "provider", Status: 429, RetryAfter: time.Hour}
	})
	_, err := lm.Chain(provider, retry.With()).Generate(context.Background(), &lm.Request{Prompt: "Greet me."})
	var gaveUp *retry.Error
	if errors.As(err, &gaveUp) {
		fmt.Println(gaveUp.Attempts, gaveUp.Reason == retry.NoTime, errors.Is(err, lm.ErrRateLimit))
	}
	fmt.Println(err)
	// Output:
	// 1 true true
	// lm/retry: gave up after 1 attempt, since the next wait does not fit into the time allowed for waiting: lm/provider: rate limit reached (HTTP 429)
}
