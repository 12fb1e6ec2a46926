package factor_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/whetgo/whet/internal/factor"
)

type observation struct {
	effects []int
	item    int
	y       float64
}

func prior() factor.Prior {
	return factor.Prior{Mean: 0.6, MeanScale: 0.3, Scales: []float64{0.1, 0.05, 0.02}, Item: 0.25, Noise: 0.4}
}

// crossed returns a model of 4 by 6 candidates with own effects, which are added while
// observations come in, on 15 items, and what it saw.
func crossed(t *testing.T, n int) (*factor.Model, []observation, []int) {
	t.Helper()
	m, err := factor.New(prior(), 15)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 1))
	groups := []int{-1}
	add := func(group int) int {
		groups = append(groups, group)
		return m.Add(group)
	}
	var rows, cols [6]int
	for i := range 4 {
		rows[i] = add(0)
	}
	for i := range 6 {
		cols[i] = add(1)
	}
	own := map[[2]int]int{}
	var seen []observation
	for range n {
		i, j := rng.IntN(4), rng.IntN(6)
		if own[[2]int{i, j}] == 0 {
			own[[2]int{i, j}] = add(2)
		}
		o := observation{[]int{own[[2]int{i, j}], rows[i], cols[j]}, rng.IntN(15), math.Round(rng.Float64())}
		m.Observe(o.effects, o.item, o.y)
		seen = append(seen, o)
	}
	return m, seen, groups
}

// scale is that of an effect.
func scale(p factor.Prior, group int) float64 {
	if group < 0 {
		return p.MeanScale
	}
	return p.Scales[group]
}

// dense solves the whole system, items included.
func dense(t *testing.T, p factor.Prior, seen []observation, groups []int, items int) (mean *mat.VecDense, cov *mat.Dense) {
	t.Helper()
	n := len(groups) + items
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		s := p.Item
		if i < len(groups) {
			s = scale(p, groups[i])
		}
		a.Set(i, i, 1/(s*s))
	}
	w := 1 / (p.Noise * p.Noise)
	for _, o := range seen {
		x := append([]int{0, len(groups) + o.item}, o.effects...)
		for _, i := range x {
			for _, j := range x {
				a.Set(i, j, a.At(i, j)+w)
			}
			b.SetVec(i, b.AtVec(i)+w*(o.y-p.Mean))
		}
	}
	mean, cov = mat.NewVecDense(n, nil), mat.NewDense(n, n, nil)
	if err := mean.SolveVec(a, b); err != nil {
		t.Fatal(err)
	}
	if err := cov.Inverse(a); err != nil {
		t.Fatal(err)
	}
	return mean, cov
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

func TestPosteriorIsTheDenseSolution(t *testing.T) {
	t.Parallel()
	m, seen, groups := crossed(t, 300)
	check := func(what string, p factor.Prior, seen []observation) {
		t.Helper()
		post, err := m.Posterior()
		if err != nil {
			t.Fatal(err)
		}
		mean, cov := dense(t, p, seen, groups, 15)
		for i := range groups {
			want := mean.AtVec(i)
			if i == 0 {
				want += p.Mean
			}
			if got := post.Effect(i); !near(got, want) {
				t.Errorf("%s: effect %d is %.12f, want %.12f", what, i, got, want)
			}
		}
		for _, o := range seen[:20] {
			wantMean, wantVar := p.Mean, 0.0
			x := append([]int{0}, o.effects...)
			for _, i := range x {
				wantMean += mean.AtVec(i)
				for _, j := range x {
					wantVar += cov.At(i, j)
				}
			}
			sd, err := post.SD(o.effects)
			if err != nil || !near(sd, math.Sqrt(wantVar)) || !near(post.Mean(o.effects), wantMean) {
				t.Errorf("%s: candidate %v: %.12f, sd %.12f (%v); want %.12f, sd %.12f", what, o.effects, post.Mean(o.effects), sd, err, wantMean, math.Sqrt(wantVar))
			}
		}
	}
	check("at first", prior(), seen)
	other := factor.Prior{Mean: 0.1, MeanScale: 0.5, Scales: []float64{0.03, 0.2, 0.1}, Item: 0.1, Noise: 0.3}
	if err := m.SetPrior(other); err != nil {
		t.Fatal(err)
	}
	other.Mean = prior().Mean // what the observations were centred by
	check("with another prior", other, seen)
	for _, o := range seen[200:] {
		m.Forget(o.effects, o.item, o.y)
	}
	check("after a third was forgotten", other, seen[:200])
	if m.Observations() != 200 || m.Effects() != len(groups) {
		t.Errorf("%d observations, %d effects", m.Observations(), m.Effects())
	}
}

