package retry

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/whetgo/whet/lm"
)

// The defaults; see the options of the same names.
const (
	defaultAttempts = 3
	defaultBase     = 500 * time.Millisecond
	defaultMax      = 30 * time.Second
	defaultTotal    = 2 * time.Minute
	defaultRatio    = 0.5
	defaultBurst    = 20
)

// maxBurst keeps the budget's arithmetic in thousandths far from its end.
const maxBurst = 1_000_000_000

// Option is an option of [With].
type Option func(*config)

type config struct {
	attempts         int
	base, max, total time.Duration
	ratio            float64
	burst            int
	unlimited        bool
	retryable        func(error) bool
	notify           func(Attempt)
	seed             *uint64
}

// Attempts sets how many attempts a call makes at most, the first included. The default
// is 3, and 1 means that nothing is tried again.
func Attempts(n int) Option { return func(c *config) { c.attempts = n } }

// Base sets the longest wait before the second attempt, which is doubled before each
// further one. The default is 500 ms; 0 waits only as long as the provider asks.
func Base(d time.Duration) Option { return func(c *config) { c.base = d } }

// Max sets to how much doubling may bring a wait; see [Base]. The default is 30 s. What a
// provider asks for may be longer.
func Max(d time.Duration) Option { return func(c *config) { c.max = d } }

// Total sets how long one call may wait, all of its waits together. The default is 2
// minutes. A wait that does not fit is not begun.
func Total(d time.Duration) Option { return func(c *config) { c.total = d } }

// Budget allows burst retries and ratio (0 to 1) more for each call, over all calls that
// share the middleware. The defaults are 0.5 and 20. What is saved up is never more than
// burst, or 1 where that is 0.
func Budget(ratio float64, burst int) Option {
	return func(c *config) { c.ratio, c.burst, c.unlimited = ratio, burst, false }
}

// NoBudget lets every call make all of its attempts, whatever becomes of the others.
func NoBudget() Option { return func(c *config) { c.unlimited = true } }

// If sets which errors are tried again, in place of what [lm.IsRetryable] says of an
// [*lm.Error]. It is never asked about a context's error. It must be safe for concurrent
// use.
func If(retryable func(error) bool) Option {
	return func(c *config) { c.retryable = retryable }
}

// Notify has f called after each failed attempt, before the wait, for example to log it.
// It must be safe for concurrent use, and the call waits for it.
func Notify(f func(Attempt)) Option { return func(c *config) { c.notify = f } }

// Seed makes the waits repeatable, where calls come one after the other. By default they
// are drawn from the generator of package math/rand/v2.
func Seed(s uint64) Option { return func(c *config) { c.seed = &s } }

func newConfig(opts []Option) config {
	c := config{
		attempts: defaultAttempts, base: defaultBase, max: defaultMax, total: defaultTotal,
		ratio: defaultRatio, burst: defaultBurst, retryable: retryable,
	}
	for _, opt := range opts {
		opt(&c)
	}
	return c
}

// retryable is the default of [If].
func retryable(err error) bool {
	var e *lm.Error
	return errors.As(err, &e) && lm.IsRetryable(err)
}

func (c *config) check() error {
	switch {
	case c.attempts < 1:
		return invalid("Attempts is %d; it counts the first attempt, so it is at least 1", c.attempts)
	case c.base < 0:
		return invalid("Base is %v; a wait is not negative", c.base)
	case c.max < c.base:
		return invalid("Max is %v, less than Base, which is %v; set both", c.max, c.base)
	case c.total < 0:
		return invalid("Total is %v; a wait is not negative", c.total)
	case math.IsNaN(c.ratio) || c.ratio < 0 || c.ratio > 1:
		return invalid("the ratio of Budget is %v, which is not in 0 to 1; see NoBudget for none", c.ratio)
	case c.burst < 0 || c.burst > maxBurst:
		return invalid("the burst of Budget is %d, which is not in 0 to %d", c.burst, maxBurst)
	case c.retryable == nil:
		return invalid("the function of If is nil")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "retry", Message: fmt.Sprintf(format, args...)}
}
