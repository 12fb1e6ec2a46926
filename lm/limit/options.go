package limit

import (
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
)

// The defaults; see the options of the same names.
const (
	defaultBurst     = time.Second
	defaultReply     = 256
	defaultMaxClosed = 10 * time.Minute
)

// maxPerMinute is the highest rate. The arithmetic of the buckets is exact up to it.
const maxPerMinute = 1_000_000_000

// Option is an option of [New] and [With].
type Option func(*config)

type config struct {
	requests, tokens, concurrency rate
	burst, maxClosed              time.Duration
	reply                         int
	fail, ignore                  bool
}

// rate is a limit, which may not be set.
type rate struct {
	n   int
	set bool
}

// Requests sets how many requests may start per minute, 1 to 1e9. By default that is not
// limited.
func Requests(perMinute int) Option { return func(c *config) { c.requests = rate{perMinute, true} } }

// Tokens sets how many tokens, of prompts and replies together, may be used per minute, 1
// to 1e9. By default that is not limited.
func Tokens(perMinute int) Option { return func(c *config) { c.tokens = rate{perMinute, true} } }

// Concurrency sets how many requests may run at the same time, at least 1. By default that
// is not limited.
func Concurrency(n int) Option { return func(c *config) { c.concurrency = rate{n, true} } }

// Burst sets how much of the rates may be saved up while little is asked: what they allow
// in the time d, up to one minute. The default is 1 second. One request may always start
// at once when none has for long enough.
func Burst(d time.Duration) Option { return func(c *config) { c.burst = d } }

// Reply sets how many tokens the reply to a request without MaxTokens is taken to have
// before it is there. The default is 256.
func Reply(tokens int) Option { return func(c *config) { c.reply = tokens } }

// Fail makes requests that cannot start at once an error of kind [lm.ErrRateLimit]
// instead of letting them wait.
func Fail() Option { return func(c *config) { c.fail = true } }

// Obey says whether an [lm.ErrRateLimit] with RetryAfter of a provider stops all requests
// until then. The default is true.
func Obey(retryAfter bool) Option { return func(c *config) { c.ignore = !retryAfter } }

// MaxClosed sets how long requests wait for what a provider asks for; see [Obey]. The
// default is 10 minutes. Where a provider asks for more, they fail at once.
func MaxClosed(d time.Duration) Option { return func(c *config) { c.maxClosed = d } }

func (c *config) check() error {
	for _, l := range []struct {
		name string
		rate
		most int
	}{{"Requests", c.requests, maxPerMinute}, {"Tokens", c.tokens, maxPerMinute}, {"Concurrency", c.concurrency, maxPerMinute}} {
		if l.set && (l.n < 1 || l.n > l.most) {
			return invalid("%s is %d, which is not in 1 to %d; leave it out for no limit", l.name, l.n, l.most)
		}
	}
	switch {
	case c.burst < 0 || c.burst > time.Minute:
		return invalid("Burst is %v, which is not in 0 to 1 minute", c.burst)
	case c.reply < 0:
		return invalid("Reply is %d tokens; it is not negative", c.reply)
	case c.maxClosed < 0:
		return invalid("MaxClosed is %v; a wait is not negative", c.maxClosed)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "limit", Message: fmt.Sprintf(format, args...)}
}
