package factor

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Posterior is the distribution of the effects given the observations. It does not change
// with the model.
type Posterior struct {
	prior float64 // the grand mean's
	mean  []float64
	chol  *mat.Cholesky
}

// Posterior returns the distribution of the effects; the items' are integrated out. It
// factorises a matrix of the number of effects.
func (m *Model) Posterior() (*Posterior, error) {
	chol, mean, err := m.now.factorise()
	if err != nil {
		return nil, err
	}
	return &Posterior{m.prior.Mean, mean.RawVector().Data, chol}, nil
}

// Mean returns the expected score of a candidate with these effects, over all items.
func (p *Posterior) Mean(effects []int) float64 {
	return p.prior + at(p.mean, effects)
}

// at sums a candidate's effects up.
func at(v []float64, effects []int) float64 {
	sum := v[0]
	for _, i := range effects {
		sum += v[i]
	}
	return sum
}

// Effect returns the posterior mean of one effect; that of effect 0 is the grand mean's.
func (p *Posterior) Effect(i int) float64 {
	if i == 0 {
		return p.prior + p.mean[0]
	}
	return p.mean[i]
}

// SD returns the standard deviation of a candidate's expected score.
func (p *Posterior) SD(effects []int) (float64, error) {
	x := mat.NewVecDense(len(p.mean), nil)
	x.SetVec(0, 1)
	for _, i := range effects {
		x.SetVec(i, 1)
	}
	y := mat.NewVecDense(len(p.mean), nil)
	if err := p.chol.SolveVecTo(y, x); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrSingular, err)
	}
	return math.Sqrt(max(0, mat.Dot(x, y))), nil
}

// Draws are samples of all effects.
type Draws struct {
	prior float64
	rows  [][]float64
}

// Sample draws k times from the posterior; normal returns numbers of the standard normal
// distribution. Times spread is how far the draws lie from the mean; 1 is the posterior.
func (p *Posterior) Sample(k int, spread float64, normal func() float64) (*Draws, error) {
	n := len(p.mean)
	z := mat.NewDense(n, k, nil)
	for j := range k {
		for i := range n {
			z.Set(i, j, spread*normal())
		}
	}
	// S = U'U, so U^-1 z has the covariance S^-1.
	if err := z.Solve(p.chol.RawU(), z); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSingular, err)
	}
	d := &Draws{p.prior, make([][]float64, k)}
	for j := range k {
		d.rows[j] = make([]float64, n)
		for i := range n {
			d.rows[j][i] = p.mean[i] + z.At(i, j)
		}
	}
	return d, nil
}

// Len returns the number of draws.
func (d *Draws) Len() int { return len(d.rows) }

// Mean returns a candidate's expected score in a draw.
func (d *Draws) Mean(draw int, effects []int) float64 {
	return d.prior + at(d.rows[draw], effects)
}

// Effect returns one effect in a draw; that of effect 0 is the grand mean's.
func (d *Draws) Effect(draw, i int) float64 {
	if i == 0 {
		return d.prior + d.rows[draw][0]
	}
	return d.rows[draw][i]
}
