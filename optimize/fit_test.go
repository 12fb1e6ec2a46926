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

// macro returns macro F1 of cells.
func macro(cells []cell, truth []int, labels int) func([]int) float64 {
	return func(idx []int) float64 {
		tp, sum := make([]float64, labels), make([]float64, labels)
		for _, j := range idx {
			y, got := cells[j].truth, cells[j].got
			if y < 0 {
				y = truth[cells[j].row]
			}
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

// fit fits as Calibrate does, for macro F1.
func fit(lp [][]float64, truth []int, smoothing, softening float64) []float64 {
	model := fitLogistic(lp, truth)
	cells, copies := softCopies(identityOrder(len(lp)), truth, model.posterior(), softening, func(int) bool { return true })
	return fitObjective(lp, copies, macro(cells, truth, len(lp[0])), model.biases(), smoothing)
}

func fitSoft(lp [][]float64, truth []int) []float64 {
	return fit(lp, truth, defaultSmoothing, defaultSoftening)
}

func scoreOf(lp [][]float64, truth []int, b []float64) float64 {
	cells := make([]cell, len(lp))
	for i := range lp {
		cells[i] = cell{i, -1, argmax(lp[i], b)}
	}
	return macro(cells, truth, len(b))(identityOrder(len(cells)))
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
			const worlds = 4
			for seed := range uint64(worlds) {
				lp, truth := world(100, w.prior, w.shift, 1, seed)
				test, want := world(4000, w.prior, w.shift, 1, 1000+seed)
				b := fitSoft(lp, truth)
				if seed == 0 {
					if again := fitSoft(lp, truth); !slices.Equal(b, again) || b[0] != 0 {
						t.Fatalf("biases %v, and %v when fitted again", b, again)
					}
				}
				undo := make([]float64, k)
				for i, s := range w.shift {
					undo[i] = math.Log(w.prior[i])/3 - s
				}
				fitted += scoreOf(test, want, b) / worlds
				likely += scoreOf(test, want, fitLogistic(lp, truth).biases()) / worlds
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
		b := fit(lp, truth, smoothing, 0)
		if math.Abs(b[1]-14) > 1.5 {
			t.Errorf("smoothing %v: the bias is %v, want about 14, the middle of 10 and 18", smoothing, b[1])
		}
	}
	for name, value := range map[string]float64{"nothing matters": 1, "the objective is no number": math.NaN()} {
		_, copies := softCopies([]int{0, 1, 2, 3}, truth, fitLogistic(lp, truth).posterior(), 0, func(int) bool { return true })
		if b := fitObjective(lp, copies, func([]int) float64 { return value }, []float64{0, 9}, 0.3); b[1] != 0 {
			t.Errorf("where %s the bias is %v", name, b[1])
		}
	}
}

// TestSoftCopies checks that the copies hold the labels and the probabilities in
// the shares that were asked for.
func TestSoftCopies(t *testing.T) {
	t.Parallel()
	posterior := make([][]float64, 100)
	truth := make([]int, 100)
	for i := range posterior {
		posterior[i] = []float64{0.97, 0.02, 0.01}
	}
	locked := 7
	cells, copies := softCopies(identityOrder(100), truth, posterior, 0.5, func(row int) bool { return row != locked })
	if len(copies) != 2000 {
		t.Fatalf("%d copies, want 20 of each row", len(copies))
	}
	counts := make([]int, 3)
	for _, c := range copies {
		at := cells[c.cell]
		if at.row != c.row || at.got != 0 {
			t.Fatalf("copy %v has the cell %v", c, at)
		}
		if at.row == locked && at.truth != -1 {
			t.Errorf("the truth of row %d was changed", locked)
		}
		counts[max(at.truth, 0)]++
	}
	if counts[1] < 19 || counts[1] > 20 || counts[2] < 9 || counts[2] > 10 {
		t.Errorf("%v copies by label, want about 20 of the second and 10 of the third", counts)
	}
	if cells, copies := softCopies([]int{4, 5}, []int{0, 2}, posterior[:2], 0, func(int) bool { return true }); len(copies) != 2 || len(cells) != 6 || cells[5] != (cell{5, -1, 2}) {
		t.Errorf("without softening: %v, %v", cells, copies)
	}
}
