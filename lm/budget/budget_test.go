package budget_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
)

// Calls one after the other: how many are made before the budget stops, and what it says.
func TestStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		limits budget.Limits
		reply  reply
		calls  int
		limit  budget.Limit
		want   string
	}{
		{"calls", budget.Limits{Calls: 3}, used(10, 7), 3, budget.LimitCalls, "the limit of 3 calls is reached: 3 calls are spent (3 calls, 30 tokens, $0.000000021 in all)"},
		{"tokens, met", budget.Limits{Tokens: 30}, used(10, 7), 3, budget.LimitTokens, "the limit of 30 tokens is reached: 30 tokens are spent"},
		{"tokens, passed by the last", budget.Limits{Tokens: 31}, used(10, 7), 4, budget.LimitTokens, "the limit of 31 tokens is reached: 40 tokens are spent"},
		{"money", budget.Limits{Money: lm.USD / 100}, used(10, lm.USD/300), 4, budget.LimitMoney, "the limit of $0.01 is reached: $0.013333332 are spent"},
		{"the first limit that is reached", budget.Limits{Calls: 9, Tokens: 45, Money: lm.USD}, used(10, 7), 5, budget.LimitTokens, "45 tokens"},
		{"failures that cost nothing", budget.Limits{Calls: 4, Tokens: 5, Money: 5}, failed(lm.ErrRateLimit, nil), 4, budget.LimitCalls, "4 calls"},
		{"tokens without a price", budget.Limits{Tokens: 30}, unpriced(10), 3, budget.LimitTokens, "30 tokens"},
		{"a model in the process", budget.Limits{Money: 1, Calls: 6}, used(10, 0), 6, budget.LimitCalls, "6 calls"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := budget.New(tt.limits)
			model := &answers{replies: []reply{tt.reply}}
			wrapped := b.Wrap(model)
			for range tt.calls {
				resp, err := wrapped.Generate(t.Context(), hello)
				require.Equal(t, tt.reply, reply{resp, err}, "what comes is passed on")
			}
			for range 2 {
				_, err := wrapped.Generate(t.Context(), hello)
				require.ErrorIs(t, err, lm.ErrBudget)
				require.False(t, lm.IsRetryable(err))
				require.ErrorContains(t, err, tt.want)
				var e *budget.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, tt.limit, e.Limit)
				require.Equal(t, tt.limits, e.Limits)
				require.Equal(t, b.Spent(), e.Spent)
				require.Zero(t, e.InFlight)
				require.Zero(t, e.Reserved)
				var typed *lm.Error
				require.ErrorAs(t, err, &typed)
				require.Equal(t, err.Error(), typed.Error())
			}
			require.Equal(t, tt.calls, model.count())
			require.Equal(t, tt.calls, b.Spent().Calls)
		})
	}
}

// No limit, no stop; what is spent is counted all the same.
func TestCounts(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Limits{})
	partial := &lm.Response{Usage: lm.Usage{Calls: 1, PromptTokens: 3, Cost: 5, PricedCalls: 1}}
	model := &answers{replies: []reply{
		used(10, 7), failed(lm.ErrAuth, nil), failed(lm.ErrBackend, partial),
		{resp: &lm.Response{Cached: true, Usage: lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1, PromptTokens: 99}}},
		unpriced(4),
	}}
	for range 5 {
		_, _ = b.Wrap(model).Generate(t.Context(), hello) // wrapped anew, as lm.Wrap does
	}
	require.Equal(t, lm.Usage{Calls: 4, PromptTokens: 10, CompletionTokens: 7, Cost: 12, PricedCalls: 3}, b.Spent())
	require.False(t, b.Spent().CostKnown())
}

