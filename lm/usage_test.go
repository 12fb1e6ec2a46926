package lm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestUsageTokens(t *testing.T) {
	t.Parallel()
	u := lm.Usage{PromptTokens: 1, CachedTokens: 1, CompletionTokens: 20, ReasoningTokens: 10, ForcedTokens: 300, ComputedTokens: 7000}
	if got := u.Tokens(); got != 321 {
		t.Errorf("Tokens = %d, want 321", got)
	}
}

func TestUsageOf(t *testing.T) {
	t.Parallel()
	paid := func(n int, cause error) *lm.Error {
		return &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Usage: lm.Usage{Calls: 1, PromptTokens: n}}, Err: cause}
	}
	one := paid(1, nil)
	for _, tt := range []struct {
		err           error
		calls, tokens int
	}{
		{nil, 0, 0},
		{errors.New("no"), 0, 0},
		{&lm.Error{Kind: lm.ErrBackend}, 0, 0},
		{(*lm.Error)(nil), 0, 0},
		{one, 1, 1},
		{fmt.Errorf("again: %w", one), 1, 1},
		{errors.Join(one, one, fmt.Errorf("again: %w", one)), 1, 1},
		{errors.Join(one, fmt.Errorf("again: %w", paid(20, nil))), 2, 21},
		{paid(20, paid(300, one)), 3, 321},
	} {
		if got := lm.UsageOf(tt.err); got != (lm.Usage{Calls: tt.calls, PromptTokens: tt.tokens}) {
			t.Errorf("UsageOf(%v) = %+v, want %d tokens of %d calls", tt.err, got, tt.tokens, tt.calls)
		}
	}
}

// TestStreamOfAContextThatEnds has the error as it is, also where the model does not stream.
func TestStreamOfAContextThatEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	model := lmtest.Answer(func(*lm.Request) (string, error) {
		cancel()
		return "", ctx.Err()
	})
	n := 0
	for event, err := range lm.Stream(ctx, model, &lm.Request{Prompt: "hi"}) {
		n++
		var e *lm.Error
		if event != nil || !errors.Is(err, context.Canceled) || errors.As(err, &e) {
			t.Errorf("event %+v and error %v, want the context's error alone", event, err)
		}
	}
	if n != 1 {
		t.Errorf("%d events, want one", n)
	}
}
