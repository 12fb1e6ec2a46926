package metric_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/whetgo/whet/metric"
)

func ExampleMcNemar() {
	// Of 100 rows the new program gained 10 and lost 2.
	p, err := metric.McNemar(10, 2)
	fmt.Printf("p = %.4f %v\n", p, err)
	// Output: p = 0.0386 <nil>
}

func TestMcNemar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gained, lost int
		want         float64
	}{
		{0, 0, 1}, {1, 0, 1}, {5, 0, 2.0 / 32}, {0, 6, 2.0 / 64}, {10, 2, 2 * 79.0 / 4096}, {2, 10, 2 * 79.0 / 4096}, {3, 3, 1},
	} {
		got, err := metric.McNemar(c.gained, c.lost)
		if err != nil || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d gained, %d lost: got %v, %v; want %v", c.gained, c.lost, got, err, c.want)
		}
	}
	// Of many rows it is that of the normal distribution.
	got, err := metric.McNemar(5100, 4900)
	if z := (200.0 - 1) / 100; err != nil || math.Abs(got-math.Erfc(z/math.Sqrt2)) > 1e-4 {
		t.Errorf("5100 to 4900: got %v, %v", got, err)
	}
	for _, c := range [][2]int{{-1, 3}, {3, -1}} {
		if _, err := metric.McNemar(c[0], c[1]); err == nil {
			t.Errorf("%v: want an error", c)
		}
	}
}

// scored returns outcomes with these scores.
func scored(scores ...float64) []metric.Outcome[string] {
	out := make([]metric.Outcome[string], len(scores))
	for i, s := range scores {
		out[i] = metric.Outcome[string]{ID: fmt.Sprint(i), Truth: "x", Got: "x", Score: s}
	}
	return out
}

// TestPairedPermutation compares it with what can be counted.
func TestPairedPermutation(t *testing.T) {
	t.Parallel()
	const n = 60
	before, after := make([]float64, n), make([]float64, n)
	for i := range n {
		switch {
		case i < 14: // gained
			after[i] = 1
		case i < 18: // lost
			before[i] = 1
		case i%2 == 0:
			before[i], after[i] = 1, 1
		}
	}
	r := metric.Resampling{Resamples: 40_000, Seed: 7}
	want, err := metric.McNemar(14, 4)
	if err != nil {
		t.Fatal(err)
	}
	got, err := metric.PairedPermutation(metric.Mean[string](), scored(before...), scored(after...), r)
	if sd := math.Sqrt(want * (1 - want) / 40_000); err != nil || math.Abs(got-want) > 5*sd {
		t.Errorf("of zeros and ones: got %v, %v; want %v, as McNemar's", got, err, want)
	}
	again, err := metric.PairedPermutation(metric.Mean[string](), scored(before...), scored(after...), r)
	if err != nil || again != got {
		t.Errorf("the same seed gave %v and %v, %v", got, again, err)
	}
	// Three rows have eight exchanges, of which two are as far apart as can be.
	got, err = metric.PairedPermutation(metric.Mean[string](), scored(0.1, 0.2, 0.3), scored(0.5, 0.9, 0.4), r)
	if err != nil || math.Abs(got-0.25) > 0.02 {
		t.Errorf("three rows: got %v, %v; want 0.25", got, err)
	}
	same := scored(1, 0, 1, 1)
	if got, err = metric.PairedPermutation(metric.Mean[string](), same, same, r); err != nil || got != 1 {
		t.Errorf("the same answers: got %v, %v; want 1", got, err)
	}
}

// TestPairedPermutationLevel counts how often two programs that are equally good differ.
func TestPairedPermutationLevel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const runs, n = 600, 25
	false5 := 0
	for run := range runs {
		before, after := make([]float64, n), make([]float64, n)
		for i := range n {
			row := rng.Float64()
			before[i], after[i] = row+rng.Float64(), row+rng.Float64()
		}
		p, err := metric.PairedPermutation(metric.Mean[string](), scored(before...), scored(after...), metric.Resampling{Resamples: 199, Seed: uint64(run)})
		if err != nil {
			t.Fatal(err)
		}
		if p <= 0.05 {
			false5++
		}
	}
	// The mean is 30, its standard deviation 5.3.
	if false5 < 12 || false5 > 48 {
		t.Errorf("%d of %d runs without a difference are significant at 5 %%", false5, runs)
	}
}

func TestPairedTest(t *testing.T) {
	t.Parallel()
	label := func(s string) string { return s }
	rows := func(got ...string) []metric.Outcome[string] {
		out := make([]metric.Outcome[string], len(got))
		for i, g := range got {
			truth := []string{"a", "b"}[i%2]
			out[i] = metric.Outcome[string]{ID: fmt.Sprint(i), Truth: truth, Got: g, Score: map[bool]float64{true: 1}[g == truth]}
		}
		return out
	}
	bad, good := rows("b", "a", "b", "a", "b", "a", "b", "a"), rows("a", "b", "a", "b", "a", "b", "a", "b")
	for _, c := range []struct {
		name string
		o    metric.Objective[string]
		test string
		want float64
	}{
		{"mean", metric.Mean[string](), "McNemar's exact test", 2.0 / 256},
		{"macro F1", metric.MacroF1(label, "a", "b"), "paired permutation test", 2.0 / 256},
	} {
		s, err := metric.PairedTest(c.o, bad, good, metric.Resampling{})
		if err != nil || s.Test != c.test || math.Abs(s.P-c.want) > 0.005 {
			t.Errorf("%s: got %+v, %v; want %v by the %s", c.name, s, err, c.want, c.test)
		}
	}
	if s, err := metric.PairedTest(metric.Mean[string](), scored(0.5, 0.5), scored(1, 0), metric.Resampling{}); err != nil || s.Test != "paired permutation test" {
		t.Errorf("graded scores: got %+v, %v", s, err)
	}
	other := rows("a", "b")
	other[1].ID = "other"
	for name, pair := range map[string][2][]metric.Outcome[string]{
		"other number": {bad, good[:3]}, "other rows": {rows("a", "b"), other}, "none": {nil, nil},
	} {
		if _, err := metric.PairedTest(metric.Mean[string](), pair[0], pair[1], metric.Resampling{}); err == nil || !strings.HasPrefix(err.Error(), "metric: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
