package limit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
)

// What a request has used decides when the next may start. Every one is estimated at 100
// tokens, the limit is 10 a second, and a second's worth is saved up: 10 of the 100 are
// there, so the next one starts when the debt of 90 is paid and 10 are there again.
func TestSettled(t *testing.T) {
	t.Parallel()
	reply := func(u lm.Usage) (*lm.Response, error) { return &lm.Response{Text: "hi", Usage: u}, nil }
	failed := func(kind lm.ErrorKind, partial *lm.Response) (*lm.Response, error) {
		return nil, &lm.Error{Kind: kind, Partial: partial}
	}
	for _, tt := range []struct {
		name string
		next time.Duration
		do   func() (*lm.Response, error)
	}{
		{"as estimated", 10 * time.Second, func() (*lm.Response, error) {
			return reply(lm.Usage{PromptTokens: 60, CachedTokens: 50, CompletionTokens: 30, ReasoningTokens: 20, ForcedTokens: 10})
		}},
		{"less", 2 * time.Second, func() (*lm.Response, error) { return reply(lm.Usage{PromptTokens: 20}) }},
		{"less than is saved up", 500 * time.Millisecond, func() (*lm.Response, error) { return reply(lm.Usage{PromptTokens: 5}) }},
		{"more", 20 * time.Second, func() (*lm.Response, error) { return reply(lm.Usage{CompletionTokens: 200}) }},
		{"more than the limit", 70 * time.Second, func() (*lm.Response, error) { return reply(lm.Usage{CompletionTokens: 700}) }},
		{"not said", 10 * time.Second, func() (*lm.Response, error) { return reply(lm.Usage{Calls: 1}) }},
		{"from a store", 0, func() (*lm.Response, error) {
			return &lm.Response{Cached: true, Usage: lm.Usage{Calls: 1, CachedCalls: 1, PromptTokens: 60}}, nil
		}},
		{"failure", 10 * time.Second, func() (*lm.Response, error) { return failed(lm.ErrBackend, nil) }},
		{"untyped failure", 10 * time.Second, func() (*lm.Response, error) { return nil, errors.New("broken") }},
		{"cancelled", 10 * time.Second, func() (*lm.Response, error) { return nil, context.Canceled }},
		{"broken off", 3 * time.Second, func() (*lm.Response, error) {
			return failed(lm.ErrBackend, &lm.Response{Usage: lm.Usage{PromptTokens: 30}})
		}},
		{"broken off, not said", 10 * time.Second, func() (*lm.Response, error) { return failed(lm.ErrBackend, &lm.Response{Text: "h"}) }},
		{"rate limit", 10 * time.Second, func() (*lm.Response, error) { return failed(lm.ErrRateLimit, nil) }},
		{"wrong key", 0, func() (*lm.Response, error) { return failed(lm.ErrAuth, nil) }},
		{"budget", 0, func() (*lm.Response, error) { return failed(lm.ErrBudget, nil) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(0)
				calls := 0
				b.reply = func(*lm.Request) (*lm.Response, error) {
					if calls++; calls == 1 {
						return tt.do()
					}
					return &lm.Response{}, nil
				}
				model := limit.With(limit.Tokens(600))(&counter{LM: b, tokens: 40})
				r := &lm.Request{Prompt: "hello", MaxTokens: 60}
				_, _ = model.Generate(t.Context(), r)
				_, err := model.Generate(t.Context(), r)
				require.NoError(t, err)
				require.Equal(t, []time.Duration{0, tt.next}, b.began)
			})
		})
	}
}

// A reply from a store gives its request back, and so does a budget that let none be made.
func TestRequestGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(0)
		calls := 0
		b.reply = func(*lm.Request) (*lm.Response, error) {
			switch calls++; calls {
			case 1:
				return &lm.Response{Cached: true}, nil
			case 2:
				return nil, &lm.Error{Kind: lm.ErrBudget}
			}
			return nil, &lm.Error{Kind: lm.ErrAuth}
		}
		model := limit.With(limit.Requests(60))(b)
		for range 4 {
			_, _ = model.Generate(t.Context(), hello)
		}
		require.Equal(t, []time.Duration{0, 0, 0, time.Second}, b.began)
	})
}

// While a request runs its bucket fills only up to the brim.
func TestSettledLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(time.Hour)
		b.reply = func(*lm.Request) (*lm.Response, error) {
			b.takes = 0
			return &lm.Response{Usage: lm.Usage{CompletionTokens: 300}}, nil
		}
		model := limit.With(limit.Tokens(600), limit.Reply(100))(&counter{LM: b})
		parallel(t, 1, model, hello)
		parallel(t, 1, model, hello)
		// The bucket was full, at 10, when the 200 tokens more were taken.
		require.Equal(t, []time.Duration{0, time.Hour + 20*time.Second}, b.began)
	})
}

func TestStreams(t *testing.T) {
	t.Parallel()
	end := &lm.Event{Response: &lm.Response{Text: "hi", Usage: lm.Usage{PromptTokens: 1, CompletionTokens: 1}}}
	broken := &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Usage: lm.Usage{PromptTokens: 30}}}
	for _, tt := range []struct {
		name   string
		model  *streamer
		leave  int // after so many events
		next   time.Duration
		failed error
	}{
		{"whole", &streamer{events: []*lm.Event{{Text: "h"}, {Text: "i"}, end}}, 9, 200 * time.Millisecond, nil},
		{"left", &streamer{events: []*lm.Event{{Text: "h"}, {Text: "i"}, end}}, 1, 10 * time.Second, nil},
		{"broken", &streamer{events: []*lm.Event{{Text: "h"}}, err: broken}, 9, 3 * time.Second, broken},
		{"without an end", &streamer{}, 9, 10 * time.Second, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := limit.With(limit.Tokens(600), limit.Concurrency(1))(&counterStreamer{tt.model, 40})
				r := &lm.Request{Prompt: "hello", MaxTokens: 60}
				n, failed := 0, error(nil)
				for event, err := range lm.Stream(t.Context(), model, r) {
					if err != nil {
						failed = err
					}
					if n++; n == tt.leave {
						break
					}
					if event == end { // the place is free already
						break
					}
				}
				require.Equal(t, tt.failed, failed)
				start := time.Now()
				for range lm.Stream(t.Context(), model, r) {
					break
				}
				require.Equal(t, tt.next, time.Since(start))
			})
		})
	}
}

type counterStreamer struct {
	*streamer
	tokens int
}

func (c *counterStreamer) CountTokens(context.Context, *lm.Request) (int, error) {
	return c.tokens, nil
}

// The body of a loop over a stream may make a request when the reply is whole.
func TestStreamLeavesBeforeItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := limit.With(limit.Concurrency(1))(newBackend(0))
		asked := 0
		for event, err := range lm.Stream(t.Context(), model, hello) {
			require.NoError(t, err)
			if event.Response != nil {
				parallel(t, 1, model, hello)
				asked++
			}
		}
		require.Equal(t, 1, asked)
	})
}
