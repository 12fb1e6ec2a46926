package tpe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	startup    = 10   // observations before the model is used
	candidates = 24   // combinations drawn, of which the best is proposed
	bestShare  = 0.1  // of the observations
	bestMost   = 25   // and never more than that
	prior      = 1.0  // weight of the uniform component, in observations
	flat       = 25   // observations, the latest, that weigh 1
	stream     = 0x74 // of the generator, so that it differs from that of other uses of a seed
)

// Sampler proposes combinations. It is not safe for concurrent use.
type Sampler struct {
	choices []int
	rng     *rand.Rand
	seen    []observation
}

// observation is a combination that was scored.
type observation struct {
	values []int
	score  float64
}

// New returns a sampler of combinations of len(choices) parameters, of which the i-th has the
// values 0 to choices[i]-1. A parameter without a value is an error.
func New(choices []int, seed uint64) (*Sampler, error) {
	for i, n := range choices {
		if n < 1 {
			return nil, fmt.Errorf("tpe: parameter %d has %d choices: want at least 1", i, n)
		}
	}
	return &Sampler{choices: slices.Clone(choices), rng: rand.New(rand.NewPCG(seed, stream))}, nil
}

// Observe tells the score of a combination; higher is better. Every combination may be
// observed, proposed or not, and any number of times. Values out of range are an error.
func (s *Sampler) Observe(values []int, score float64) error {
	if len(values) != len(s.choices) {
		return fmt.Errorf("tpe: a combination of %d values: want %d", len(values), len(s.choices))
	}
	for i, v := range values {
		if v < 0 || v >= s.choices[i] {
			return fmt.Errorf("tpe: the value %d of parameter %d: want 0 to %d", v, i, s.choices[i]-1)
		}
	}
	if math.IsNaN(score) {
		return fmt.Errorf("tpe: the score of %v is no number", values)
	}
	s.seen = append(s.seen, observation{slices.Clone(values), score})
	return nil
}

// Next proposes a combination: a random one until there are 10 observations.
func (s *Sampler) Next() []int {
	if len(s.seen) < startup {
		values := make([]int, len(s.choices))
		for i, n := range s.choices {
			values[i] = s.rng.IntN(n)
		}
		return values
	}
	best, rest := s.mixtures()
	var proposed []int
	top := math.Inf(-1)
	for range candidates {
		values := best.draw(s.rng)
		if gain := best.logDensity(values) - rest.logDensity(values); proposed == nil || gain > top {
			proposed, top = values, gain
		}
	}
	return proposed
}

// mixtures returns that of the best observations and that of the rest.
func (s *Sampler) mixtures() (best, rest mixture) {
	byScore := make([]int, len(s.seen))
	for i := range byScore {
		byScore[i] = i
	}
	slices.SortStableFunc(byScore, func(a, b int) int { // of equal scores the earlier is the better
		switch x, y := s.seen[a].score, s.seen[b].score; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	n := min(int(math.Ceil(bestShare*float64(len(s.seen)))), bestMost)
	return s.mixture(byScore[:n]), s.mixture(byScore[n:])
}

// mixture returns the mixture of the observations at some indexes.
func (s *Sampler) mixture(indexes []int) mixture {
	indexes = slices.Sorted(slices.Values(indexes)) // by age, which the weights go by
	m := mixture{choices: s.choices}
	for _, i := range indexes {
		m.centres = append(m.centres, s.seen[i].values)
	}
	m.weights = append(ages(len(indexes)), prior)
	total := 0.0
	for _, w := range m.weights {
		total += w
	}
	for i := range m.weights {
		m.weights[i] /= total
	}
	return m
}

// ages returns the weights of n observations, the oldest first: the latest 25 weigh 1, and
// those before them from 1/n evenly up to 1.
func ages(n int) []float64 {
	w := make([]float64, n, n+1)
	ramp := max(0, n-flat)
	low := 1 / float64(n)
	for i := range w {
		switch {
		case i >= ramp:
			w[i] = 1
		case ramp == 1:
			w[i] = low
		default:
			w[i] = low + (1-low)*float64(i)/float64(ramp-1)
		}
	}
	return w
}
