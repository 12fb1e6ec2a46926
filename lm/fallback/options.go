package fallback

import (
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/internal/health"
	"github.com/whetgo/whet/lm"
)

// Option changes how a fallback works.
type Option func(*config) error

type config struct {
	onward   func(error) bool
	failures int
	cooldown time.Duration
}

// If asks the next LM where rule says so, and not by [Default]. It may be called by
// several goroutines at once. To add to the default:
//
//	fallback.If(func(err error) bool { return fallback.Default(err) || errors.Is(err, lm.ErrAuth) })
func If(rule func(error) bool) Option {
	return func(c *config) error {
		if rule == nil {
			return invalid("the rule of If is nil; leave the option out for the default")
		}
		c.onward = rule
		return nil
	}
}

// Default is the rule without [If]: it reports whether another LM need not have this error.
func Default(err error) bool {
	return health.Elsewhere(err) || errors.Is(err, lm.ErrContextLength)
}

// Failures skips an LM after n failures in a row; the default is 5.
func Failures(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return invalid("Failures is %d; it must be at least 1", n)
		}
		c.failures = n
		return nil
	}
}

// Cooldown is for how long an LM is skipped before one request may try it again; the
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
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "fallback", Message: fmt.Sprintf(format, args...)}
}
