package llamacpp

import (
	"cmp"
	"math"
	"slices"
)

// softmax returns the probabilities of exp(x/temperature).
func softmax(x []float64, temperature float64) []float64 {
	p := make([]float64, len(x))
	top := slices.Max(x)
	sum := 0.0
	for i, v := range x {
		p[i] = math.Exp((v - top) / temperature)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// draw returns the index into p at which the running sum passes u.
func draw(p []float64, u float64) int {
	last := 0
	for i, v := range p {
		if v > 0 {
			last = i
		}
		if u -= v; u < 0 {
			return i
		}
	}
	return last // rounding left a rest
}

// candidate is a token and its weight, which is a probability up to a factor.
type candidate struct {
	token  int32
	weight float64
}

// sampler draws tokens. It keeps its memory between draws.
type sampler struct{ candidates []candidate }

// sample draws a token of exp(logit/temperature), restricted to the likeliest tokens
// that together have the mass topP.
func (s *sampler) sample(logits []float32, temperature, topP, u float64) int32 {
	top, best := float32(math.Inf(-1)), 0
	for i, v := range logits {
		if v > top {
			top, best = v, i
		}
	}
	// What lies so far below the best that a vocabulary full of it has no
	// measurable mass is left out, which spares most of the work.
	floor := top - float32(40*temperature)
	if floor == top {
		return int32(best)
	}
	s.candidates = s.candidates[:0]
	sum := 0.0
	for i, v := range logits {
		if v >= floor {
			w := math.Exp(float64(v-top) / temperature)
			sum += w
			s.candidates = append(s.candidates, candidate{int32(i), w})
		}
	}
	if topP < 1 {
		slices.SortFunc(s.candidates, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.token, b.token))
		})
		kept := 0.0
		for i, c := range s.candidates {
			if kept += c.weight; kept >= topP*sum {
				s.candidates, sum = s.candidates[:i+1], kept
				break
			}
		}
	}
	u *= sum
	for _, c := range s.candidates {
		if u -= c.weight; u < 0 {
			return c.token
		}
	}
	return s.candidates[len(s.candidates)-1].token
}
