package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Resampling says how a bootstrap is done. The zero value is the default.
type Resampling struct {
	// Resamples is the number of resamples; 0 means 10,000.
	Resamples int
	// Seed starts the random numbers: the same seed gives the same interval on
	// every machine.
	Seed uint64
	// Level is the confidence level; 0 means 0.95.
	Level float64
}

func (r Resampling) withDefaults() (Resampling, error) {
	if r.Resamples == 0 {
		r.Resamples = 10_000
	}
	if r.Level == 0 {
		r.Level = 0.95
	}
	if r.Resamples < 1 {
		return r, fmt.Errorf("metric: %d resamples: want at least one", r.Resamples)
	}
	return r, checkLevel(r.Level)
}

// PairedBootstrap returns the percentile bootstrap interval of a statistic of n
// rows (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
// 13). Each resample draws n row numbers from 0 to n-1 with replacement and asks
// stat for its value on them; everything that belongs to a row, for example the
// answers of two programs, is so drawn together: that is the pairing. The
// interval is between the (1-level)/2 and the (1+level)/2 quantile of the
// values, each interpolated linearly between the two order statistics around
// position q(B-1) of B resamples.
//
// Row numbers come from a PCG generator seeded with (Seed, 0) through
// rand.IntN, resample by resample: the result depends on nothing but the
// arguments. stat must not keep or change idx; it is called Resamples times, on
// the calling goroutine. PairedBootstrap returns an error when n < 1, r is out of
// range, or stat gives no finite number.
//
// The percentile interval is a little narrow for few rows: under about 30, trust
// its order of magnitude only. [Wilson] is better for a plain proportion.
func PairedBootstrap(n int, r Resampling, stat func(idx []int) float64) (Interval, error) {
	if n < 1 {
		return Interval{}, fmt.Errorf("metric: a bootstrap of %d rows: want at least one", n)
	}
	r, err := r.withDefaults()
	if err != nil {
		return Interval{}, err
	}
	rng := rand.New(rand.NewPCG(r.Seed, 0))
	idx := make([]int, n)
	values := make([]float64, r.Resamples)
	for b := range values {
		for i := range idx {
			idx[i] = rng.IntN(n)
		}
		if values[b] = stat(idx); math.IsNaN(values[b]) || math.IsInf(values[b], 0) {
			return Interval{}, fmt.Errorf("metric: the statistic is %v on resample %d of %d: want a finite number", values[b], b+1, r.Resamples)
		}
	}
	slices.Sort(values)
	return Interval{quantile(values, (1-r.Level)/2), quantile(values, (1+r.Level)/2), r.Level}, nil
}

// quantile interpolates linearly in sorted values.
func quantile(sorted []float64, q float64) float64 {
	pos := q * float64(len(sorted)-1)
	i := int(pos)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	// The conversion forbids a fused multiply-add, which some machines have.
	return sorted[i] + float64((pos-float64(i))*(sorted[i+1]-sorted[i]))
}

// Difference compares two programs on the same rows.
type Difference struct {
	// Before and After are the two scores, and Value is After - Before.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Value  float64 `json:"difference"`
	// Interval is that of Value.
	Interval Interval `json:"interval"`
}

// Significant reports whether the interval lies on one side of 0.
func (d Difference) Significant() bool { return d.Interval.Low > 0 || d.Interval.High < 0 }

// String returns, for example, "0.552 to 0.661: +0.109, 95 % interval 0.051 to
// 0.166".
func (d Difference) String() string {
	return fmt.Sprintf("%.3f to %.3f: %+.3f, %s", d.Before, d.After, d.Value, d.Interval)
}

// BootstrapDifference compares an objective of two programs on the same rows by
// the paired bootstrap of after minus before: see [PairedBootstrap]. It returns
// an error when the rows are not the same: other number, IDs or order.
func BootstrapDifference[Out any](o Objective[Out], before, after []Outcome[Out], r Resampling) (Difference, error) {
	if err := sameRows(before, after); err != nil {
		return Difference{}, err
	}
	b, err := o.Stat(before)
	if err != nil {
		return Difference{}, err
	}
	a, err := o.Stat(after)
	if err != nil {
		return Difference{}, err
	}
	rows := all(len(before))
	d := Difference{Before: b(rows), After: a(rows)}
	d.Value = d.After - d.Before
	d.Interval, err = PairedBootstrap(len(before), r, func(idx []int) float64 { return a(idx) - b(idx) })
	return d, err
}
