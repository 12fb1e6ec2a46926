package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

func newClassifier(m lm.LM) *module.Predict[message, verdict] {
	return module.MustPredict[message, verdict]("", module.WithLM(m))
}

var search = optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: 6}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	train := messages(8)
	ctx := t.Context()
	exact := metric.Exact[message, verdict]
	for name, run := range map[string]func() (*optimize.Result, error){
		"no optimizer": func() (*optimize.Result, error) { return optimize.Compile(ctx, nil, p, train, exact) },
		"no metric":    func() (*optimize.Result, error) { return optimize.Compile(ctx, search, p, train, nil) },
		"no concurrent": func() (*optimize.Result, error) {
			return optimize.Compile(ctx, search, p, train, exact, optimize.Concurrency(0))
		},
		"other examples": func() (*optimize.Result, error) {
			return optimize.Compile(ctx, search, p, train, exact, optimize.Val(twoExamples(3)))
		},
		"other objective": func() (*optimize.Result, error) {
			return optimize.Compile(ctx, search, p, train, exact, optimize.By(metric.Mean[judged]()))
		},
	} {
		if r, err := run(); err == nil || r != nil || !strings.HasPrefix(err.Error(), "optimize: ") {
			t.Errorf("%s: got %v and %v, want an error alone", name, r, err)
		}
	}
	for name, c := range map[string]struct {
		p    module.Program[message, verdict]
		data []example
		want error
	}{
		"no data":       {p, nil, evaluate.ErrNoData},
		"no model":      {module.MustPredict[message, verdict](""), train, module.ErrNoLM},
		"no predictors": {module.Func[message, verdict](p.Run), train, module.ErrNoPredictors},
	} {
		if r, err := optimize.Compile(ctx, search, c.p, c.data, exact); !errors.Is(err, c.want) || r != nil {
			t.Errorf("%s: got %v and %v, want %v", name, r, err, c.want)
		}
	}
	if _, err := optimize.Compile(ctx, search, p, train, exact, optimize.Val[message, verdict](nil)); !errors.Is(err, evaluate.ErrNoData) {
		t.Errorf("validation examples that are none: got %v", err)
	}
	bad := append(slices.Clone(train), example{In: message{"message 8"}, Out: verdict{"egg"}, ID: "row 9"})
	if _, err := optimize.Compile(ctx, search, p, bad, exact); err == nil || !strings.Contains(err.Error(), "row 9") || !strings.Contains(err.Error(), "egg") {
		t.Errorf("an unknown label: got %v, want an error that names row and label", err)
	}
}

func TestCancelReturnsTheBestSoFar(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if n.Add(1) == 55 {
			cancel()
		}
		return golden(r)
	})
	p := newClassifier(model)
	r, err := optimize.Compile(ctx, search, p, messages(20), metric.Exact)
	if !errors.Is(err, context.Canceled) || r == nil {
		t.Fatalf("got %v and %v", r, err)
	}
	if len(r.Trials) != 2 || r.Score != 0.9 || r.Baseline != 0.75 || r.Winner != 1 || r.Why != "the search ended early" || !r.Interval.Contains(0.9) {
		t.Errorf("want the best of the first two candidates, got %s", r)
	}
	if err := r.Apply(p); err != nil {
		t.Error(err)
	}

	cancelled, stop := context.WithCancel(t.Context())
	stop()
	for _, opt := range []optimize.Optimizer{search, optimize.BootstrapFewShot{}, optimize.Calibrate{}} {
		r, err := optimize.Compile(cancelled, opt, newClassifier(lmtest.Answer(golden)), messages(20), metric.Exact)
		if !errors.Is(err, context.Canceled) || r == nil || r.Winner != -1 || r.Scored {
			t.Errorf("%s: got %v and %v", opt, r, err)
		}
		if r != nil {
			if err := r.Apply(p); err != nil {
				t.Errorf("%s: the program as it was: %v", opt, err)
			}
		}
	}
}

