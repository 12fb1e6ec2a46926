package module_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// composites are the modules that are made of a program of two predictors, and the names
// under which these are found.
func composites(t *testing.T, opts ...module.Option) map[string]struct {
	p     module.Program[question, answer]
	names string
} {
	t.Helper()
	program := newTwoSteps(opts...)
	examples := []module.Example[question, answer]{{In: question{"a"}, Out: answer{"0"}}, {In: question{"b"}, Out: answer{"1"}}}
	knn, err := module.NewKNN(t.Context(), examples, 1, letters{})
	if err != nil {
		t.Fatal(err)
	}
	demos, err := module.NewKNNDemos(program, knn)
	if err != nil {
		t.Fatal(err)
	}
	reward := func(context.Context, question, *module.Prediction[answer]) (float64, error) { return 0.5, nil }
	return map[string]struct {
		p     module.Program[question, answer]
		names string
	}{
		"BestOfN":              {module.MustBestOfN(program, 2, math.Inf(1), reward), "module.note module.answer.predict"},
		"Refine":               {module.MustRefine(program, 2, 0.5, reward, module.Description{Program: "p", Reward: "r"}), "module.note module.answer.predict feedback"},
		"MultiChainComparison": {module.MustMultiChainComparison(program, 2, "", opts...), "attempts.note attempts.answer.predict predict"},
		"KNNDemos":             {demos, "module.note module.answer.predict"},
	}
}

// anything answers every predictor of the composites.
func anything() *lmtest.Scripted {
	steps := numbered()
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(r.Messages[0].Text(), "`rationale`") {
			return reply("rationale", "so", "a", "0"), nil
		}
		resp, err := steps.Generate(context.Background(), r)
		if err != nil {
			return "", err
		}
		return resp.Text, nil
	})
}

// TestCompositeFiles saves and loads each under the names of its predictors.
func TestCompositeFiles(t *testing.T) {
	t.Parallel()
	from, to := composites(t), composites(t)
	for name, c := range from {
		named, err := module.Predictors(c.p)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i, n := range named {
			names = append(names, n.Name)
			if err := n.Predictor.SetState(module.State{Instructions: fmt.Sprintf("%s %d", name, i)}); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("%s: the predictors are %q, want %q", name, got, c.names)
		}
		data, err := module.Marshal(c.p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := module.Unmarshal(data, to[name].p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := module.Marshal(to[name].p)
		if diff := cmp.Diff(string(data), string(again)); err != nil || diff != "" {
			t.Errorf("%s: after loading (-saved +loaded), %v:\n%s", name, err, diff)
		}
	}
}

// TestCompositeConcurrent runs each from many goroutines; all calls are in their traces.
func TestCompositeConcurrent(t *testing.T) {
	t.Parallel()
	for name, c := range composites(t, module.WithLM(anything())) {
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				ctx, tr := trace.Start(context.Background())
				pred, err := module.Call(ctx, c.p, question{"a"})
				if err != nil || pred.Out.A != "0" {
					t.Errorf("%s: %+v, %v", name, pred, err)
					return
				}
				if n := len(module.Steps(tr)); n == 0 || answered(tr) != n || pred.Usage != module.UsageOf(tr) {
					t.Errorf("%s: the trace has %d calls in %d steps, %+v; the prediction says %+v", name, answered(tr), n, module.UsageOf(tr), pred.Usage)
				}
			})
		}
		wg.Wait()
	}
}

// answered counts the calls of predictors, without embeddings.
func answered(tr *trace.Trace) int {
	n := 0
	for _, s := range module.Steps(tr) {
		n += s.Usage.Calls
	}
	return n
}

// TestCompositeCancelled ends each within its second call: what was paid is in the trace.
func TestCompositeCancelled(t *testing.T) {
	t.Parallel()
	for name := range composites(t) {
		ctx, cancel := context.WithCancel(context.Background())
		ctx, tr := trace.Start(ctx)
		model, n := anything(), 0
		stopping := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			if n++; n == 2 {
				cancel()
				return nil, ctx.Err()
			}
			return model.Generate(ctx, r)
		})
		if _, err := composites(t, module.WithLM(stopping))[name].p.Run(ctx, question{"a"}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Run = %v, want %v", name, err, context.Canceled)
		}
		if n != 2 || answered(tr) != 1 {
			t.Errorf("%s: %d calls were made, and the trace has %d that were paid; want 2 and 1", name, n, answered(tr))
		}
		cancel()
	}
}

// TestCompositeErrors passes a model's error on.
func TestCompositeErrors(t *testing.T) {
	t.Parallel()
	down := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.ErrAuth, Message: "no key"}
	})
	for name, c := range composites(t, module.WithLM(down)) {
		if _, err := c.p.Run(lm.With(t.Context(), down), question{"a"}); !errors.Is(err, lm.ErrAuth) {
			t.Errorf("%s: Run = %v, want an error of kind %q", name, err, lm.ErrAuth)
		}
	}
}
