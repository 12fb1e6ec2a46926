package langchain

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm/retry"
)

// stall is a server in memory that stops in the middle of its answer, for a bubble of
// synctest.
type stall struct {
	kind   string // the content type
	status int    // 0 where not even the header comes
	begin  string // of the body
	asked  chan struct{}
}

func (s *stall) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	r.Body.Close()
	if s.status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := io.Reader(strings.NewReader(s.begin))
	if s.status == http.StatusOK {
		body = io.MultiReader(body, silent{r.Context()})
	}
	return &http.Response{StatusCode: s.status, Header: http.Header{"Content-Type": {s.kind}}, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: r, Body: io.NopCloser(body)}, nil
}

// silent is the rest of a body that never comes.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// TestCancel ends the context of a call before it, in it, between two attempts of lm/retry,
// and in a stream: it ends at that very moment, by a clock that only a wait moves on.
func TestCancel(t *testing.T) {
	t.Parallel()
	const event = `data: {"choices":[{"index":0,"delta":{"content":"one"}}]}` + "\n\n"
	for _, tt := range []struct {
		name   string
		s      stall
		stream bool
		text   string // that has come before the error
		calls  int
	}{
		{"before", stall{}, false, "", 0},
		{"before a stream", stall{}, true, "", 0},
		{"in the call", stall{}, false, "", 1},
		{"in the body", stall{kind: "application/json", status: 200, begin: `{"choices":[`}, false, "", 1},
		{"between retries", stall{kind: "application/json", status: 429}, false, "", 1},
		{"between retries of a stream", stall{kind: "application/json", status: 429}, true, "", 1},
		{"before the first event", stall{kind: "text/event-stream", status: 200}, true, "", 1},
		{"in a stream", stall{kind: "text/event-stream", status: 200, begin: event}, true, "one", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := tt.s
				server.asked = make(chan struct{}, 10)
				m, err := asking(t, "http://127.0.0.1:1/v1", &http.Client{Transport: &server})
				if err != nil {
					t.Fatal(err)
				}
				// langchaingo does not tell how long to wait, so the wait is drawn: with this
				// seed it is longer than the 3 seconds.
				m = retry.With(retry.Base(time.Hour), retry.Max(time.Hour), retry.Total(time.Hour), retry.Seed(1))(m)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				at := 3 * time.Second
				if tt.calls == 0 {
					at = 0
					cancel()
				} else {
					time.AfterFunc(at, cancel)
				}
				start, text := time.Now(), ""
				if tt.stream {
					var texts []string
					texts, _, err = collect(ctx, m, ask("x"))
					text = strings.Join(texts, "")
				} else {
					_, err = m.Generate(ctx, ask("x"))
				}
				if took := time.Since(start); !errors.Is(err, context.Canceled) || took != at || text != tt.text || len(server.asked) != tt.calls {
					t.Errorf("%v after %v, %q and %d requests; want %v after %v, %q and %d", err, took, text, len(server.asked), context.Canceled, at, tt.text, tt.calls)
				}
			})
		})
	}
}