// What is charged for a call whose end does not say all of it. 100 tokens and $0.50 are
// reserved for each.
func TestCharged(t *testing.T) {
	t.Parallel()
	const half = lm.USD / 2
	part := func(u lm.Usage) *lm.Response { return &lm.Response{Usage: u} }
	shared := part(lm.Usage{Calls: 1, PromptTokens: 7, Cost: 9, PricedCalls: 1})
	other := part(lm.Usage{Calls: 1, PromptTokens: 2, Cost: 1, PricedCalls: 1})
	for _, tt := range []struct {
		name  string
		reply reply
		want  budget.Limits
	}{
		{"reply", used(10, 7), budget.Limits{Calls: 1, Tokens: 10, Money: 7}},
		{"all sorts of tokens", reply{resp: part(lm.Usage{Calls: 1, PromptTokens: 1, CachedTokens: 1, CompletionTokens: 2, ReasoningTokens: 2, ForcedTokens: 4, PricedCalls: 1})}, budget.Limits{Calls: 1, Tokens: 7}},
		{"tokens not told", used(0, 7), budget.Limits{Calls: 1, Tokens: 100, Money: 7}},
		{"several calls", reply{resp: part(lm.Usage{Calls: 3, PromptTokens: 9, PricedCalls: 3})}, budget.Limits{Calls: 3, Tokens: 9}},
		{"several calls, one from a store", reply{resp: part(lm.Usage{Calls: 3, CachedCalls: 1, PromptTokens: 9, PricedCalls: 3})}, budget.Limits{Calls: 2, Tokens: 9}},
		{"calls not told", reply{resp: part(lm.Usage{PromptTokens: 9, PricedCalls: 1})}, budget.Limits{Calls: 1, Tokens: 9}},
		{"negative", used(-10, -7), budget.Limits{Calls: 1, Tokens: 100}},
		{"from a store", reply{resp: &lm.Response{Cached: true, Usage: lm.Usage{Calls: 1, PromptTokens: 9}}}, budget.Limits{}},
		{"no reply", reply{}, budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"rate limit", failed(lm.ErrRateLimit, nil), budget.Limits{Calls: 1}},
		{"wrong key", failed(lm.ErrAuth, nil), budget.Limits{Calls: 1}},
		{"another budget", failed(lm.ErrBudget, nil), budget.Limits{}},
		{"backend", failed(lm.ErrBackend, nil), budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"timeout", failed(lm.ErrTimeout, nil), budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"untyped", reply{err: errors.New("broken")}, budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"cancelled", reply{err: context.Canceled}, budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"partial", failed(lm.ErrBackend, shared), budget.Limits{Calls: 1, Tokens: 7, Money: 9}},
		{"partial, nothing told", failed(lm.ErrBackend, part(lm.Usage{})), budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"partial, no price", failed(lm.ErrBackend, part(lm.Usage{Calls: 1, PromptTokens: 7})), budget.Limits{Calls: 1, Tokens: 7, Money: half}},
		{"partial of a rate limit", failed(lm.ErrRateLimit, shared), budget.Limits{Calls: 1, Tokens: 7, Money: 9}},
		{"several errors", reply{err: errors.Join(failed(lm.ErrBackend, shared).err, failed(lm.ErrTimeout, other).err)}, budget.Limits{Calls: 2, Tokens: 9, Money: 10}},
		{"the same partial twice", reply{err: &lm.Error{Kind: lm.ErrBackend, Partial: shared, Err: failed(lm.ErrTimeout, shared).err}}, budget.Limits{Calls: 1, Tokens: 7, Money: 9}},
		{"one of several errors may have cost", reply{err: errors.Join(failed(lm.ErrAuth, nil).err, failed(lm.ErrBackend, nil).err)}, budget.Limits{Calls: 1, Tokens: 100, Money: half}},
		{"one of several errors is a budget's", reply{err: errors.Join(failed(lm.ErrAuth, nil).err, failed(lm.ErrBudget, nil).err)}, budget.Limits{Calls: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A second call reaches a limit of its own, and its error says what is charged.
			b := budget.New(budget.Limits{Tokens: 1000, Money: lm.USD, Calls: 100}, budget.Estimate(fixed(100, half)))
			_, _ = b.Wrap(&answers{replies: []reply{tt.reply}}).Generate(t.Context(), hello)
			stop := b.Wrap(&answers{replies: []reply{used(5000, 0)}})
			_, err := stop.Generate(t.Context(), hello)
			require.NoError(t, err)
			_, err = stop.Generate(t.Context(), hello)
			var e *budget.Error
			require.ErrorAs(t, err, &e)
			e.Charged.Calls--
			e.Charged.Tokens -= 5000
			require.Equal(t, tt.want, e.Charged)
		})
	}
}

