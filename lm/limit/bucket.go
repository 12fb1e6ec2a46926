package limit

import (
	"math"
	"math/bits"
	"time"
)

// bucket is a rate. It is measured in the time that its content took to fill in, so that
// it fills by one nanosecond in a nanosecond and no fraction is ever lost. A nil bucket
// is a rate that is not limited.
type bucket struct {
	perMinute int
	// level is what is in it, at the time at: negative where it owes.
	level, most time.Duration
	at          time.Time // zero before the first use
}

// newBucket returns a full one, which holds burst and at least one thing.
func newBucket(r rate, burst time.Duration) *bucket {
	if !r.set {
		return nil
	}
	b := &bucket{perMinute: r.n}
	b.most = max(burst, b.cost(1))
	b.level = b.most
	return b
}

// cost is the time that n things take to fill in, rounded up to a nanosecond.
func (b *bucket) cost(n int) time.Duration {
	if n <= 0 {
		return 0
	}
	per := uint64(b.perMinute)
	hi, lo := bits.Mul64(uint64(n), uint64(time.Minute))
	lo, carry := bits.Add64(lo, per-1, 0)
	hi += carry
	if hi >= per {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, per)
	return time.Duration(min(q, math.MaxInt64))
}

// fill brings the level to the time now.
func (b *bucket) fill(now time.Time) {
	if b == nil {
		return
	}
	if !b.at.IsZero() {
		if passed := now.Sub(b.at); passed >= b.most-b.level {
			b.level = b.most
		} else if passed > 0 {
			b.level += passed
		}
	}
	if b.at.Before(now) {
		b.at = now
	}
}

// wait is how long it takes from the time of the last fill until n things may be taken.
// What is more than the bucket holds has to wait until it is full.
func (b *bucket) wait(n int) time.Duration {
	if b == nil {
		return 0
	}
	return max(min(b.cost(n), b.most)-b.level, 0)
}

// debt is the most that a bucket owes: more than anybody waits for, and far from the end
// of the numbers.
const debt = math.MaxInt64 / 4

// take takes n things, of which there may be fewer.
func (b *bucket) take(n int) {
	if b != nil {
		b.level = max(b.level-min(b.cost(n), debt), -debt)
	}
}

// give gives n things back.
func (b *bucket) give(n int) {
	if b != nil {
		b.level = min(b.level+min(b.cost(n), debt), b.most)
	}
}
