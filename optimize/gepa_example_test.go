package optimize_test

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// The metric says in words what was wrong (needsKind), and the prompt model writes it into
// the instruction (tutor).
func ExampleGEPA() {
	ctx := context.Background()
	sorts := module.MustPredict[message, verdict]("Sort the message.", module.WithLM(lmtest.Answer(pupil)))
	data := messages(24)
	result, err := optimize.Compile(ctx, optimize.GEPA{MaxMetricCalls: 150}, sorts, data[:12], needsKind,
		optimize.Val(data[12:]), optimize.PromptModel(tutor()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f before, %.2f after\n", result.Baseline, result.Score)
	fmt.Println(result.Optimizer)
	// Output:
	// 0.00 before, 1.00 after
	// GEPA(metric calls=150, minibatch=3, selection=pareto, components=round robin, merges=5, seed=0)
}
