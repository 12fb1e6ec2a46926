package module_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// twoSteps is a program of two predictors: the second one answers from what the first
// one noted.
type twoSteps struct {
	Note   *module.Predict[question, note]
	Answer *module.ChainOfThought[note, answer]
}

type note struct{ Note string }

func (p *twoSteps) Run(ctx context.Context, q question) (answer, error) {
	n, err := p.Note.Run(ctx, q)
	if err != nil {
		return answer{}, err
	}
	return p.Answer.Run(ctx, n)
}

func newTwoSteps(opts ...module.Option) *twoSteps {
	return &twoSteps{
		module.MustPredict[question, note]("Note what matters.", opts...),
		module.MustChainOfThought[note, answer]("Answer from the note.", opts...),
	}
}

// numbered answers each request with the number of its rollout.
func numbered() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		n := fmt.Sprint(r.Rollout)
		if strings.Contains(r.Messages[0].Text(), "[[ ## a ## ]]") {
			return reply("reasoning", "as noted", "a", n), nil
		}
		return reply("note", "n"+n), nil
	})
}

// length rewards by the wanted order of rollouts.
func rewards(by map[string]float64) module.Reward[question, answer] {
	return func(_ context.Context, _ question, got *module.Prediction[answer]) (float64, error) {
		r, ok := by[got.Out.A]
		if !ok {
			return 0, errors.New("no reward for " + got.Out.A)
		}
		return r, nil
	}
}

func TestBestOfN(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		by        map[string]float64
		threshold float64
		want      string
		attempts  int
	}{
		{"best of all", map[string]float64{"0": .2, "1": .9, "2": .9, "3": .1}, math.Inf(1), "1", 4},
		{"first that is good enough", map[string]float64{"0": .2, "1": .6, "2": .9, "3": 1}, .6, "1", 2},
		{"the first", map[string]float64{"0": 1}, 1, "0", 1},
		{"negative rewards", map[string]float64{"0": -3, "1": -2, "2": -5, "3": -4}, 0, "1", 4},
		{"a reward fails", map[string]float64{"0": .2, "2": .3, "3": .1}, 1, "2", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := numbered()
			b := module.MustBestOfN(newTwoSteps(), 4, tt.threshold, rewards(tt.by))
			ctx, tr := trace.Start(lm.With(context.Background(), model))
			pred, err := b.Call(ctx, question{"?"})
			if err != nil {
				t.Fatal(err)
			}
			if pred.Out.A != tt.want || pred.Usage.Calls != 2*tt.attempts || model.Calls() != 2*tt.attempts || pred.Reasoning != "as noted" {
				t.Errorf("got %+v after %d calls, want the answer %s after %d", pred, model.Calls(), tt.want, 2*tt.attempts)
			}
			attempts := module.Attempts(tr)
			if len(attempts) != tt.attempts {
				t.Fatalf("%d attempts are in the trace, want %d", len(attempts), tt.attempts)
			}
			for i, a := range attempts {
				if want, ok := tt.by[fmt.Sprint(i)]; a.N != i || a.Reward != want || (a.Err == nil) != ok || a.Chosen != (fmt.Sprint(i) == tt.want) {
					t.Errorf("attempt %d is %+v", i, a)
				}
			}
			kept := 0
			for _, s := range module.Steps(tr) {
				if !s.Dropped {
					kept++
				}
			}
			if steps := module.Steps(tr); len(steps) != 2*tt.attempts || kept != 2 {
				t.Errorf("%d steps, %d of them kept, want %d and 2", len(steps), kept, 2*tt.attempts)
			}
			for _, r := range model.Requests() {
				if r.Temperature == nil || *r.Temperature != 1 {
					t.Errorf("a request has the temperature %v, want 1", r.Temperature)
				}
			}
		})
	}
}

func TestBestOfNFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	failing := func(fail ...int) module.Program[question, answer] {
		n := 0
		return module.Func[question, answer](func(context.Context, question) (answer, error) {
			n++
			for _, f := range fail {
				if f == n-1 {
					return answer{}, fmt.Errorf("call %d: %w", n-1, broken)
				}
			}
			return answer{fmt.Sprint(n - 1)}, nil
		})
	}
	good := func(context.Context, question, *module.Prediction[answer]) (float64, error) { return 1, nil }

	if got, err := module.MustBestOfN(failing(0, 1), 3, 1, good).Run(t.Context(), question{}); err != nil || got.A != "2" {
		t.Errorf("two failures: %v, %v, want the third attempt", got, err)
	}
	var ae *module.AttemptsError
	_, err := module.MustBestOfN(failing(0, 1, 2), 3, 1, good).Run(t.Context(), question{})
	if !errors.As(err, &ae) || !errors.Is(err, broken) || len(ae.Attempts) != 3 || ae.Limit != -1 || !strings.Contains(err.Error(), "all 3 attempts failed; the last: call 2: broken") {
		t.Errorf("three failures: %v", err)
	}
	_, err = module.MustBestOfN(failing(0, 1), 3, 1, good, module.MaxFailures(1)).Run(t.Context(), question{})
	if !errors.As(err, &ae) || len(ae.Attempts) != 2 || ae.Limit != 1 || !strings.Contains(err.Error(), "more than 1 attempts failed; attempt 1: call 1: broken") {
		t.Errorf("MaxFailures(1): %v", err)
	}
	spent := module.Func[question, answer](func(context.Context, question) (answer, error) {
		return answer{}, &lm.Error{Kind: lm.ErrBudget, Message: "spent"}
	})
	if _, err = module.MustBestOfN(spent, 3, 1, good).Run(t.Context(), question{}); !errors.Is(err, lm.ErrBudget) || errors.As(err, &ae) {
		t.Errorf("a spent budget: %v, want its error at once", err)
	}
	nan := func(context.Context, question, *module.Prediction[answer]) (float64, error) { return math.NaN(), nil }
	if _, err = module.MustBestOfN(failing(), 2, 1, nan).Run(t.Context(), question{}); !errors.As(err, &ae) {
		t.Errorf("rewards that are no numbers: %v", err)
	}
}

func TestBestOfNCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	ctx, tr := trace.Start(lm.With(ctx, numbered()))
	b := module.MustBestOfN(newTwoSteps(), 4, 1, func(context.Context, question, *module.Prediction[answer]) (float64, error) {
		cancel()
		return 0, nil
	})
	if _, err := b.Call(ctx, question{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Call = %v, want %v", err, context.Canceled)
	}
	if steps := module.Steps(tr); len(steps) < 2 || module.UsageOf(tr).Calls != 2 {
		t.Errorf("the trace has %d steps and %d calls; the first attempt's were paid", len(steps), module.UsageOf(tr).Calls)
	}
}

func TestNewBestOfNErrors(t *testing.T) {
	t.Parallel()
	p := newTwoSteps()
	good := rewards(nil)
	for name, f := range map[string]func() (*module.BestOfN[question, answer], error){
		"no program": func() (*module.BestOfN[question, answer], error) {
			return module.NewBestOfN[question, answer](nil, 2, 1, good)
		},
		"no reward":   func() (*module.BestOfN[question, answer], error) { return module.NewBestOfN(p, 2, 1, nil) },
		"no attempts": func() (*module.BestOfN[question, answer], error) { return module.NewBestOfN(p, 0, 1, good) },
		"threshold":   func() (*module.BestOfN[question, answer], error) { return module.NewBestOfN(p, 2, math.NaN(), good) },
		"failures": func() (*module.BestOfN[question, answer], error) {
			return module.NewBestOfN(p, 2, 1, good, module.MaxFailures(-1))
		},
		"temperature": func() (*module.BestOfN[question, answer], error) {
			return module.NewBestOfN(p, 2, 1, good, module.AttemptTemperature(-1))
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestBestOfNConcurrent runs one module from many goroutines.
func TestBestOfNConcurrent(t *testing.T) {
	t.Parallel()
	b := module.MustBestOfN(newTwoSteps(module.WithLM(numbered())), 3, math.Inf(1), rewards(map[string]float64{"0": 0, "1": 2, "2": 1}))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			ctx, tr := trace.Start(context.Background())
			got, err := b.Run(ctx, question{"?"})
			if err != nil || got.A != "1" || len(module.Steps(tr)) != 6 {
				t.Errorf("got %v, %v and %d steps", got, err, len(module.Steps(tr)))
			}
		})
	}
	wg.Wait()
}

func TestRollout(t *testing.T) {
	t.Parallel()
	model := numbered()
	p := module.MustPredict[question, answer]("", module.WithLM(model), module.Seed(5), module.Temperature(0.3))
	seen := map[int]bool{}
	ask := func(ctx context.Context) *lm.Request {
		if _, err := p.Run(ctx, question{"?"}); err != nil && !strings.Contains(err.Error(), "lacks") {
			t.Fatal(err)
		}
		rs := model.Requests()
		return rs[len(rs)-1]
	}
	ctx := context.Background()
	if r := ask(module.WithRollout(ctx, 0)); r.Rollout != 0 || *r.Seed != 5 || *r.Temperature != 0.3 {
		t.Errorf("rollout 0 changes the request: %+v", r)
	}
	for outer := range 10 {
		for inner := range 10 {
			r := ask(module.WithRollout(module.WithRollout(ctx, outer), inner))
			if inner == 0 && r.Rollout != outer {
				t.Errorf("rollout %d of %d is number %d", inner, outer, r.Rollout)
			}
			seen[r.Rollout] = true
			if *r.Seed != 5+uint64(r.Rollout) {
				t.Errorf("rollout %d of %d has the seed %d", inner, outer, *r.Seed)
			}
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d rollouts are told apart, want 100", len(seen))
	}
	if r := ask(module.WithTemperature(module.WithTemperature(ctx, 0.5), 0.9)); *r.Temperature != 0.5 {
		t.Errorf("the temperature is %v, want the one that was set first", *r.Temperature)
	}
}
