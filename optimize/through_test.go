package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

func ExampleThrough() {
	ctx := context.Background()
	store := cache.Memory() // cache.Open for one that lasts
	search := func() (*optimize.Result, error) {
		classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(exampleModel()))
		return optimize.Compile(ctx, optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 4},
			classify, exampleData(), metric.Exact, optimize.Through(store.Wrap))
	}
	for range 2 {
		result, err := search()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.2f; %d calls wanted, %d paid\n", result.Score, result.Calls.Requested, result.Calls.Paid)
	}
	// Output:
	// 1.00; 50 calls wanted, 49 paid
	// 1.00; 50 calls wanted, 0 paid
}

func throughSearch(t *testing.T, wares ...lm.Middleware) (*optimize.Result, *lmtest.Scripted, error) {
	t.Helper()
	model := lmtest.Answer(func(r *lm.Request) (string, error) { return exampleModelText(r) })
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(model))
	result, err := optimize.Compile(t.Context(), optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 4},
		classify, exampleData(), metric.Exact, optimize.Through(wares...), optimize.Concurrency(1))
	return result, model, err
}

func exampleModelText(r *lm.Request) (string, error) {
	resp, err := exampleModel().Generate(context.Background(), r)
	if err != nil {
		return "", err
	}
	return resp.Text, nil
}

// The first of the middleware sees a request first, and a request that the search has
// asked before reaches none of them.
func TestThrough(t *testing.T) {
	t.Parallel()
	plain, model, err := throughSearch(t)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	mark := func(name string) lm.Middleware {
		return func(m lm.LM) lm.LM {
			return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
				order = append(order, name)
				return m.Generate(ctx, r)
			})
		}
	}
	marked, asked, err := throughSearch(t, mark("first"), mark("second"))
	if err != nil || marked.Score != plain.Score || len(order) < 2 || order[0] != "first" || order[1] != "second" {
		t.Errorf("%v: %v", err, order)
	}
	if asked.Calls() < model.Calls() {
		t.Errorf("%d calls, and %d without middleware", asked.Calls(), model.Calls())
	}
	limit := budget.New(budget.Limits{Calls: 1000})
	within, asked, err := throughSearch(t, limit.Wrap)
	if err != nil || asked.Calls() != model.Calls() || within.Score != plain.Score || limit.Spent().Calls != model.Calls() {
		t.Errorf("%v; %d calls, and %d without a budget", err, asked.Calls(), model.Calls())
	}
}

// A budget that is spent ends the search with the best so far.
func TestThroughBudget(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{1, 7, 20} {
		result, model, err := throughSearch(t, budget.New(budget.Limits{Calls: calls}).Wrap)
		if !errors.Is(err, lm.ErrBudget) || result == nil || model.Calls() != calls {
			t.Errorf("%d calls allowed, %d made: %v", calls, model.Calls(), err)
		}
	}
}
