package openai_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/lm/retry"
)

// stall is a server that stops in the middle of its answer, in memory, so that it can be
// in a bubble of synctest: there a call that waits for anything else than its context
// shows, as time passes or as a deadlock.
type stall struct {
	header http.Header
	status int    // 0 where not even the header comes
	begin  string // of the body; then nothing more comes
	asked  chan struct{}
}

func (s *stall) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	if r.Body != nil {
		r.Body.Close()
	}
	if s.status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := io.MultiReader(strings.NewReader(s.begin), silent{r.Context()})
	if s.status != http.StatusOK {
		body = strings.NewReader(s.begin)
	}
	return &http.Response{
		Status: http.StatusText(s.status), StatusCode: s.status, Header: s.header, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: -1, Request: r, Body: io.NopCloser(body),
	}, nil
}

// silent is the rest of a body that never comes.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// generated is a call without a stream.
func generated(ctx context.Context, m lm.LM, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		resp, err := m.Generate(ctx, r)
		yield(&lm.Event{Response: resp}, err)
	}
}

// TestCancel ends the context of a call to each provider: before it, in it, between two
// attempts of lm/retry, and in a stream. It ends at that very moment, by a clock that only
// a wait moves on.
func TestCancel(t *testing.T) {
	t.Parallel()
	jsonHead, streamHead := http.Header{"Content-Type": {"application/json"}}, http.Header{"Content-Type": {"text/event-stream"}}
	busy := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"30"}}
	const event = `data: {"choices":[{"index":0,"delta":{"content":"one"}}]}` + "\n\n"
	for _, provider := range openai.Providers() {
		for _, tt := range []struct {
			name   string
			s      stall
			ask    func(context.Context, lm.LM, *lm.Request) iter.Seq2[*lm.Event, error]
			events int // that come before the error
			calls  int
		}{
			{"before", stall{}, generated, 0, 0},
			{"before a stream", stall{}, lm.Stream, 0, 0},
			{"in the call", stall{}, generated, 0, 1},
			{"in the body", stall{header: jsonHead, status: 200, begin: `{"choices":[`}, generated, 0, 1},
			{"between retries", stall{header: busy, status: 429}, generated, 0, 1},
			{"between retries of a stream", stall{header: busy, status: 429}, lm.Stream, 0, 1},
			{"before the first event", stall{header: streamHead, status: 200}, lm.Stream, 0, 1},
			{"in a stream", stall{header: streamHead, status: 200, begin: event}, lm.Stream, 1, 1},
		} {
			t.Run(provider+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					server := tt.s
					server.asked = make(chan struct{}, 10)
					m, err := openai.New(provider+"/m", openai.Key(canary), openai.Getenv(noEnv), openai.HTTPClient(&http.Client{Transport: &server}))
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					at := 3 * time.Second
					if tt.calls == 0 {
						at = 0
						cancel()
					} else {
						time.AfterFunc(at, cancel)
					}
					start, events := time.Now(), 0
					var end error
					for _, err := range tt.ask(ctx, retry.With()(m), &lm.Request{Messages: []lm.Message{lm.User("x")}}) {
						if end = err; err == nil {
							events++
						}
					}
					if took := time.Since(start); !errors.Is(end, context.Canceled) || took != at || events != tt.events || len(server.asked) != tt.calls {
						t.Errorf("%v after %v, %d events and %d requests; want %v after %v, %d and %d",
							end, took, events, len(server.asked), context.Canceled, at, tt.events, tt.calls)
					}
					if lm.IsRetryable(end) {
						t.Errorf("%v may be tried again", end)
					}
				})
			})
		}
	}
}
