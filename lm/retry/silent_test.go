package retry_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/retry"
)

// silent is a model whose first call brings neither a reply nor an error.
type silent struct{ calls int }

func (s *silent) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	if s.calls++; s.calls == 1 {
		return nil, nil
	}
	return &lm.Response{Text: "hi"}, nil
}

func (s *silent) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if !yield(nil, nil) {
			return
		}
		if resp, _ := s.Generate(ctx, r); resp != nil {
			yield(&lm.Event{Text: resp.Text, Response: resp}, nil)
		}
	}
}

// TestSilent tries a call again that brought nothing, and never returns nothing itself.
func TestSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		resp, err := retry.With()(&silent{}).Generate(t.Context(), hello)
		if err != nil || resp == nil || resp.Text != "hi" {
			t.Errorf("Generate returned %v, %v", resp, err)
		}
		resp, err = retry.With(retry.Attempts(1))(&silent{}).Generate(t.Context(), hello)
		if resp != nil || !errors.Is(err, lm.ErrBackend) {
			t.Errorf("Generate returned %v, %v; want an error of kind %q", resp, err, lm.ErrBackend)
		}
		follow := func(m lm.LM) (text string, last error) {
			for e, err := range lm.Stream(t.Context(), m, hello) {
				if err != nil {
					return text, err
				}
				text += e.Text
			}
			return text, nil
		}
		if text, err := follow(retry.With()(&silent{})); text != "hi" || err != nil {
			t.Errorf("the stream was %q, %v", text, err)
		}
		if _, err := follow(retry.With(retry.Attempts(1))(&silent{})); !errors.Is(err, lm.ErrBackend) {
			t.Errorf("the stream ended with %v, want an error of kind %q", err, lm.ErrBackend)
		}
	})
}
