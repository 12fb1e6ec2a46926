package limit_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/limit"
)

// 600 requests a minute: a second's worth at once, and then one every 100 ms.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		opts    []limit.Option
		atOnce  int
		between time.Duration
	}{
		{"600", []limit.Option{limit.Requests(600)}, 10, 100 * time.Millisecond},
		{"600, no burst", []limit.Option{limit.Requests(600), limit.Burst(0)}, 1, 100 * time.Millisecond},
		{"600, burst of 2 s", []limit.Option{limit.Requests(600), limit.Burst(2 * time.Second)}, 20, 100 * time.Millisecond},
		{"20", []limit.Option{limit.Requests(20)}, 1, 3 * time.Second},
		{"none", nil, 40, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(0)
				parallel(t, 40, limit.With(tt.opts...)(b), hello)
				require.Len(t, b.began, 40)
				for i, at := range b.began {
					require.Equal(t, time.Duration(max(0, i-tt.atOnce+1))*tt.between, at, "request %d", i)
				}
			})
		})
	}
}

// No minute sees more than it may and the burst, however unequally requests come, and
// whether or not a nanosecond divides the rate.
func TestAnyMinute(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 7, 59, 61, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(0)
				model := limit.With(limit.Requests(n))(b)
				for i := range 6 {
					parallel(t, n/2+i, model, hello)
					time.Sleep(time.Duration(i) * 700 * time.Millisecond)
				}
				burst, first := max(1, n/60), 0
				for i, at := range b.began {
					for b.began[first] <= at-time.Minute {
						first++
					}
					require.LessOrEqual(t, i-first+1, n+burst, "in the minute before %v", at)
				}
				// And no less than it may, but for what nobody has asked for.
				require.Less(t, b.began[len(b.began)-1], time.Duration(len(b.began))*time.Minute/time.Duration(n)+7*time.Second)
			})
		})
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(time.Second)
		l := limit.New(limit.Concurrency(3))
		other := newBackend(time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			parallel(t, 2, l.Wrap(other), hello)
		}()
		synctest.Wait()
		parallel(t, 10, l.Wrap(b), hello)
		<-done
		require.Equal(t, 3, b.most)
		require.Equal(t, 2, other.most)
		require.Equal(t, 4*time.Second, time.Since(b.start), "12 requests of a second, 3 at once")
	})
}

// A panic of the model loses no place.
func TestPanic(t *testing.T) {
	t.Parallel()
	model := limit.With(limit.Concurrency(1), limit.Fail())(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		panic("broken")
	}))
	for range 3 {
		require.PanicsWithValue(t, "broken", func() { _, _ = model.Generate(t.Context(), hello) })
	}
}

// Lines take turns, each in the order of arrival, and one who leaves holds up nobody.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(time.Second)
		model := limit.With(limit.Concurrency(1))(b)
		ask := func(ctx context.Context, name string) {
			go func() {
				_, err := model.Generate(ctx, &lm.Request{Prompt: name})
				if ctx.Err() == nil && err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		busy, quiet := lm.WithQueue(t.Context()), lm.WithQueue(t.Context())
		gone, leave := context.WithCancel(quiet)
		defer leave()
		ask(t.Context(), "first")
		for i := range 4 {
			ask(busy, fmt.Sprint("busy ", i))
		}
		ask(gone, "gone")
		ask(quiet, "quiet 0")
		ask(t.Context(), "plain 0")
		ask(quiet, "quiet 1")
		leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"first", "busy 0", "quiet 0", "plain 0", "busy 1", "quiet 1", "busy 2", "busy 3"}, b.prompts)
	})
}

