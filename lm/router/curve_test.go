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

// four are outcomes whose curve is worked out by hand below.
func four() []router.Outcome {
	return []router.Outcome{
		{Score: 0.2, WeakQuality: 1, StrongQuality: 0, WeakCost: 1, StrongCost: 10},
		{Score: 0.9, WeakQuality: 0, StrongQuality: 1, WeakCost: 1, StrongCost: 12},
		{Score: 0.2, WeakQuality: 1, StrongQuality: 1, WeakCost: 1, StrongCost: 10},
		{Score: 0.5, WeakQuality: 0, StrongQuality: 1, WeakCost: 1, StrongCost: 8},
	}
}

func fit(t *testing.T, outcomes []router.Outcome, plan router.Plan) *router.Curve {
	t.Helper()
	c, err := router.Fit(outcomes, plan)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFitByHand(t *testing.T) {
	t.Parallel()
	outcomes := four()
	for _, tt := range []struct {
		plan router.Plan
		want []router.Point
	}{
		{router.Route, []router.Point{
			{router.Never, 0, 0.5, 1},
			{0.9, 0.25, 0.75, 3.75}, // 12 + 3
			{0.5, 0.5, 1, 5.5},      // 12 + 8 + 2
			{0, 1, 0.75, 10},        // the two of 0.2 go together
		}},
		{router.Cascade, []router.Point{
			{router.Never, 0, 0.5, 1},
			{0.9, 0.25, 0.75, 4},
			{0.5, 0.5, 1, 6},
			{0, 1, 0.75, 11},
		}},
	} {
		c := fit(t, outcomes, tt.plan)
		if got := c.Points(); !slices.Equal(got, tt.want) {
			t.Errorf("plan %d: %v, want %v", tt.plan, got, tt.want)
		}
		c.Points()[0].Share = 7
		if c.Weak() != tt.want[0] || c.Strong() != tt.want[3] {
			t.Errorf("plan %d: from %v to %v", tt.plan, c.Weak(), c.Strong())
		}
		for threshold, i := range map[float64]int{router.Never: 0, 9: 0, math.Inf(1): 0, 0.95: 0, 0.9: 1, 0.7: 1, 0.5: 2, 0.3: 2, 0.2: 3, 0.1: 3, 0: 3, -1: 3} {
			if got := c.At(threshold); got != tt.want[i] {
				t.Errorf("At(%v) = %v, want %v", threshold, got, tt.want[i])
			}
		}
		if got := c.At(math.NaN()); got != tt.want[0] {
			t.Errorf("At(NaN) = %v, want %v", got, tt.want[0])
		}
	}
	if !slices.Equal(outcomes, four()) {
		t.Error("Fit has changed the outcomes")
	}
}

// random are outcomes with many equal scores, qualities and costs.
func random(r *rand.Rand, n int) []router.Outcome {
	out := make([]router.Outcome, n)
	for i := range out {
		out[i] = router.Outcome{
			Score: float64(r.IntN(9)) / 8, WeakQuality: float64(r.IntN(3)) / 2, StrongQuality: float64(r.IntN(3)) / 2,
			WeakCost: float64(r.IntN(3)), StrongCost: float64(r.IntN(6)),
		}
	}
	return out
}

// tried is what a threshold makes of outcomes, as slowly as can be.
func tried(outcomes []router.Outcome, plan router.Plan, threshold float64) router.Point {
	p := router.Point{Threshold: threshold}
	for _, o := range outcomes {
		if o.Score >= threshold {
			p.Share++
			p.Quality += o.StrongQuality
			p.Cost += o.StrongCost
			if plan == router.Cascade {
				p.Cost += o.WeakCost
			}
		} else {
			p.Quality += o.WeakQuality
			p.Cost += o.WeakCost
		}
	}
	n := float64(len(outcomes))
	p.Share, p.Quality, p.Cost = p.Share/n, p.Quality/n, p.Cost/n
	return p
}

// wilson is the lower bound of the package's promise, in another form: the mean m that is
// z standard errors of its own below the one seen, found by halving.
func wilson(mean float64, n int, level float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*level-1)
	low, high := 0.0, mean
	for range 200 {
		m := (low + high) / 2
		if mean-m > z*math.Sqrt(m*(1-m)/float64(n)) {
			low = m
		} else {
			high = m
		}
	}
	return (low + high) / 2
}

func TestFitByBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	reached, missed := 0, 0
	for range 2000 {
		outcomes := random(r, 1+r.IntN(12))
		plan := router.Plan(r.IntN(2))
		c := fit(t, outcomes, plan)
		all := []router.Point{tried(outcomes, plan, router.Never), tried(outcomes, plan, 0)}
		for _, o := range outcomes {
			all = append(all, tried(outcomes, plan, o.Score))
		}
		for _, want := range all {
			got := c.At(want.Threshold)
			if off(got.Share, want.Share) || off(got.Quality, want.Quality) || off(got.Cost, want.Cost) {
				t.Fatalf("%v, plan %d: At(%v) = %v, want %v", outcomes, plan, want.Threshold, got, want)
			}
		}
		for _, got := range c.Points() {
			want := tried(outcomes, plan, got.Threshold)
			if off(got.Share, want.Share) || off(got.Quality, want.Quality) || off(got.Cost, want.Cost) {
				t.Fatalf("%v, plan %d: a point is %v, want %v", outcomes, plan, got, want)
			}
		}
		quality, level := float64(r.IntN(9))/8, []float64{0.5, 0.8, 0.95}[r.IntN(3)]
		least, best := math.Inf(1), math.Inf(-1)
		for _, p := range all {
			if wilson(p.Quality, len(outcomes), level) >= quality-1e-9 && p.Cost <= least {
				if p.Cost < least {
					best = 0
				}
				least, best = p.Cost, max(best, p.Quality)
			}
		}
		got, err := c.ForQuality(quality, level)
		switch {
		case math.IsInf(least, 1):
			missed++
			if !errors.Is(err, lm.ErrInvalidRequest) {
				t.Fatalf("%v: ForQuality(%v, %v) = %v, %v, and no threshold has it", outcomes, quality, level, got, err)
			}
		default:
			reached++
			if err != nil || off(got.Cost, least) || off(got.Quality, best) {
				t.Fatalf("%v: ForQuality(%v, %v) = %v, %v, want cost %v and quality %v", outcomes, quality, level, got, err, least, best)
			}
		}
		cost := float64(r.IntN(24)) / 4
		least, best = math.Inf(1), math.Inf(-1)
		for _, p := range all {
			if p.Cost <= cost && (p.Quality > best+1e-9 || !off(p.Quality, best) && p.Cost < least) {
				least, best = p.Cost, p.Quality
			}
		}
		got, err = c.ForCost(cost)
		switch {
		case math.IsInf(least, 1):
			if !errors.Is(err, lm.ErrInvalidRequest) {
				t.Fatalf("%v: ForCost(%v) = %v, %v, and none is as cheap", outcomes, cost, got, err)
			}
		case err != nil || off(got.Cost, least) || off(got.Quality, best):
			t.Fatalf("%v: ForCost(%v) = %v, %v, want cost %v and quality %v", outcomes, cost, got, err, least, best)
		}
		share := r.Float64()
		scores := make([]float64, len(outcomes))
		for i, o := range outcomes {
			scores[i] = o.Score
		}
		threshold, err := router.Calibrate(scores, share)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.ForShare(share); err != nil || got.Threshold != threshold {
			t.Fatalf("%v: ForShare(%v) = %v, %v, and Calibrate says %v", outcomes, share, got, err, threshold)
		}
	}
	if reached < 200 || missed < 200 {
		t.Errorf("%d qualities were reached and %d not, so the test saw little", reached, missed)
	}
}

func off(a, b float64) bool { return math.Abs(a-b) > 1e-9 }

