package metric

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Significance is the outcome of a test of two programs on the same rows.
type Significance struct {
	// P is the two-sided p-value: how often, were the two programs equally good, a difference
	// at least as large as the one seen would come about by chance.
	P float64 `json:"p"`
	// Test names the test, for example "McNemar's exact test".
	Test string `json:"test"`
}

// McNemar returns the two-sided p-value of McNemar's exact test (Q. McNemar, Psychometrika
// 12, 1947, with the binomial distribution in place of chi-square): of the rows on which just
// one of two programs is right, gained are those of the second and lost those of the first.
// Rows on which both or neither are right say nothing. Without any such row it is 1. Negative
// numbers are an error.
func McNemar(gained, lost int) (float64, error) {
	if gained < 0 || lost < 0 {
		return 0, fmt.Errorf("metric: McNemar's test of %d rows gained and %d lost: want no negative number", gained, lost)
	}
	n := gained + lost
	if n == 0 {
		return 1, nil
	}
	sum := 0.0
	for k := range min(gained, lost) + 1 {
		sum += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return min(1, 2*sum), nil
}

// logChoose returns the logarithm of the binomial coefficient.
func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// PairedPermutation returns the two-sided p-value of the paired permutation test of an
// objective of two programs on the same rows (R. A. Fisher, The Design of Experiments, 1935,
// section 21): were they equally good, the two answers to a row could as well be exchanged,
// so the difference seen is compared with those of many random exchanges. The value is
// (k+1)/(B+1) with k of B exchanges that give at least as large a difference, which keeps
// the level whatever B and however few the rows are. B and the seed are those of r, whose
// Level is not used; below 19 exchanges no value is as small as 5 %.
//
// The errors are those of [BootstrapDifference].
func PairedPermutation[Out any](o Objective[Out], before, after []Outcome[Out], r Resampling) (float64, error) {
	if err := sameRows(before, after); err != nil {
		return 0, err
	}
	r, err := r.withDefaults()
	if err != nil {
		return 0, err
	}
	n := len(before)
	stat, err := o.Stat(append(append(make([]Outcome[Out], 0, 2*n), before...), after...))
	if err != nil {
		return 0, err
	}
	b, a := make([]int, n), make([]int, n)
	difference := func(exchanged func(i int) bool) float64 {
		for i := range n {
			if b[i], a[i] = i, n+i; exchanged(i) {
				b[i], a[i] = a[i], b[i]
			}
		}
		return stat(a) - stat(b)
	}
	seen := math.Abs(difference(func(int) bool { return false }))
	if math.IsNaN(seen) || math.IsInf(seen, 0) {
		return 0, errors.New("metric: the difference of the objective is no finite number")
	}
	// What differs by rounding alone counts as equal.
	limit := seen - 1e-12*max(1, seen)
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	k := 0
	for range r.Resamples {
		d := math.Abs(difference(func(int) bool { return rng.Uint64()&1 == 1 }))
		if !(d < limit) { // a value that is no number counts against the difference
			k++
		}
	}
	return float64(k+1) / float64(r.Resamples+1), nil
}

// PairedTest says how likely a difference of an objective as large as that of two programs on
// the same rows is by chance, were they equally good: by McNemar's exact test ([McNemar])
// where the objective is [Mean] and every score is 0 or 1, else by [PairedPermutation]. The
// errors are those of [BootstrapDifference].
func PairedTest[Out any](o Objective[Out], before, after []Outcome[Out], r Resampling) (Significance, error) {
	if err := sameRows(before, after); err != nil {
		return Significance{}, err
	}
	if !o.mean || !binary(before) || !binary(after) || len(before) == 0 {
		p, err := PairedPermutation(o, before, after, r)
		return Significance{P: p, Test: "paired permutation test"}, err
	}
	gained, lost := 0, 0
	for i := range before {
		switch {
		case after[i].Score > before[i].Score:
			gained++
		case after[i].Score < before[i].Score:
			lost++
		}
	}
	p, err := McNemar(gained, lost)
	return Significance{P: p, Test: "McNemar's exact test"}, err
}

// binary reports whether every score is 0 or 1.
func binary[Out any](rows []Outcome[Out]) bool {
	for _, o := range rows {
		if o.Score != 0 && o.Score != 1 {
			return false
		}
	}
	return true
}

// sameRows returns an error where two programs did not answer the same rows.
func sameRows[Out any](before, after []Outcome[Out]) error {
	if len(before) != len(after) {
		return fmt.Errorf("metric: comparing %d rows with %d: want the same rows", len(before), len(after))
	}
	for i := range before {
		if before[i].ID != after[i].ID || !equal(before[i].Truth, after[i].Truth) {
			return fmt.Errorf("metric: row number %d is %q before and %q after, or its truth changed: want the same rows in the same order", i+1, before[i].ID, after[i].ID)
		}
	}
	return nil
}
