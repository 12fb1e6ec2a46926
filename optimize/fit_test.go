package optimize

import (
	"context"
	"errors"
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
func fit(t *testing.T, lp [][]float64, truth []int, smoothing, softening float64) []float64 {
	t.Helper()
	model := fitLogistic(lp, truth)
	cells, copies := softCopies(identityOrder(len(lp)), truth, model.posterior(), softening, func(int) bool { return true })
	b, err := fitObjective(t.Context(), lp, copies, macro(cells, truth, len(lp[0])), model.biases(), smoothing)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fitSoft(t *testing.T, lp [][]float64, truth []int) []float64 {
	t.Helper()
	return fit(t, lp, truth, defaultSmoothing, defaultSoftening)
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
				b := fitSoft(t, lp, truth)
				if seed == 0 {
					if again := fitSoft(t, lp, truth); !slices.Equal(b, again) || b[0] != 0 {
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
		b := fit(t, lp, truth, smoothing, 0)
		if math.Abs(b[1]-14) > 1.5 {
			t.Errorf("smoothing %v: the bias is %v, want about 14, the middle of 10 and 18", smoothing, b[1])
		}
	}
	for name, value := range map[string]float64{"nothing matters": 1, "the objective is no number": math.NaN()} {
		_, copies := softCopies([]int{0, 1, 2, 3}, truth, fitLogistic(lp, truth).posterior(), 0, func(int) bool { return true })
		b, err := fitObjective(t.Context(), lp, copies, func([]int) float64 { return value }, []float64{0, 9}, 0.3)
		if err != nil || b[1] != 0 {
			t.Errorf("where %s the biases are %v, with the error %v", name, b, err)
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

// TestCopiesOf holds the shares of many rows to those that the defaults were
// chosen with, on 80 and 100 rows.
func TestCopiesOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n          int
		share      float64
		each, soft int
	}{
		{100, 0, 1, 0},
		{100, 0.25, 20, 5},
		{100, 0.5, 20, 10},
		{100, 0.75, 20, 15},
		{100, 1, 20, 20},
		{400, 0.75, 10, 8},
		{1000, 0.75, 4, 3},
		{2000, 0, 1, 0},
		{2000, 0.01, 4, 1},
		{2000, 0.25, 4, 1},
		{2000, 0.75, 4, 3},
		{2000, 0.99, 4, 3},
		{2000, 1, 4, 4},
		{1_000_000, 0.75, 4, 3},
	} {
		if each, soft := copiesOf(tt.n, tt.share); each != tt.each || soft != tt.soft {
			t.Errorf("%d rows, share %v: %d of %d copies are drawn, want %d of %d", tt.n, tt.share, soft, each, tt.soft, tt.each)
		}
	}
}

// TestManyRowsKeepTheirLabels gives 2,000 rows labels that the model thinks next
// to impossible: they stay in the objective.
func TestManyRowsKeepTheirLabels(t *testing.T) {
	t.Parallel()
	const n = 2000
	posterior := make([][]float64, n)
	truth := make([]int, n)
	for i := range posterior {
		posterior[i] = []float64{1 - 2e-6, 1e-6, 1e-6}
		truth[i] = 1
	}
	cells, copies := softCopies(identityOrder(n), truth, posterior, defaultSoftening, func(int) bool { return true })
	own := 0
	for _, c := range copies {
		if cells[c.cell].truth < 0 {
			own++
		}
	}
	if share := float64(own) / float64(len(copies)); len(copies) < 4*n || math.Abs(share-(1-defaultSoftening)) > 0.01 {
		t.Errorf("%d of %d copies hold the row's own label, want a quarter of at least %d", own, len(copies), 4*n)
	}
}

// TestFitStopsWithTheContext ends the context in the middle of a fit.
func TestFitStopsWithTheContext(t *testing.T) {
	t.Parallel()
	for _, labels := range []int{2, 3, 5} {
		prior := make([]float64, labels)
		for k := range prior {
			prior[k] = 1 / float64(labels)
		}
		lp, truth := world(50, prior, make([]float64, labels), 1, 1)
		_, copies := softCopies(identityOrder(50), truth, lp, 0, func(int) bool { return true })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		_, err := fitObjective(ctx, lp, copies, func([]int) float64 {
			if calls++; calls == 20 {
				cancel()
			}
			return 0
		}, prior, 0.2)
		if !errors.Is(err, context.Canceled) || calls != 20 {
			t.Errorf("%d labels: after %d evaluations, got %v", labels, calls, err)
		}
	}
}
