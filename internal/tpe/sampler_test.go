package tpe

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

func newSampler(t *testing.T, choices []int, seed uint64) *Sampler {
	t.Helper()
	s, err := New(choices, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func observe(t *testing.T, s *Sampler, values []int, score float64) {
	t.Helper()
	if err := s.Observe(values, score); err != nil {
		t.Fatal(err)
	}
}

// all returns every combination.
func all(choices []int) [][]int {
	out := [][]int{nil}
	for _, n := range choices {
		var longer [][]int
		for _, values := range out {
			for v := range n {
				longer = append(longer, append(slices.Clone(values), v))
			}
		}
		out = longer
	}
	return out
}

// law returns how probable each combination is to be proposed, computed: it is proposed where
// the best of the draws has its gain, and no earlier draw has. alike numbers combinations by
// their gains: among those of equal ones rounding decides, here and in Optuna, so only their
// sum is comparable.
func law(s *Sampler, combinations [][]int) (p []float64, alike []int) {
	best, rest := s.mixtures()
	density, gain := make([]float64, len(combinations)), make([]float64, len(combinations))
	for i, values := range combinations {
		l := best.logDensity(values)
		density[i], gain[i] = math.Exp(l), l-rest.logDensity(values)
	}
	p, alike = make([]float64, len(combinations)), make([]int, len(combinations))
	for i := range p {
		below, same := 0.0, 0.0
		alike[i] = slices.IndexFunc(gain, func(g float64) bool { return math.Abs(g-gain[i]) < 1e-9 })
		for j, g := range gain {
			switch {
			case math.Abs(g-gain[i]) < 1e-9:
				same += density[j]
			case g < gain[i]:
				below += density[j]
			}
		}
		p[i] = (math.Pow(below+same, candidates) - math.Pow(below, candidates)) * density[i] / same
	}
	return p, alike
}

// sums adds up what is alike.
func sums[T int | float64](values []T, alike []int) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[alike[i]] += v
	}
	return out
}

// far returns the greatest distance, in standard deviations of a count, of counts from a law.
func far(counts []int, p []float64) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	most := 0.0
	for i, c := range counts {
		mean := float64(n) * p[i]
		most = max(most, math.Abs(float64(c)-mean)/math.Sqrt(mean*(1-p[i])+1))
	}
	return most
}

// history returns a sampler that has seen n random combinations, whose scores are the higher
// the nearer both values are to the middle.
func history(t *testing.T, choices []int, n int) *Sampler {
	t.Helper()
	s := newSampler(t, choices, 1)
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	for range n {
		values, score := make([]int, len(choices)), 0.0
		for i, k := range choices {
			values[i] = rng.IntN(k)
			score -= math.Abs(float64(values[i] - k/2))
		}
		observe(t, s, values, score)
	}
	return s
}

// Proposals follow the law that the densities give them.
func TestLaw(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 11, 40, 120} {
		choices := []int{3, 5, 2}
		s := history(t, choices, n)
		combinations := all(choices)
		p, alike := law(s, combinations)
		sum := 0.0
		for _, x := range p {
			sum += x
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("after %d observations the law sums to %v", n, sum)
		}
		counts := make([]int, len(combinations))
		for range 6000 {
			values := s.Next()
			counts[slices.IndexFunc(combinations, func(c []int) bool { return slices.Equal(c, values) })]++
		}
		if d := far(sums(counts, alike), sums(p, alike)); d > 4.5 {
			t.Errorf("after %d observations the proposals are %.1f standard deviations from their law:\n%v\n%v", n, d, counts, p)
		}
	}
}

