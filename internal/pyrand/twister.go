package pyrand

import "math/bits"

const (
	stateSize = 624
	shiftSize = 397
)

// Rand is one random.Random of Python.
type Rand struct {
	state [stateSize]uint32
	next  int
}

// New returns what random.Random(seed) is in Python. As there, the sign of the
// seed does not matter.
func New(seed int64) *Rand {
	if seed < 0 {
		return NewUint64(-uint64(seed)) // also right for the least int64
	}
	return NewUint64(uint64(seed))
}

// NewUint64 is [New] for seeds up to 2^64-1.
func NewUint64(seed uint64) *Rand {
	key := []uint32{uint32(seed)}
	if high := uint32(seed >> 32); high != 0 {
		key = append(key, high)
	}
	r := &Rand{}
	r.seedArray(key)
	return r
}

// seedWord is the generator's own seeding from one word (init_genrand).
func (r *Rand) seedWord(s uint32) {
	r.state[0] = s
	for i := 1; i < stateSize; i++ {
		prev := r.state[i-1]
		r.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
	r.next = stateSize
}

// seedArray mixes a key into the state (init_by_array).
func (r *Rand) seedArray(key []uint32) {
	r.seedWord(19650218)
	i, j := 1, 0
	step := func() {
		if i++; i == stateSize {
			r.state[0] = r.state[stateSize-1]
			i = 1
		}
	}
	for range max(stateSize, len(key)) {
		prev := r.state[i-1]
		r.state[i] = (r.state[i] ^ (prev^prev>>30)*1664525) + key[j] + uint32(j)
		step()
		if j++; j == len(key) {
			j = 0
		}
	}
	for range stateSize - 1 {
		prev := r.state[i-1]
		r.state[i] = (r.state[i] ^ (prev^prev>>30)*1566083941) - uint32(i)
		step()
	}
	r.state[0] = 1 << 31
}

// refill computes the next 624 words.
func (r *Rand) refill() {
	for i := range r.state {
		y := r.state[i]&(1<<31) | r.state[(i+1)%stateSize]&(1<<31-1)
		v := r.state[(i+shiftSize)%stateSize] ^ y>>1
		if y&1 != 0 {
			v ^= 0x9908b0df
		}
		r.state[i] = v
	}
	r.next = 0
}

// Uint32 returns the next 32 random bits.
func (r *Rand) Uint32() uint32 {
	if r.next >= stateSize {
		r.refill()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Float64 returns Python's random(): a number in [0, 1) with 53 random bits.
func (r *Rand) Float64() float64 {
	a, b := r.Uint32()>>5, r.Uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// Bits returns Python's getrandbits(k) for k from 0 to 64; a k outside that
// range counts as the nearest in it.
func (r *Rand) Bits(k int) uint64 {
	k = min(k, 64)
	switch {
	case k <= 0:
		return 0
	case k <= 32:
		return uint64(r.Uint32() >> (32 - k))
	}
	low := uint64(r.Uint32())
	return low | uint64(r.Uint32()>>(64-k))<<32
}

// Below returns a number from 0 to n-1, drawn as Python's random module draws
// below a limit: bits are drawn until they are less than n. It is
// randrange(n). For n < 1, where Python raises, it returns 0 and draws nothing.
func (r *Rand) Below(n int) int {
	if n < 1 {
		return 0
	}
	k := bits.Len64(uint64(n))
	for {
		if v := r.Bits(k); v < uint64(n) {
			return int(v)
		}
	}
}

// Int returns Python's randint(a, b): a number from a to b, both included. For
// b < a, where Python raises, it returns a and draws nothing.
func (r *Rand) Int(a, b int) int { return a + r.Below(b-a+1) }
