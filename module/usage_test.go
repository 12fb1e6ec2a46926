package module_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// TestUsageOfBrokenReplies counts what a reply that broke off has cost.
func TestUsageOfBrokenReplies(t *testing.T) {
	t.Parallel()
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "[[", Usage: lm.Usage{Calls: 1, PromptTokens: 9}}}
	})
	p := module.MustPredict[question, answer]("", module.WithLM(model))
	ctx, tr := trace.Start(t.Context())
	pred, err := module.MustEnsemble([]program{p, asks("x", nil)}, module.Voting[answer]{MaxErrors: 1}).Call(ctx, question{"?"})
	if err != nil || pred.Usage != (lm.Usage{Calls: 2, PromptTokens: 19}) || module.UsageOf(tr) != pred.Usage {
		t.Errorf("got %+v, %v; the trace has %+v", pred, err, module.UsageOf(tr))
	}
	if s := module.Steps(tr)[0]; s.Raw != "" || s.Usage.PromptTokens != 9 || !errors.Is(s.Err, lm.ErrBackend) {
		t.Errorf("the step is %+v", s)
	}
}

// TestUsageOfEmbeddings counts them in composites and in traces, once.
func TestUsageOfEmbeddings(t *testing.T) {
	t.Parallel()
	knn, err := module.NewKNN(t.Context(), []module.Example[question, answer]{{In: question{"a"}, Out: answer{"x"}}}, 1, letters{})
	if err != nil {
		t.Fatal(err)
	}
	demos, err := module.NewKNNDemos(asks("x", nil), knn)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]program{
		"KNNDemos":        demos,
		"BestOfN":         module.MustBestOfN(demos, 1, math.Inf(1), middling),
		"SelfConsistency": module.MustSelfConsistency(demos, 1, 0, module.Voting[answer]{}),
		"a function":      module.Func[question, answer](demos.Run),
	} {
		ctx, tr := trace.Start(t.Context())
		pred, err := module.Call(ctx, p, question{"?"})
		// The embedding is one call of one token, the answer one of ten.
		if want := (lm.Usage{Calls: 2, PromptTokens: 11}); err != nil || pred.Usage != want || module.UsageOf(tr) != want {
			t.Errorf("%s: %+v, %v; the trace has %+v; want %+v", name, pred, err, module.UsageOf(tr), want)
		}
	}
}

// TestBudgetsAreNotTolerated has modules that forgive errors not forgive a spent budget,
// behind which answers would grow worse and nobody would see why.
func TestBudgetsAreNotTolerated(t *testing.T) {
	t.Parallel()
	spent := fails(&lm.Error{Kind: lm.ErrBudget, Message: "spent"})
	for name, p := range map[string]program{
		"Ensemble":        module.MustEnsemble([]program{says("x"), spent, says("x")}, module.Voting[answer]{MaxErrors: 2}),
		"SelfConsistency": module.MustSelfConsistency(spent, 2, 0, module.Voting[answer]{MaxErrors: 2}),
		"MixtureOfAgents": module.MustMixtureOfAgents([]program{says("x"), spent}, module.MixtureConfig[question, answer]{MaxErrors: 1}),
		"Cascade":         module.MustCascade([]program{spent, says("x")}, module.CascadeConfig[question, answer]{Thresholds: []float64{0}, SkipErrors: true}),
	} {
		var me *module.MemberError
		if out, err := p.Run(t.Context(), question{}); !errors.Is(err, lm.ErrBudget) || !errors.As(err, &me) {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}

// graded answers a number, a choice and a text.
type graded struct {
	Grade int
	Label string `enum:"good,bad"`
	Why   string
}

// TestMixtureDropsWhatTheAnswerContradicts keeps proposers that agree with the answer but
// for texts, and of one that does not nothing that bootstrapping could make a demo of.
func TestMixtureDropsWhatTheAnswerContradicts(t *testing.T) {
	t.Parallel()
	proposer := func(grade, label, why string) module.Program[question, graded] {
		return module.MustPredict[question, graded]("", module.WithLM(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			return &lm.Response{Text: reply("grade", grade, "label", label, "why", why), Usage: lm.Usage{Calls: 1}}, nil
		})))
	}
	final := module.Func[module.Referenced[question, graded], graded](func(_ context.Context, in module.Referenced[question, graded]) (graded, error) {
		if len(in.Answers) != 3 {
			return graded{}, errors.New("an answer is missing")
		}
		return graded{1, "good", "all told"}, nil
	})
	m := module.MustMixtureOfAgents([]module.Program[question, graded]{proposer("1", "good", "so"), proposer("2", "good", "so"), proposer("1", "bad", "so")},
		module.MixtureConfig[question, graded]{Final: final})
	ctx, tr := trace.Start(t.Context())
	pred, err := m.Call(ctx, question{})
	if err != nil || pred.Usage.Calls != 3 {
		t.Fatalf("%+v, %v", pred, err)
	}
	for i, s := range module.Steps(tr) {
		if s.Dropped != (i > 0) {
			t.Errorf("the step of proposers[%d]: dropped %v", i, s.Dropped)
		}
	}
}

