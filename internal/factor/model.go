package factor

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// ErrSingular says that the precision matrix could not be factorised: scales that differ by
// too many orders of magnitude, or observations that are no numbers.
var ErrSingular = errors.New("factor: the precision matrix is not positive definite")

// Prior holds the standard deviations of the model's parts, all above 0.
type Prior struct {
	// Mean is where the grand mean is expected, and MeanScale how far from there.
	Mean, MeanScale float64
	// Scales are those of the effects, by group.
	Scales []float64
	// Item is the scale of the items' effects, and Noise that of what nothing explains.
	Item, Noise float64
}

func (p Prior) clone() Prior {
	p.Scales = slices.Clone(p.Scales)
	return p
}

func (p Prior) check() error {
	for _, s := range append(slices.Clone(p.Scales), p.MeanScale, p.Item, p.Noise) {
		if !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("factor: the prior %+v has a scale of %v; want finite numbers above 0", p, s)
		}
	}
	return nil
}

// Model is the linear model with what was observed.
type Model struct {
	prior Prior
	group []int // of each effect; that of the grand mean, which is effect 0, is -1
	items []item
	// gram and xy are the sums of x x' (its upper triangle) and x y over the observations.
	gram grid
	xy   []float64
	yy   float64
	n    int
	// now is the system under the prior, kept up to date by each observation.
	now system
}

// item sums up the observations of one item.
type item struct {
	n     int
	sum   float64
	at    []int     // the effects that were seen with it, ascending
	count []float64 // how often
}

// New returns a model of some items with no effects but the grand mean's.
func New(p Prior, items int) (*Model, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	m := &Model{prior: p.clone(), items: make([]item, items)}
	m.add(-1)
	return m, nil
}

// Add adds an effect of a group and returns its number, which is above 0.
func (m *Model) Add(group int) int {
	if group < 0 || group >= len(m.prior.Scales) {
		panic(fmt.Sprintf("factor: there is no group %d", group))
	}
	return m.add(group)
}

func (m *Model) add(group int) int {
	m.group = append(m.group, group)
	m.gram.grow()
	m.xy = append(m.xy, 0)
	m.now.grow(m.prior.precision(group))
	return len(m.group) - 1
}

// precision is the inverse prior variance of an effect of a group.
func (p Prior) precision(group int) float64 {
	s := p.MeanScale
	if group >= 0 {
		s = p.Scales[group]
	}
	return 1 / (s * s)
}

// Effects returns the number of effects, the grand mean's included.
func (m *Model) Effects() int { return len(m.group) }

// Observations returns how many there were.
func (m *Model) Observations() int { return m.n }

// Prior returns the scales in force.
func (m *Model) Prior() Prior { return m.prior.clone() }

// Observe adds an observation: a candidate's effects, of which none repeats, the item, and
// the score.
func (m *Model) Observe(effects []int, item int, y float64) { m.change(effects, item, y, 1) }

// Forget takes an observation back.
func (m *Model) Forget(effects []int, item int, y float64) { m.change(effects, item, y, -1) }

func (m *Model) change(effects []int, item int, y float64, sign int) {
	x := append([]int{0}, effects...)
	slices.Sort(x)
	y -= m.prior.Mean
	it, by := &m.items[item], float64(sign)
	m.now.fold(it, m.prior, 1)
	w := by / (m.prior.Noise * m.prior.Noise)
	for i, a := range x {
		for _, b := range x[i:] {
			m.gram.add(a, b, by)
			m.now.s.add(a, b, w)
		}
		m.xy[a] += by * y
		m.now.v[a] += w * y
	}
	m.yy += by * y * y
	m.n += sign
	it.change(x, y, sign)
	m.now.fold(it, m.prior, -1)
}

func (it *item) change(x []int, y float64, sign int) {
	it.n += sign
	it.sum += float64(sign) * y
	for _, a := range x {
		i, ok := slices.BinarySearch(it.at, a)
		if !ok {
			it.at, it.count = slices.Insert(it.at, i, a), slices.Insert(it.count, i, 0)
		}
		it.count[i] += float64(sign)
	}
}

// SetPrior changes the scales; the mean stays.
func (m *Model) SetPrior(p Prior) error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p.Scales) != len(m.prior.Scales) {
		return fmt.Errorf("factor: %d scales, want %d", len(p.Scales), len(m.prior.Scales))
	}
	mean := m.prior.Mean
	m.prior = p.clone()
	m.prior.Mean = mean
	m.now = m.system(m.prior)
	return nil
}

// system builds the equations under a prior from the sums.
func (m *Model) system(p Prior) system {
	s := system{s: m.gram.clone(), v: slices.Clone(m.xy)}
	w := 1 / (p.Noise * p.Noise)
	for i := range s.v {
		row := s.s.row(i)
		for j := range row {
			row[j] *= w
		}
		s.v[i] *= w
		row[0] += p.precision(m.group[i])
	}
	for i := range m.items {
		s.fold(&m.items[i], p, -1)
	}
	return s
}

// system holds the normal equations S b = v of the effects, with the items eliminated.
type system struct {
	s grid
	v []float64
}

func (s *system) grow(precision float64) {
	s.s.grow()
	s.v = append(s.v, 0)
	n := len(s.v) - 1
	s.s.add(n, n, precision)
}

// fold adds what eliminating an item subtracts, times sign.
func (s *system) fold(it *item, p Prior, sign float64) {
	if it.n == 0 {
		return
	}
	w := 1 / (p.Noise * p.Noise)
	c := sign * w * w / (1/(p.Item*p.Item) + w*float64(it.n))
	for i, a := range it.at {
		row, ca := s.s.row(a), c*it.count[i]
		for j := i; j < len(it.at); j++ {
			row[it.at[j]-a] += ca * it.count[j]
		}
		s.v[a] += ca * it.sum
	}
}

// factorise returns the Cholesky factors and the solution.
func (s *system) factorise() (*mat.Cholesky, *mat.VecDense, error) {
	n := len(s.v)
	var sym mat.SymDense
	sym.SetRawSymmetric(blas64.Symmetric{Uplo: blas.Upper, N: n, Stride: s.s.stride, Data: s.s.data})
	var chol mat.Cholesky
	if !chol.Factorize(&sym) {
		return nil, nil, ErrSingular
	}
	mean := mat.NewVecDense(n, nil)
	if err := chol.SolveVecTo(mean, mat.NewVecDense(n, slices.Clone(s.v))); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSingular, err)
	}
	return &chol, mean, nil
}

// grid is the upper triangle of a symmetric matrix that grows.
type grid struct {
	n, stride int
	data      []float64
}

func (g *grid) grow() {
	if g.n == g.stride {
		stride := max(16, 2*g.stride)
		data := make([]float64, stride*stride)
		for i := range g.n {
			copy(data[i*stride:], g.data[i*g.stride:i*g.stride+g.n])
		}
		g.stride, g.data = stride, data
	}
	g.n++
}

// row returns a row from the diagonal on.
func (g *grid) row(i int) []float64 { return g.data[i*g.stride+i : i*g.stride+g.n] }

// add adds to an element on or above the diagonal.
func (g *grid) add(i, j int, v float64) { g.data[i*g.stride+j] += v }

func (g *grid) clone() grid { return grid{g.n, g.stride, slices.Clone(g.data)} }
