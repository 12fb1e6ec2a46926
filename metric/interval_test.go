package metric_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/metric"
)

func TestWilson(t *testing.T) {
	t.Parallel()
	tests := []struct {
		k, n      int
		level     float64
		low, high float64
	}{
		// R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
		{81, 263, 0.95, 0.2553, 0.3662},
		{15, 148, 0.95, 0.0624, 0.1605},
		{0, 20, 0.95, 0, 0.1611},
		{1, 29, 0.95, 0.0061, 0.1718},
		{20, 20, 0.95, 0.8389, 1},
		// With n = k = 1 the lower end is 1/(1+z²).
		{1, 1, 0.90, 1 / (1 + 1.6448536269514722*1.6448536269514722), 1},
	}
	for _, tt := range tests {
		iv, err := metric.Wilson(tt.k, tt.n, tt.level)
		require.NoError(t, err)
		assert.InDelta(t, tt.low, iv.Low, 5e-5, "%d/%d", tt.k, tt.n)
		assert.InDelta(t, tt.high, iv.High, 5e-5, "%d/%d", tt.k, tt.n)
		assert.Equal(t, tt.level, iv.Level)
	}
	for _, bad := range []struct {
		k, n  int
		level float64
	}{{0, 0, 0.95}, {-1, 5, 0.95}, {6, 5, 0.95}, {1, 5, 0}, {1, 5, 1}, {1, 5, math.NaN()}} {
		_, err := metric.Wilson(bad.k, bad.n, bad.level)
		require.Error(t, err, "%+v", bad)
	}
}

// The coverage of the Wilson interval is known exactly: the probability of all
// k whose interval holds the true proportion.
func TestWilsonCoverage(t *testing.T) {
	t.Parallel()
	for _, p := range []float64{0.1, 0.3, 0.5, 0.8} {
		const n = 50
		covered := 0.0
		for k := range n + 1 {
			iv, err := metric.Wilson(k, n, 0.95)
			require.NoError(t, err)
			if iv.Contains(p) {
				a, _ := math.Lgamma(n + 1)
				b, _ := math.Lgamma(float64(k) + 1)
				c, _ := math.Lgamma(float64(n-k) + 1)
				covered += math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
			}
		}
		assert.InDelta(t, 0.95, covered, 0.03, "p = %v", p)
	}
}

func mean(values []float64) func(idx []int) float64 {
	return func(idx []int) float64 {
		sum := 0.0
		for _, i := range idx {
			sum += values[i]
		}
		return sum / float64(len(idx))
	}
}

func TestPairedBootstrap(t *testing.T) {
	t.Parallel()
	// Two rows worth 0 and 1: the mean of a resample is 0, 1/2, 1 with
	// probabilities 1/4, 1/2, 1/4.
	for _, tt := range []struct{ level, low, high float64 }{
		{0.95, 0, 1},
		{0.40, 0.5, 0.5},
	} {
		iv, err := metric.PairedBootstrap(2, metric.Resampling{Level: tt.level}, mean([]float64{0, 1}))
		require.NoError(t, err)
		assert.Equal(t, metric.Interval{Low: tt.low, High: tt.high, Level: tt.level}, iv)
	}

	// One resample is its own interval; of two, the quantiles are interpolated.
	n := 0.0
	count := func([]int) float64 { n++; return n }
	iv, err := metric.PairedBootstrap(3, metric.Resampling{Resamples: 5, Level: 0.5}, count)
	require.NoError(t, err)
	assert.Equal(t, metric.Interval{Low: 2, High: 4, Level: 0.5}, iv, "quartiles of 1..5")
	n = 0
	iv, err = metric.PairedBootstrap(3, metric.Resampling{Resamples: 2, Level: 0.5}, count)
	require.NoError(t, err)
	assert.Equal(t, metric.Interval{Low: 1.25, High: 1.75, Level: 0.5}, iv)
}

// The row numbers are part of the definition: a change of the generator would
// change every published interval.
func TestPairedBootstrapDraws(t *testing.T) {
	t.Parallel()
	var got [][]int
	_, err := metric.PairedBootstrap(6, metric.Resampling{Resamples: 2, Seed: 42}, func(idx []int) float64 {
		got = append(got, slices.Clone(idx))
		return 0
	})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(42, 0))
	for _, idx := range got {
		for _, i := range idx {
			assert.Equal(t, rng.IntN(6), i)
		}
	}
	assert.Equal(t, [][]int{{5, 5, 0, 0, 1, 5}, {5, 2, 3, 5, 3, 3}}, got)
}

