package optimize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// world draws rows of log-probabilities that know the truth with some noise and
// are shifted by what the fit has to undo.
func world(n int, prior, shift []float64, noise float64, seed uint64) (lp [][]float64, truth []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		u, y := rng.Float64(), 0
		for u > prior[y] && y < len(prior)-1 {
			u -= prior[y]
			y++
		}
		row := make([]float64, len(prior))
		sum := 0.0
		for k := range row {
			row[k] = shift[k] + noise*rng.NormFloat64()
			if k == y {
				row[k] += 3
			}
			sum += math.Exp(row[k])
		}
		for k := range row {
			row[k] -= math.Log(sum)
		}
		lp = append(lp, row)
		truth = append(truth, y)
	}
	return lp, truth
}

// macro returns macro F1 as a function of row*labels+label.
func macro(truth []int, labels int) func([]int) float64 {
	return func(idx []int) float64 {
		tp, sum := make([]float64, labels), make([]float64, labels)
		for _, j := range idx {
			y, got := truth[j/labels], j%labels
			if y == got {
				tp[y]++
			}
			sum[y]++
			sum[got]++
		}
		f := 0.0
		for k := range tp {
			if sum[k] > 0 {
				f += 2 * tp[k] / sum[k] / float64(labels)
			}
		}
		return f
	}
}

func scoreOf(lp [][]float64, truth []int, b []float64) float64 {
	idx := make([]int, len(lp))
	for i := range lp {
		idx[i] = i*len(b) + argmax(lp[i], b)
	}
	return macro(truth, len(b))(idx)
}

// TestFitGeneralises fits to 100 rows and scores on 4,000 others of the same
// kind, against the biases that undo the shift exactly.
func TestFitGeneralises(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]struct{ prior, shift []float64 }{
		"two":   {[]float64{0.8, 0.2}, []float64{0, 9}},
		"three": {[]float64{0.8, 0.09, 0.11}, []float64{-3, 6, 1}},
		"five":  {[]float64{0.4, 0.2, 0.2, 0.1, 0.1}, []float64{0, -4, 8, 2, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := len(w.prior)
			var fitted, likely, exact, raw float64
			const worlds = 12
			for seed := range uint64(worlds) {
				lp, truth := world(100, w.prior, w.shift, 1, seed)
				test, want := world(4000, w.prior, w.shift, 1, 1000+seed)
				b := fitObjective(lp, truth, macro(truth, k), defaultSmoothing)
				if again := fitObjective(lp, truth, macro(truth, k), defaultSmoothing); !slices.Equal(b, again) || b[0] != 0 {
					t.Fatalf("biases %v, and %v when fitted again", b, again)
				}
				undo := make([]float64, k)
				for i, s := range w.shift {
					undo[i] = math.Log(w.prior[i])/3 - s
				}
				fitted += scoreOf(test, want, b) / worlds
				likely += scoreOf(test, want, fitLikelihood(lp, truth)) / worlds
				exact += scoreOf(test, want, undo) / worlds
				raw += scoreOf(test, want, make([]float64, k)) / worlds
			}
			t.Logf("macro F1 %.3f raw, %.3f by the objective, %.3f by likelihood, %.3f by the shifts", raw, fitted, likely, exact)
			if fitted < exact-0.03 || likely < exact-0.06 || raw > 0.5 {
				t.Errorf("macro F1 %.3f raw, %.3f by the objective, %.3f by likelihood, %.3f by the shifts", raw, fitted, likely, exact)
			}
		})
	}
}

func TestFitTakesTheMiddle(t *testing.T) {
	t.Parallel()
	// Label 1 is right where its log-probability is at least 10 less.
	lp := [][]float64{{0, -20}, {0, -18}, {0, -10}, {0, -8}}
	truth := []int{0, 0, 1, 1}
	for _, smoothing := range []float64{0, 0.1, defaultSmoothing} {
		b := fitObjective(lp, truth, macro(truth, 2), smoothing)
		if math.Abs(b[1]-14) > 1.5 {
			t.Errorf("smoothing %v: the bias is %v, want about 14, the middle of 10 and 18", smoothing, b[1])
		}
	}
	if b := fitObjective(lp, []int{0, 0, 0, 1}, func([]int) float64 { return 1 }, 0.3); b[1] != 0 {
		t.Errorf("where nothing matters the bias is %v", b[1])
	}
	if b := fitObjective(lp, truth, func([]int) float64 { return math.NaN() }, 0.3); b[1] != 0 {
		t.Errorf("where the objective is no number the bias is %v", b[1])
	}
}
