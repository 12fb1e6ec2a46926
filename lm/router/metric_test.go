package router_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/router"
)

func TestMetricsByHand(t *testing.T) {
	t.Parallel()
	c := fit(t, four(), router.Route)
	// Quality 0.5, 0.75, 1, 0.75 at the shares 0, 0.25, 0.5, 1; the gap is 0.25, so PGR is
	// 0, 1, 2, 1.
	for threshold, want := range map[float64]float64{router.Never: 0, 0.9: 1, 0.5: 2, 0.2: 1} {
		if got, err := c.PGR(threshold); err != nil || got != want {
			t.Errorf("PGR(%v) = %v, %v, want %v", threshold, got, err, want)
		}
	}
	// 0.25 x 0.625 + 0.25 x 0.875 + 0.5 x 0.875
	if got := c.AUC(); got != 0.8125 {
		t.Errorf("AUC = %v, want 0.8125", got)
	}
	// 0.25 x 0.5 + 0.25 x 1.5 + 0.5 x 1.5; with four outcomes ten thresholds are those four
	for name, f := range map[string]func() (float64, error){"APGR": c.APGR, "APGRExact": c.APGRExact} {
		if got, err := f(); err != nil || off(got, 1.25) {
			t.Errorf("%s = %v, %v, want 1.25", name, got, err)
		}
	}
	for pgr, want := range map[float64]float64{-1: 0, 0: 0, 0.2: 0.05, 0.5: 0.125, 1: 0.25, 1.5: 0.375, 2: 0.5} {
		if got, err := c.CPT(pgr); err != nil || off(got, want) {
			t.Errorf("CPT(%v) = %v, %v, want %v", pgr, got, err, want)
		}
	}
	for _, pgr := range []float64{2.01, math.NaN(), math.Inf(1)} {
		if got, err := c.CPT(pgr); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("CPT(%v) = %v, %v, want an error", pgr, got, err)
		}
	}
}

func TestMetricsWithoutGap(t *testing.T) {
	t.Parallel()
	c := fit(t, []router.Outcome{{Score: 0.1, WeakQuality: 1, StrongQuality: 1}, {Score: 0.2, WeakQuality: 1}}, router.Route)
	_, errPGR := c.PGR(0.5)
	_, errAPGR := c.APGR()
	_, errExact := c.APGRExact()
	_, errCPT := c.CPT(0.5)
	for _, err := range []error{errPGR, errAPGR, errExact, errCPT} {
		if !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("error %v, want kind %q", err, lm.ErrInvalidRequest)
		}
	}
}

const (
	pWeak   = 0.6
	pStrong = 0.85
)

// scored draws n outcomes. A request is hard for the weak side with 1 - pWeak, and its
// score is uniform to the power of 1/k where it is hard and of 1 where it is not, so that
// the AUC of the scorer is k/(k+1): the score of a hard request exceeds x with 1 - x^k, and
// that of another with 1 - x. The strong side is right with pStrong, whatever the request.
func scored(r *rand.Rand, n int, k float64) []router.Outcome {
	out := make([]router.Outcome, n)
	for i := range out {
		o := router.Outcome{WeakQuality: coin(r, pWeak), StrongQuality: coin(r, pStrong), WeakCost: 1, StrongCost: 20, Score: r.Float64()}
		if o.WeakQuality == 0 {
			o.Score = math.Pow(o.Score, 1/k)
		}
		out[i] = o
	}
	return out
}