func TestUnknownCost(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Limits{Money: lm.USD})
	model := &answers{replies: []reply{used(10, 5), unpriced(10), used(10, 5)}}
	wrapped := b.Wrap(model)
	_, err := wrapped.Generate(t.Context(), hello)
	require.NoError(t, err)
	_, err = wrapped.Generate(t.Context(), hello)
	require.ErrorIs(t, err, lm.ErrBudget)
	require.ErrorContains(t, err, "the cost of a reply of test is not known")
	require.ErrorContains(t, err, "lm/price")
	var typed *lm.Error
	require.ErrorAs(t, err, &typed)
	require.Same(t, model.replies[1].resp, typed.Partial, "what was paid is not lost")
	for range 2 {
		_, err = wrapped.Generate(t.Context(), hello)
		require.ErrorContains(t, err, "lm/price")
		var e *budget.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, budget.LimitPrice, e.Limit)
		require.ErrorAs(t, err, &typed)
		require.Nil(t, typed.Partial)
	}
	require.Equal(t, 2, model.count(), "no further call is started")
	require.Equal(t, lm.Usage{Calls: 2, PromptTokens: 10, CompletionTokens: 10, Cost: 5, PricedCalls: 1}, b.Spent())
}

func TestStreams(t *testing.T) {
	t.Parallel()
	end := func(u lm.Usage) *lm.Event { return &lm.Event{Response: &lm.Response{Text: "hi", Usage: u}} }
	priced := lm.Usage{Calls: 1, PromptTokens: 3, CompletionTokens: 4, Cost: 5, PricedCalls: 1}
	broken := failed(lm.ErrBackend, &lm.Response{Usage: priced}).err
	text := &lm.Event{Text: "hi"}
	for _, tt := range []struct {
		name    string
		model   *streamer
		leave   int // after so many events
		events  int
		err     error
		charged budget.Limits
	}{
		{"whole", &streamer{events: []*lm.Event{text, end(priced)}}, 9, 2, nil, budget.Limits{Calls: 1, Tokens: 7, Money: 5}},
		{"left at the end", &streamer{events: []*lm.Event{text, end(priced)}}, 2, 2, nil, budget.Limits{Calls: 1, Tokens: 7, Money: 5}},
		{"left", &streamer{events: []*lm.Event{text, end(priced)}}, 1, 1, nil, budget.Limits{Calls: 1, Tokens: 100, Money: 50}},
		{"broken", &streamer{events: []*lm.Event{text}, err: broken}, 9, 1, broken, budget.Limits{Calls: 1, Tokens: 7, Money: 5}},
		{"without an end", &streamer{events: []*lm.Event{text}}, 9, 1, nil, budget.Limits{Calls: 1, Tokens: 100, Money: 50}},
		{"no price", &streamer{events: []*lm.Event{text, end(lm.Usage{Calls: 1, PromptTokens: 7})}}, 9, 1, lm.ErrBudget, budget.Limits{Calls: 1, Tokens: 7, Money: 50}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := budget.New(budget.Limits{Calls: 1, Money: lm.USD, Tokens: 1000}, budget.Estimate(fixed(100, 50)))
			model := b.Wrap(tt.model)
			events, failed := 0, error(nil)
			for event, err := range lm.Stream(t.Context(), model, hello) {
				if err != nil {
					failed = err
					continue
				}
				if events++; events == tt.leave {
					break
				}
				require.NotNil(t, event)
			}
			require.Equal(t, tt.events, events)
			require.ErrorIs(t, failed, tt.err)
			_, err := model.Generate(t.Context(), hello)
			var e *budget.Error
			require.ErrorAs(t, err, &e)
			if tt.err != lm.ErrBudget { //nolint:errorlint // it is the kind itself
				require.Equal(t, budget.LimitCalls, e.Limit)
			}
			require.Zero(t, e.InFlight)
			require.Equal(t, tt.charged, e.Charged)
			for _, err := range lm.Stream(t.Context(), model, hello) {
				require.ErrorIs(t, err, lm.ErrBudget)
			}
		})
	}
}

