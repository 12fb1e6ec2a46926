package limit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
)

// busyOnce answers the first call with a rate limit.
func busyOnce(after time.Duration) func(*lm.Request) (*lm.Response, error) {
	var once sync.Once
	return func(*lm.Request) (resp *lm.Response, err error) {
		resp = &lm.Response{Text: "hi"}
		once.Do(func() {
			resp, err = nil, &lm.Error{Kind: lm.ErrRateLimit, Provider: "test", Status: 429, RetryAfter: after}
		})
		return resp, err
	}
}

func TestProviderCloses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		opts  []limit.Option
		after time.Duration
		until time.Duration // when the next call begins
	}{
		{"obeyed", nil, 20 * time.Second, 20 * time.Second},
		{"longer than the rate", []limit.Option{limit.Requests(20)}, 20 * time.Second, 20 * time.Second},
		{"shorter than the rate", []limit.Option{limit.Requests(1)}, 20 * time.Second, time.Minute},
		{"not said", nil, 0, 0},
		{"negative", nil, -time.Second, 0},
		{"ignored", []limit.Option{limit.Obey(false)}, 20 * time.Second, 0},
		{"just short enough", nil, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := limit.New(tt.opts...)
				b, other := newBackend(0), newBackend(0)
				b.reply = busyOnce(tt.after)
				_, err := l.Wrap(b).Generate(t.Context(), hello)
				require.ErrorIs(t, err, lm.ErrRateLimit)
				parallel(t, 1, l.Wrap(other), hello)
				require.Equal(t, tt.until, other.began[0], "it closes for all models")
			})
		})
	}
}

// Who waits when the provider closes waits on; the later of two times counts; what is
// running goes on.
func TestClosedWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Concurrency(2))
		first, second, third := newBackend(time.Second), newBackend(2*time.Second), newBackend(0)
		first.reply, second.reply = busyOnce(30*time.Second), busyOnce(5*time.Second)
		for _, b := range []*backend{first, second} {
			go func() { _, _ = l.Wrap(b).Generate(t.Context(), hello) }()
		}
		synctest.Wait()
		parallel(t, 3, l.Wrap(third), hello)
		require.Equal(t, []time.Duration{31 * time.Second, 31 * time.Second, 31 * time.Second}, third.began)
	})
}

// Nobody waits for a provider that is gone for a day.
func TestClosedTooLong(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]limit.Option{
		"default": nil,
		"set":     {limit.MaxClosed(time.Minute)},
		"fail":    {limit.Fail()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := limit.New(append(opts, limit.Concurrency(1))...)
				b := newBackend(time.Second)
				b.reply = busyOnce(time.Hour)
				model := l.Wrap(b)
				var wg sync.WaitGroup
				for range 5 {
					wg.Go(func() {
						_, err := model.Generate(t.Context(), hello)
						if !lm.IsRetryable(err) {
							t.Errorf("%v is not a rate limit", err)
						}
					})
				}
				wg.Wait()
				require.Equal(t, time.Second, time.Since(b.start))
				require.Len(t, b.began, 1)
				time.Sleep(9 * time.Minute)
				_, err := model.Generate(t.Context(), hello)
				var e *lm.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, 51*time.Minute, e.RetryAfter)
				time.Sleep(e.RetryAfter)
				parallel(t, 1, model, hello)
			})
		})
	}
}

// A context that ends while the provider is closed ends the wait.
func TestClosedCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(0)
		b.reply = busyOnce(time.Minute)
		model := limit.With()(b)
		_, err := model.Generate(t.Context(), hello)
		require.ErrorIs(t, err, lm.ErrRateLimit)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = model.Generate(ctx, hello)
		require.Equal(t, context.DeadlineExceeded, err)
		parallel(t, 2, model, hello)
		require.Equal(t, []time.Duration{0, time.Minute, time.Minute}, b.began)
	})
}
