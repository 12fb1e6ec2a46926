package budget_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/lm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hello = &lm.Request{Messages: []lm.Message{lm.User("hello")}}

// answers is a model that gives its replies in turn and counts the calls.
type answers struct {
	mu      sync.Mutex
	calls   int
	replies []reply // the last one again and again
	takes   func(call int) time.Duration
}

type reply struct {
	resp *lm.Response
	err  error
}

func (a *answers) Generate(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
	a.mu.Lock()
	n := a.calls
	a.calls++
	r := a.replies[min(n, len(a.replies)-1)]
	a.mu.Unlock()
	if a.takes != nil {
		timer := time.NewTimer(a.takes(n))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return r.resp, r.err
}

func (a *answers) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls
}

// used makes a reply that has used so many tokens and so much money.
func used(tokens int, cost lm.Money) reply {
	return reply{resp: &lm.Response{Text: "hi", Model: "test", Usage: lm.Usage{
		Calls: 1, PromptTokens: tokens - tokens/2, CompletionTokens: tokens / 2, Cost: cost, PricedCalls: 1,
	}}}
}

// unpriced makes a reply whose cost is not known.
func unpriced(tokens int) reply {
	r := used(tokens, 0)
	r.resp.Usage.PricedCalls = 0
	return r
}

func failed(kind lm.ErrorKind, partial *lm.Response) reply {
	return reply{err: &lm.Error{Kind: kind, Provider: "test", Partial: partial}}
}

// streamer shows events and then ends with err, where there is one.
type streamer struct {
	lm.LM
	events []*lm.Event
	err    error
}

func (s *streamer) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		for _, e := range s.events {
			if !yield(e, nil) {
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// fixed is an estimate that is the same for each request.
func fixed(tokens int, cost lm.Money) func(*lm.Request) (int, lm.Money) {
	return func(*lm.Request) (int, lm.Money) { return tokens, cost }
}
