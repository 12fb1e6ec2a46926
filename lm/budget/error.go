package budget

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
)

// Limit is one of the limits of a budget.
type Limit string

// The limits.
const (
	LimitCalls  Limit = "calls"
	LimitTokens Limit = "tokens"
	LimitMoney  Limit = "money"
	// LimitPrice is that of money, where it cannot be kept since a cost is not known.
	LimitPrice Limit = "price"
)

// Error is what a call returns that the budget does not allow. It is an [*lm.Error] of
// kind [lm.ErrBudget] for errors.As and errors.Is.
type Error struct {
	// Limit is the limit that is reached.
	Limit Limit
	// Limits are those of the budget.
	Limits Limits
	// Spent is what calls have reported, as of [Budget.Spent].
	Spent lm.Usage
	// Charged is what counts against the limits: what is spent, and what was reserved for
	// calls that broke off without telling.
	Charged Limits
	// InFlight is the number of calls that run, and Reserved is what is set aside for them
	// of what is limited.
	InFlight int
	Reserved Limits

	model string       // whose cost is not known, where it has a name
	reply *lm.Response // that was paid and cannot be counted
}

// Error says which limit is reached, what is spent and what is reserved.
func (e *Error) Error() string { return e.typed().Error() }

// Unwrap returns the error as an [*lm.Error].
func (e *Error) Unwrap() error { return e.typed() }

func (e *Error) typed() *lm.Error {
	return &lm.Error{Kind: lm.ErrBudget, Provider: "budget", Message: e.message(), Partial: e.reply}
}

func (e *Error) message() string {
	if e.Limit == LimitPrice {
		who := ""
		if e.model != "" {
			who = " of " + e.model
		}
		return fmt.Sprintf("the cost of a reply%s is not known, so that the limit of %v cannot be kept; put package lm/price between the budget and the model, or limit tokens", who, e.Limits.Money)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the limit of %s is reached: %s are spent", e.amount(e.Limits), e.amount(e.Charged))
	if e.InFlight > 0 {
		fmt.Fprintf(&b, " and %s reserved by %d in flight", e.amount(e.Reserved), e.InFlight)
	}
	fmt.Fprintf(&b, " (%d calls, %d tokens, %v in all); raise the limit, or put a store before the budget", e.Charged.Calls, e.Charged.Tokens, e.Charged.Money)
	return b.String()
}

// amount is what one of the amounts is of the limit that is reached.
func (e *Error) amount(l Limits) string {
	switch e.Limit {
	case LimitCalls:
		return fmt.Sprint(l.Calls, " calls")
	case LimitTokens:
		return fmt.Sprint(l.Tokens, " tokens")
	default:
		return l.Money.String()
	}
}
