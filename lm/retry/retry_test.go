package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/retry"
)

// Every status of the table in the package's documentation, each as a call that always
// fails: how many attempts are made, and what the error says.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		kind   lm.ErrorKind
		again  bool
	}{
		{400, lm.ErrInvalidRequest, false},
		{400, lm.ErrContextLength, false},
		{401, lm.ErrAuth, false},
		{402, lm.ErrQuota, false},
		{403, lm.ErrAuth, false},
		{404, lm.ErrModel, false},
		{408, lm.ErrTimeout, true},
		{409, lm.ErrBackend, true},
		{413, lm.ErrInvalidRequest, false},
		{422, lm.ErrInvalidRequest, false},
		{429, lm.ErrRateLimit, true},
		{429, lm.ErrQuota, false},
		{500, lm.ErrBackend, true},
		{502, lm.ErrBackend, true},
		{503, lm.ErrBackend, true},
		{504, lm.ErrTimeout, true},
		{529, lm.ErrBackend, true},
		{0, lm.ErrUnsupported, false},
		{0, lm.ErrUnavailable, false},
		{0, lm.ErrRefused, false},
		{0, lm.ErrBudget, false},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := &flaky{always: status(tt.status, tt.kind)}
				_, err := retry.With()(model).Generate(t.Context(), hello)
				require.ErrorIs(t, err, tt.kind)
				var typed *lm.Error
				require.ErrorAs(t, err, &typed)
				require.Equal(t, tt.status, typed.Status)
				if !tt.again {
					require.Equal(t, 1, model.calls())
					require.Same(t, model.always, err, "an error that is not tried again is returned as it is")
					return
				}
				require.Equal(t, 3, model.calls())
				var gaveUp *retry.Error
				require.ErrorAs(t, err, &gaveUp)
				require.Equal(t, 3, gaveUp.Attempts)
				require.Equal(t, retry.NoAttempts, gaveUp.Reason)
				require.ErrorContains(t, err, "3 attempts")
			})
		})
	}
}

// Which errors that are not plain *lm.Errors are tried again.
func TestErrors(t *testing.T) {
	t.Parallel()
	always := retry.If(func(error) bool { return true })
	for _, tt := range []struct {
		name  string
		err   error
		opts  []retry.Option
		calls int
	}{
		{"not typed", io.ErrUnexpectedEOF, nil, 1},
		{"a bare kind", lm.ErrBackend, nil, 1},
		{"wrapped", fmt.Errorf("outer: %w", status(500, lm.ErrBackend)), nil, 3},
		{"the backend's own deadline", &lm.Error{Kind: lm.ErrTimeout, Err: context.DeadlineExceeded}, nil, 3},
		{"a deadline", context.DeadlineExceeded, nil, 1},
		{"cancelled", fmt.Errorf("outer: %w", context.Canceled), nil, 1},
		{"not typed, asked for", io.ErrUnexpectedEOF, []retry.Option{always}, 3},
		{"auth, asked for", status(401, lm.ErrAuth), []retry.Option{always}, 3},
		{"cancelled, asked for", context.Canceled, []retry.Option{always}, 1},
		{"never", status(500, lm.ErrBackend), []retry.Option{retry.If(func(error) bool { return false })}, 1},
		{"one attempt", status(500, lm.ErrBackend), []retry.Option{retry.Attempts(1)}, 1},
		{"seven attempts", status(500, lm.ErrBackend), []retry.Option{retry.Attempts(7)}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := &flaky{always: tt.err}
				_, err := retry.With(tt.opts...)(model).Generate(t.Context(), hello)
				require.ErrorIs(t, err, tt.err)
				require.Equal(t, tt.calls, model.calls())
			})
		})
	}
}

func TestAnswersAfterFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broke := status(500, lm.ErrBackend)
		broke.Partial = &lm.Response{Text: "h", Usage: lm.Usage{Calls: 1, PromptTokens: 2, CompletionTokens: 5}}
		model := &flaky{errs: []error{broke, status(503, lm.ErrBackend)}}
		var seen []retry.Attempt
		wrapped := retry.With(retry.Notify(func(a retry.Attempt) { seen = append(seen, a) }))(model)
		resp, err := wrapped.Generate(t.Context(), hello)
		require.NoError(t, err)
		require.Equal(t, "hi", resp.Text)
		require.Equal(t, lm.Usage{Calls: 2, PromptTokens: 4, CompletionTokens: 6}, resp.Usage, "what the first attempt has cost counts")
		require.Len(t, seen, 2)
		for i, a := range seen {
			require.Equal(t, i+1, a.Number)
			require.Equal(t, model.errs[i], a.Err)
			require.Equal(t, model.waits()[i], a.Wait)
			require.Empty(t, a.Reason)
		}
		require.Same(t, lm.LM(model), wrapped.(lm.Wrapper).Unwrap())
	})
}

