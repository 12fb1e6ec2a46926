package optimize_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/whetgo/whet/lm/router"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// A drawn question, which programs look up, and whether its answer is right.
type (
	drawn struct{ N int }
	said  struct{ Right bool }
)

func drawnData(from, n int) []module.Example[drawn, said] {
	data := make([]module.Example[drawn, said], n)
	for i := range data {
		data[i] = module.Example[drawn, said]{In: drawn{from + i}, Out: said{true}}
	}
	return data
}

func looksUp(right []bool) module.Program[drawn, said] {
	return module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) { return said{right[in.N]}, nil })
}

func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// twoSides are a weak program of accuracy 0.6, a strong one of 0.85, and the confidence in
// the weak answer: normal scores d apart, so that its AUC is phi(d/sqrt(2)).
type twoSides struct {
	weak, strong []bool
	confidence   []float64
}

const apart, weakRight, strongRight = 1.2, 0.6, 0.85

func drawSides(n int, seed uint64) *twoSides {
	rnd := rand.New(rand.NewPCG(8, seed))
	s := &twoSides{}
	for range n {
		right := rnd.Float64() < weakRight
		x := rnd.NormFloat64() - apart/2
		if right {
			x += apart
		}
		s.weak, s.strong = append(s.weak, right), append(s.strong, rnd.Float64() < strongRight)
		s.confidence = append(s.confidence, phi(x))
	}
	return s
}

func (s *twoSides) cascade(threshold float64) *module.Cascade[drawn, said] {
	return module.MustCascade([]module.Program[drawn, said]{looksUp(s.weak), looksUp(s.strong)}, module.CascadeConfig[drawn, said]{
		Thresholds: []float64{threshold},
		Score: func(_ context.Context, in drawn, _ *module.Prediction[said]) (float64, error) {
			return s.confidence[in.N], nil
		},
	})
}

// truth is what a threshold of the cascade makes of all questions there are.
func truth(threshold float64) (share, quality float64) {
	x := math.Sqrt2 * math.Erfinv(2*threshold-1)
	sentRight, sentWrong := weakRight*phi(x-apart/2), (1-weakRight)*phi(x+apart/2)
	share = sentRight + sentWrong
	return share, weakRight - sentRight + strongRight*share
}

const weakCost, strongCost = 1.0, 20.0

// The curve of a cascade, and the thresholds that are chosen, against the closed form.
func TestFitCascadeTruth(t *testing.T) {
	t.Parallel()
	const train = 4000
	fresh := 100_000 // real runs, and half a microsecond each
	if race {
		fresh = 5_000
	}
	sides := drawSides(train+fresh, 1)
	near := func(what string, got, want float64, n int) {
		t.Helper()
		if tolerance := 2.5758 * math.Sqrt(want*(1-want)/float64(n)); math.Abs(got-want) > tolerance {
			t.Errorf("%s: %.4f, want %.4f +- %.4f", what, got, want, tolerance)
		}
	}
	// The least cost with a quality of 0.78, and the best quality for 9, in closed form.
	find := func(ok func(share, quality float64) bool) float64 {
		low, high := 0.0, 1.0
		for range 60 {
			if mid := (low + high) / 2; ok(truth(mid)) {
				high = mid
			} else {
				low = mid
			}
		}
		return high
	}
	forQuality := find(func(_, quality float64) bool { return quality >= 0.78 })
	forCost := find(func(share, _ float64) bool { return weakCost+strongCost*share >= 9 })
	for _, tt := range []struct {
		goal  optimize.Goal
		share float64
	}{
		{optimize.ForShare(0.5), 0.5},
		{optimize.ForCost(9), first(truth(forCost))},
		{optimize.ForQuality(0.78, 0.5), first(truth(forQuality))},
	} {
		cascade := sides.cascade(1)
		fit, err := optimize.FitCascade(context.Background(), cascade, drawnData(0, train), metric.Exact, tt.goal, optimize.FixedCost(weakCost, strongCost))
		if err != nil {
			t.Fatal(err)
		}
		if err := fit.Apply(cascade); err != nil {
			t.Fatal(err)
		}
		threshold := cascade.Thresholds()[0]
		share, quality := truth(threshold)
		// The threshold is a quantile of a sample, or where a sampled curve crosses a line.
		near(tt.goal.String()+", share of the threshold", share, tt.share, train/2)
		near(tt.goal.String()+", quality of the point", fit.Point.Quality, quality, train)
		if math.Abs(fit.Point.Cost-weakCost-strongCost*fit.Point.Share) > 1e-9 {
			t.Errorf("%s: cost %v at the share %v", tt.goal, fit.Point.Cost, fit.Point.Share)
		}
		// Run on fresh questions it does what the closed form says.
		sent, right := 0, 0
		for i := train; i < train+fresh; i++ {
			pred, err := cascade.Call(context.Background(), drawn{i})
			if err != nil {
				t.Fatal(err)
			}
			sent += pred.Chosen
			if pred.Out.Right {
				right++
			}
		}
		near(tt.goal.String()+", fresh share", float64(sent)/float64(fresh), share, fresh)
		near(tt.goal.String()+", fresh quality", float64(right)/float64(fresh), quality, fresh)
		// The whole curve.
		for _, c := range []float64{0.2, 0.4, 0.6, 0.8} {
			s, q := truth(c)
			p := fit.Curve.At(1 - c)
			near("curve, share", p.Share, s, train)
			near("curve, quality", p.Quality, q, train)
		}
	}
}

func first(a, _ float64) float64 { return a }

// On the examples of the fit the module does just what its point says: thresholds of both
// kinds mean the same, ties and ends included.
func TestFittedThresholdsAreExact(t *testing.T) {
	t.Parallel()
	const n = 60
	sides := drawSides(n, 2)
	for i := range sides.confidence {
		sides.confidence[i] = math.Round(sides.confidence[i]*10) / 10 // with ties, 0 and 1
	}
	score := module.Func[drawn, float64](func(_ context.Context, in drawn) (float64, error) { return 1 - sides.confidence[in.N], nil })
	r := module.MustRouter(score, []module.Program[drawn, said]{looksUp(sides.weak), looksUp(sides.strong)}, []float64{0})
	c := sides.cascade(0)
	cost := optimize.FixedCost(weakCost, strongCost)
	for k := range 11 {
		goal := optimize.ForShare(float64(k) / 10)
		ofC, errC := optimize.FitCascade(context.Background(), c, drawnData(0, n), metric.Exact, goal, cost)
		ofR, errR := optimize.FitRouter(context.Background(), r, drawnData(0, n), metric.Exact, goal, cost)
		if err := errors.Join(errC, errR); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ofC.Apply(c), ofR.Apply(r)); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			p    module.Caller[drawn, said]
			want router.Point
		}{{c, ofC.Point}, {r, ofR.Point}} {
			sent, right := 0, 0
			for i := range n {
				pred, err := tt.p.Call(context.Background(), drawn{i})
				if err != nil {
					t.Fatal(err)
				}
				sent += pred.Chosen
				if pred.Out.Right {
					right++
				}
			}
			if math.Abs(float64(sent)/n-tt.want.Share) > 1e-9 || math.Abs(float64(right)/n-tt.want.Quality) > 1e-9 {
				t.Errorf("%T, %s: %d sent, %d right; the fit says %+v", tt.p, goal, sent, right, tt.want)
			}
		}
		if ofR.Point.Cost >= ofC.Point.Cost && ofC.Point.Share > 0 {
			t.Errorf("a router costs %v, a cascade %v", ofR.Point.Cost, ofC.Point.Cost)
		}
	}
}