// TestLogMarginal compares with the density of all observations at once.
func TestLogMarginal(t *testing.T) {
	t.Parallel()
	m, seen, groups := crossed(t, 120)
	p := prior()
	n := len(seen)
	cov, y := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i, a := range seen {
		y.SetVec(i, a.y-p.Mean)
		for j, b := range seen[:i+1] {
			v := p.MeanScale * p.MeanScale
			for _, k := range a.effects {
				for _, l := range b.effects {
					if k == l {
						v += scale(p, groups[k]) * scale(p, groups[k])
					}
				}
			}
			if a.item == b.item {
				v += p.Item * p.Item
			}
			if i == j {
				v += p.Noise * p.Noise
			}
			cov.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		t.Fatal("not positive definite")
	}
	z := mat.NewVecDense(n, nil)
	if err := chol.SolveVecTo(z, y); err != nil {
		t.Fatal(err)
	}
	want := -0.5 * (float64(n)*math.Log(2*math.Pi) + chol.LogDet() + mat.Dot(y, z))
	if got, err := m.LogMarginal(); err != nil || !near(got, want) {
		t.Errorf("got %.12f and %v, want %.12f", got, err, want)
	}
}

// TestRefit finds the scales that made the data, about, and only ever improves the fit.
func TestRefit(t *testing.T) {
	t.Parallel()
	truth := factor.Prior{Mean: 0.5, MeanScale: 0.3, Scales: []float64{0.2, 0.02}, Item: 0.3, Noise: 0.2}
	start := factor.Prior{Mean: 0.5, MeanScale: 0.3, Scales: []float64{0.06, 0.06}, Item: 0.1, Noise: 0.4}
	m, err := factor.New(start, 60)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 5))
	var effects, items []float64
	for group := range 2 {
		for range 20 {
			m.Add(group)
			effects = append(effects, truth.Scales[group]*rng.NormFloat64())
		}
	}
	for range 60 {
		items = append(items, truth.Item*rng.NormFloat64())
	}
	for range 1500 {
		a, b, q := rng.IntN(20), 20+rng.IntN(20), rng.IntN(60)
		m.Observe([]int{1 + a, 1 + b}, q, 0.5+effects[a]+effects[b]+items[q]+truth.Noise*rng.NormFloat64())
	}
	before, err := m.LogMarginal()
	if err != nil {
		t.Fatal(err)
	}
	wide := factor.Prior{Scales: []float64{2, 2}, Item: 2, Noise: 2}
	for range 6 {
		if err := m.Refit(start, wide, 1.2); err != nil {
			t.Fatal(err)
		}
		after, err := m.LogMarginal()
		if err != nil || after < before-1 {
			t.Fatalf("the fit is %.2f and was %.2f: %v", after, before, err)
		}
		before = after
	}
	got := m.Prior()
	for i, pair := range [][2]float64{{got.Scales[0], truth.Scales[0]}, {got.Item, truth.Item}, {got.Noise, truth.Noise}} {
		if r := pair[0] / pair[1]; r < 0.7 || r > 1.4 {
			t.Errorf("scale %d is %.3f, want about %.3f", i, pair[0], pair[1])
		}
	}
	if got.Scales[1] > 0.045 {
		t.Errorf("the small scale is %.3f, want less", got.Scales[1])
	}
}

// TestSample checks the draws' moments.
func TestSample(t *testing.T) {
	t.Parallel()
	m, seen, _ := crossed(t, 200)
	post, err := m.Posterior()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const k = 20000
	draws, err := post.Sample(k, 1, rng.NormFloat64)
	if err != nil || draws.Len() != k {
		t.Fatal(err)
	}
	x := seen[3].effects
	sd, err := post.SD(x)
	if err != nil {
		t.Fatal(err)
	}
	sum, square := 0.0, 0.0
	for i := range k {
		v := draws.Mean(i, x)
		if i == 0 {
			byHand := draws.Effect(0, 0)
			for _, e := range x {
				byHand += draws.Effect(0, e)
			}
			if !near(v, byHand) {
				t.Errorf("a candidate of a draw is worth %v, its effects sum to %v", v, byHand)
			}
		}
		d := v - post.Mean(x)
		sum, square = sum+d/k, square+d*d/k
	}
	if math.Abs(sum) > 5*sd/math.Sqrt(k) || math.Abs(math.Sqrt(square)/sd-1) > 0.03 {
		t.Errorf("the draws are off by %v and have the standard deviation %v, want %v", sum, math.Sqrt(square), sd)
	}
	still, err := post.Sample(2, 0, rng.NormFloat64)
	if err != nil || !near(still.Mean(1, x), post.Mean(x)) {
		t.Errorf("draws without spread: %v, want the mean", err)
	}
}

func TestPriorErrors(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(p *factor.Prior){
		"no noise":       func(p *factor.Prior) { p.Noise = 0 },
		"negative item":  func(p *factor.Prior) { p.Item = -1 },
		"no number":      func(p *factor.Prior) { p.Scales[1] = math.NaN() },
		"infinite scale": func(p *factor.Prior) { p.MeanScale = math.Inf(1) },
	} {
		p := prior()
		change(&p)
		if _, err := factor.New(p, 3); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m, err := factor.New(prior(), 3)
	if err != nil {
		t.Fatal(err)
	}
	fewer := prior()
	fewer.Scales = fewer.Scales[:1]
	if err := m.SetPrior(fewer); err == nil {
		t.Error("a prior of fewer groups: no error")
	}
}
