package module_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

func ExampleNewBestOfN() {
	model := lmtest.Script(
		"[[ ## folder ## ]]\njunk\n\n[[ ## completed ## ]]",
		"[[ ## folder ## ]]\nfamily\n\n[[ ## completed ## ]]",
	)
	sort := module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model))
	reward := func(_ context.Context, _ Mail, got *module.Prediction[Folder]) (float64, error) {
		if got.Out.Folder == "junk" {
			return 0, nil // no one likes to lose a mail
		}
		return 1, nil
	}
	careful, err := module.NewBestOfN(sort, 3, 1, reward)
	if err != nil {
		fmt.Println(err)
		return
	}
	pred, err := careful.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder, "after", pred.Usage.Calls, "calls")
	// Output: family after 2 calls
}

func ExampleNewRefine() {
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		switch text := r.Messages[len(r.Messages)-1].Text(); {
		case strings.Contains(text, "reward_rule"):
			return "[[ ## discussion ## ]]\nA question of mum's is no junk.\n\n[[ ## advice ## ]]\n{\"self\": \"mind who writes\"}", nil
		case strings.Contains(text, "mind who writes"):
			return "[[ ## folder ## ]]\nfamily", nil
		}
		return "[[ ## folder ## ]]\njunk", nil
	})
	sort := module.MustPredict[Mail, Folder]("Sort the mail.")
	reward := func(_ context.Context, _ Mail, got *module.Prediction[Folder]) (float64, error) {
		if got.Out.Folder == "junk" {
			return 0, nil
		}
		return 1, nil
	}
	better, err := module.NewRefine(sort, 2, 1, reward, module.Description{
		Program: "It sorts a mail into a folder.",
		Reward:  "Mail of the family must not end as junk.",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := better.Run(lm.With(context.Background(), model), Mail{Text: "Dinner on Sunday?"})
	fmt.Println(out.Folder, err)
	// Output: family <nil>
}

func ExampleBatch() {
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(r.Messages[1].Text(), "Dinner") {
			return "[[ ## folder ## ]]\nfamily", nil
		}
		return "[[ ## folder ## ]]\nwork", nil
	})
	sort := module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model))
	results, err := module.Batch(context.Background(), sort, []Mail{{"Dinner?"}, {"Minutes"}, {"Agenda"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Println(r.Prediction.Out.Folder, r.Err)
	}
	// Output:
	// family <nil>
	// work <nil>
	// work <nil>
}

func ExampleMajority() {
	answers := []*module.Prediction[Folder]{{Out: Folder{"junk"}}, {Out: Folder{"work"}}, {Out: Folder{"work"}}}
	most, err := module.Majority(answers, "folder")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(most.Out.Folder)
	// Output: work
}

func ExampleNewMultiChainComparison() {
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(r.Messages[1].Text(), "reasoning_attempt_2") {
			return "[[ ## rationale ## ]]\nMum does not sell.\n\n[[ ## folder ## ]]\nfamily", nil
		}
		return fmt.Sprintf("[[ ## reasoning ## ]]\nThought %d.\n\n[[ ## folder ## ]]\njunk", r.Rollout), nil
	})
	cot := module.MustChainOfThought[Mail, Folder]("Sort the mail.", module.WithLM(model))
	compare, err := module.NewMultiChainComparison(cot, 2, "Sort the mail.", module.WithLM(model))
	if err != nil {
		fmt.Println(err)
		return
	}
	pred, err := compare.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder+":", pred.Reasoning)
	// Output: family: Mum does not sell.
}
