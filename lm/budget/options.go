package budget

import (
	"fmt"
	"math"

	"github.com/whetgo/whet/lm"
)

// Limits are amounts of what a program spends; as the limits of a budget 0 means none.
type Limits struct {
	// Calls are requests to models, also those that fail.
	Calls int
	// Tokens are those of prompts and replies together.
	Tokens int
	// Money is what they cost, for example 2*lm.USD. The cost must be known: see the
	// documentation of the package.
	Money lm.Money
}

// The largest limits: sums of them, and of what is charged beyond, stay numbers.
const (
	maxCount          = math.MaxInt / 4
	maxMoney lm.Money = math.MaxInt64 / 4
)

// plus returns the sum, which is not exact where it is beyond every limit.
func (l Limits) plus(m Limits) Limits {
	return Limits{
		Calls:  min(l.Calls, maxCount) + min(m.Calls, maxCount),
		Tokens: min(l.Tokens, maxCount) + min(m.Tokens, maxCount),
		Money:  min(l.Money, maxMoney) + min(m.Money, maxMoney),
	}
}

// Option is an option of [New] and [With].
type Option func(*Budget)

// Estimate sets what a call reserves while it runs: the tokens and the cost that f returns
// for its request, which are best not less than what it may take at most. By default that
// is what the largest call has taken so far. f must be safe for concurrent use.
func Estimate(f func(r *lm.Request) (tokens int, cost lm.Money)) Option {
	return func(b *Budget) { b.estimate = f }
}

func (l Limits) check() error {
	switch {
	case l.Calls < 0 || l.Calls > maxCount:
		return invalid("the limit of calls is %d, which is not in 1 to %d; 0 is none", l.Calls, maxCount)
	case l.Tokens < 0 || l.Tokens > maxCount:
		return invalid("the limit of tokens is %d, which is not in 1 to %d; 0 is none", l.Tokens, maxCount)
	case l.Money < 0 || l.Money > maxMoney:
		return invalid("the limit of money is %v, which is not above $0.00 and at most %v; 0 is none", l.Money, maxMoney)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "budget", Message: fmt.Sprintf(format, args...)}
}
