package module_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// SecondLook asks a program twice. Where the answers differ it asks a third time, and tells
// the predictors so.
type SecondLook[In any, Out comparable] struct {
	// Program is found under the name module.
	Program module.Program[In, Out] `dspy:"module"`
}

// Run returns the answer, which makes SecondLook a program.
func (s *SecondLook[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	pred, err := s.Call(ctx, in)
	if err != nil {
		var none Out
		return none, err
	}
	return pred.Out, nil
}

// Call also says how the answer came about, which makes it a module.Caller.
func (s *SecondLook[In, Out]) Call(ctx context.Context, in In) (*module.Prediction[Out], error) {
	run, t, joinRun := trace.Branch(ctx) // t holds the calls of this run, also where ctx has no trace
	defer joinRun(true)                  // after an error, too: what was paid is not lost

	first, joinFirst, err := s.rollout(run, 0, in)
	if err != nil {
		joinFirst(false)
		return nil, fmt.Errorf("second look: the first answer: %w", err)
	}
	second, joinSecond, err := s.rollout(run, 1, in)
	same := err == nil && first == second
	joinFirst(same)   // whether the answer rests on it
	joinSecond(false) // on this one it never does
	switch {
	case err != nil:
		return nil, fmt.Errorf("second look: the second answer: %w", err)
	case same:
		return module.PredictionOf(t, first), nil
	}
	last, err := s.Program.Run(warned(run), in)
	if err != nil {
		return nil, fmt.Errorf("second look: the last answer: %w", err)
	}
	return module.PredictionOf(t, last), nil // with the usage of all three
}

// rollout asks for the n-th answer to one input and records the calls apart.
func (s *SecondLook[In, Out]) rollout(ctx context.Context, n int, in In) (Out, func(keep bool), error) {
	branch, _, join := trace.Branch(ctx)
	branch = module.WithTemperature(module.WithRollout(branch, n), 0.7)
	out, err := s.Program.Run(branch, in)
	return out, join, err
}

// warned returns a context in which every predictor has one input more.
func warned(ctx context.Context) context.Context {
	return module.Intercept(ctx, func(ctx context.Context, c module.PredictorCall, next module.PredictorFunc) (*module.Prediction[signature.Record], error) {
		c.Extra = append(slices.Clip(c.Extra), module.ExtraInput{
			Field:    signature.Field{Name: "warning", Type: &signature.Type{Kind: signature.KindString}, Desc: "what to mind"},
			Value:    "Two earlier answers differed.",
			Untraced: true, // so that no demo shows it
		})
		return next(ctx, c)
	})
}

// A composite module of one's own: its attempts are rollouts, each recorded apart, and those
// that the answer does not rest on are dropped steps of the trace.
func Example_composite() {
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		folder := []string{"work", "junk"}[r.Rollout]
		if strings.Contains(r.Messages[len(r.Messages)-1].Text(), "earlier answers differed") {
			folder = "family"
		}
		return "[[ ## folder ## ]]\n" + folder + "\n\n[[ ## completed ## ]]", nil
	})
	sort := &SecondLook[Mail, Folder]{Program: module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model))}
	ctx, t := trace.Start(context.Background())
	pred, err := module.Call(ctx, sort, Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder, "after", pred.Usage.Calls, "calls")
	for _, s := range module.Steps(t) {
		folder, _ := s.Outputs.Get("folder")
		fmt.Println(folder, "dropped:", s.Dropped)
	}
	// Output:
	// family after 3 calls
	// work dropped: true
	// junk dropped: true
	// family dropped: false
}