// What earlier attempts have cost stands in the last error, which itself is not changed.
func TestFailuresCost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cut := func() *lm.Error {
			e := status(500, lm.ErrBackend)
			e.Partial = &lm.Response{Text: "h", Usage: lm.Usage{Calls: 1, CompletionTokens: 5}}
			return e
		}
		for _, last := range []*lm.Error{cut(), status(500, lm.ErrBackend)} {
			before := *last
			_, err := retry.With()(&flaky{errs: []error{cut(), cut(), last}}).Generate(t.Context(), hello)
			var e *lm.Error
			require.ErrorAs(t, err, &e)
			want := lm.Usage{Calls: 2, CompletionTokens: 10}
			if last.Partial != nil {
				want = lm.Usage{Calls: 3, CompletionTokens: 15}
				require.Equal(t, 5, last.Partial.Usage.CompletionTokens)
			}
			require.Equal(t, want, e.Partial.Usage)
			require.Equal(t, before, *last)
		}
	})
}

// The waits: full jitter below a limit that doubles up to Max.
func TestWaits(t *testing.T) {
	t.Parallel()
	limits := []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond}
	waits := func(t *testing.T, seed uint64) []time.Duration {
		t.Helper()
		model := &flaky{always: status(500, lm.ErrBackend)}
		wrapped := retry.With(retry.Attempts(6), retry.Base(limits[0]), retry.Max(limits[4]), retry.Seed(seed))(model)
		_, err := wrapped.Generate(t.Context(), hello)
		require.Error(t, err)
		return model.waits()
	}
	synctest.Test(t, func(t *testing.T) {
		var sum, most [5]time.Duration
		for seed := range uint64(300) {
			for i, w := range waits(t, seed) {
				require.LessOrEqual(t, w, limits[i])
				sum[i] += w
				most[i] = max(most[i], w)
			}
		}
		for i := range limits {
			require.InDelta(t, 0.5, float64(sum[i])/300/float64(limits[i]), 0.06, "wait %d is not drawn evenly", i)
			require.Greater(t, most[i], limits[i]*9/10)
		}
		require.Equal(t, waits(t, 7), waits(t, 7))
		require.NotEqual(t, waits(t, 7), waits(t, 8))
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		after  time.Duration
		opts   []retry.Option
		calls  int
		reason retry.Reason
		waited time.Duration // at least, and at most half a second more for each wait
	}{
		{"obeyed", 7 * time.Second, []retry.Option{retry.Attempts(2)}, 2, retry.NoAttempts, 7 * time.Second},
		{"beyond Max", 50 * time.Second, []retry.Option{retry.Attempts(2)}, 2, retry.NoAttempts, 50 * time.Second},
		{"twice", 50 * time.Second, nil, 3, retry.NoAttempts, 100 * time.Second},
		{"the second does not fit", 70 * time.Second, nil, 2, retry.NoTime, 70 * time.Second},
		{"does not fit", 2*time.Minute + 1, nil, 1, retry.NoTime, 0},
		{"fits to the nanosecond", 2 * time.Minute, []retry.Option{retry.Attempts(2)}, 2, retry.NoAttempts, 2 * time.Minute},
		{"absurd", math.MaxInt64, nil, 1, retry.NoTime, 0},
		{"absurd and allowed to wait so", math.MaxInt64, []retry.Option{retry.Total(math.MaxInt64 - 1)}, 1, retry.NoTime, 0},
		{"negative", -time.Hour, nil, 3, retry.NoAttempts, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := &flaky{always: busy(tt.after)}
				start := time.Now()
				_, err := retry.With(tt.opts...)(model).Generate(t.Context(), hello)
				var gaveUp *retry.Error
				require.ErrorAs(t, err, &gaveUp)
				require.Equal(t, tt.reason, gaveUp.Reason)
				require.Equal(t, tt.calls, gaveUp.Attempts)
				require.Equal(t, tt.calls, model.calls())
				waited := time.Since(start)
				require.GreaterOrEqual(t, waited, tt.waited)
				require.LessOrEqual(t, waited, tt.waited+time.Duration(tt.calls-1)*time.Second)
			})
		})
	}
}

