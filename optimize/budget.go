package optimize

import (
	"context"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
)

// Budget is what a search may spend, confirmation included; a limit of 0 is none. Answers from
// a store ([Through]) cost nothing. A search that has spent it ends with the best so far and
// an error of kind lm.ErrBudget; it is not confirmed. What is in flight is paid for all the
// same, and which calls these are depends on timing.
//
// Run again with the same store on disk and a larger budget, a search goes on where it was.
type Budget struct {
	// Calls, Tokens and Money are those of lm/budget's Limits: Tokens are those of prompts
	// and replies together, and the cost of Money must be known (lm/price).
	Calls, Tokens int
	Money         lm.Money
	// Time is how long after its start the search may begin calls of models.
	Time time.Duration
}

func (b Budget) check() error {
	if b.Calls < 0 || b.Tokens < 0 || b.Money < 0 || b.Time < 0 {
		return fmt.Errorf("optimize: the budget %+v: want 0 (no limit) or more of each", b)
	}
	return nil
}

// middleware returns what stands before each model.
func (b Budget) middleware(start time.Time) []lm.Middleware {
	var wares []lm.Middleware
	if b.Time > 0 {
		wares = append(wares, func(m lm.LM) lm.LM { return timed{m, b.Time, start.Add(b.Time)} })
	}
	if b.Calls > 0 || b.Tokens > 0 || b.Money > 0 {
		wares = append(wares, budget.New(budget.Limits{Calls: b.Calls, Tokens: b.Tokens, Money: b.Money}).Wrap)
	}
	return wares
}

// timed begins no call after a time.
type timed struct {
	model lm.LM
	after time.Duration
	end   time.Time
}

// Unwrap implements lm.Wrapper.
func (t timed) Unwrap() lm.LM { return t.model }

// Generate implements lm.LM.
func (t timed) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if !time.Now().Before(t.end) {
		return nil, &lm.Error{Kind: lm.ErrBudget, Model: lm.NameOf(t.model), Message: fmt.Sprintf("the search's time of %s is over", t.after)}
	}
	return t.model.Generate(ctx, r)
}
