package health

import (
	"fmt"
	"sync"
	"time"

	"github.com/whetgo/whet/lm"
)

// What a breaker does by default.
const (
	// DefaultFailures is after how many failures in a row an LM is skipped.
	DefaultFailures = 5
	// DefaultCooldown is for how long.
	DefaultCooldown = 30 * time.Second
)

// Breaker keeps calls away from an LM that fails: after some failures in a row nobody
// enters for a while, then one call is let in as a probe, and what comes of it decides.
// It is safe for concurrent use.
type Breaker struct {
	limit    int
	cooldown time.Duration

	mu      sync.Mutex
	failed  int       // failures in a row
	last    error     // the last of them
	until   time.Time // nobody enters before; zero while all may
	probing bool
	// round changes whenever the breaker opens or closes: what a call of an earlier round
	// has to say is old news then.
	round int
}

// NewBreaker makes a breaker that opens after so many failures in a row, at least one,
// for so long.
func NewBreaker(failures int, cooldown time.Duration) *Breaker {
	return &Breaker{limit: failures, cooldown: cooldown}
}

// Pass is the right to make one call. Its Done must be called.
type Pass struct {
	b     *Breaker
	round int
	probe bool
}

// Ready reports whether a call may enter now.
func (b *Breaker) Ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready()
}

func (b *Breaker) ready() bool {
	return b.until.IsZero() || !b.probing && !time.Now().Before(b.until)
}

// Enter lets a call in, or not.
func (b *Breaker) Enter() (*Pass, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ready() {
		return nil, false
	}
	p := &Pass{b: b, round: b.round, probe: !b.until.IsZero()}
	if p.probe {
		b.probing = true
	}
	return p, true
}

// Done says what came of the call; err is its error where the outcome is Bad.
func (p *Pass) Done(o Outcome, err error) {
	b := p.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.round != b.round {
		return
	}
	if p.probe {
		b.probing = false
	}
	switch o {
	case Good:
		b.failed, b.last = 0, nil
		if p.probe {
			b.until = time.Time{}
			b.round++
		}
	case Bad:
		b.failed++
		b.last = told{err}
		if p.probe || b.failed >= b.limit {
			b.until = time.Now().Add(b.cooldown)
			b.round++
		}
	case Neutral:
	}
}

// State returns the number of failures in a row, whether calls are kept away, and for how
// long still before a probe.
func (b *Breaker) State() (failures int, down bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed, !b.until.IsZero(), b.wait()
}

func (b *Breaker) wait() time.Duration {
	if b.until.IsZero() {
		return 0
	}
	return max(0, time.Until(b.until))
}

// Down returns why no call may enter now, with the last failure as its cause, or nil.
func (b *Breaker) Down() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready() {
		return nil
	}
	wait := b.wait()
	then := fmt.Sprintf("it is asked again in %s", wait.Round(time.Millisecond))
	if b.probing {
		then = "one request is asking it again"
	}
	return &lm.Error{
		Kind: lm.ErrUnavailable, RetryAfter: wait, Err: b.last,
		Message: fmt.Sprintf("skipped after failures in a row (%d); %s; the last failure", b.failed, then),
	}
}
