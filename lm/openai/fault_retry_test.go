package openai_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/lm/retry"
)

// always starts a server that always answers by a fault, and a model of it.
func always(t *testing.T, f lmtest.Fault) (*lmtest.Server, *openai.Model) {
	t.Helper()
	s := lmtest.NewServer(nil)
	t.Cleanup(s.Close)
	s.Always(f)
	m, err := openai.New("gpt-test", openai.BaseURL(s.URL), openai.Getenv(noEnv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return s, m
}

// TestStatusesAreRetried has lm/retry in front of each status, and the server count.
func TestStatusesAreRetried(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{
		400: 1, 401: 1, 402: 1, 403: 1, 404: 1, 408: 3, 409: 3, 413: 1, 422: 1, 429: 3, 500: 3, 502: 3, 503: 3, 504: 3, 529: 3,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s, m := always(t, lmtest.Fault{Status: status})
			again := retry.With(retry.Base(time.Millisecond))(m)
			r := &lm.Request{Messages: []lm.Message{lm.User("x")}}
			_, err := again.Generate(t.Context(), r)
			var e *lm.Error
			if !errors.As(err, &e) || e.Status != status || s.Count() != want {
				t.Errorf("%v after %d requests, want the status %d after %d", err, s.Count(), status, want)
			}
			if gaveUp := (*retry.Error)(nil); errors.As(err, &gaveUp) != (want > 1) || gaveUp != nil && gaveUp.Attempts != want {
				t.Errorf("%v, want %d attempts counted", err, want)
			}
			for _, err := range lm.Stream(t.Context(), again, r) {
				if !errors.As(err, &e) || e.Status != status {
					t.Errorf("the stream ends in %v, want the status %d", err, status)
				}
			}
			if s.Count() != 2*want {
				t.Errorf("%d requests with the stream, want %d", s.Count(), 2*want)
			}
		})
	}
}

// TestRetryBudget makes 50 calls at once against a server that always answers 429. What it
// counts is within the attempts allowed, within what all calls share, and 1 where a limiter
// has been told to wait.
func TestRetryBudget(t *testing.T) {
	t.Parallel()
	const calls, attempts = 50, 3
	busy := lmtest.Fault{Status: http.StatusTooManyRequests}
	for _, tt := range []struct {
		name        string
		f           lmtest.Fault
		wrap        lm.Middleware
		least, most int
	}{
		{"no budget", busy, retry.With(retry.Base(time.Millisecond), retry.NoBudget()), calls * attempts, calls * attempts},
		{"default", busy, retry.With(retry.Base(time.Millisecond)), calls, calls + 20 + calls/2},
		{"burst of 5", busy, retry.With(retry.Base(time.Millisecond), retry.Budget(0, 5)), calls + 5, calls + 5},
		{"asks for an hour", lmtest.RetryAfter(429, "3600"), retry.With(), calls, calls},
		// One is answered, and it closes the provider for all that wait behind it.
		{"limiter", lmtest.RetryAfter(429, "3600"), limit.With(limit.Concurrency(1)), 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, m := always(t, tt.f)
			wrapped := tt.wrap(m)
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if _, err := wrapped.Generate(t.Context(), &lm.Request{Messages: []lm.Message{lm.User("x")}}); !errors.Is(err, lm.ErrRateLimit) {
						t.Errorf("%v, want an error of kind %q", err, lm.ErrRateLimit)
					}
				})
			}
			wg.Wait()
			if n := s.Count(); n < tt.least || n > tt.most {
				t.Errorf("the server got %d requests, want %d to %d", n, tt.least, tt.most)
			}
		})
	}
}
