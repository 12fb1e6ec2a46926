package module

import (
	"context"
	"math"

	"github.com/whetgo/whet/lm"
)

// WithRollout returns a context whose predictors ask for another answer to the same
// request: the n-th, from 0, which changes nothing. It sets the Rollout of each request, so
// that an answer store keeps the answers apart, and draws from another seed where there is
// one. Nested, the numbers are mixed, so that each combination is a rollout of its own:
// also the first outer with the second inner one, and the second outer with the first inner
// one. At temperature 0 all answers of a model are alike: see [WithTemperature].
func WithRollout(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, rolloutKey{}, rolloutIn(ctx).next(n))
}

// RolloutOf returns the Rollout of the requests that the context's predictors make: 0
// outside of [WithRollout], and within one that mixes the numbers of all.
func RolloutOf(ctx context.Context) int { return rolloutIn(ctx).number }

// WithTemperature returns a context whose predictors ask at this temperature, whatever
// their options say; of several the one set first holds, as the program's own.
func WithTemperature(ctx context.Context, t float64) context.Context {
	if _, ok := ctx.Value(temperatureKey{}).(float64); ok {
		return ctx
	}
	return context.WithValue(ctx, temperatureKey{}, t)
}

type (
	rolloutKey     struct{}
	temperatureKey struct{}
)

// rollout is a rollout of a rollout of a rollout.
type rollout struct {
	number int
	depth  int // how many there are within each other
}

func rolloutIn(ctx context.Context) rollout {
	r, _ := ctx.Value(rolloutKey{}).(rollout)
	return r
}

// next returns the n-th rollout within r. The depth is part of the number, as the second
// one of the first is not the first one of the second.
func (r rollout) next(n int) rollout {
	switch {
	case r.depth == 0:
		r.number = n
	case n != 0:
		r.number = mix(r.number, r.depth, n)
	}
	r.depth++
	return r
}

// mix returns a number that hardly other arguments have: the finish of splitmix64.
func mix(outer, depth, n int) int {
	x := uint64(outer)
	for _, v := range []int{depth, n} {
		x += 0x9E3779B97F4A7C15 * (uint64(v) + 1)
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		x ^= x >> 31
	}
	return int(x & (math.MaxInt32 >> 1)) // 32-bit systems have it, too
}

// draw makes a request one of the rollout; seed is what it has without, nil for none.
func (r rollout) draw(req *lm.Request, seed *uint64) {
	req.Rollout = r.number
	if seed != nil {
		req.Seed = lm.Seed(*seed + uint64(r.number))
	}
}
