package budget

import (
	"context"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Budget is what a program may spend with all models that it wraps together. Make it once,
// with [New].
type Budget struct {
	limits   Limits
	err      error
	estimate func(*lm.Request) (int, lm.Money) // nil for the largest call

	mu       sync.Mutex
	spent    lm.Usage // as reported
	charged  Limits
	reserved Limits
	inFlight int
	largest  Limits // tokens and money of one call, each the most
	unknown  *Error // once a cost was not known
}

// New returns a budget with these limits.
func New(limits Limits, opts ...Option) *Budget {
	b := &Budget{limits: limits, err: limits.check()}
	for _, opt := range opts {
		opt(b)
	}
	return b
}

// With returns the middleware of a new budget, which all models that it wraps share.
// Use [New] to see what is spent.
func With(limits Limits, opts ...Option) lm.Middleware { return New(limits, opts...).Wrap }

// Spent returns what calls have reported so far, also in failures, and counts the calls
// that have reported nothing. Calls in flight are not in it, nor answers from a store.
func (b *Budget) Spent() lm.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// begin reserves what a call may take, or says why it must not start. A call that has
// begun must end.
func (b *Budget) begin(ctx context.Context, r *lm.Request) (Limits, error) {
	if b.err != nil {
		return Limits{}, b.err
	}
	if err := ctx.Err(); err != nil {
		return Limits{}, err
	}
	want := Limits{Calls: 1}
	if b.estimate != nil {
		want.Tokens, want.Money = b.estimate(r)
		if want.Tokens < 0 || want.Money < 0 {
			return Limits{}, invalid("Estimate says that a call takes %d tokens and %v; neither is negative", want.Tokens, want.Money)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unknown != nil {
		return Limits{}, b.unknown
	}
	total := b.charged.plus(b.reserved)
	switch l := b.limits; {
	case l.Calls > 0 && total.Calls >= l.Calls:
		return Limits{}, b.reached(LimitCalls)
	case l.Tokens > 0 && total.Tokens >= l.Tokens:
		return Limits{}, b.reached(LimitTokens)
	case l.Money > 0 && total.Money >= l.Money:
		return Limits{}, b.reached(LimitMoney)
	}
	if b.estimate == nil {
		want.Tokens, want.Money = b.largest.Tokens, b.largest.Money
	}
	// More than a limit makes no difference, and nothing does where there is none.
	want.Tokens = min(want.Tokens, b.limits.Tokens)
	want.Money = min(want.Money, b.limits.Money)
	b.reserved.Calls += want.Calls
	b.reserved.Tokens += want.Tokens
	b.reserved.Money += want.Money
	b.inFlight++
	return want, nil
}

func (b *Budget) reached(limit Limit) *Error {
	return &Error{Limit: limit, Limits: b.limits, Spent: b.spent, Charged: b.charged, InFlight: b.inFlight, Reserved: b.reserved}
}

// end ends a call that has reserved so much. It returns an error where what the call has
// cost must be known and is not.
func (b *Budget) end(reserved Limits, resp *lm.Response, failed error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.reserved.Calls -= reserved.Calls
	b.reserved.Tokens -= reserved.Tokens
	b.reserved.Money -= reserved.Money
	switch {
	case failed != nil:
		b.fail(reserved, failed)
	case resp == nil:
		b.charge(reserved, lm.Usage{Calls: 1})
	case !resp.Cached:
		u := resp.Usage
		u.Calls = max(u.Calls, 1)
		b.charge(reserved, u)
		b.largest.Tokens = max(b.largest.Tokens, u.Tokens())
		b.largest.Money = max(b.largest.Money, u.Cost)
		if b.limits.Money > 0 && !u.CostKnown() {
			e := b.reached(LimitPrice)
			e.model = resp.Model
			if b.unknown == nil {
				b.unknown = e
			}
			paid := *e
			paid.reply = resp
			return &paid
		}
	}
	return nil
}

// fail counts a call that has failed.
func (b *Budget) fail(reserved Limits, failed error) {
	f := failureOf(failed)
	switch {
	case f.used != lm.Usage{}:
		f.used.Calls = max(f.used.Calls, 1)
		b.charge(reserved, f.used)
	case f.refused: // by another budget: no request was made
	case f.idle:
		b.charge(Limits{}, lm.Usage{Calls: 1, PricedCalls: 1})
	default:
		b.charge(reserved, lm.Usage{Calls: 1})
	}
}

// charge counts what a call has used. What it does not say is what it has reserved.
func (b *Budget) charge(reserved Limits, u lm.Usage) {
	b.spent = b.spent.Add(u)
	c := Limits{Calls: max(u.Calls-u.CachedCalls, 0), Tokens: max(u.Tokens(), 0), Money: max(u.Cost, 0)}
	if c.Tokens == 0 {
		c.Tokens = reserved.Tokens
	}
	if !u.CostKnown() {
		c.Money = max(c.Money, reserved.Money)
	}
	b.charged = b.charged.plus(c)
}
