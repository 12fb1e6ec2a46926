package retry_test

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

// flaky fails with each of its errors in turn and then answers. It notes when it was asked.
type flaky struct {
	mu     sync.Mutex
	errs   []error
	always error
	at     []time.Time
}

func (f *flaky) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.at)
	f.at = append(f.at, time.Now())
	if f.always != nil {
		return nil, f.always
	}
	if n < len(f.errs) {
		return nil, f.errs[n]
	}
	return &lm.Response{Text: "hi", Usage: lm.Usage{Calls: 1, PromptTokens: 2, CompletionTokens: 1}}, nil
}

func (f *flaky) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.at)
}

// waits returns the times between the calls.
func (f *flaky) waits() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []time.Duration
	for i := 1; i < len(f.at); i++ {
		out = append(out, f.at[i].Sub(f.at[i-1]))
	}
	return out
}

// streamer shows parts and then fails with err, for each call in turn; a call beyond
// those shows its last part and the reply.
type streamer struct {
	lm.LM
	calls []part
	n     int
	left  int // calls whose loop was left early
}

type part struct {
	events []*lm.Event
	err    error
}

func (s *streamer) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		c := s.calls[s.n]
		s.n++
		for _, e := range c.events {
			if !yield(e, nil) {
				s.left++
				return
			}
		}
		if c.err != nil {
			yield(nil, c.err)
		}
	}
}

func status(code int, kind lm.ErrorKind) *lm.Error {
	return &lm.Error{Kind: kind, Provider: "test", Status: code}
}

func busy(after time.Duration) *lm.Error {
	return &lm.Error{Kind: lm.ErrRateLimit, Provider: "test", Status: 429, RetryAfter: after}
}
