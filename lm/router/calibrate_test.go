package router_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/router"
)

func TestCalibrate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scores []float64
		share  float64
		want   float64
	}{
		{[]float64{0.1, 0.2, 0.3, 0.4}, 0, router.Never},
		{[]float64{0.1, 0.2, 0.3, 0.4}, 0.25, 0.4},
		{[]float64{0.4, 0.1, 0.3, 0.2}, 0.5, 0.3},
		{[]float64{0.1, 0.2, 0.3, 0.4}, 0.6, 0.3},
		{[]float64{0.1, 0.2, 0.3, 0.4}, 0.7, 0.2},
		{[]float64{0.1, 0.2, 0.3, 0.4}, 1, 0},
		{[]float64{0.1, 0.2, 0.3, 0.4}, 0.125, router.Never}, // as near as 0.4, and fewer
		{[]float64{0.5, 0.5, 0.5, 0.1}, 0.25, router.Never},  // three or none
		{[]float64{0.5, 0.5, 0.5, 0.1}, 0.5, 0.5},
		{[]float64{1}, 0, router.Never},
		{[]float64{0}, 1, 0},
	} {
		before := slices.Clone(tt.scores)
		got, err := router.Calibrate(tt.scores, tt.share)
		if err != nil || got != tt.want {
			t.Errorf("Calibrate(%v, %v) = %v, %v, want %v", tt.scores, tt.share, got, err, tt.want)
		}
		if !slices.Equal(before, tt.scores) {
			t.Errorf("Calibrate changed the scores from %v to %v", before, tt.scores)
		}
	}
}

// TestCalibrateShares takes what is promised at its word: no score as a threshold comes
// nearer to the share than the one that is returned.
func TestCalibrateShares(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	sent := func(scores []float64, threshold float64) float64 {
		n := 0
		for _, s := range scores {
			if s >= threshold {
				n++
			}
		}
		return float64(n) / float64(len(scores))
	}
	for range 500 {
		scores := make([]float64, 1+random.IntN(30))
		for i := range scores {
			scores[i] = float64(random.IntN(12)) / 11
		}
		share := random.Float64()
		threshold, err := router.Calibrate(scores, share)
		if err != nil {
			t.Fatal(err)
		}
		off := math.Abs(sent(scores, threshold) - share)
		for _, other := range append(slices.Clone(scores), router.Never) {
			if better := math.Abs(sent(scores, other) - share); better < off-1e-9 {
				t.Fatalf("Calibrate(%v, %v) = %v, off by %v, and %v is off by %v", scores, share, threshold, off, other, better)
			}
		}
	}
}

func TestCalibrateErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scores []float64
		share  float64
	}{
		{nil, 0.5},
		{[]float64{0.5, math.NaN()}, 0.5},
		{[]float64{-0.5}, 0.5},
		{[]float64{1.5}, 0.5},
		{[]float64{0.5}, math.NaN()},
		{[]float64{0.5}, -0.1},
		{[]float64{0.5}, 1.1},
	} {
		if got, err := router.Calibrate(tt.scores, tt.share); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("Calibrate(%v, %v) = %v, %v, want an error of kind %q", tt.scores, tt.share, got, err, lm.ErrInvalidRequest)
		}
	}
}
