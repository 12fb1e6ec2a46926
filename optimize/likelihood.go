package optimize

import "math"

// fitLikelihood returns the biases, the first of them 0, of the logistic model
// in which label k has the probability softmax(scale*logProb + intercept) at k:
// intercepts divided by the scale. A weak prior, worth one observation, holds the
// scale near 1 and the intercepts finite where labels are separable.
func fitLikelihood(lp [][]float64, truth []int) []float64 {
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
	// The parameters are the intercepts and, last, the logarithm of the scale.
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
	scale := math.Exp(theta[labels])
	b := make([]float64, labels)
	for k := range b {
		b[k] = (theta[k] - theta[0]) / scale
	}
	return b
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