// TestDeterministic checks that nothing depends on concurrency.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	run := func(concurrency int) *optimize.Result {
		r, err := optimize.Compile(t.Context(), search, newClassifier(lmtest.Answer(golden)), messages(20), metric.Exact, optimize.Concurrency(concurrency))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a := run(1)
	for _, n := range []int{2, 16} {
		b := run(n)
		if a.Score != b.Score || a.Winner != b.Winner || a.Calls != b.Calls || a.Usage != b.Usage || a.Interval != b.Interval {
			t.Errorf("with a concurrency of %d: %s, with 1: %s", n, b, a)
		}
		for i := range a.Trials {
			if !reflect.DeepEqual(a.Trials[i], b.Trials[i]) {
				t.Errorf("trial %d differs: %+v and %+v", i, a.Trials[i], b.Trials[i])
			}
		}
	}
}

// TestStopAt ends the search at the first good candidate.
func TestStopAt(t *testing.T) {
	t.Parallel()
	opt := search
	opt.StopAt = 0.9
	r, err := optimize.Compile(t.Context(), opt, newClassifier(lmtest.Answer(golden)), messages(20), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Trials) != 2 || r.Score != 0.9 || !strings.Contains(r.Why, "seed -2") {
		t.Errorf("got %s", r)
	}
	want := "RandomSearch(bootstrapped=4, labeled=8, rounds=1, candidates=6, stop at 0.9)"
	if r.Optimizer != want || r.Provenance().Optimizer != want || r.Provenance().Score != 0.9 {
		t.Errorf("the optimizer is %q", r.Optimizer)
	}
}

// TestDemosBefore scores a program that has demos already: they are its
// baseline, and every candidate starts without them.
func TestDemosBefore(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 8}, p, messages(20), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(p); err != nil {
		t.Fatal(err)
	}
	opt := search
	opt.Candidates = optimize.None
	if r, err = optimize.Compile(t.Context(), opt, p, messages(20), metric.Exact); err != nil {
		t.Fatal(err)
	}
	if r.Baseline != 0.9 || len(r.Trials) != 3 || r.Trials[0].Score != 0.75 || len(r.Trials[0].States[0].State.Demos) != 0 {
		t.Errorf("got %s", r)
	}
	if r.Improved() {
		t.Error("the same demos are no gain")
	}
}

func TestApplyToAnotherInstance(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(twoModel)
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 3}, newTwo(module.WithLM(model)), twoExamples(9), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	other := newTwo(module.WithLM(model))
	if err := r.Apply(other); err != nil {
		t.Fatal(err)
	}
	if n := len(other.Topic.Predictor().State().Demos); n != 3 {
		t.Errorf("the other instance has %d demos", n)
	}
	wrong := newClassifier(model)
	if err := r.Apply(wrong); err == nil || len(wrong.Predictor().State().Demos) != 0 {
		t.Errorf("applying to another program: got %v", err)
	}
	if err := r.Apply(&struct{ Topic any }{other.Topic}); err == nil || !strings.Contains(err.Error(), "1 predictors") {
		t.Errorf("applying to a part of the program: got %v", err)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	model := biased(0.8)
	p := newClassifier(model)
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, rare(0, 100), metric.Exact, macroF1(), optimize.Confirm(rare(1000, 200)))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Confirmed || r.Confirmation == nil || r.Confirmation.Interval.Low <= 0 || !strings.Contains(r.String(), ", confirmed") {
		t.Errorf("got %s", r)
	}

	// On these messages demos change nothing.
	good := make([]example, 12)
	for i := range good {
		good[i] = messages(200)[100+4*i]
	}
	r, err = optimize.Compile(t.Context(), search, newClassifier(lmtest.Answer(golden)), messages(20), metric.Exact, optimize.Confirm(good))
	if err != nil {
		t.Fatal(err)
	}
	if r.Confirmed || r.Winner != -1 || r.Score != r.Baseline || len(r.States[0].State.Demos) != 0 || !strings.Contains(r.Why, "not confirmed") || !r.Interval.Contains(r.Baseline) {
		t.Errorf("got %s", r)
	}
}

