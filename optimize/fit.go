package optimize

import (
	"context"
	"math"
	"slices"
)

// gridSize is the most points of the grid along one bias.
const gridSize = 161

// biasFit maximises an objective over biases.
type biasFit struct {
	lp     [][]float64
	copies []rowCopy
	stat   func(idx []int) float64
	start  []float64 // a good guess
	width  float64   // of the neighbourhood, in nats
	step   float64   // of the grid, in nats
	picked []int     // by rows
	idx    []int     // by copies
	known  bool      // last is the value of picked
	last   float64
}

// fitObjective returns the biases, the first of them 0, that maximise stat of
// the labels chosen under them: for each copy it gets the copy's cell plus the
// label of its row. For up to three labels the grid is searched whole, for more
// one bias after the other, from start and from 0. The objective is averaged over
// a neighbourhood by a Gaussian of width smoothing times the spread of the
// log-probabilities; of a region of equal values the middle is taken. When
// nothing beats no biases, they are all 0. It returns an error only when the
// context ends.
func fitObjective(ctx context.Context, lp [][]float64, copies []rowCopy, stat func(idx []int) float64, start []float64, smoothing float64) ([]float64, error) {
	labels := len(lp[0])
	spread := spreadOf(lp)
	f := &biasFit{
		lp: lp, copies: copies, stat: stat, start: start, width: smoothing * spread,
		picked: make([]int, len(lp)), idx: make([]int, len(copies)),
	}
	f.step = f.width / 2
	if f.step == 0 {
		f.step = spread / 8
	}
	zero := make([]float64, labels)
	switch {
	case labels < 2:
		return zero, nil
	case labels == 2:
		return f.line(ctx, zero, 1)
	case labels == 3:
		return f.plane(ctx)
	}
	best, bestValue := zero, f.around(zero)
	for _, start := range [][]float64{zero, f.start} {
		b, err := f.ascend(ctx, start)
		if err != nil {
			return nil, err
		}
		if v := f.around(b); v > bestValue+tiny {
			best, bestValue = b, v
		}
	}
	return best, nil
}

// tiny is a difference of objectives that is none.
const tiny = 1e-9

// spreadOf returns the median absolute deviation of the differences between the
// first label's log-probability and each other's, in nats, the largest of them;
// it is at least 0.01.
func spreadOf(lp [][]float64) float64 {
	spread := 0.01
	for k := 1; k < len(lp[0]); k++ {
		d := differences(lp, k)
		m := median(d)
		for i := range d {
			d[i] = math.Abs(d[i] - m)
		}
		spread = max(spread, median(d))
	}
	return spread
}

func differences(lp [][]float64, k int) []float64 {
	d := make([]float64, len(lp))
	for i, l := range lp {
		d[i] = l[0] - l[k]
	}
	return d
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// value is the objective under biases.
func (f *biasFit) value(b []float64) float64 {
	same := f.known
	for i, l := range f.lp {
		k := argmax(l, b)
		same = same && k == f.picked[i]
		f.picked[i] = k
	}
	if same {
		return f.last
	}
	for i, c := range f.copies {
		f.idx[i] = c.cell + f.picked[c.row]
	}
	f.known, f.last = true, f.stat(f.idx)
	if math.IsNaN(f.last) {
		f.last = math.Inf(-1)
	}
	return f.last
}

func argmax(lp, b []float64) int {
	best := 0
	for k := range lp {
		if lp[k]+b[k] > lp[best]+b[best] {
			best = k
		}
	}
	return best
}

// axis returns the grid of a bias: from below the least of the places at which a
// row changes its label to above the greatest. It holds 0.
func (f *biasFit) axis(d []float64) []float64 {
	margin := 3*f.width + f.step
	low, high := min(slices.Min(d)-margin, 0), max(slices.Max(d)+margin, 0)
	step := max(f.step, (high-low)/(gridSize-1))
	var grid []float64
	for i := int(math.Floor(low / step)); i <= int(math.Ceil(high/step)); i++ {
		grid = append(grid, float64(i)*step)
	}
	return grid
}

// line moves bias k of b to the best place.
func (f *biasFit) line(ctx context.Context, b []float64, k int) ([]float64, error) {
	b = slices.Clone(b)
	was := b[k]
	d := make([]float64, len(f.lp))
	for i, l := range f.lp {
		d[i] = math.Inf(-1)
		for j := range l {
			if j != k {
				d[i] = max(d[i], l[j]+b[j]-l[k])
			}
		}
	}
	grid := f.axis(d)
	values := make([]float64, len(grid))
	for i, x := range grid {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b[k] = x
		values[i] = f.value(b)
	}
	values = f.smooth(values, len(grid), 1, grid)
	now := 0
	for i, x := range grid {
		if math.Abs(x-was) < math.Abs(grid[now]-was) {
			now = i
		}
	}
	best := middle(values, len(grid))
	if values[best] <= values[now]+tiny {
		b[k] = was
		return b, nil
	}
	b[k] = grid[best]
	return b, nil
}

// plane searches both biases of three labels at once.
func (f *biasFit) plane(ctx context.Context) ([]float64, error) {
	xs, ys := f.axis(differences(f.lp, 1)), f.axis(differences(f.lp, 2))
	values := make([]float64, len(xs)*len(ys))
	zero := 0
	b := make([]float64, 3)
	for i, x := range xs {
		for j, y := range ys {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			b[1], b[2] = x, y
			values[i*len(ys)+j] = f.value(b)
			if x == 0 && y == 0 {
				zero = i*len(ys) + j
			}
		}
	}
	values = f.smooth(values, len(ys), 1, ys)
	values = f.smooth(values, len(xs), len(ys), xs)
	best := middle(values, len(ys))
	if values[best] <= values[zero]+tiny {
		return []float64{0, 0, 0}, nil
	}
	return []float64{0, xs[best/len(ys)], ys[best%len(ys)]}, nil
}

// ascend moves one bias after the other until none moves.
func (f *biasFit) ascend(ctx context.Context, b []float64) ([]float64, error) {
	b = slices.Clone(b)
	for k := range b { // only differences count
		if k > 0 {
			b[k] -= b[0]
		}
	}
	b[0] = 0
	for range 6 {
		was := slices.Clone(b)
		for k := 1; k < len(b); k++ {
			var err error
			if b, err = f.line(ctx, b, k); err != nil {
				return nil, err
			}
		}
		if slices.Equal(was, b) {
			break
		}
	}
	return b, nil
}

// around is the objective averaged along each bias around b.
func (f *biasFit) around(b []float64) float64 {
	sum, weight := 0.0, 0.0
	c := slices.Clone(b)
	for k := 1; k < len(b); k++ {
		for _, z := range []float64{-2, -1, 0, 1, 2} {
			c[k] = b[k] + z*f.width
			w := math.Exp(-z * z / 2)
			sum += w * f.value(c)
			weight += w
		}
		c[k] = b[k]
	}
	return sum / weight
}