// The law is that of Optuna's sampler: testdata/optuna.json holds how often it proposed each
// combination after some histories (testdata/make_optuna.py).
func TestOptuna(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/optuna.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Optuna string
		Cases  []struct {
			Choices []int
			Values  [][]int
			Scores  []float64
			Counts  []int // by combination, the last parameter moving fastest
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 4 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for i, c := range golden.Cases {
		s := newSampler(t, c.Choices, 1)
		for j, values := range c.Values {
			observe(t, s, values, c.Scores[j])
		}
		p, alike := law(s, all(c.Choices))
		if d := far(sums(c.Counts, alike), sums(p, alike)); d > 4.5 {
			t.Errorf("case %d: the law is %.1f standard deviations from what Optuna %s proposed", i, d, golden.Optuna)
		}
	}
}

// The first ten are random, also where the first observations are none of them.
func TestStartup(t *testing.T) {
	t.Parallel()
	s := newSampler(t, []int{4, 1}, 7)
	counts := make([]int, 4)
	for range 8000 {
		v := s.Next()
		if v[1] != 0 {
			t.Fatalf("the value %d of one", v[1])
		}
		counts[v[0]]++
	}
	if d := far(counts, []float64{.25, .25, .25, .25}); d > 4.5 {
		t.Errorf("got %v", counts)
	}
	for range startup {
		observe(t, s, []int{2, 0}, 1)
	}
	model := make([]int, 4)
	for range 1000 {
		model[s.Next()[0]]++
	}
	if far(model, []float64{.25, .25, .25, .25}) < 4.5 {
		t.Errorf("after ten observations the proposals are still uniform: %v", model)
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][]float64{0: {}, 2: {1, 1}, 25: ones(25), 26: append([]float64{1. / 26}, ones(25)...), 28: append([]float64{1. / 28, (1 + 1./28) / 2, 1}, ones(25)...)} {
		got := ages(n)
		if len(got) != n || !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("the weights of %d are %v, want %v", n, got, want)
		}
	}
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// With a noisy function of a best combination the sampler finds far more than random search
// does in as many tries, over fifty seeds.
func TestBeatsRandomSearch(t *testing.T) {
	t.Parallel()
	choices := []int{9, 18, 4}
	const tries = 90
	value := func(v []int) float64 { // 1 at (4, 11, 2); the first two matter together, too
		x := 0.4*near(v[0], 4, 9) + 0.4*near(v[1], 11, 18) + 0.1*near(v[2], 2, 4)
		if v[0] == 4 && v[1] == 11 {
			x += 0.1
		}
		return x
	}
	run := func(seed uint64, next func(s *Sampler) []int) float64 {
		s := newSampler(t, choices, seed)
		noise := rand.New(rand.NewPCG(seed, 99))
		best, truth := math.Inf(-1), 0.0
		for range tries {
			v := next(s)
			score := value(v) + 0.05*noise.NormFloat64()
			observe(t, s, v, score)
			if score > best {
				best, truth = score, value(v)
			}
		}
		return truth
	}
	const seeds = 50
	sum, sumRandom, won := 0.0, 0.0, 0
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 5))
		got := run(seed, (*Sampler).Next)
		random := run(seed, func(*Sampler) []int {
			return []int{rng.IntN(choices[0]), rng.IntN(choices[1]), rng.IntN(choices[2])}
		})
		sum, sumRandom = sum+got, sumRandom+random
		if got >= random {
			won++
		}
	}
	t.Logf("mean %.3f, of random search %.3f; at least as good in %d of %d", sum/seeds, sumRandom/seeds, won, seeds)
	if sum/seeds < sumRandom/seeds+0.05 || won < 40 {
		t.Errorf("mean %.3f, of random search %.3f; at least as good in %d of %d seeds", sum/seeds, sumRandom/seeds, won, seeds)
	}
}

// near is 1 at the best of n values and falls to 0.
func near(v, best, n int) float64 { return 1 - math.Abs(float64(v-best))/float64(n) }

// A seed repeats, whatever the caller does with the slices.
func TestRepeats(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) [][]int {
		choices := []int{5, 7}
		s := newSampler(t, choices, seed)
		choices[0] = 1
		var out [][]int
		for i := range 40 {
			v := s.Next()
			out = append(out, slices.Clone(v))
			observe(t, s, v, float64(v[0]*7+v[1]))
			if i%2 == 0 {
				v[0] = 0
			}
		}
		return out
	}
	a, b, c := run(9), run(9), run(10)
	if !slices.EqualFunc(a, b, slices.Equal[[]int]) {
		t.Error("two runs of a seed differ")
	}
	if slices.EqualFunc(a, c, slices.Equal[[]int]) {
		t.Error("two seeds do not differ")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if s, err := New([]int{3, 0}, 1); err == nil || s != nil || !strings.Contains(err.Error(), "parameter 1 has 0 choices") {
		t.Errorf("got %v", err)
	}
	s := newSampler(t, []int{3, 2}, 1)
	for _, v := range [][]int{nil, {1}, {3, 0}, {0, 2}, {-1, 0}} {
		if err := s.Observe(v, 1); err == nil {
			t.Errorf("%v was observed", v)
		}
	}
	if err := s.Observe([]int{0, 0}, math.NaN()); err == nil {
		t.Error("no number was observed")
	}
	if len(s.seen) != 0 {
		t.Errorf("%d observations", len(s.seen))
	}
}

// A program of very many predictors has densities that no float64 could hold.
func TestManyParameters(t *testing.T) {
	t.Parallel()
	choices := make([]int, 400)
	for i := range choices {
		choices[i] = 18
	}
	s := newSampler(t, choices, 1)
	good := make([]int, len(choices))
	for i := range 30 {
		v := make([]int, len(choices))
		for j := range v {
			v[j] = (i*7 + j*5) % 18
		}
		if i == 17 {
			copy(good, v)
		}
		observe(t, s, v, map[bool]float64{true: 1}[i == 17])
	}
	best, rest := s.mixtures()
	if l := best.logDensity(good); math.IsInf(l, 0) || math.IsNaN(l) || l <= rest.logDensity(good) {
		t.Errorf("the density of the best is %v, of the rest %v", l, rest.logDensity(good))
	}
}
