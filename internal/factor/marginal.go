package factor

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// LogMarginal returns the logarithm of the density of the observations under the prior.
func (m *Model) LogMarginal() (float64, error) {
	return m.logMarginal(m.prior, m.now)
}

func (m *Model) logMarginal(p Prior, s system) (float64, error) {
	chol, mean, err := s.factorise()
	if err != nil {
		return 0, err
	}
	w, prec := 1/(p.Noise*p.Noise), 1/(p.Item*p.Item)
	// The determinant of the posterior precision over that of the prior, and the residual
	// sum of squares, both with the items eliminated.
	logDet := chol.LogDet()
	for _, g := range m.group {
		logDet -= math.Log(p.precision(g))
	}
	square := w*m.yy - mat.Dot(mean, mat.NewVecDense(len(s.v), s.v))
	for i := range m.items {
		it := &m.items[i]
		c := prec + w*float64(it.n)
		logDet += math.Log(c / prec)
		square -= w * w * it.sum * it.sum / c
	}
	return -0.5 * (float64(m.n)*math.Log(2*math.Pi/w) + logDet + square), nil
}

// Refit moves the scales towards those that make the observations most likely, one after
// the other by steps of a factor (above 1), at most a few each. A scale is held near that
// of base: its logarithm has a Gaussian prior there, whose standard deviation is that of
// spread (of which the mean and its scale do not matter).
func (m *Model) Refit(base, spread Prior, factor float64) error {
	const steps = 3
	p := m.Prior()
	fixed, widths := base.free(), spread.free()
	value := func() (float64, error) {
		v, err := m.logMarginal(p, m.system(p))
		for i, s := range p.free() {
			z := math.Log(*s / *fixed[i]) / *widths[i]
			v -= z * z / 2
		}
		return v, err
	}
	best, err := value()
	if err != nil {
		return err
	}
	for _, s := range p.free() {
		for _, f := range []float64{factor, 1 / factor} {
			moved := false
			for range steps {
				*s *= f
				v, err := value()
				if err != nil {
					return err
				}
				if v <= best {
					*s /= f
					break
				}
				best, moved = v, true
			}
			if moved {
				break
			}
		}
	}
	return m.SetPrior(p)
}

// free returns the scales that can be fitted; the grand mean's is not.
func (p *Prior) free() []*float64 {
	var out []*float64
	for i := range p.Scales {
		out = append(out, &p.Scales[i])
	}
	return append(out, &p.Item, &p.Noise)
}
