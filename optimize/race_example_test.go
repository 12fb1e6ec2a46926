package optimize_test

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

func ExampleRace() {
	ctx := context.Background()
	// A synthetic language model, of which is known how good a program is in truth.
	model, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: 120})
	if err != nil {
		fmt.Println(err)
		return
	}
	program := module.MustPredict[synthQuestion, synthAnswer]("", module.WithLM(model))
	// A fifth of the validation examples is kept from the search, to confirm what it finds.
	result, err := optimize.Compile(ctx, optimize.Race{MaxRuns: 400}, program, synthItems(model, 0, 100),
		metric.Exact, optimize.Val(synthItems(model, 200, 300)), optimize.PromptModel(model))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("confirmed:", result.Confirmed)
	fmt.Println("calls that scored candidates:", result.Searching.Calls.Requested)
	// Output:
	// confirmed: true
	// calls that scored candidates: 400
}
