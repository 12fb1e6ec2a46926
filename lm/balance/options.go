package balance

import (
	"fmt"
	"time"

	"github.com/whetgo/whet/internal/health"
	"github.com/whetgo/whet/lm"
)

// Option changes how a balancer works.
type Option func(*config) error

type config struct {
	onward   func(error) bool
	failures int
	cooldown time.Duration
	attempts int
	mixed    bool
}

// Mixed allows members that have different names, or none: the balancer's own name lists
// all of them then, or is empty.
func Mixed() Option {
	return func(c *config) error {
		c.mixed = true
		return nil
	}
}

// Attempts is how many members a request is given to at most, one after the other; the
// default is all.
func Attempts(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return invalid("Attempts is %d; it must be at least 1", n)
		}
		c.attempts = n
		return nil
	}
}

// If gives a request to another member where rule says so, and not by [Default]. It may
// be called by several goroutines at once.
func If(rule func(error) bool) Option {
	return func(c *config) error {
		if rule == nil {
			return invalid("the rule of If is nil; leave the option out for the default")
		}
		c.onward = rule
		return nil
	}
}

// Default is the rule without [If]: it reports whether another member need not have this
// error.
func Default(err error) bool { return health.Elsewhere(err) }

// Failures gives no requests to a member after n failures in a row; the default is 5.
func Failures(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return invalid("Failures is %d; it must be at least 1", n)
		}
		c.failures = n
		return nil
	}
}

// Cooldown is for how long a member gets no requests before one may try it again; the
// default is 30 seconds.
func Cooldown(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return invalid("Cooldown is %s; it must be more than 0", d)
		}
		c.cooldown = d
		return nil
	}
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "balance", Message: fmt.Sprintf(format, args...)}
}
