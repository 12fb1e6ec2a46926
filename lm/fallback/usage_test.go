package fallback_test

import (
	"context"
	"errors"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/fallback"
)

// TestUsage has one that fails after 3 tokens before one that answers with 5, or fails as well.
func TestUsage(t *testing.T) {
	t.Parallel()
	usage := func(tokens int) lm.Usage { return lm.Usage{Calls: 1, CompletionTokens: tokens} }
	failing := func(tokens int) lm.Func {
		return func(context.Context, *lm.Request) (*lm.Response, error) {
			return nil, &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "ha", Usage: usage(tokens)}}
		}
	}
	answering := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return &lm.Response{Usage: usage(5)}, nil })
	want := lm.Usage{Calls: 2, CompletionTokens: 8}
	ask := func(a, b lm.LM) (*lm.Response, error) {
		m, err := fallback.New(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return m.Generate(t.Context(), &lm.Request{Prompt: "hi"})
	}
	resp, err := ask(failing(3), answering)
	if err != nil || resp.Usage != want {
		t.Errorf("a reply: %+v, %v, want %+v", resp, err, want)
	}
	_, err = ask(failing(3), failing(5))
	var e *lm.Error
	if !errors.As(err, &e) || e.Partial.Usage != want || e.Partial.Text != "ha" || lm.UsageOf(err) != want {
		t.Errorf("two failures: %+v and %+v, want %+v", e, lm.UsageOf(err), want)
	}
	var all *fallback.Error
	if !errors.As(err, &all) || lm.UsageOf(all.Attempts[0].Err) != usage(3) || lm.UsageOf(all.Attempts[1].Err) != usage(5) {
		t.Errorf("the attempts are %+v, want each with its own usage", all)
	}
}
