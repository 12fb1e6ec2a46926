package optimize

import "math"

// logistic is the model in which label k has the probability
// softmax(scale*(logProb - mean) + intercept) at k.
type logistic struct {
	theta []float64 // the intercepts and, last, the logarithm of the scale
	// centred are the fitted rows' log-probabilities less their mean.
	centred [][]float64
}

// fitLogistic fits the model by maximum likelihood. A weak prior, worth one
// observation, holds the scale near 1 and the intercepts finite where labels are
// separable.
func fitLogistic(lp [][]float64, truth []int) *logistic {
	labels := len(lp[0])
	centred := make([][]float64, len(lp))
	for i, l := range lp {
		mean := 0.0
		for _, v := range l {
			mean += v / float64(labels)
		}
		centred[i] = make([]float64, labels)
		for k, v := range l {
			centred[i][k] = v - mean
		}
	}
	theta := make([]float64, labels+1)
	prior := make([]float64, labels)
	share := make([]float64, labels)
	for i, l := range centred {
		for k, v := range l {
			prior[k] -= v / float64(len(lp))
		}
		share[truth[i]]++
	}
	for k := range prior {
		prior[k] += math.Log((share[k] + 1) / float64(len(lp)+labels))
	}
	copy(theta, prior)
	m, v := make([]float64, labels+1), make([]float64, labels+1)
	grad := make([]float64, labels+1)
	p := make([]float64, labels)
	const rounds = 600
	for t := 1; t <= rounds; t++ {
		scale := math.Exp(theta[labels])
		for k := range prior {
			grad[k] = 0.01 * (theta[k] - prior[k])
		}
		grad[labels] = theta[labels]
		for i, l := range centred {
			probabilities(p, l, theta, scale)
			p[truth[i]]--
			for k, d := range p {
				grad[k] += d
				grad[labels] += d * l[k] * scale
			}
		}
		// Adam (Kingma and Ba, arXiv 1412.6980) with a rate that falls.
		rate := 0.2 / (1 + float64(t)/60)
		for j, g := range grad {
			m[j] = 0.9*m[j] + 0.1*g
			v[j] = 0.99*v[j] + 0.01*g*g
			mhat := m[j] / (1 - math.Pow(0.9, float64(t)))
			vhat := v[j] / (1 - math.Pow(0.99, float64(t)))
			theta[j] -= rate * mhat / (math.Sqrt(vhat) + 1e-8)
		}
	}
	return &logistic{theta, centred}
}

// biases returns the biases under which the likeliest label wins: the intercepts
// divided by the scale, shifted so that the first is 0.
func (l *logistic) biases() []float64 {
	b := make([]float64, len(l.theta)-1)
	scale := math.Exp(l.theta[len(b)])
	for k := range b {
		b[k] = (l.theta[k] - l.theta[0]) / scale
	}
	return b
}

// posterior returns the labels' probabilities of each fitted row.
func (l *logistic) posterior() [][]float64 {
	scale := math.Exp(l.theta[len(l.theta)-1])
	out := make([][]float64, len(l.centred))
	for i, row := range l.centred {
		out[i] = make([]float64, len(row))
		probabilities(out[i], row, l.theta, scale)
	}
	return out
}

// probabilities fills p with the softmax of scale*l + theta.
func probabilities(p, l, theta []float64, scale float64) {
	top := math.Inf(-1)
	for k := range p {
		p[k] = scale*l[k] + theta[k]
		top = max(top, p[k])
	}
	sum := 0.0
	for k := range p {
		p[k] = math.Exp(p[k] - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
}
