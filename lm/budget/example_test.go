package budget_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
	"github.com/whetgo/whet/lm/lmtest"
)

// In a context, a budget is put before every model that is called below, here for one
// request of a user.
func ExampleBudget_Wrap() {
	b := budget.New(budget.Limits{Calls: 2})
	ctx := lm.Wrap(context.Background(), b.Wrap)
	for _, model := range []lm.LM{lmtest.Script("one"), lmtest.Script("two"), lmtest.Script("three")} {
		// What a predictor does with its model:
		resp, err := lm.Wrapped(ctx, model).Generate(ctx, &lm.Request{Prompt: "Next, please!"})
		if errors.Is(err, lm.ErrBudget) {
			fmt.Println(err)
			break
		}
		fmt.Println(resp.Text)
	}
	fmt.Println(b.Spent().Calls, "calls")
	// Output:
	// one
	// two
	// lm/budget: budget spent: the limit of 2 calls is reached: 2 calls are spent (2 calls, 10 tokens, $0.00 in all); raise the limit, or put a store before the budget
	// 2 calls
}

// With an estimate that no call passes, the limit is passed by less than one call.
func ExampleEstimate() {
	b := budget.New(budget.Limits{Tokens: 100_000}, budget.Estimate(func(r *lm.Request) (int, lm.Money) {
		return len(r.Prompt) + r.MaxTokens, 0
	}))
	model := b.Wrap(lmtest.Script("Hello!"))
	resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Greet me.", MaxTokens: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text)
	// Output: Hello!
}

// An error says which limit is reached and what was spent.
func ExampleError() {
	model := budget.New(budget.Limits{Tokens: 4}).Wrap(lmtest.Script("Hello there!", "Hello again!"))
	for range 2 {
		_, err := model.Generate(context.Background(), &lm.Request{Prompt: "Greet me."})
		var e *budget.Error
		if errors.As(err, &e) {
			fmt.Println(e.Limit, e.Charged.Tokens, "of", e.Limits.Tokens)
		}
	}
	// Output: tokens 5 of 4
}
