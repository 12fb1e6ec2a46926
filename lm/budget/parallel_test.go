package budget_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
)

const callers = 64

// spend has 64 callers call until the budget stops each of them, and returns what was
// spent. No call may start afterwards.
func spend(t *testing.T, b *budget.Budget, model *answers) lm.Usage {
	t.Helper()
	wrapped := b.Wrap(model)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for {
				_, err := wrapped.Generate(t.Context(), hello)
				if err == nil {
					continue
				}
				var e *budget.Error
				if !errors.As(err, &e) {
					t.Errorf("%v is not the budget's", err)
					return
				}
				if e.InFlight == 0 {
					return
				}
				// The limit is not spent: it is what is reserved that leaves no room.
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
	return b.Spent()
}

// uneven makes calls that take 1 to 100 tokens, or billionths of a dollar, and times that
// mix them.
func uneven() *answers {
	a := &answers{takes: func(call int) time.Duration { return time.Duration(1+call*37%101) * time.Millisecond }}
	for i := range 5000 {
		n := 1 + i*61%100
		a.replies = append(a.replies, used(n, lm.Money(n)))
	}
	return a
}

// The number of calls is exact.
func TestParallelCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := uneven()
		got := spend(t, budget.New(budget.Limits{Calls: 1000}), model)
		require.Equal(t, 1000, got.Calls)
		require.Equal(t, 1000, model.count())
	})
}

// Where no call takes more than it reserves, the limit is passed by less than one
// reservation, and nearly used up.
func TestParallelEstimate(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]budget.Limits{"tokens": {Tokens: 20_000}, "money": {Money: 20_000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := spend(t, budget.New(limits, budget.Estimate(fixed(100, 100))), uneven())
				require.GreaterOrEqual(t, int(got.Cost), 20_000)
				require.Less(t, int(got.Cost), 20_000+100)
			})
		})
	}
}

// By default a call reserves what the largest one has taken. The first ones reserve
// nothing, and so the limit is passed by what is in flight at most.
func TestParallelLargest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		limit, over int
	}{
		// After the first hundred calls the largest has been seen.
		{"large", 20_000, 99},
		// All callers have started before one has ended.
		{"small", 1, callers * 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := spend(t, budget.New(budget.Limits{Tokens: tt.limit}), uneven())
				tokens := got.PromptTokens + got.CompletionTokens
				require.GreaterOrEqual(t, tokens, tt.limit)
				require.LessOrEqual(t, tokens, tt.limit+tt.over)
				require.Equal(t, tt.name == "small", got.Calls == callers)
			})
		})
	}
}

// What is reserved refuses calls that would pass the limit, says so, and lets them start
// when it was more than was needed.
func TestReserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := &answers{replies: []reply{used(10, 0)}, takes: func(int) time.Duration { return time.Second }}
		b := budget.New(budget.Limits{Tokens: 1000}, budget.Estimate(fixed(600, 0)))
		wrapped := b.Wrap(model)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := wrapped.Generate(t.Context(), hello); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		_, err := wrapped.Generate(t.Context(), hello)
		var e *budget.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 2, e.InFlight)
		require.Equal(t, budget.Limits{Calls: 2, Tokens: 1200}, e.Reserved)
		require.ErrorContains(t, err, "the limit of 1000 tokens is reached: 0 tokens are spent and 1200 tokens reserved by 2 in flight")
		wg.Wait()
		_, err = wrapped.Generate(t.Context(), hello)
		require.NoError(t, err)
		require.Equal(t, 30, b.Spent().PromptTokens+b.Spent().CompletionTokens)
	})
}
