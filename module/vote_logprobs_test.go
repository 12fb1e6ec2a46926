package module_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

type sorted struct {
	Label string `enum:"ham,spam,smishing"`
	Why   string
}

// scores is a program whose model has these probabilities for the three labels.
func scores(why string, probs ...float64) module.Program[sms, sorted] {
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		c := lm.Choice{Name: "label"}
		for i, text := range []string{"ham", "spam", "smishing"} {
			c.Options = append(c.Options, lm.Option{Text: text, Prob: probs[i], LogProb: math.Log(probs[i])})
			if probs[i] > probs[c.Picked] {
				c.Picked = i
			}
		}
		return &lm.Response{Text: reply("label", c.Options[c.Picked].Text, "why", why), Choices: []lm.Choice{c}, Usage: lm.Usage{Calls: 1}}, nil
	})
	return module.MustPredict[sms, sorted]("", module.WithLM(model), module.WithAdapter(adapter.Chat{}))
}

func TestEnsembleOfLogProbs(t *testing.T) {
	t.Parallel()
	// Two of three pick ham, but not by much; the third is sure of spam.
	programs := []module.Program[sms, sorted]{scores("0", 0.5, 0.4, 0.1), scores("1", 0.5, 0.4, 0.1), scores("2", 0.01, 0.98, 0.01)}
	e := module.MustEnsemble(programs, module.Voting[sorted]{LogProbs: "label"})
	ctx, tr := trace.Start(context.Background())
	pred, err := e.Call(ctx, sms{"?"})
	if err != nil || pred.Out != (sorted{"spam", "2"}) || pred.Chosen != 2 || pred.Usage.Calls != 3 {
		t.Fatalf("%+v %v", pred, err)
	}
	want := 0.4 * 0.4 * 0.98 / (0.5*0.5*0.01 + 0.4*0.4*0.98 + 0.1*0.1*0.01)
	if p, ok := pred.Confidence("label"); !ok || math.Abs(p-want) > 1e-12 || math.Abs(pred.Votes.Share()-want) > 1e-12 {
		t.Errorf("confidence %v, share %v, want %v", p, pred.Votes.Share(), want)
	}
	for i, s := range module.Steps(tr) {
		if s.Dropped != (i < 2) {
			t.Errorf("step %d: dropped %v", i, s.Dropped)
		}
	}
	if original := module.Steps(tr)[2].Prediction.Choices[0].Options[1].Prob; original != 0.98 {
		t.Errorf("the member's own choice was changed to %v", original)
	}
	// Weights are factors.
	e = module.MustEnsemble(programs, module.Voting[sorted]{LogProbs: "label", Weights: []float64{1, 1, 0}})
	if pred, err = e.Call(ctx, sms{"?"}); err != nil || pred.Out != (sorted{"ham", "0"}) || pred.Chosen != 0 {
		t.Errorf("%+v %v", pred, err)
	}
}

// A choice that nobody picks may win.
func TestEnsembleOfLogProbsCompromises(t *testing.T) {
	t.Parallel()
	programs := []module.Program[sms, sorted]{scores("0", 0.56, 0.4, 0.04), scores("1", 0.02, 0.45, 0.53)}
	e := module.MustEnsemble(programs, module.Voting[sorted]{LogProbs: "label"})
	ctx, tr := trace.Start(context.Background())
	pred, err := e.Call(ctx, sms{"?"})
	if err != nil || pred.Out != (sorted{"spam", "1"}) || pred.Chosen != 1 || len(pred.Votes.Counts[0].Members) != 0 {
		t.Errorf("%+v %v", pred, err)
	}
	// Neither said what the answer is, so that bootstrapping must make no demo of them.
	if steps := module.Steps(tr); !steps[0].Dropped || !steps[1].Dropped {
		t.Error("calls with other choices than the answer are kept")
	}
}

func TestEnsembleOfLogProbsErrors(t *testing.T) {
	t.Parallel()
	silent := module.Func[sms, sorted](func(context.Context, sms) (sorted, error) { return sorted{Label: "ham"}, nil })
	programs := []module.Program[sms, sorted]{scores("0", 0.5, 0.4, 0.1), silent}
	_, err := module.MustEnsemble(programs, module.Voting[sorted]{LogProbs: "label"}).Run(context.Background(), sms{})
	if err == nil || !strings.Contains(err.Error(), "programs[1]: it has no log-probabilities") {
		t.Errorf("%v", err)
	}
	for _, v := range []module.Voting[sorted]{
		{LogProbs: "label", EarlyExit: true},
		{LogProbs: "why"},
		{LogProbs: "label", Accuracies: []float64{0.5, 0.5}, Classes: 3},
		{LogProbs: "label", Key: func(sorted) string { return "" }},
	} {
		if _, err := module.NewEnsemble(programs, v); err == nil {
			t.Errorf("%+v is taken", v)
		}
	}
	if err := module.MustEnsemble(programs, module.Voting[sorted]{LogProbs: "label"}).SetAccuracies([]float64{0.5, 0.5}); err == nil {
		t.Error("accuracies of members that have no votes")
	}
}

// A bool and an absent value are choices, too.
func TestEnsembleOfLogProbsOfOtherTypes(t *testing.T) {
	t.Parallel()
	type out struct {
		Sure bool
	}
	member := func(probs ...float64) module.Program[sms, out] {
		model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			c := lm.Choice{Name: "sure"}
			for i, text := range []string{"True", "False"} {
				c.Options = append(c.Options, lm.Option{Text: text, Prob: probs[i]})
			}
			if probs[1] > probs[0] {
				c.Picked = 1
			}
			return &lm.Response{Text: reply("sure", c.Options[c.Picked].Text), Choices: []lm.Choice{c}}, nil
		})
		return module.MustPredict[sms, out]("", module.WithLM(model))
	}
	e := module.MustEnsemble([]module.Program[sms, out]{member(0.4, 0.6), member(0.4, 0.6), member(0.9, 0.1)}, module.Voting[out]{LogProbs: "sure"})
	if got, err := e.Run(context.Background(), sms{}); err != nil || !got.Sure {
		t.Errorf("%v %v", got, err)
	}
	if e.Classes() != 2 {
		t.Errorf("%d classes", e.Classes())
	}
}
