package module_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// slow answers with its question after a time that is longer for the first ones.
func slow(active, most *atomic.Int64, fail func(string) error) module.Func[question, answer] {
	return func(ctx context.Context, q question) (answer, error) {
		now := active.Add(1)
		defer active.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		var n int
		if _, err := fmt.Sscan(q.Q, &n); err != nil {
			return answer{}, err
		}
		select {
		case <-time.After(time.Duration(100-n) * time.Millisecond):
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
		if fail != nil {
			if err := fail(q.Q); err != nil {
				return answer{}, err
			}
		}
		return answer{q.Q}, nil
	}
}

func questions(n int) []question {
	qs := make([]question, n)
	for i := range qs {
		qs[i].Q = fmt.Sprint(i)
	}
	return qs
}

func TestBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var active, most atomic.Int64
		got, err := module.Batch(t.Context(), slow(&active, &most, nil), questions(20), module.Concurrency(6))
		if err != nil || len(got) != 20 {
			t.Fatalf("%d results, %v", len(got), err)
		}
		for i, r := range got {
			if r.Err != nil || r.Prediction.Out.A != fmt.Sprint(i) {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		if most.Load() != 6 {
			t.Errorf("%d ran at once, want 6", most.Load())
		}
	})
}

// TestParallelTrace keeps the calls of each task together, in the order of the tasks.
func TestParallelTrace(t *testing.T) {
	t.Parallel()
	a, b := newTwoSteps(module.WithLM(numbered())), newTwoSteps(module.WithLM(numbered()))
	ctx, tr := trace.Start(context.Background())
	tasks := []module.Task[question, answer]{{a, question{"1"}}, {b, question{"2"}}, {a, question{"3"}}}
	if _, err := module.Parallel(ctx, tasks); err != nil {
		t.Fatal(err)
	}
	steps := module.Steps(tr)
	if len(steps) != 6 {
		t.Fatalf("%d steps, want 6", len(steps))
	}
	for i, want := range []string{"1", "2", "3"} {
		if q, _ := steps[2*i].Inputs.Get("q"); q != want || steps[2*i+1].Predictor.Signature().String() != "note -> reasoning, a" {
			t.Errorf("steps %d and %d are %v and %v", 2*i, 2*i+1, steps[2*i].Inputs, steps[2*i+1].Predictor.Signature())
		}
	}
}

func TestParallelErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name    string
		opts    []module.ParallelOption
		err     error
		want    error
		failed  int // at least
		skipped bool
	}{
		{"some fail", nil, broken, nil, 3, false},
		{"too many fail", []module.ParallelOption{module.MaxErrors(2), module.Concurrency(1)}, broken, broken, 2, true},
		{"never stop", []module.ParallelOption{module.MaxErrors(0)}, broken, nil, 3, false},
		{"budget", []module.ParallelOption{module.Concurrency(1)}, &lm.Error{Kind: lm.ErrBudget}, lm.ErrBudget, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var active, most atomic.Int64
				p := slow(&active, &most, func(q string) error {
					if q == "1" || q == "3" || q == "5" {
						return tt.err
					}
					return nil
				})
				got, err := module.Batch(t.Context(), p, questions(8), tt.opts...)
				if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				failed, skipped := 0, 0
				for _, r := range got {
					switch {
					case errors.Is(r.Err, module.ErrSkipped):
						skipped++
					case r.Err != nil:
						failed++
					case r.Prediction == nil:
						t.Error("a result has neither a prediction nor an error")
					}
				}
				if failed < tt.failed || (skipped > 0) != tt.skipped {
					t.Errorf("%d failed and %d were skipped", failed, skipped)
				}
			})
		})
	}
}

func TestParallelCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		var active, most atomic.Int64
		got, err := module.Batch(ctx, slow(&active, &most, nil), questions(10), module.Concurrency(2))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
		}
		if got[0].Err != nil || got[0].Prediction.Out.A != "0" || !errors.Is(got[9].Err, module.ErrSkipped) {
			t.Errorf("the first result is %+v and the last %+v", got[0], got[9])
		}
	})
	for _, opt := range []module.ParallelOption{module.Concurrency(0), module.MaxErrors(-1)} {
		if _, err := module.Batch(t.Context(), module.Func[question, answer](nil), questions(1), opt); err == nil {
			t.Error("a bad option: no error")
		}
	}
	if _, err := module.Parallel(t.Context(), []module.Task[question, answer]{{}}); err == nil {
		t.Error("no program: no error")
	}
}
