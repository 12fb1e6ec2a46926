package optimize_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// attentiveModel stands for a language model that knows what is free to be spam where its
// instruction tells it to look for offers.
func attentiveModel() lm.LM {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[len(r.Messages)-1].Text()
		label := "ham"
		if strings.Contains(r.Messages[0].Text(), "offers") && strings.Contains(text, "Free") {
			label = "spam"
		}
		return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]", nil
	})
}

// wordyModel stands for one that writes instructions.
func wordyModel() lm.LM {
	phrases := []string{"Say ham or spam.", "Read the message twice.", "Look for offers before you say ham."}
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		return "[[ ## proposed_instruction ## ]]\n" + phrases[r.Rollout%len(phrases)] + "\n\n[[ ## completed ## ]]", nil
	})
}

func ExampleCOPRO() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(attentiveModel()))
	result, err := optimize.Compile(ctx, optimize.COPRO{Breadth: 4, Depth: 2}, classify, exampleData(), metric.Exact,
		optimize.PromptModel(wordyModel()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f before, %.2f after\n", result.Baseline, result.Score)
	fmt.Println(result.States[0].State.Instructions)
	fmt.Println(result.Proposing.Calls.Requested, "proposals")
	// Output:
	// accuracy 0.50 before, 1.00 after
	// Look for offers before you say ham.
	// 7 proposals
}

func ExampleOPRO() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(attentiveModel()))
	result, err := optimize.Compile(ctx, optimize.OPRO{Steps: 3, Proposals: 2}, classify, exampleData(), metric.Exact,
		optimize.PromptModel(wordyModel()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f before, %.2f after\n", result.Baseline, result.Score)
	fmt.Println(result.States[0].State.Instructions)
	// Six examples are too few to tell a gain from luck.
	fmt.Println(strings.Contains(result.Why, "no significant gain"))
	// Output:
	// accuracy 0.50 before, 1.00 after
	// Look for offers before you say ham.
	// true
}
