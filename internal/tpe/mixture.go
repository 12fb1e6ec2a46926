package tpe

import (
	"math"
	"math/rand/v2"
)

// mixture is a weighted sum of distributions over combinations. Each component but the last
// stands for an observation, its centre: there every parameter has the centre's value with
// the greatest probability, independently of the others. The last is uniform.
type mixture struct {
	choices []int
	centres [][]int
	weights []float64 // one more than centres; their sum is 1
}

// share returns how probable a value is that is not the centre's, and how much more the
// centre's is. Every value counts prior/k, k being the number of components, and the centre's
// 1 more.
func (m mixture) share(parameter int) (other, more float64) {
	other = prior / float64(len(m.weights))
	total := 1 + other*float64(m.choices[parameter])
	return other / total, 1 / total
}

// draw returns a combination.
func (m mixture) draw(rng *rand.Rand) []int {
	component := pick(rng.Float64(), m.weights)
	values := make([]int, len(m.choices))
	for i, n := range m.choices {
		if component == len(m.centres) {
			values[i] = rng.IntN(n)
			continue
		}
		// What the centre's value has more is drawn first; what is left is uniform.
		_, more := m.share(i)
		if values[i] = m.centres[component][i]; rng.Float64() >= more {
			values[i] = rng.IntN(n)
		}
	}
	return values
}

// pick returns the index under whose weight x falls, from 0 to 1.
func pick(x float64, weights []float64) int {
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// logDensity returns the logarithm of a combination's probability. It is summed up in
// logarithms, as a program of many predictors has very improbable combinations.
func (m mixture) logDensity(values []int) float64 {
	other, centre := make([]float64, len(values)), make([]float64, len(values))
	for i := range values {
		o, more := m.share(i)
		other[i], centre[i] = math.Log(o), math.Log(o+more)
	}
	logs := make([]float64, len(m.weights))
	top := math.Inf(-1)
	for k, w := range m.weights {
		logs[k] = math.Log(w)
		for i, v := range values {
			switch {
			case k == len(m.centres):
				logs[k] -= math.Log(float64(m.choices[i]))
			case m.centres[k][i] == v:
				logs[k] += centre[i]
			default:
				logs[k] += other[i]
			}
		}
		top = max(top, logs[k])
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}
