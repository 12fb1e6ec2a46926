package metric

import (
	"fmt"
	"math"
)

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Level is the confidence level, for example 0.95.
	Level float64 `json:"level"`
}

// String returns, for example, "95 % interval 0.561 to 0.660".
func (i Interval) String() string {
	return fmt.Sprintf("%.4g %% interval %.3f to %.3f", 100*i.Level, i.Low, i.High)
}

// Contains reports whether v lies in the interval, the ends included.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// Wilson returns the Wilson score interval of a proportion, k right of n, at a
// confidence level in (0, 1). With p = k/n and z the standard normal quantile of
// (1+level)/2 it is
//
//	(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
//
// without continuity correction (E. B. Wilson, 1927). It never leaves [0, 1] and
// has a width also at k = 0 and k = n. The error says which argument is out of
// range.
func Wilson(k, n int, level float64) (Interval, error) {
	switch {
	case n <= 0:
		return Interval{}, fmt.Errorf("metric: a Wilson interval of %d rows: want at least one", n)
	case k < 0 || k > n:
		return Interval{}, fmt.Errorf("metric: a Wilson interval of %d right out of %d", k, n)
	}
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	z := math.Sqrt2 * math.Erfinv(level)
	fn := float64(n)
	p := float64(k) / fn
	center := p + z*z/(2*fn)
	half := z * math.Sqrt(p*(1-p)/fn+z*z/(4*fn*fn))
	scale := 1 + z*z/fn
	low, high := (center-half)/scale, (center+half)/scale
	if k == 0 {
		low = 0 // exact; the formula leaves a rounding error
	}
	if k == n {
		high = 1
	}
	return Interval{max(low, 0), min(high, 1), level}, nil
}

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("metric: confidence level %v: want a number between 0 and 1, for example 0.95", level)
	}
	return nil
}