// A large request is not passed by the small ones behind it.
func TestLargeRequestHasItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(0)
		model := limit.With(limit.Tokens(6000), limit.Reply(0))(b) // 100 a second
		for _, r := range []*lm.Request{
			{Prompt: "small", MaxTokens: 98}, {Prompt: "large", MaxTokens: 1998}, {Prompt: "tiny", MaxTokens: 8},
		} {
			go func() { _, _ = model.Generate(t.Context(), r) }()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"small", "large", "tiny"}, b.prompts)
		require.Equal(t, []time.Duration{
			0,
			time.Second, // when the bucket is full
			// 2,000 tokens were taken of the 100 that were there; 9 more have to be there.
			time.Second + 19*time.Second + 90*time.Millisecond,
		}, b.began)
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(time.Hour)
		model := limit.With(limit.Concurrency(1))(b)
		in, out := context.WithCancel(t.Context())
		go func() { _, _ = model.Generate(in, hello) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := model.Generate(ctx, hello)
		require.Equal(t, context.DeadlineExceeded, err)
		require.Equal(t, 3*time.Second, time.Since(start))
		_, err = model.Generate(ctx, hello)
		require.Equal(t, context.DeadlineExceeded, err, "a context that has ended does not wait")
		out()
		synctest.Wait()
		require.Len(t, b.began, 1)
		b.takes = 0
		parallel(t, 1, model, hello) // the place of the one that was cancelled is free
	})
}

func TestFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		opt   limit.Option
		want  string
		after time.Duration
	}{
		{"requests", limit.Requests(20), "20 requests a minute are allowed", 3 * time.Second},
		{"tokens", limit.Tokens(600), "600 tokens a minute are allowed, and the request takes about 258", 25800 * time.Millisecond},
		{"concurrency", limit.Concurrency(1), "1 requests at the same time", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := limit.With(tt.opt, limit.Fail())(newBackend(time.Nanosecond))
				var err error
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, err := model.Generate(t.Context(), hello)
					if err != nil {
						t.Error(err)
					}
				}()
				synctest.Wait()
				_, err = model.Generate(t.Context(), hello)
				require.ErrorIs(t, err, lm.ErrRateLimit)
				require.ErrorContains(t, err, tt.want)
				var e *lm.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, tt.after, e.RetryAfter)
				<-done
				time.Sleep(e.RetryAfter)
				_, err = model.Generate(t.Context(), hello)
				require.NoError(t, err, "RetryAfter is enough")
			})
		})
	}
}

func TestNeverFits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(0)
		model := limit.With(limit.Tokens(1000))(b)
		for _, tokens := range []int{999, math.MaxInt} {
			_, err := model.Generate(t.Context(), &lm.Request{Prompt: "hello", MaxTokens: tokens})
			require.ErrorIs(t, err, lm.ErrInvalidRequest)
			require.False(t, lm.IsRetryable(err))
			require.ErrorContains(t, err, "1000 a minute")
		}
		require.Zero(t, time.Since(b.start))
		_, err := model.Generate(t.Context(), &lm.Request{Prompt: "hello", MaxTokens: 998})
		require.NoError(t, err)
		require.Len(t, b.began, 1)
	})
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]limit.Option{
		"Requests is 0":          limit.Requests(0),
		"Requests is 1000000001": limit.Requests(1_000_000_001),
		"Tokens is -5":           limit.Tokens(-5),
		"Concurrency is 0":       limit.Concurrency(0),
		"Burst is 1m1s":          limit.Burst(61 * time.Second),
		"Burst is -1ns":          limit.Burst(-1),
		"Reply is -1":            limit.Reply(-1),
		"MaxClosed is -1s":       limit.MaxClosed(-time.Second),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			b := newBackend(0)
			model := limit.With(opt)(b)
			_, err := model.Generate(t.Context(), hello)
			require.ErrorIs(t, err, lm.ErrInvalidRequest)
			require.ErrorContains(t, err, want)
			for _, err := range lm.Stream(t.Context(), model, hello) {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, b.began)
		})
	}
	_, err := limit.With()(nil).Generate(t.Context(), hello)
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
}

type passOn struct{ lm.LM }

func (p passOn) Unwrap() lm.LM { return p.LM }

// A model behind the same limiter twice would wait for itself.
func TestWrappedTwice(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Concurrency(1), limit.Fail())
	b := newBackend(0)
	once := l.Wrap(b)
	require.Same(t, lm.LM(b), once.(lm.Wrapper).Unwrap())
	require.Same(t, once, l.Wrap(once))
	between := passOn{once}
	require.Equal(t, lm.LM(between), l.Wrap(between))
	other := limit.New(limit.Concurrency(1), limit.Fail()).Wrap(between)
	require.NotEqual(t, lm.LM(between), other, "another limiter counts for itself")
	_, err := l.Wrap(other).Generate(t.Context(), hello)
	require.NoError(t, err)
}
