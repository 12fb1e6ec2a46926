package module_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// sureness reads the confidence from the answer's end: "x 0.7".
func sureness(_ context.Context, _ question, got *module.Prediction[answer]) (float64, error) {
	var word string
	var v float64
	_, err := fmt.Sscan(got.Out.A, &word, &v)
	return v, err
}

func TestCascade(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		thresholds []float64
		want       string
		chosen     int
		calls      int
	}{
		{[]float64{0.6, 0}, "x 0.6", 0, 1},
		{[]float64{0.61, 0.8}, "y 0.8", 1, 2},
		{[]float64{0.61, 0.81}, "z", 2, 3},
		{[]float64{2, 2}, "z", 2, 3},
	} {
		c := module.MustCascade([]program{asks("x 0.6", nil), asks("y 0.8", nil), asks("z", nil)},
			module.CascadeConfig[question, answer]{Thresholds: tt.thresholds, Score: sureness})
		ctx, tr := trace.Start(context.Background())
		pred, err := c.Call(ctx, question{})
		if err != nil || pred.Out.A != tt.want || pred.Chosen != tt.chosen || pred.Usage.Calls != tt.calls {
			t.Errorf("%v: %+v %v", tt.thresholds, pred, err)
		}
		steps := module.Steps(tr)
		if len(steps) != tt.calls {
			t.Fatalf("%v: %d steps", tt.thresholds, len(steps))
		}
		for i, s := range steps {
			if s.Dropped != (i < tt.chosen) {
				t.Errorf("%v: step %d is dropped: %v", tt.thresholds, i, s.Dropped)
			}
		}
	}
}

func TestCascadeConfidence(t *testing.T) {
	t.Parallel()
	// By the only choice, by a named one, and by the votes of a SelfConsistency.
	programs := []module.Program[sms, sorted]{scores("0", 0.7, 0.2, 0.1), scores("1", 0.1, 0.1, 0.8)}
	for _, field := range []string{"", "label"} {
		for threshold, want := range map[float64]int{0.69: 0, 0.71: 1} {
			c := module.MustCascade(programs, module.CascadeConfig[sms, sorted]{Thresholds: []float64{threshold}, Field: field})
			if pred, err := c.Call(context.Background(), sms{}); err != nil || pred.Chosen != want {
				t.Errorf("%q %v: %+v %v", field, threshold, pred, err)
			}
		}
	}
	var n atomic.Int64
	varies := module.Func[question, answer](func(context.Context, question) (answer, error) {
		return answer{[]string{"x", "y", "y"}[n.Add(1)%3]}, nil
	})
	votes := module.MustSelfConsistency(varies, 3, 0, module.Voting[answer]{})
	for threshold, want := range map[float64]int{0.66: 0, 0.67: 1} {
		c := module.MustCascade([]program{votes, says("z")}, module.CascadeConfig[question, answer]{Thresholds: []float64{threshold}})
		if pred, err := c.Call(context.Background(), question{}); err != nil || pred.Chosen != want {
			t.Errorf("%v: %+v %v", threshold, pred, err)
		}
	}
	c := module.MustCascade(saying("x", "y"), module.CascadeConfig[question, answer]{Thresholds: []float64{0}})
	var me *module.MemberError
	if _, err := c.Run(context.Background(), question{}); !errors.Is(err, module.ErrNoConfidence) || !errors.As(err, &me) || me.Member != "programs[0]" {
		t.Errorf("%v", err)
	}
}

// The calls of a score are in the trace, before the answer, and in Usage.
func TestCascadeScoreIsTraced(t *testing.T) {
	t.Parallel()
	judge := asks("0.9", nil)
	score := func(ctx context.Context, in question, _ *module.Prediction[answer]) (float64, error) {
		_, err := judge.Run(ctx, in)
		return 0.9, err
	}
	c := module.MustCascade([]program{asks("x", nil), says("z")}, module.CascadeConfig[question, answer]{Thresholds: []float64{0.5}, Score: score})
	ctx, tr := trace.Start(context.Background())
	pred, err := c.Call(ctx, question{})
	steps := module.Steps(tr)
	if err != nil || pred.Usage.Calls != 2 || len(steps) != 2 || steps[0].Predictor != judge.Predictor() {
		t.Errorf("%+v %v, %d steps", pred, err, len(steps))
	}
}

func TestCascadeErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	score := module.CascadeConfig[question, answer]{Thresholds: []float64{0.5}, Score: sureness}
	var me *module.MemberError
	_, err := module.MustCascade([]program{fails(broken), says("x")}, score).Run(context.Background(), question{})
	if !errors.Is(err, broken) || !errors.As(err, &me) || err.Error() != "module: Cascade: programs[0]: broken" {
		t.Errorf("%v", err)
	}
	score.SkipErrors = true
	if pred, err := module.MustCascade([]program{fails(broken), says("x")}, score).Call(context.Background(), question{}); err != nil || pred.Chosen != 1 {
		t.Errorf("%+v %v", pred, err)
	}
	if _, err = module.MustCascade([]program{fails(broken), fails(broken)}, score).Run(context.Background(), question{}); !errors.As(err, &me) || me.Member != "programs[1]" {
		t.Errorf("%v", err)
	}
	score.SkipErrors = false
	if _, err = module.MustCascade(saying("no number", "x"), score).Run(context.Background(), question{}); err == nil || !strings.Contains(err.Error(), "programs[0]: its confidence") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stops := module.Func[question, answer](func(context.Context, question) (answer, error) { cancel(); return answer{}, ctx.Err() })
	score.SkipErrors = true
	if _, err = module.MustCascade([]program{stops, says("x")}, score).Run(ctx, question{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, c := range []module.CascadeConfig[question, answer]{
		{}, {Thresholds: []float64{1, 2}}, {Thresholds: []float64{1}, Field: "a"}, {Thresholds: []float64{1}, Field: "a", Score: sureness},
	} {
		if got, err := module.NewCascade(saying("x", "y"), c); err == nil || got != nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if _, err := module.NewCascade(saying("x"), module.CascadeConfig[question, answer]{}); err == nil {
		t.Error("a cascade of one")
	}
}

func TestCascadeAndRouterConcurrently(t *testing.T) {
	t.Parallel()
	c := module.MustCascade([]program{asks("x 0.6", nil), asks("y", nil)}, module.CascadeConfig[question, answer]{Thresholds: []float64{0.5}, Score: sureness})
	r := module.MustRouter(byLength, []program{asks("x", nil), asks("y", nil)}, []float64{0.5})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 20 {
				if err := errors.Join(c.SetThresholds([]float64{float64(i) / 10}), r.SetThresholds([]float64{float64(i) / 10})); err != nil {
					t.Error(err)
				}
				_, errC := c.Call(context.Background(), question{})
				_, errR := r.Call(context.Background(), question{"abcde"})
				if errC != nil || errR != nil {
					t.Error(errC, errR)
				}
			}
		})
	}
	wg.Wait()
}

var byLength = module.Func[question, float64](func(_ context.Context, in question) (float64, error) { return float64(len(in.Q)) / 10, nil })

func TestRouter(t *testing.T) {
	t.Parallel()
	r := module.MustRouter(byLength, []program{asks("x", nil), asks("y", nil), asks("z", nil)}, []float64{0.2, 0.5})
	for q, want := range map[string]string{"a": "0 x", "ab": "1 y", "abcd": "1 y", "abcde": "2 z"} {
		pred, err := r.Call(context.Background(), question{q})
		if err != nil || fmt.Sprint(pred.Chosen, " ", pred.Out.A) != want || pred.Usage.Calls != 1 {
			t.Errorf("%q: %+v %v, want %s", q, pred, err, want)
		}
	}
	if out, err := r.Run(context.Background(), question{"abcdefgh"}); err != nil || out.A != "z" {
		t.Errorf("%v %v", out, err)
	}
}

// judgedBy is a scorer that is a program with a predictor of its own.
type judgedBy struct {
	Judge *module.Predict[question, answer]
}

func (j *judgedBy) Run(ctx context.Context, in question) (float64, error) {
	out, err := j.Judge.Run(ctx, in)
	if err != nil {
		return 0, err
	}
	var v float64
	_, err = fmt.Sscan(out.A, &v)
	return v, err
}

func TestRouterScorerIsAProgram(t *testing.T) {
	t.Parallel()
	r := module.MustRouter(&judgedBy{asks("0.7", nil)}, []program{asks("x", nil), asks("y", nil)}, []float64{0.5})
	ctx, tr := trace.Start(context.Background())
	pred, err := r.Call(ctx, question{})
	if err != nil || pred.Chosen != 1 || pred.Usage.Calls != 2 || len(module.Steps(tr)) != 2 || pred.Raw != reply("a", "y") {
		t.Errorf("%+v %v", pred, err)
	}
	named, err := module.Predictors(r)
	if err != nil || len(named) != 3 || named[0].Name != "scorer.judge" || named[2].Name != "programs[1]" {
		t.Errorf("%v %v", named, err)
	}
	path := filepath.Join(t.TempDir(), "router.json")
	if err := module.Save(path, r); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Load(path, r); err != nil {
		t.Error(err)
	}
}

func TestRouterErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	noScore := module.Func[question, float64](func(context.Context, question) (float64, error) { return 0, broken })
	var me *module.MemberError
	if _, err := module.MustRouter(noScore, saying("x", "y"), []float64{0}).Run(context.Background(), question{}); !errors.As(err, &me) || me.Member != "scorer" || !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := module.MustRouter(byLength, []program{says("x"), fails(broken)}, []float64{0}).Run(context.Background(), question{}); !errors.As(err, &me) || me.Member != "programs[1]" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	model := lm.Func(func(ctx context.Context, _ *lm.Request) (*lm.Response, error) { return nil, ctx.Err() })
	p := module.MustPredict[question, answer]("", module.WithLM(model))
	if _, err := module.MustRouter(byLength, []program{p, p}, []float64{0}).Run(ctx, question{}); !errors.Is(err, context.Canceled) || errors.As(err, &me) {
		t.Errorf("%v", err)
	}
	if _, err := module.NewRouter(byLength, saying("x", "y", "z"), []float64{0.5, 0.2}); err == nil {
		t.Error("thresholds that fall")
	}
	if _, err := module.NewRouter(byLength, saying("x", "y"), nil); err == nil {
		t.Error("no threshold")
	}
	if _, err := module.NewRouter(byLength, saying("x"), nil); err == nil {
		t.Error("one program")
	}
	if _, err := module.NewRouter(nil, saying("x", "y"), []float64{0}); err == nil {
		t.Error("no scorer")
	}
}
