package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
	"github.com/whetgo/whet/lm/router"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// fixed is a model that always says the same, and can be compared.
type fixed struct {
	text   string
	tokens int
}

func (f *fixed) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return &lm.Response{Text: "[[ ## right ## ]]\n" + f.text + "\n\n[[ ## completed ## ]]", Usage: lm.Usage{Calls: 1, PromptTokens: f.tokens, PricedCalls: 1, Cost: lm.USD}}, nil
}

// asked is a program whose model answers yes or no and spends tokens.
func asked(text string, tokens int) *module.Predict[drawn, said] {
	model := &fixed{text, tokens}
	return module.MustPredict[drawn, said]("", module.WithLM(model))
}

func sure(context.Context, drawn, *module.Prediction[said]) (float64, error) { return 0.5, nil }

func TestFitCosts(t *testing.T) {
	t.Parallel()
	c := module.MustCascade([]module.Program[drawn, said]{asked("False", 3), asked("True", 30)}, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
	for name, tt := range map[string]struct {
		cost optimize.Cost
		want float64
	}{"tokens": {optimize.CostInTokens, 33}, "dollars": {optimize.CostInDollars, 2}, "calls": {optimize.CostInCalls, 2}, "fixed": {optimize.FixedCost(1, 4), 5}} {
		fit, err := optimize.FitCascade(context.Background(), c, drawnData(0, 5), metric.Exact, optimize.ForShare(1), tt.cost)
		if err != nil || fit.Point.Cost != tt.want || fit.Usage.Calls != 10 || fit.Thresholds[0] <= 0.5 {
			t.Errorf("%s: %+v %v", name, fit, err)
		}
	}
	// An answer from a store has no cost.
	store := optimize.NewStore()
	for name, cost := range map[string]optimize.Cost{"tokens": optimize.CostInTokens, "dollars": optimize.CostInDollars} {
		same := make([]module.Example[drawn, said], 3)
		wrapped := module.MustCascade([]module.Program[drawn, said]{asked("False", 3), asked("True", 30)}, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
		_, err := optimize.FitCascade(context.Background(), wrapped, same, metric.Exact, optimize.ForShare(1), cost,
			optimize.Through(store.Wrap))
		if err == nil || !strings.Contains(err.Error(), "optimize.FixedCost") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFitFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	half := module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) {
		if in.N%2 == 0 {
			return said{}, broken
		}
		return said{true}, nil
	})
	right := looksUp([]bool{true, true, true, true})
	for _, skip := range []bool{false, true} {
		c := module.MustCascade([]module.Program[drawn, said]{half, right}, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure, SkipErrors: skip})
		fit, err := optimize.FitCascade(context.Background(), c, drawnData(0, 4), metric.Exact, optimize.ForShare(0), optimize.FixedCost(1, 10))
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool]router.Point{false: {Threshold: router.Never, Quality: 0.5, Cost: 1}, true: {Threshold: router.Never, Quality: 1, Cost: 6}}[skip]
		if fit.Failed[0] != 2 || fit.Point != want || !strings.Contains(fit.String(), "program 0 failed on 2 examples") {
			t.Errorf("skip %v: %+v, want %+v\n%s", skip, fit.Point, want, fit)
		}
	}
	c := module.MustCascade([]module.Program[drawn, said]{module.Func[drawn, said](func(context.Context, drawn) (said, error) { return said{}, broken }), right}, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
	if _, err := optimize.FitCascade(context.Background(), c, drawnData(0, 4), metric.Exact, optimize.ForShare(0), optimize.FixedCost(1, 1)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestFitBadArguments(t *testing.T) {
	t.Parallel()
	ctx, data := context.Background(), drawnData(0, 4)
	right := looksUp([]bool{true, true, true, true})
	two := []module.Program[drawn, said]{right, right}
	c := module.MustCascade(two, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
	three := module.MustCascade(append(two, right), module.CascadeConfig[drawn, said]{Thresholds: []float64{1, 1}, Score: sure})
	unsure := module.MustCascade(two, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: func(context.Context, drawn, *module.Prediction[said]) (float64, error) { return 7, nil }})
	free := optimize.FixedCost(0, 0)
	points := func(_ context.Context, _ module.Example[drawn, said], _ said, _ *trace.Trace) (metric.Score, error) {
		return metric.Score{Value: 70}, nil
	}
	for want, f := range map[string]func() (*optimize.ThresholdFit, error){
		"the cascade is nil": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade[drawn, said](ctx, nil, data, metric.Exact, optimize.ForShare(1), free)
		},
		"3 programs": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, three, data, metric.Exact, optimize.ForShare(1), free)
		},
		"no goal": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.Goal{}, free)
		},
		"no cost": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForShare(1), nil)
		},
		"the metric is nil": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, nil, optimize.ForShare(1), free)
		},
		"no examples": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, nil, metric.Exact, optimize.ForShare(1), free)
		},
		"the share": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForShare(2), free)
		},
		"no threshold": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForQuality(1, 0.95), free)
		},
		"returned 70": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, points, optimize.ForShare(1), free)
		},
		"confidence is 7": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, unsure, data, metric.Exact, optimize.ForShare(1), free)
		},
		"none for program 1": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForShare(1), optimize.FixedCost(1))
		},
		"no use for": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForShare(1), free, optimize.Val(data))
		},
		"concurrency": func() (*optimize.ThresholdFit, error) {
			return optimize.FitCascade(ctx, c, data, metric.Exact, optimize.ForShare(1), free, optimize.Concurrency(-1))
		},
		"the router is nil": func() (*optimize.ThresholdFit, error) {
			return optimize.FitRouter[drawn, said](ctx, nil, data, metric.Exact, optimize.ForShare(1), free)
		},
	} {
		if _, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := optimize.FitCascade(ctx, c, nil, metric.Exact, optimize.ForShare(1), free); !errors.Is(err, evaluate.ErrNoData) {
		t.Errorf("%v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := optimize.FitCascade(stopped, c, data, metric.Exact, optimize.ForShare(1), free); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Calls go through the middleware, and a budget ends the sweep.
func TestFitBudget(t *testing.T) {
	t.Parallel()
	c := module.MustCascade([]module.Program[drawn, said]{asked("False", 3), asked("True", 30)}, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
	limit := budget.New(budget.Limits{Calls: 5})
	for _, opt := range []optimize.Option{optimize.Through(limit.Wrap), optimize.Within(optimize.Budget{Calls: 5})} {
		_, err := optimize.FitCascade(context.Background(), c, drawnData(0, 20), metric.Exact, optimize.ForShare(1), optimize.CostInCalls, opt, optimize.Concurrency(1))
		if !errors.Is(err, lm.ErrBudget) {
			t.Errorf("%v", err)
		}
	}
}

func TestFitWeights(t *testing.T) {
	t.Parallel()
	const n = 8
	broken := errors.New("broken")
	right := func(k int) module.Program[drawn, said] {
		return module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) { return said{in.N < k}, nil })
	}
	fails := module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) {
		if in.N >= 4 {
			return said{}, broken
		}
		return said{true}, nil
	})
	e := module.MustEnsemble([]module.Program[drawn, said]{right(8), right(4), right(0), fails}, module.Voting[said]{MaxErrors: 1})
	var mu sync.Mutex
	var log strings.Builder
	fit, err := optimize.FitWeights(context.Background(), e, drawnData(0, n), metric.Exact, optimize.Progress(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	})))
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{9.0 / 10, 5.0 / 10, 1.0 / 10, 5.0 / 6}
	for i, a := range want {
		if math.Abs(fit.Accuracies[i]-a) > 1e-12 || math.Abs(fit.Weights[i]-math.Log(a/(1-a))) > 1e-9 {
			t.Errorf("member %d: %v %v, want %v", i, fit.Accuracies[i], fit.Weights[i], a)
		}
	}
	if fit.Classes != 2 || fit.Failed[3] != 4 || strings.Count(log.String(), "\n") != n || !strings.Contains(fit.String(), "programs[3]: accuracy 0.8333, weight 1.609, failed on 4") {
		t.Errorf("%+v\n%s\n%s", fit, fit, log.String())
	}
	if err := fit.Apply(e); err != nil || e.Weights()[0] != fit.Weights[0] {
		t.Errorf("%v %v", e.Weights(), err)
	}
	type open struct{ A string }
	unknown := module.MustEnsemble([]module.Program[drawn, open]{module.Func[drawn, open](func(context.Context, drawn) (open, error) { return open{}, nil })}, module.Voting[open]{})
	if _, err := optimize.FitWeights(context.Background(), unknown, []module.Example[drawn, open]{{}}, metric.Exact); err == nil || !strings.Contains(err.Error(), "Voting.Classes") {
		t.Errorf("%v", err)
	}
	if _, err := optimize.FitWeights[drawn, said](context.Background(), nil, drawnData(0, n), metric.Exact); err == nil {
		t.Error("no ensemble")
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// The result does not depend on how many examples run at once.
func TestFitIsDeterministic(t *testing.T) {
	t.Parallel()
	sides := drawSides(200, 3)
	var before string
	for _, n := range []int{1, 3, 16} {
		fit, err := optimize.FitCascade(context.Background(), sides.cascade(1), drawnData(0, 200), metric.Exact, optimize.ForCost(9), optimize.FixedCost(weakCost, strongCost), optimize.Concurrency(n))
		if err != nil {
			t.Fatal(err)
		}
		now := fmt.Sprint(fit, fit.Curve.Points())
		if before != "" && now != before {
			t.Errorf("concurrency %d: %s\nbefore: %s", n, now, before)
		}
		before = now
	}
}