func TestPairedBootstrapErrors(t *testing.T) {
	t.Parallel()
	one := func([]int) float64 { return 1 }
	_, err := metric.PairedBootstrap(0, metric.Resampling{}, one)
	require.ErrorContains(t, err, "0 rows")
	_, err = metric.PairedBootstrap(1, metric.Resampling{Resamples: -1}, one)
	require.ErrorContains(t, err, "-1 resamples")
	_, err = metric.PairedBootstrap(1, metric.Resampling{Level: 95}, one)
	require.ErrorContains(t, err, "confidence level 95")
	_, err = metric.PairedBootstrap(1, metric.Resampling{}, func([]int) float64 { return math.NaN() })
	require.ErrorContains(t, err, "the statistic is NaN on resample 1")
	_, err = metric.PairedBootstrap(1, metric.Resampling{}, func([]int) float64 { return math.Inf(1) })
	require.ErrorContains(t, err, "the statistic is +Inf on resample 1")
}

// A small simulation: the 90 % interval of a mean of 60 draws of an exponential
// distribution holds the true mean in about 90 of 100 cases.
func TestPairedBootstrapCoverage(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	const worlds = 300
	covered := 0
	for w := range worlds {
		values := make([]float64, 60)
		for i := range values {
			values[i] = rng.ExpFloat64()
		}
		iv, err := metric.PairedBootstrap(len(values), metric.Resampling{Resamples: 400, Seed: uint64(w), Level: 0.9}, mean(values))
		require.NoError(t, err)
		if iv.Contains(1) {
			covered++
		}
	}
	assert.InDelta(t, 0.9, float64(covered)/worlds, 0.05)
}

func TestBootstrapDifference(t *testing.T) {
	t.Parallel()
	before, after := eight(), eight()
	for i := range after {
		after[i].Got, after[i].Failed, after[i].Score = after[i].Truth, false, 1
	}
	d, err := metric.BootstrapDifference(metric.MacroF1(labelOf, "a", "b"), before, after, metric.Resampling{Seed: 1})
	require.NoError(t, err)
	assert.InDelta(t, (6.0/8+4.0/7)/2, d.Before, 1e-12)
	assert.InDelta(t, 1, d.After, 1e-12)
	assert.InDelta(t, d.After-d.Before, d.Value, 1e-12)
	assert.True(t, d.Interval.Contains(d.Value))
	again, err := metric.BootstrapDifference(metric.MacroF1(labelOf, "a", "b"), before, after, metric.Resampling{Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, d, again)

	// The same program twice: pairing leaves no uncertainty.
	d, err = metric.BootstrapDifference(metric.Mean[answer](), before, before, metric.Resampling{})
	require.NoError(t, err)
	assert.Equal(t, metric.Interval{Level: 0.95}, d.Interval)
	assert.False(t, d.Significant())
	assert.Equal(t, "0.625 to 0.625: +0.000, 95 % interval 0.000 to 0.000", d.String())

	_, err = metric.BootstrapDifference(metric.Mean[answer](), before, after[1:], metric.Resampling{})
	require.ErrorContains(t, err, "8 rows with 7")
	after[2].ID = "other"
	_, err = metric.BootstrapDifference(metric.Mean[answer](), before, after, metric.Resampling{})
	require.ErrorContains(t, err, "row number 3")
}

func TestSignificant(t *testing.T) {
	t.Parallel()
	assert.True(t, metric.Difference{Interval: metric.Interval{Low: 0.01, High: 0.2}}.Significant())
	assert.True(t, metric.Difference{Interval: metric.Interval{Low: -0.3, High: -0.2}}.Significant())
	assert.False(t, metric.Difference{Interval: metric.Interval{Low: 0, High: 0.2}}.Significant())
}

func BenchmarkMacroF1Interval(b *testing.B) {
	var rows []metric.Outcome[answer]
	for range 60 {
		rows = append(rows, eight()...)
	}
	for b.Loop() {
		if _, err := metric.MacroF1(labelOf).Interval(rows, metric.Resampling{}); err != nil {
			b.Fatal(err)
		}
	}
}
