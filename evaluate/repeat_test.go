package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

type ask struct{ Q string }

type reply struct{ A string }

// asker calls the context's model itself, as a predictor would.
type asker struct{ model lm.LM }

func (a asker) Run(ctx context.Context, in ask) (reply, error) {
	r, err := lm.Wrapped(ctx, a.model).Generate(ctx, &lm.Request{Prompt: in.Q, Seed: lm.Seed(7)})
	if err != nil {
		return reply{}, err
	}
	return reply{r.Text}, nil
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		calls.Add(1)
		if *r.Seed != 7 {
			t.Errorf("seed %d", *r.Seed)
		}
		round := r.Rollout >> 20
		switch {
		case r.Prompt == "always":
			return &lm.Response{Text: "yes", Fingerprint: "fp1"}, nil
		case r.Prompt == "error" && round == 2:
			return nil, errors.New("broken")
		case r.Prompt == "changes" && round == 3:
			return &lm.Response{Text: "other", Fingerprint: "fp2"}, nil
		}
		return &lm.Response{Text: r.Prompt, Fingerprint: "fp1"}, nil
	})
	data := []module.Example[ask, reply]{{In: ask{"always"}}, {In: ask{"changes"}}, {In: ask{"error"}}}
	r, err := evaluate.Repeat(t.Context(), asker{model}, data, 4, evaluate.Concurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 12 || r.Failed != 1 {
		t.Errorf("%d calls, %d failed", calls.Load(), r.Failed)
	}
	if math.Abs(r.Agreement-1.0/3) > 1e-9 || math.Abs(r.Pairs-(1+0.5+0.5)/3) > 1e-9 {
		t.Errorf("agreement %v, pairs %v", r.Agreement, r.Pairs)
	}
	if fmt.Sprint(r.Fingerprints) != "[fp1 fp2]" {
		t.Errorf("fingerprints %v", r.Fingerprints)
	}
	if want := "3 rows, 4 times each: all answers are equal for 33.3 % of the rows; two answers are equal in 66.7 % of the cases; 1 answers are errors; the fingerprint changed: fp1, fp2"; r.String() != want {
		t.Errorf("got %s", r)
	}
	if _, err := evaluate.Repeat(t.Context(), asker{model}, data, 1); err == nil {
		t.Error("once is no repetition")
	}
}

// A budget that is spent stops the evaluation; what has run is in the report.
func TestBudgetStops(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		if calls.Add(1) > 3 {
			return nil, &lm.Error{Kind: lm.ErrBudget, Message: "3 calls are spent"}
		}
		return &lm.Response{Text: r.Prompt}, nil
	})
	data := make([]module.Example[ask, reply], 10)
	r, err := evaluate.Run(t.Context(), asker{model}, data, metric.Exact, evaluate.Concurrency(1))
	if !errors.Is(err, lm.ErrBudget) || r == nil || r.Ran() != 3 || r.Failed != 0 || calls.Load() != 4 {
		t.Errorf("%v; %d calls; %+v", err, calls.Load(), r)
	}
}