// TestMixtureKeepsWhatWasPaid has the last aggregator fail.
func TestMixtureKeepsWhatWasPaid(t *testing.T) {
	t.Parallel()
	final := module.Func[module.Referenced[question, answer], answer](func(context.Context, module.Referenced[question, answer]) (answer, error) {
		return answer{}, errCrash
	})
	ctx, tr := trace.Start(t.Context())
	m := module.MustMixtureOfAgents([]program{asks("x", nil), asks("y", nil)}, module.MixtureConfig[question, answer]{Final: final})
	if _, err := m.Run(ctx, question{}); !errors.Is(err, errCrash) || module.UsageOf(tr).Calls != 2 {
		t.Errorf("%v; the trace has %d calls, want 2", err, module.UsageOf(tr).Calls)
	}
}

// derived embeds a module, and has a Run of its own.
type derived struct {
	*module.Predict[question, answer]
}

func (d *derived) Run(ctx context.Context, q question) (answer, error) {
	out, err := d.Predict.Run(ctx, q)
	out.A = strings.ToUpper(out.A)
	return out, err
}

// TestCallOfDerived runs what a type that embeds a module runs, and not the module.
func TestCallOfDerived(t *testing.T) {
	t.Parallel()
	d := &derived{asks("x", nil)}
	pred, err := module.Call(t.Context(), d, question{})
	if err != nil || pred.Out.A != "X" || pred.Usage.Calls != 1 || pred.Raw != reply("a", "x") {
		t.Errorf("Call: %+v, %v", pred, err)
	}
	if out, err := module.MustEnsemble([]program{d}, module.Voting[answer]{}).Run(t.Context(), question{}); err != nil || out.A != "X" {
		t.Errorf("Ensemble: %v, %v", out, err)
	}
}

// absent returns neither a prediction nor an error.
type absent struct{}

func (absent) Run(context.Context, question) (answer, error) { return answer{}, nil }
func (absent) Call(context.Context, question) (*module.Prediction[answer], error) {
	return nil, nil
}

func TestCallOfNothing(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]program{
		"alone":   absent{},
		"BestOfN": module.MustBestOfN[question, answer](absent{}, 1, 1, middling),
	} {
		if pred, err := module.Call(t.Context(), p, question{}); err == nil || !strings.Contains(err.Error(), "neither a prediction nor an error") {
			t.Errorf("%s: %+v, %v", name, pred, err)
		}
	}
}

// TestOptionsAreNotIgnored refuses what would mean nothing.
func TestOptionsAreNotIgnored(t *testing.T) {
	t.Parallel()
	final := module.Func[module.Referenced[question, answer], answer](nil)
	type config = module.MixtureConfig[question, answer]
	for want, c := range map[string]config{
		"Width is 3":                 {Width: 3},
		"Temperature is for":         {Temperature: 0.5},
		"Instructions and Options":   {Final: final, Instructions: "Answer."},
		"Instructions and Options a": {Final: final, Options: []module.Option{module.Seed(1)}},
	} {
		if _, err := module.NewMixtureOfAgents(saying("x"), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	for _, c := range []config{
		{Layers: 2, Width: 3, Temperature: 0.5, Final: final, Instructions: "Answer."},
		{Rollouts: 2, Temperature: 0.5, Final: final},
		{Temperature: 0.5, Between: [][]module.Program[module.Referenced[question, answer], answer]{{final}}},
	} {
		if _, err := module.NewMixtureOfAgents(saying("x"), c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := module.NewBestOfN(says("x"), 1, 1, middling, module.FeedbackOptions(module.Seed(1))); err == nil || !strings.Contains(err.Error(), "FeedbackOptions") {
		t.Errorf("BestOfN: %v", err)
	}
	_, batch := module.Batch(t.Context(), says("x"), questions(1), nil)
	_, bestOfN := module.NewBestOfN(says("x"), 1, 1, middling, nil)
	_, predict := module.NewPredict[question, answer]("", nil)
	for _, err := range []error{batch, bestOfN, predict} {
		if err == nil || !strings.Contains(err.Error(), "an option is nil") {
			t.Errorf("a nil option: %v", err)
		}
	}
}
