package optimize

import (
	"cmp"
	"math"
	"slices"

	"github.com/whetgo/whet/module"
)

// charactersPerToken is what a token is taken for in an estimate.
const charactersPerToken = 4

// promptTokens estimates how long a candidate's instructions and demos are, in tokens: a
// quarter of their characters. It is an estimate so that it is the same for an answer that
// came from a store, whose usage tells no tokens.
func (s *session) promptTokens(c candidate) float64 {
	n := 0
	for i, st := range c {
		n += len(s.instructionsOf(i, st))
		for _, d := range st.Demos {
			n += demoCharacters(d)
		}
	}
	return float64(n) / charactersPerToken
}

func demoCharacters(d module.Demo) int {
	n := 0
	for name, v := range d.Fields.All() {
		n += len(name) + len(showValue(v))
	}
	return n
}

// front returns the candidates that no other beats in both score, which is the posterior mean, and
// length of prompt; the shortest first.
func (r *raceRun) front() []FrontPoint {
	var points []FrontPoint
	for trial, entrant := range r.trials {
		mean := r.race.post.Mean(r.race.entrants[entrant].all()) * r.race.unit
		points = append(points, FrontPoint{Trial: trial, Tokens: r.promptTokens(r.of(entrant)), Score: mean})
	}
	return pareto(points)
}

func pareto(points []FrontPoint) []FrontPoint {
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b FrontPoint) int {
		return cmp.Or(cmp.Compare(a.Tokens, b.Tokens), cmp.Compare(b.Score, a.Score))
	})
	var front []FrontPoint
	best := math.Inf(-1)
	for _, p := range points {
		if p.Score > best {
			front = append(front, p)
			best = p.Score
		}
	}
	return front
}