// TestJudgeIsNotTouched runs a metric that asks a program with predictors of the
// same names.
func TestJudgeIsNotTouched(t *testing.T) {
	t.Parallel()
	judgeModel := lmtest.Answer(golden)
	judge := newClassifier(judgeModel)
	m := func(ctx context.Context, ex example, got verdict, tr *trace.Trace) (metric.Score, error) {
		if n := len(judge.Predictor().StateIn(ctx).Demos); n != 0 {
			return metric.Score{}, fmt.Errorf("the judge has %d demos", n)
		}
		if _, err := judge.Run(ctx, ex.In); err != nil {
			return metric.Score{}, err
		}
		if n := len(module.Steps(tr)); n != 1 {
			return metric.Score{}, fmt.Errorf("the trace has %d steps", n)
		}
		return metric.Bool(got == ex.Out), nil
	}
	p := newClassifier(lmtest.Answer(golden))
	opt := search
	opt.MaxRounds = 2
	r, err := optimize.Compile(t.Context(), opt, p, messages(20), m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Score != 1 {
		t.Errorf("got %s", r)
	}
	for _, trial := range r.Trials {
		if trial.Failed > 0 {
			t.Errorf("%s: %v", trial.Name, trial.Err)
		}
	}
	for _, req := range judgeModel.Requests() {
		if len(req.Messages) > 2 || req.Rollout != 0 || req.Temperature != nil {
			t.Fatalf("the judge's request was changed: %+v", req)
		}
	}
	if judgeModel.Calls() != 20 {
		t.Errorf("the judge's model was called %d times, want 20", judgeModel.Calls())
	}
}

// TestCandidatesAreApart runs candidates with different demos on one program at
// the same time, beside two searches.
func TestCandidatesAreApart(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		return fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", labels[(len(r.Messages)/2)%3]), nil
	})
	p := newClassifier(model)
	var wg sync.WaitGroup
	for n := range 6 {
		k := n
		if k == 0 {
			k = optimize.None
		}
		r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: k}, p, messages(20), metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			ctx := module.WithStates(t.Context(), r.Candidate())
			for range 200 {
				got, err := p.Run(ctx, message{"message 1"})
				if want := labels[(n+1)%3]; err != nil || got.Label != want {
					t.Errorf("with %d demos: got %v and %v, want %s", n, got, err, want)
					return
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			if _, err := optimize.Compile(t.Context(), search, p, messages(20), metric.Exact); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(p.Predictor().State().Demos) != 0 {
		t.Error("the program was changed")
	}
}

// TestFailures scores failed rows with 0, and ends where nothing can succeed.
func TestFailures(t *testing.T) {
	t.Parallel()
	opt := optimize.RandomSearch{MaxLabeled: 2, Candidates: optimize.None, MaxErrors: 100}
	odd := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.HasSuffix(messageNumber.FindString(question(r)), "7") {
			return "nonsense", nil
		}
		return golden(r)
	})
	r, err := optimize.Compile(t.Context(), opt, newClassifier(odd), messages(10), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if trial := r.Trials[0]; trial.Failed != 1 || trial.Err == nil || trial.Subscores[7] != 0 {
		t.Errorf("got %+v", trial)
	}
	none := lmtest.Answer(func(*lm.Request) (string, error) { return "nonsense", nil })
	r, err = optimize.Compile(t.Context(), opt, newClassifier(none), messages(10), metric.Exact)
	if err == nil || len(r.Trials) != 3 || r.Winner != -1 {
		t.Errorf("where every reply is nonsense: got %v and %v", r, err)
	}
	dead := lmtest.Script()
	_, err = optimize.Compile(t.Context(), opt, newClassifier(dead), messages(10), metric.Exact)
	if !errors.Is(err, lm.ErrUnavailable) || dead.Calls() > 10 {
		t.Errorf("after %d calls of a dead model: %v", dead.Calls(), err)
	}
}