// TestForQualityIsSafe draws outcomes of a known quality many times: a threshold that was
// promised with 95 % confidence falls short of it in about 5 % of the draws at most, but for
// the choice among several, and one chosen by the mean itself in many more.
func TestForQualityIsSafe(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	short := func(level float64) (short, chosen int) {
		for range 1000 {
			outcomes := make([]router.Outcome, 200)
			for i := range outcomes {
				// The weak side is right with 0.7, and the strong one with 0.9, so the
				// true quality at a share s is 0.7 + 0.2 s.
				outcomes[i] = router.Outcome{Score: float64(i%4) / 3, WeakQuality: coin(r, 0.7), StrongQuality: coin(r, 0.9), WeakCost: 1, StrongCost: 5}
			}
			p, err := fit(t, outcomes, router.Route).ForQuality(0.76, level)
			if err != nil {
				continue
			}
			if chosen++; 0.7+0.2*p.Share < 0.76 {
				short++
			}
		}
		return short, chosen
	}
	if n, of := short(0.95); of < 900 || float64(n) > 0.08*1000 {
		t.Errorf("%d of %d fall short at the level 0.95", n, of)
	}
	if n, _ := short(0.5); n < 200 {
		t.Errorf("%d fall short by the mean, so the level makes no difference", n)
	}
}

func coin(r *rand.Rand, p float64) float64 {
	if r.Float64() < p {
		return 1
	}
	return 0
}

func TestFitErrors(t *testing.T) {
	t.Parallel()
	bad := func(change func(*router.Outcome)) []router.Outcome {
		out := four()
		change(&out[2])
		return out
	}
	for name, f := range map[string]func() (*router.Curve, error){
		"none":  func() (*router.Curve, error) { return router.Fit(nil, router.Route) },
		"plan":  func() (*router.Curve, error) { return router.Fit(four(), 2) },
		"score": func() (*router.Curve, error) { return router.Fit(bad(func(o *router.Outcome) { o.Score = 1.1 }), 0) },
		"score NaN": func() (*router.Curve, error) {
			return router.Fit(bad(func(o *router.Outcome) { o.Score = math.NaN() }), 0)
		},
		"weak quality": func() (*router.Curve, error) {
			return router.Fit(bad(func(o *router.Outcome) { o.WeakQuality = -1 }), 0)
		},
		"strong quality": func() (*router.Curve, error) {
			return router.Fit(bad(func(o *router.Outcome) { o.StrongQuality = 2 }), 0)
		},
		"weak cost": func() (*router.Curve, error) { return router.Fit(bad(func(o *router.Outcome) { o.WeakCost = -1 }), 0) },
		"strong cost": func() (*router.Curve, error) {
			return router.Fit(bad(func(o *router.Outcome) { o.StrongCost = math.Inf(1) }), 0)
		},
	} {
		if c, err := f(); c != nil || !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
	c := fit(t, four(), router.Route)
	for name, f := range map[string]func() (router.Point, error){
		"share":      func() (router.Point, error) { return c.ForShare(1.1) },
		"share NaN":  func() (router.Point, error) { return c.ForShare(math.NaN()) },
		"quality":    func() (router.Point, error) { return c.ForQuality(-0.1, 0.9) },
		"level":      func() (router.Point, error) { return c.ForQuality(0.5, 1) },
		"level low":  func() (router.Point, error) { return c.ForQuality(0.5, 0.4) },
		"level NaN":  func() (router.Point, error) { return c.ForQuality(0.5, math.NaN()) },
		"cost":       func() (router.Point, error) { return c.ForCost(-1) },
		"cost NaN":   func() (router.Point, error) { return c.ForCost(math.NaN()) },
		"too little": func() (router.Point, error) { return c.ForCost(0.99) },
		"too much":   func() (router.Point, error) { return c.ForQuality(1, 0.95) },
	} {
		if p, err := f(); p != (router.Point{}) || !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: %v, error %v, want kind %q", name, p, err, lm.ErrInvalidRequest)
		}
	}
}
