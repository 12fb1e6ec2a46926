package retry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/whetgo/whet/lm"
)

// With returns middleware that tries failed requests again. Its models implement
// [lm.Wrapper] and [lm.Streamer]. All of them share one budget of retries, see [Budget],
// which belongs to the value that is returned.
func With(opts ...Option) lm.Middleware {
	c := newConfig(opts)
	p := &policy{config: c, err: c.check(), jitter: newJitter(c.seed), allowance: newAllowance(&c)}
	return func(inner lm.LM) lm.LM { return &model{inner: inner, policy: p} }
}

// policy is what all models of one middleware share.
type policy struct {
	config
	err       error
	jitter    *jitter
	allowance *allowance
}

type model struct {
	inner  lm.LM
	policy *policy
}

var (
	_ lm.Wrapper  = (*model)(nil)
	_ lm.Streamer = (*model)(nil)
)

// Unwrap implements [lm.Wrapper].
func (m *model) Unwrap() lm.LM { return m.inner }

// Generate implements [lm.LM].
func (m *model) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	c, err := m.begin()
	if err != nil {
		return nil, err
	}
	for {
		c.attempts++
		resp, err := m.inner.Generate(ctx, r)
		switch {
		case err == nil && resp != nil:
			return c.charge(resp), nil
		case err == nil:
			err = silent("the model returned neither a reply nor an error")
		}
		if err := c.again(ctx, err, false); err != nil {
			return nil, err
		}
	}
}

// Stream implements [lm.Streamer].
func (m *model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		c, err := m.begin()
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			c.attempts++
			failed, shown, whole := error(nil), false, false
			for event, err := range lm.Stream(ctx, m.inner, r) {
				if err != nil {
					failed = err
					break
				}
				if event == nil {
					continue
				}
				whole = whole || event.Response != nil
				if event.Response != nil && c.attempts > 1 {
					last := *event
					last.Response = c.charge(event.Response)
					event = &last
				}
				shown = shown || event.Text != "" || event.Reasoning != "" || event.Response != nil
				if !yield(event, nil) {
					return
				}
			}
			switch {
			case failed == nil && whole:
				return
			case failed == nil:
				failed = silent("the model's stream ended without the whole reply")
			}
			if err := c.again(ctx, failed, shown); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// silent is the error of a call that brought nothing.
func silent(message string) error {
	return &lm.Error{Kind: lm.ErrBackend, Provider: "retry", Message: message}
}

// call is a call on its way.
type call struct {
	*policy
	attempts int
	waited   time.Duration
	spent    lm.Usage // by attempts that failed
}

func (m *model) begin() (*call, error) {
	if m.policy.err != nil {
		return nil, m.policy.err
	}
	if m.inner == nil {
		return nil, invalid("there is no model behind the middleware")
	}
	m.policy.allowance.call()
	return &call{policy: m.policy}, nil
}

// again waits until the next attempt, or returns the error that the call ends with.
func (c *call) again(ctx context.Context, failed error, shown bool) error {
	if ended := ctx.Err(); ended != nil {
		return c.interrupted(failed, ended)
	}
	wait, reason := c.next(ctx, failed, shown)
	if c.notify != nil {
		c.notify(Attempt{Number: c.attempts, Err: failed, Wait: wait, Reason: reason})
	}
	if reason == NotRetryable && c.attempts == 1 {
		return failed
	}
	if reason != "" {
		return &Error{Attempts: c.attempts, Reason: reason, Err: c.withSpent(failed)}
	}
	c.spent = c.spent.Add(lm.UsageOf(failed))
	c.waited += wait
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return c.interrupted(failed, ctx.Err())
	}
}

// next returns how long to wait for the next attempt, or why there is none.
func (c *call) next(ctx context.Context, failed error, shown bool) (time.Duration, Reason) {
	var e *lm.Error
	typed := errors.As(failed, &e)
	// The cause of an lm.Error may be a deadline of the backend's own, and that is not
	// the caller's.
	bare := !typed && (errors.Is(failed, context.Canceled) || errors.Is(failed, context.DeadlineExceeded))
	switch {
	case bare || !c.retryable(failed):
		return 0, NotRetryable
	case shown:
		return 0, Shown
	case c.attempts >= c.config.attempts:
		return 0, NoAttempts
	}
	var asked time.Duration
	if typed {
		asked = max(e.RetryAfter, 0)
	}
	left := c.total - c.waited
	draw := c.jitter.draw(backoff(c.base, c.max, c.attempts))
	if asked > left || asked == 0 && draw > left {
		return 0, NoTime
	}
	wait := asked + min(draw, left-asked)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return 0, NoDeadline
	}
	if !c.allowance.take() {
		return 0, BudgetSpent
	}
	return wait, ""
}

// interrupted returns the context's error. The last failure is only told: who looks for
// its kind would take the call for one that can be tried again.
func (c *call) interrupted(failed, ended error) error {
	if errors.Is(failed, ended) {
		return failed
	}
	return fmt.Errorf("lm/retry: stopped after attempt %d, which failed with %q: %w", c.attempts, failed.Error(), ended)
}

// charge adds what failed attempts have cost to the reply's usage. The reply may belong
// to somebody else too, so it is not changed.
func (c *call) charge(resp *lm.Response) *lm.Response {
	if resp == nil || c.spent == (lm.Usage{}) {
		return resp
	}
	out := *resp
	out.Usage = c.spent.Add(resp.Usage)
	return &out
}

// withSpent adds what the attempts before have cost to the last error's partial reply. An
// error that is not an *lm.Error itself is left as it is.
func (c *call) withSpent(failed error) error {
	e, ok := failed.(*lm.Error) //nolint:errorlint // one inside of another error cannot be exchanged
	if !ok || c.spent == (lm.Usage{}) {
		return failed
	}
	out := *e
	if e.Partial == nil {
		out.Partial = &lm.Response{Usage: c.spent}
	} else {
		out.Partial = c.charge(e.Partial)
	}
	return &out
}
