package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/whetgo/whet/lm"
)

// Limiter keeps all models that it wraps, together, within its limits. Make it once, with
// [New].
type Limiter struct {
	config config
	err    error

	mu       sync.Mutex
	requests *bucket // nil where that is not limited
	tokens   *bucket
	running  int
	closed   time.Time // until when the provider wants nothing
	lines    lines
	timer    *time.Timer // wakes the first in the lines; nil before it is needed
}

// New returns a limiter. A bad option is an error at each call of the models that it
// wraps. Without options it limits nothing, and only obeys providers; see [Obey].
func New(opts ...Option) *Limiter {
	c := config{burst: defaultBurst, reply: defaultReply, maxClosed: defaultMaxClosed}
	for _, opt := range opts {
		opt(&c)
	}
	l := &Limiter{config: c, err: c.check()}
	if l.err == nil {
		l.requests = newBucket(c.requests, c.burst)
		l.tokens = newBucket(c.tokens, c.burst)
	}
	return l
}

// With returns the middleware of a new limiter, which all models that it wraps share.
func With(opts ...Option) lm.Middleware { return New(opts...).Wrap }

// Stats is what a limiter does at a time.
type Stats struct {
	// Running requests have been let in and have not ended, and Waiting ones stand in lines.
	Running, Waiting int
	// Closed is for how long nothing is let in, because the provider has asked for that.
	Closed time.Duration
}

// Stats returns what the limiter does now.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Running: l.running, Closed: max(time.Until(l.closed), 0)}
	for _, line := range l.lines.all {
		s.Waiting += len(line.waiting)
	}
	return s
}

// enter waits until a request of so many tokens may start. Who is in must leave.
func (l *Limiter) enter(ctx context.Context, tokens int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.tokens != nil && tokens > l.tokens.perMinute {
		return invalid("the request takes about %d tokens with its reply, and %d a minute are all that it may ever use; shorten it, set a smaller MaxTokens or raise the limit", tokens, l.tokens.perMinute)
	}
	w, err := l.join(ctx, tokens)
	if w == nil {
		return err
	}
	select {
	case <-w.turn:
		return w.err
	case <-ctx.Done():
		l.quit(w)
		return ctx.Err()
	}
}

// join puts a request into a line. It returns nil where the request may not wait.
func (l *Limiter) join(ctx context.Context, tokens int) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if err := l.closedTooLong(now); err != nil {
		return nil, err
	}
	if l.config.fail {
		why, wait := l.obstacle(now, tokens)
		if why != "" {
			return nil, &lm.Error{Kind: lm.ErrRateLimit, Provider: "limit", Message: why, RetryAfter: wait}
		}
		l.start(tokens)
		return nil, nil
	}
	w := &waiter{tokens: tokens, turn: make(chan struct{})}
	l.lines.push(lm.QueueOf(ctx), w)
	l.pump(now)
	return w, nil
}

// quit takes a request out whose context has ended.
func (l *Limiter) quit(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lines.remove(w) && w.err == nil { // let in just now
		l.running--
		l.requests.give(1)
		l.tokens.give(w.tokens)
	}
	l.pump(time.Now())
}

// pump lets in who may start, in order.
func (l *Limiter) pump(now time.Time) {
	for {
		w := l.lines.first()
		if w == nil {
			if l.timer != nil {
				l.timer.Stop()
			}
			return
		}
		why, wait := l.obstacle(now, w.tokens)
		if why != "" {
			if wait > 0 { // and else one that leaves pumps
				l.wakeIn(wait)
			}
			return
		}
		l.start(w.tokens)
		l.lines.pop()
		close(w.turn)
	}
}

func (l *Limiter) wakeIn(d time.Duration) {
	if l.timer != nil {
		l.timer.Reset(d)
		return
	}
	l.timer = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pump(time.Now())
	})
}

// obstacle says what keeps a request from starting, "" for nothing, and how long it will,
// 0 where that is not known.
func (l *Limiter) obstacle(now time.Time, tokens int) (why string, wait time.Duration) {
	if n := l.config.concurrency; n.set && l.running >= n.n {
		return fmt.Sprintf("%d requests at the same time are allowed, and as many are running", n.n), 0
	}
	if d := l.closed.Sub(now); d > 0 {
		why, wait = "the provider has asked to send nothing for a while", d
	}
	l.requests.fill(now)
	if d := l.requests.wait(1); d > wait {
		why, wait = fmt.Sprintf("%d requests a minute are allowed, and no more may start yet", l.requests.perMinute), d
	}
	l.tokens.fill(now)
	if d := l.tokens.wait(tokens); d > wait {
		why, wait = fmt.Sprintf("%d tokens a minute are allowed, and the request takes about %d, for which there is no room yet", l.tokens.perMinute, tokens), d
	}
	return why, wait
}

// start takes what a request needs, for which there must be no obstacle.
func (l *Limiter) start(tokens int) {
	l.running++
	l.requests.take(1)
	l.tokens.take(tokens)
}

// leave ends a request that was estimated at so many tokens.
func (l *Limiter) leave(tokens int, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.running--
	if o.free {
		l.requests.give(1)
	}
	if o.known {
		l.tokens.fill(now) // first, or a bucket that was full all the time would fill all the same
		if o.tokens > tokens {
			l.tokens.take(o.tokens - tokens)
		} else {
			l.tokens.give(tokens - o.tokens)
		}
	}
	if o.closed > 0 && !l.config.ignore {
		l.closeFor(now, o.closed)
	}
	l.pump(now)
}

// closeFor lets nobody in for a time, and sends those away for whom it is too long.
func (l *Limiter) closeFor(now time.Time, d time.Duration) {
	if until := now.Add(d); until.After(l.closed) {
		l.closed = until
	}
	err := l.closedTooLong(now)
	if err == nil {
		return
	}
	for w := l.lines.first(); w != nil; w = l.lines.first() {
		l.lines.pop()
		w.err = err
		close(w.turn)
	}
}

func (l *Limiter) closedTooLong(now time.Time) error {
	d := l.closed.Sub(now)
	if d <= l.config.maxClosed {
		return nil
	}
	return &lm.Error{
		Kind: lm.ErrRateLimit, Provider: "limit", RetryAfter: d,
		Message: fmt.Sprintf("the provider has asked to send nothing for %v, which is longer than the %v that requests wait", d, l.config.maxClosed),
	}
}
