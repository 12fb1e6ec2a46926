package module_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

var errCrash = errors.New("crash")

// crashing asks a model and panics then.
func crashing() program {
	p := asks("x", nil)
	return module.Func[question, answer](func(ctx context.Context, q question) (answer, error) {
		if _, err := p.Run(ctx, q); err != nil {
			return answer{}, err
		}
		panic(errCrash)
	})
}

// waiting waits for the end of its context.
func waiting(ended *atomic.Bool) program {
	return module.Func[question, answer](func(ctx context.Context, _ question) (answer, error) {
		<-ctx.Done()
		ended.Store(true)
		return answer{}, ctx.Err()
	})
}

// recovered returns what f panicked with.
func recovered(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// TestPanicsAreTheCallers lets a member of each module panic: the caller can recover from
// it, the others have ended by then, and what was paid is in the trace.
func TestPanicsAreTheCallers(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(ctx context.Context, ended *atomic.Bool) error{
		"Ensemble": func(ctx context.Context, ended *atomic.Bool) error {
			_, err := module.MustEnsemble([]program{waiting(ended), crashing()}, module.Voting[answer]{}).Run(ctx, question{})
			return err
		},
		"SelfConsistency": func(ctx context.Context, ended *atomic.Bool) error {
			ended.Store(true)
			_, err := module.MustSelfConsistency(crashing(), 1, 0, module.Voting[answer]{}).Run(ctx, question{})
			return err
		},
		"MixtureOfAgents": func(ctx context.Context, ended *atomic.Bool) error {
			_, err := module.MustMixtureOfAgents([]program{crashing(), waiting(ended)}, module.MixtureConfig[question, answer]{}).Run(ctx, question{})
			return err
		},
		"Parallel": func(ctx context.Context, ended *atomic.Bool) error {
			_, err := module.Parallel(ctx, []module.Task[question, answer]{{waiting(ended), question{}}, {crashing(), question{}}})
			return err
		},
		"BestOfN": func(ctx context.Context, ended *atomic.Bool) error {
			ended.Store(true)
			_, err := module.MustBestOfN(crashing(), 2, 1, middling).Run(ctx, question{})
			return err
		},
		"Cascade": func(ctx context.Context, ended *atomic.Bool) error {
			ended.Store(true)
			_, err := module.MustCascade([]program{crashing(), says("x")}, module.CascadeConfig[question, answer]{Thresholds: []float64{1}}).Run(ctx, question{})
			return err
		},
		"Call": func(ctx context.Context, ended *atomic.Bool) error {
			ended.Store(true)
			_, err := module.Call(ctx, crashing(), question{})
			return err
		},
		"Stream": func(ctx context.Context, ended *atomic.Bool) error {
			ended.Store(true)
			var last error
			for _, err := range module.Stream(ctx, crashing(), question{}) {
				last = err
			}
			return last
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, tr := trace.Start(context.Background())
			var ended atomic.Bool
			var err error
			v := recovered(func() { err = run(ctx, &ended) })
			if got, _ := v.(error); !errors.Is(got, errCrash) {
				t.Errorf("recovered %v, and the error is %v; want %v", v, err, errCrash)
			}
			if !ended.Load() || module.UsageOf(tr).Calls != 1 {
				t.Errorf("the others have ended: %v; %d calls in the trace, want 1", ended.Load(), module.UsageOf(tr).Calls)
			}
		})
	}
}

// TestGoexitIsTheCallers lets a member end its goroutine, as testing's FailNow does.
func TestGoexitIsTheCallers(t *testing.T) {
	t.Parallel()
	quits := module.Func[question, answer](func(context.Context, question) (answer, error) {
		runtime.Goexit()
		return answer{}, nil
	})
	e := module.MustEnsemble([]program{quits, says("x")}, module.Voting[answer]{})
	for name, run := range map[string]func(){
		"Ensemble": func() { _, _ = e.Run(context.Background(), question{}) },
		"Stream": func() {
			for range module.Stream(context.Background(), e, question{}) {
				t.Error("an event")
			}
		},
	} {
		done := make(chan bool, 1)
		go func() {
			returned := false
			defer func() { done <- returned }()
			run()
			returned = true
		}()
		if <-done {
			t.Errorf("%s: the call returned", name)
		}
	}
}

// deep is a program of which several calls stream at once, three modules deep.
func deep(model lm.LM, ended *atomic.Int64) program {
	p := module.MustPredict[question, answer]("", module.WithLM(model))
	counted := module.Func[question, answer](func(ctx context.Context, q question) (answer, error) {
		defer ended.Add(1)
		return p.Run(ctx, q)
	})
	inner := &exposed{p, module.MustBestOfN(counted, 2, math.Inf(1), middling)}
	return module.MustSelfConsistency(inner, 3, 0, module.Voting[answer]{})
}

// exposed shows the predictor of a program that hides it.
type exposed struct {
	P   *module.Predict[question, answer]
	run program
}

func (e *exposed) Run(ctx context.Context, q question) (answer, error) { return e.run.Run(ctx, q) }

// TestStreamLeftWithinComposites leaves the loop at the first text, and panics in it: all
// calls have ended when that is over.
func TestStreamLeftWithinComposites(t *testing.T) {
	t.Parallel()
	for _, leave := range []string{"break", "panic"} {
		var ended atomic.Int64
		p := deep(growing{LM: lmtest.Answer(func(*lm.Request) (string, error) { return reply("a", "one two three four"), nil })}, &ended)
		ctx, tr := trace.Start(context.Background())
		v := recovered(func() {
			for e, err := range module.Stream(ctx, p, question{"?"}) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Text == "" {
					continue
				}
				if leave == "panic" {
					panic(leave)
				}
				break
			}
		})
		if n := int64(len(module.Steps(tr))); (v != nil) != (leave == "panic") || ended.Load() == 0 || n != ended.Load() {
			t.Errorf("%s: recovered %v; %d calls have ended, and %d are in the trace", leave, v, ended.Load(), n)
		}
	}
}

// TestStreamOutlived has a program that returns before a call that it began.
func TestStreamOutlived(t *testing.T) {
	t.Parallel()
	returned, over := make(chan struct{}), make(chan struct{})
	slow := module.MustPredict[question, answer]("", module.WithLM(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		<-returned
		return &lm.Response{Text: reply("a", strings.Repeat("late ", 50))}, nil
	})))
	hedged := &exposed{slow, module.Func[question, answer](func(ctx context.Context, q question) (answer, error) {
		go func() {
			defer close(over)
			_, _ = slow.Run(context.WithoutCancel(ctx), q)
		}()
		return answer{"first"}, nil
	})}
	for e, err := range module.Stream(t.Context(), hedged, question{"?"}) {
		if err != nil || e.Prediction == nil || e.Prediction.Out.A != "first" {
			t.Errorf("%+v, %v", e, err)
		}
		close(returned)
		<-over
	}
}
