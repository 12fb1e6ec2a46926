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

func ExampleSIMBA() {
	ctx := context.Background()
	// This model sees what is spam when its instructions speak of offers, and by luck on
	// every second try.
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		label := "ham"
		told := strings.Contains(r.Messages[0].Text(), "offers")
		if strings.Contains(r.Messages[len(r.Messages)-1].Text(), "Free") && (told || r.Rollout%2 == 1) {
			label = "spam"
		}
		return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]", nil
	})
	// And this one compares a good and a bad run.
	coach := lmtest.Answer(func(*lm.Request) (string, error) {
		return "[[ ## comparison ## ]]\nOnly one took the offer for what it is.\n\n" +
			"[[ ## proposed_instruction ## ]]\nTake offers of something free for spam.\n\n[[ ## completed ## ]]", nil
	})
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(model))
	result, err := optimize.Compile(ctx, optimize.SIMBA{BatchSize: 6, Candidates: 2, Steps: 1, MaxDemos: optimize.None},
		classify, exampleData(), metric.Exact, optimize.PromptModel(coach))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f before, %.2f after\n", result.Baseline, result.Score)
	fmt.Println(result.States[0].State.Instructions)
	// Output:
	// accuracy 0.50 before, 1.00 after
	// Is the message ham or spam?
	//
	// Take offers of something free for spam.
}

// firstWords embeds a message by its first word.
type firstWords struct{}

func (firstWords) Embed(_ context.Context, texts []string) (*lm.Embeddings, error) {
	out := &lm.Embeddings{Usage: lm.Usage{Calls: 1}}
	for _, text := range texts {
		v := []float32{0, 0, 0.1}
		switch {
		case strings.Contains(text, "Free"):
			v[0] = 1
		case strings.Contains(text, "Lunch"):
			v[1] = 1
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

func ExampleNewKNNFewShot() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(exampleModel()))
	p, err := optimize.NewKNNFewShot(ctx, classify, exampleData(), metric.Exact, 3, firstWords{}, optimize.BootstrapFewShot{})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := p.Call(ctx, message{"Free holidays!"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// One embedding, three runs of the teacher, and the answer.
	fmt.Println(answer.Out.Label, answer.Usage.Calls)
	// Output: spam 5
}

func ExampleSelectEnsemble() {
	ctx := context.Background()
	// Each of these instructions has messages of its own that it gets wrong.
	wrong := map[string]string{"start": "Free", "middle": "Lunch", "end": "Running"}
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[len(r.Messages)-1].Text()
		right, other := "ham", "spam"
		if strings.Contains(text, "Free") {
			right, other = other, right
		}
		label := "ham"
		for word, message := range wrong {
			if strings.Contains(r.Messages[0].Text(), word) {
				if label = right; strings.Contains(text, message) {
					label = other
				}
			}
		}
		return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]", nil
	})
	phrases := []string{"Read the start.", "Read the middle.", "Read to the end."}
	writer := lmtest.Answer(func(r *lm.Request) (string, error) {
		return "[[ ## proposed_instruction ## ]]\n" + phrases[r.Rollout%3] + "\n\n[[ ## completed ## ]]", nil
	})
	build := func() module.Program[message, verdict] {
		return module.MustPredict[message, verdict]("Ham?", module.WithLM(model))
	}
	program := build()
	result, err := optimize.Compile(ctx, optimize.COPRO{Breadth: 4, Depth: 1}, program, exampleData(), metric.Exact,
		optimize.PromptModel(writer))
	if err != nil {
		fmt.Println(err)
		return
	}
	// Six examples are too few for cross-validation.
	choice, err := optimize.SelectEnsemble(ctx, optimize.Ensemble[verdict]{Folds: optimize.None}, program, result, exampleData(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("the best alone %.2f, the vote of %d %.2f\n", choice.SingleScore, len(choice.Members), choice.Score)
	ensemble, err := optimize.EnsembleOf(build, result, choice.Members, module.Voting[verdict]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := ensemble.Run(ctx, message{"Running late, sorry"})
	fmt.Println(answer.Label, err)
	// Output:
	// the best alone 0.83, the vote of 3 1.00
	// ham <nil>
}