// TestClosedForm compares the curve with what is known of it: at a threshold x the share is
// s = pWeak (1-x) + (1-pWeak)(1-x^k), and the quality pWeak x + s pStrong.
func TestClosedForm(t *testing.T) {
	t.Parallel()
	const n = 100_000
	r := rand.New(rand.NewPCG(7, 8))
	for _, k := range []float64{1, 3, 9} { // AUC 0.5, 0.75, 0.9
		outcomes := scored(r, n, k)
		route, cascade := fit(t, outcomes, router.Route), fit(t, outcomes, router.Cascade)
		for x := 0.05; x < 1; x += 0.05 {
			share := pWeak*(1-x) + (1-pWeak)*(1-math.Pow(x, k))
			quality := pWeak*x + share*pStrong
			got := route.At(x)
			within(t, "share", got.Share, share, share*(1-share), n)
			within(t, "quality", got.Quality, quality, quality*(1-quality), n)
			within(t, "cost", got.Cost, 1+19*share, 19*19*share*(1-share), n)
			within(t, "cost of a cascade", cascade.At(x).Cost, 1+20*share, 20*20*share*(1-share), n)
		}
		// The area under quality over the share, by x: from 1 to 0 the share grows.
		want, steps := 0.0, 20_000
		at := func(x float64) (share, quality float64) {
			share = pWeak*(1-x) + (1-pWeak)*(1-math.Pow(x, k))
			return share, pWeak*x + share*pStrong
		}
		for i := range steps {
			s1, q1 := at(1 - float64(i)/float64(steps))
			s2, q2 := at(1 - float64(i+1)/float64(steps))
			want += (s2 - s1) * (q1 + q2) / 2
		}
		want = (want - pWeak) / (pStrong - pWeak)
		exact, err := route.APGRExact()
		if err != nil || math.Abs(exact-want) > 0.02 {
			t.Errorf("k = %v: APGRExact = %v, %v, want %v", k, exact, err, want)
		}
		ten, err := route.APGR()
		if err != nil || math.Abs(ten-want) > 0.03 {
			t.Errorf("k = %v: APGR = %v, %v, want %v", k, ten, err, want)
		}
		if k == 1 && math.Abs(want-0.5) > 1e-6 || k > 1 && exact < 0.6 {
			t.Errorf("k = %v: APGR %v", k, exact)
		}
		// The share at which half of the gap is recovered.
		cpt, err := route.CPT(0.5)
		if err != nil {
			t.Fatal(err)
		}
		x := 1.0
		for s, q := at(x); q < (pWeak+pStrong)/2; s, q = at(x) {
			x -= 1e-4
			_ = s
		}
		if s, _ := at(x); math.Abs(cpt-s) > 0.02 {
			t.Errorf("k = %v: CPT(0.5) = %v, want %v", k, cpt, s)
		}
	}
}

// within fails where a mean of n draws is outside of its interval: 4.5 standard errors, as there are many.
func within(t *testing.T, what string, got, want, variance float64, n int) {
	t.Helper()
	if most := 4.5 * math.Sqrt(variance/float64(n)); math.Abs(got-want) > most {
		t.Errorf("%s is %v, want %v +- %v", what, got, want, most)
	}
}

// An oracle sends to the strong side just what the weak one gets wrong, and is better than
// the strong side alone: either is right.
func TestOracle(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	outcomes := scored(r, 10_000, 1)
	for i, o := range outcomes {
		outcomes[i].Score = 1 - o.WeakQuality
	}
	c := fit(t, outcomes, router.Route)
	either := pWeak + (1-pWeak)*pStrong
	got, err := c.PGR(1)
	if want := (either - pWeak) / (pStrong - pWeak); err != nil || math.Abs(got-want) > 0.06 || got <= 1 {
		t.Errorf("PGR = %v, %v, want %v", got, err, want)
	}
}

// Random scores recover half of the gap on average, for any number of outcomes.
func TestRandomScores(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	const runs, n = 400, 500
	sum := [2]float64{}
	for range runs {
		c := fit(t, scored(r, n, 1), router.Route)
		ten, err1 := c.APGR()
		exact, err2 := c.APGRExact()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		sum[0] += ten / runs
		sum[1] += exact / runs
	}
	for i, mean := range sum {
		if math.Abs(mean-0.5) > 0.015 {
			t.Errorf("mean %d of APGR is %v, want 0.5", i, mean)
		}
	}
	// One score for all is a coin, too.
	same := scored(r, n, 1)
	for i := range same {
		same[i].Score = 0.3
	}
	c := fit(t, same, router.Route)
	for _, f := range []func() (float64, error){c.APGR, c.APGRExact} {
		if got, err := f(); err != nil || off(got, 0.5) {
			t.Errorf("APGR of one score is %v, %v, want 0.5", got, err)
		}
	}
}