// No wait begins that the caller would not see the end of.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := retry.With()(&flaky{always: busy(5 * time.Second)}).Generate(ctx, hello)
		var gaveUp *retry.Error
		require.ErrorAs(t, err, &gaveUp)
		require.Equal(t, retry.NoDeadline, gaveUp.Reason)
		require.ErrorIs(t, err, lm.ErrRateLimit)
		require.Zero(t, time.Since(start))
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]time.Duration{"before": 0, "between": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				model := &flaky{always: busy(10 * time.Second)}
				if when == 0 {
					cancel()
				} else {
					time.AfterFunc(when, cancel)
				}
				start := time.Now()
				_, err := retry.With()(model).Generate(ctx, hello)
				require.ErrorIs(t, err, context.Canceled)
				require.False(t, lm.IsRetryable(err), "who is told to stop does not try again")
				require.ErrorContains(t, err, "HTTP 429")
				require.Equal(t, when, time.Since(start))
				require.Equal(t, 1, model.calls())
			})
		})
	}
	t.Run("in the call", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		model := lm.Func(func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
			calls++
			cancel()
			return nil, ctx.Err()
		})
		_, err := retry.With()(model).Generate(ctx, hello)
		require.Equal(t, context.Canceled, err)
		require.Equal(t, 1, calls)
	})
}

// 50 parallel calls against a server that is always busy, three times over.
func TestBudget(t *testing.T) {
	t.Parallel()
	const calls, retries = 50, 2
	for _, tt := range []struct {
		name  string
		opts  []retry.Option
		bound int // retries in all
		exact bool
	}{
		{"default", nil, 20 + 3*calls/2, false},
		{"small", []retry.Option{retry.Budget(0.1, 5)}, 5 + 3*calls/10, false},
		{"burst only", []retry.Option{retry.Budget(0, 7)}, 7, true},
		{"none", []retry.Option{retry.Budget(0, 0)}, 0, true},
		{"ratio only", []retry.Option{retry.Budget(0.1, 0)}, 3 * calls / 10, false},
		{"no budget", []retry.Option{retry.NoBudget()}, 3 * calls * retries, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := &flaky{always: busy(time.Second)}
				again := retry.With(tt.opts...)
				var mu sync.Mutex
				refused, made := 0, 0
				for range 3 {
					var wg sync.WaitGroup
					for range calls {
						wg.Go(func() {
							_, err := again(model).Generate(t.Context(), hello) // wrapped anew, as lm.Wrap does
							var gaveUp *retry.Error
							if !errors.As(err, &gaveUp) {
								t.Errorf("the error is %v", err)
								return
							}
							mu.Lock()
							defer mu.Unlock()
							made += gaveUp.Attempts
							if gaveUp.Reason == retry.BudgetSpent {
								refused++
							}
						})
					}
					wg.Wait()
				}
				require.Equal(t, model.calls(), made, "the errors count the attempts")
				require.LessOrEqual(t, made, 3*calls*(1+retries))
				require.LessOrEqual(t, made-3*calls, tt.bound)
				if tt.exact {
					require.Equal(t, tt.bound, made-3*calls)
				}
				require.Equal(t, tt.bound < 3*calls*retries, refused > 0)
			})
		})
	}
}

// What is saved up in good times is no more than the burst.
func TestBudgetSavesLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := &flaky{}
		wrapped := retry.With(retry.Budget(1, 3), retry.Attempts(100))(model)
		for range 1000 {
			_, err := wrapped.Generate(t.Context(), hello)
			require.NoError(t, err)
		}
		model.always = status(500, lm.ErrBackend)
		_, err := wrapped.Generate(t.Context(), hello)
		require.ErrorContains(t, err, "used up")
		require.Equal(t, 1000+1+3, model.calls())
	})
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]retry.Option{
		"Attempts is 0":  retry.Attempts(0),
		"Base is -1s":    retry.Base(-time.Second),
		"Max is 1ms":     retry.Max(time.Millisecond),
		"Total is -1s":   retry.Total(-time.Second),
		"Budget is -0.1": retry.Budget(-0.1, 1),
		"Budget is NaN":  retry.Budget(math.NaN(), 1),
		"Budget is 1.5":  retry.Budget(1.5, 1),
		"Budget is -1,":  retry.Budget(0.1, -1),
		"function of If": retry.If(nil),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			model := &flaky{}
			wrapped := retry.With(opt)(model)
			_, err := wrapped.Generate(t.Context(), hello)
			require.ErrorIs(t, err, lm.ErrInvalidRequest)
			require.ErrorContains(t, err, want)
			for _, err := range lm.Stream(t.Context(), wrapped, hello) {
				require.ErrorIs(t, err, lm.ErrInvalidRequest)
			}
			require.Zero(t, model.calls())
		})
	}
	_, err := retry.With()(nil).Generate(t.Context(), hello)
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &retry.Error{Attempts: 1, Reason: retry.BudgetSpent, Err: busy(0)}
	require.Equal(t, "lm/retry: gave up after 1 attempt, since the retries that all calls share are used up: lm/test: rate limit reached (HTTP 429)", err.Error())
	err.Attempts, err.Reason = 3, retry.NoAttempts
	require.True(t, strings.HasPrefix(err.Error(), "lm/retry: gave up after 3 attempts, since no more are allowed: "))
}
