package optimize_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

func TestEnsembleErrors(t *testing.T) {
	t.Parallel()
	p := drawPanel(10, 1, 0.6, 0.6)
	program, r, data := newClassifier(p.model()), p.result(), messages(10)
	type settings = optimize.Ensemble[verdict]
	run := func(ctx context.Context, e settings, r *optimize.Result, opts ...optimize.Option) error {
		c, err := optimize.SelectEnsemble(ctx, e, program, r, data, metric.Exact, opts...)
		if err != nil && c != nil || err == nil {
			t.Errorf("got %v and %v", c, err)
		}
		return err
	}
	ctx := t.Context()
	for want, err := range map[string]error{
		"a Size of -1":            run(ctx, settings{Size: optimize.None}, r),
		"a Best of -1":            run(ctx, settings{Best: -1}, r),
		"20 folds of 10 examples": run(ctx, settings{Folds: 20}, r),
		"1 folds of 10 examples":  run(ctx, settings{Folds: 1}, r),
		"LogProbs or Size":        run(ctx, settings{Voting: module.Voting[verdict]{Weights: []float64{1}}}, r),
		"the result is nil":       run(ctx, settings{}, nil),
		"no trial with states":    run(ctx, settings{}, &optimize.Result{Trials: []optimize.Trial{{Rows: []int{2}}}}),
		"no state for the predictor \"self\"": run(ctx, settings{}, &optimize.Result{Trials: []optimize.Trial{
			{States: []optimize.NamedState{{Name: "other"}}},
		}}),
		"leave the others out": run(ctx, settings{}, r, optimize.Val(data)),
		"the objective given":  run(ctx, settings{}, r, optimize.By(metric.Mean[judged]())),
		"every candidate failed on every example; the first error: trial 0 (nobody): 0: ": run(ctx, settings{}, &optimize.Result{Trials: []optimize.Trial{
			{Name: "nobody", States: []optimize.NamedState{{Name: "self"}}},
		}}),
	} {
		if err == nil || !strings.Contains(err.Error(), "optimize: SelectEnsemble: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := run(cancelled, settings{}, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := run(ctx, settings{}, r, optimize.Within(optimize.Budget{Calls: 13})); !errors.Is(err, lm.ErrBudget) {
		t.Errorf("a budget that is too small: %v", err)
	}
	if got := (settings{Best: 3}).String(); got != "Ensemble(size=5, folds=5, seed=0, best=3)" {
		t.Errorf("the settings are %s", got)
	}

	build := func() module.Program[message, verdict] { return newClassifier(p.model()) }
	same := func() module.Program[message, verdict] { return program }
	plain := module.Voting[verdict]{}
	var none func() module.Program[message, verdict]
	for want, f := range map[string]func() (*module.Ensemble[message, verdict], error){
		"build is nil": func() (*module.Ensemble[message, verdict], error) {
			return optimize.EnsembleOf(none, r, []int{0}, plain)
		},
		"no members": func() (*module.Ensemble[message, verdict], error) { return optimize.EnsembleOf(build, r, nil, plain) },
		"no trial 2": func() (*module.Ensemble[message, verdict], error) {
			return optimize.EnsembleOf(build, r, []int{2}, plain)
		},
		"a new program": func() (*module.Ensemble[message, verdict], error) {
			return optimize.EnsembleOf(same, r, []int{0, 1}, plain)
		},
		"result is nil": func() (*module.Ensemble[message, verdict], error) {
			return optimize.EnsembleOf(build, nil, []int{0}, plain)
		},
		"one or the oth": func() (*module.Ensemble[message, verdict], error) {
			return optimize.EnsembleOf(build, r, []int{0, 0}, module.Voting[verdict]{Weights: []float64{1}})
		},
	} {
		if e, err := f(); err == nil || e != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v and %v", want, e, err)
		}
	}
	if got := program.Predictor().State().Instructions; got != "" {
		t.Errorf("the program was changed: %q", got)
	}
}
