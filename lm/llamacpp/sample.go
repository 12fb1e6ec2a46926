package llamacpp

import (
	"cmp"
	"math"
	"slices"
)

// sampling says how tokens are drawn. The cuts come after the temperature; what the
// form of a hole rules out is left out last.
type sampling struct {
	temperature float64 // 0 takes the likeliest
	topP        float64 // 1 keeps all
	topK        int     // 0 keeps all
	minP        float64 // 0 keeps all
}

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
type sampler struct {
	candidates []candidate
	order      []int32
}

// sample draws a token of exp(logit/temperature), after the cuts, among those that
// are admitted: a token that is not is left out and another one drawn, which gives the
// admitted ones their share of what is left. Where nothing is left it takes the
// likeliest token that is admitted, or returns -1 if there is none.
func (s *sampler) sample(logits []float32, how sampling, u func() float64, admits func(int32) bool) int32 {
	sum := s.cut(logits, how)
	for left := len(s.candidates); left > 0; left-- {
		at, x := -1, u()*sum
		for i, c := range s.candidates {
			if c.weight == 0 {
				continue
			}
			at = i
			if x -= c.weight; x < 0 {
				break
			}
		}
		if at < 0 {
			break
		}
		c := &s.candidates[at]
		if admits(c.token) {
			return c.token
		}
		sum -= c.weight
		c.weight = 0
	}
	return s.best(logits, admits)
}

// cut fills candidates with the tokens that the cuts leave and returns their weight.
func (s *sampler) cut(logits []float32, how sampling) (sum float64) {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	// What lies so far below the best that a vocabulary full of it has no
	// measurable mass is left out, which spares most of the work.
	floor := top - float32(40*how.temperature)
	s.candidates = s.candidates[:0]
	for i, v := range logits {
		if v >= floor {
			w := math.Exp(float64(v-top) / how.temperature)
			if v == top {
				w = 1 // also where the temperature is too small to divide by
			}
			if w > 0 && w >= how.minP {
				sum += w
				s.candidates = append(s.candidates, candidate{int32(i), w})
			}
		}
	}
	if how.topP >= 1 && (how.topK == 0 || how.topK >= len(s.candidates)) {
		return sum
	}
	slices.SortFunc(s.candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.token, b.token))
	})
	if how.topK > 0 && how.topK < len(s.candidates) {
		s.candidates = s.candidates[:how.topK]
		sum = 0
		for _, c := range s.candidates {
			sum += c.weight
		}
	}
	kept := 0.0
	for i, c := range s.candidates {
		if kept += c.weight; kept >= how.topP*sum {
			s.candidates = s.candidates[:i+1]
			break
		}
	}
	return kept
}

// firstLook is how many of the likeliest tokens best looks at before it sorts all.
const firstLook = 32

// best returns the likeliest token that is admitted, or -1.
func (s *sampler) best(logits []float32, admits func(int32) bool) int32 {
	for _, t := range s.top(logits, firstLook) {
		if admits(t) {
			return t
		}
	}
	all := s.top(logits, len(logits))
	for _, t := range all[min(firstLook, len(all)):] {
		if admits(t) {
			return t
		}
	}
	return -1
}

// top returns the n likeliest tokens in order, the first of equal ones first. The
// slice is valid until the next call.
func (s *sampler) top(logits []float32, n int) []int32 {
	n = min(n, len(logits))
	s.order = s.order[:0]
	if n == 0 {
		return s.order
	}
	before := func(a, b int32) int { return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b)) }
	if n > firstLook {
		for i := range logits {
			s.order = append(s.order, int32(i))
		}
		slices.SortFunc(s.order, before)
		return s.order[:n]
	}
	for i, v := range logits {
		if len(s.order) == n && v <= logits[s.order[n-1]] {
			continue
		}
		at, _ := slices.BinarySearchFunc(s.order, int32(i), before)
		if len(s.order) == n {
			s.order = s.order[:n-1]
		}
		s.order = slices.Insert(s.order, at, int32(i))
	}
	return s.order
}
