package retry

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// jitter draws waits.
type jitter struct {
	mu   sync.Mutex
	rand *rand.Rand // nil for the global generator; a *rand.Rand needs the lock
}

func newJitter(seed *uint64) *jitter {
	if seed == nil {
		return &jitter{}
	}
	return &jitter{rand: rand.New(rand.NewPCG(*seed, *seed))}
}

// draw returns a time from 0 to limit, both included.
func (j *jitter) draw(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	n := uint64(limit) + 1 // a time is at most 2^63-1 ns, so this is no overflow
	if j.rand == nil {
		return time.Duration(rand.Uint64N(n))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Duration(j.rand.Uint64N(n))
}

// backoff returns the longest wait after the n-th attempt has failed: base, doubled for
// each attempt before, up to most.
func backoff(base, most time.Duration, n int) time.Duration {
	d := min(base, most)
	for ; n > 1 && d > 0 && d < most; n-- {
		if d > most-d { // also where doubling would overflow
			return most
		}
		d *= 2
	}
	return d
}

// allowance is the budget of retries that calls share, in thousandths of one.
type allowance struct {
	mu                   sync.Mutex
	level, most, perCall int64
	unlimited            bool
}

const whole = 1000

func newAllowance(c *config) *allowance {
	most := int64(max(c.burst, 1)) * whole
	return &allowance{
		level: int64(c.burst) * whole, most: most,
		// Rounded down, or the promised share would be passed.
		perCall: int64(math.Floor(c.ratio * whole)), unlimited: c.unlimited,
	}
}

// call adds what one call brings.
func (a *allowance) call() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.level = min(a.level+a.perCall, a.most)
}

// take takes one retry and reports whether it was there.
func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unlimited {
		return true
	}
	if a.level < whole {
		return false
	}
	a.level -= whole
	return true
}
