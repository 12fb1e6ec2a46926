package limit_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
)

// hollow is a stream with an event that is none.
type hollow struct{ lm.LM }

func (hollow) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if yield(nil, nil) {
			yield(&lm.Event{Text: "hi", Response: &lm.Response{Text: "hi"}}, nil)
		}
	}
}

// TestHollowEvent is left out, and is no panic.
func TestHollowEvent(t *testing.T) {
	t.Parallel()
	text := ""
	for e, err := range lm.Stream(t.Context(), limit.New(limit.Tokens(1000)).Wrap(hollow{}), &lm.Request{Prompt: "a"}) {
		if err != nil {
			t.Fatal(err)
		}
		text += e.Text
	}
	if text != "hi" {
		t.Errorf("the stream was %q", text)
	}
}

// TestStats tells what runs, what waits, and for how long the provider wants nothing.
func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := limit.New(limit.Concurrency(1))
		release := make(chan struct{})
		m := limiter.Wrap(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			<-release
			return nil, &lm.Error{Kind: lm.ErrRateLimit, RetryAfter: time.Minute}
		}))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 3)
		for range 3 {
			go func() {
				_, _ = m.Generate(ctx, &lm.Request{Prompt: "a"})
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		if got, want := limiter.Stats(), (limit.Stats{Running: 1, Waiting: 2}); got != want {
			t.Errorf("Stats is %+v, want %+v", got, want)
		}
		close(release)
		<-done
		synctest.Wait()
		if got, want := limiter.Stats(), (limit.Stats{Waiting: 2, Closed: time.Minute}); got != want {
			t.Errorf("Stats is %+v, want %+v", got, want)
		}
		cancel()
		<-done
		<-done
		if got, want := limiter.Stats(), (limit.Stats{Closed: time.Minute}); got != want {
			t.Errorf("Stats is %+v, want %+v", got, want)
		}
	})
}
