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

// exampleModel stands for a language model: it knows that a message is spam when
// a demo says so of a message that begins alike.
func exampleModel() lm.LM {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		answer := "ham"
		last := len(r.Messages) - 1
		_, text, _ := strings.Cut(r.Messages[last].Text(), "[[ ## text ## ]]\n")
		word, _, _ := strings.Cut(text, " ")
		for i, m := range r.Messages[:last] {
			if m.Role == lm.RoleUser && strings.Contains(m.Text(), word) && strings.Contains(r.Messages[i+1].Text(), "spam") {
				answer = "spam"
			}
		}
		return "[[ ## label ## ]]\n" + answer + "\n\n[[ ## completed ## ]]", nil
	})
}

func exampleData() []example {
	return []example{
		{In: message{"Free entry in the draw"}, Out: verdict{"spam"}},
		{In: message{"Lunch at noon?"}, Out: verdict{"ham"}},
		{In: message{"Free tickets, reply now"}, Out: verdict{"spam"}},
		{In: message{"Lunch tomorrow?"}, Out: verdict{"ham"}},
		{In: message{"Free minutes for you"}, Out: verdict{"spam"}},
		{In: message{"Running late, sorry"}, Out: verdict{"ham"}},
	}
}

func ExampleCompile() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(exampleModel()))
	result, err := optimize.Compile(ctx, optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 4},
		classify, exampleData(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f before, %.2f after, %d trials\n", result.Baseline, result.Score, len(result.Trials))
	if err := result.Apply(classify); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := classify.Run(ctx, message{"Free holidays!"})
	fmt.Println(answer.Label, err)
	// Output:
	// accuracy 0.50 before, 1.00 after, 7 trials
	// spam <nil>
}

func ExampleLabeledFewShot() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(exampleModel()))
	result, err := optimize.Compile(ctx, optimize.LabeledFewShot{K: 3}, classify, exampleData(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range result.States[0].State.Demos {
		text, _ := d.Fields.Get("text")
		label, _ := d.Fields.Get("label")
		fmt.Printf("%s: %s\n", label, text)
	}
	// Output:
	// ham: Lunch tomorrow?
	// ham: Running late, sorry
	// spam: Free entry in the draw
}

func ExampleCalibrate() {
	ctx := context.Background()
	// This model says "spam" whatever the message, if not always with the same
	// conviction.
	model := biased(0.5)
	classify := module.MustPredict[message, verdict]("Is the message ham, spam or smishing?", module.WithLM(model))
	macroF1 := metric.MacroF1(func(v verdict) label { return v.Label })
	result, err := optimize.Compile(ctx, optimize.Calibrate{}, classify, rare(0, 100), metric.Exact, optimize.By(macroF1))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("macro F1 %.2f before, %.2f after\n", result.Baseline, result.Score)
	fmt.Printf("%d of %d calls paid\n", result.Calls.Paid, result.Calls.Requested)
	fmt.Println("spam is held back:", result.States[0].State.Biases["label"]["spam"] < -4)
	// Output:
	// macro F1 0.06 before, 1.00 after
	// 100 of 200 calls paid
	// spam is held back: true
}

func ExampleNewStore() {
	ctx := context.Background()
	store := optimize.NewStore()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(store.Wrap(exampleModel())))
	// The second search asks nothing that the first one did not.
	for range 2 {
		if _, err := optimize.Compile(ctx, optimize.RandomSearch{MaxLabeled: 4, Candidates: 4}, classify, exampleData(), metric.Exact); err != nil {
			fmt.Println(err)
			return
		}
		calls := store.Calls()
		fmt.Printf("%d calls, of which %d are paid\n", calls.Requested, calls.Paid)
	}
	// Output:
	// 54 calls, of which 54 are paid
	// 108 calls, of which 54 are paid
}