// A stream's call ends before the body of the loop sees the reply, which may use what
// was reserved.
func TestStreamEndsBeforeItsEnd(t *testing.T) {
	t.Parallel()
	model := budget.New(budget.Limits{Tokens: 100}, budget.Estimate(fixed(100, 0))).Wrap(&answers{replies: []reply{used(10, 0)}})
	asked := 0
	for _, err := range lm.Stream(t.Context(), model, hello) {
		require.NoError(t, err)
		_, err := model.Generate(t.Context(), hello)
		require.NoError(t, err)
		asked++
	}
	require.Equal(t, 1, asked)
}

func TestContext(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Limits{Calls: 1})
	model := &answers{replies: []reply{used(1, 1)}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Wrap(model).Generate(ctx, hello)
	require.Equal(t, context.Canceled, err)
	require.Zero(t, model.count())
	require.Zero(t, b.Spent(), "a call that was not started counts nothing")
}

// A panic of the model loses nothing of what was reserved.
func TestPanic(t *testing.T) {
	t.Parallel()
	b := budget.New(budget.Limits{Tokens: 250}, budget.Estimate(fixed(100, 0)))
	model := b.Wrap(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { panic("broken") }))
	for range 3 {
		require.PanicsWithValue(t, "broken", func() { _, _ = model.Generate(t.Context(), hello) })
	}
	_, err := model.Generate(t.Context(), hello)
	var e *budget.Error
	require.ErrorAs(t, err, &e)
	require.Zero(t, e.InFlight)
	require.Equal(t, 300, e.Charged.Tokens)
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for want, model := range map[string]lm.Middleware{
		"calls is -1":                   budget.With(budget.Limits{Calls: -1}),
		"tokens is -2":                  budget.With(budget.Limits{Tokens: -2}),
		"tokens is 9223372036854775807": budget.With(budget.Limits{Tokens: math.MaxInt}),
		"money is -$1.00":               budget.With(budget.Limits{Money: -lm.USD}),
		"takes -1 tokens":               budget.With(budget.Limits{}, budget.Estimate(fixed(-1, 0))),
		"and -$2.00":                    budget.With(budget.Limits{}, budget.Estimate(fixed(0, -2*lm.USD))),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			inner := &answers{replies: []reply{used(1, 1)}}
			_, err := model(inner).Generate(t.Context(), hello)
			require.ErrorIs(t, err, lm.ErrInvalidRequest)
			require.ErrorContains(t, err, want)
			require.Zero(t, inner.count())
		})
	}
	_, err := budget.With(budget.Limits{})(nil).Generate(t.Context(), hello)
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
}

type passOn struct{ lm.LM }

func (p passOn) Unwrap() lm.LM { return p.LM }

// Behind the same budget twice, a call counts once; behind two budgets it counts in both.
func TestWrappedTwice(t *testing.T) {
	t.Parallel()
	b, outer := budget.New(budget.Limits{}), budget.New(budget.Limits{Calls: 3})
	model := &answers{replies: []reply{used(5, 1)}}
	require.Same(t, lm.LM(model), b.Wrap(model).(lm.Wrapper).Unwrap())
	wrapped := b.Wrap(outer.Wrap(passOn{b.Wrap(model)}))
	for range 3 {
		_, err := wrapped.Generate(t.Context(), hello)
		require.NoError(t, err)
	}
	_, err := wrapped.Generate(t.Context(), hello)
	require.ErrorIs(t, err, lm.ErrBudget)
	require.Equal(t, 3, b.Spent().Calls)
	require.Equal(t, b.Spent(), outer.Spent())
}
