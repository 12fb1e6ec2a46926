package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/price"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// counted is a model that counts ten tokens to a message, and three to a reply.
type counted struct {
	*lmtest.Scripted
	name string
}

func (c counted) Name() string { return c.name }

func (c counted) CountTokens(_ context.Context, r *lm.Request) (int, error) {
	return 10 * len(r.Messages), nil
}

func (c counted) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	resp, err := c.Scripted.Generate(ctx, r)
	if err == nil {
		resp.Usage = lm.Usage{Calls: 1, PromptTokens: 10 * len(r.Messages), CompletionTokens: 3}
	}
	return resp, err
}

// needsDemos answers as golden does, and nothing that can be read without demos: so a candidate
// with demos wins, and there is something to confirm.
func needsDemos(r *lm.Request) (string, error) {
	if len(r.Messages) < 4 {
		return "no idea", nil
	}
	return golden(r)
}

const miniModel = "openai:gpt-4o-mini"

// TestDryRunTellsWhatCompileAsks compares the estimate with the search itself.
func TestDryRunTellsWhatCompileAsks(t *testing.T) {
	t.Parallel()
	train, val, fresh := messages(20), messages(50)[20:35], messages(90)[35:]
	for _, tt := range []struct {
		name string
		opt  optimize.Optimizer
		opts []optimize.Option
	}{
		{"labeled demos, not scored", optimize.LabeledFewShot{K: 4}, nil},
		{"labeled demos", optimize.LabeledFewShot{K: 4}, []optimize.Option{optimize.Val(val)}},
		{"random search without bootstrapping", optimize.RandomSearch{MaxBootstrapped: optimize.None, MaxLabeled: 4, Candidates: 3}, nil},
		{"random search, confirmed", optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 3}, []optimize.Option{optimize.Val(val), optimize.Confirm(fresh)}},
		{"bootstrapped demos", optimize.BootstrapFewShot{MaxBootstrapped: 3, MaxLabeled: 6}, []optimize.Option{optimize.Val(val)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := counted{lmtest.Answer(needsDemos), miniModel}
			p := newClassifier(model)
			e, err := optimize.DryRun(t.Context(), tt.opt, p, train, metric.Exact, tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if n := model.Calls(); n != 0 {
				t.Fatalf("the dry run made %d calls", n)
			}
			r, err := optimize.Compile(t.Context(), tt.opt, p, train, metric.Exact, tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			spent := map[string]optimize.Spent{"bootstrapping": r.Bootstrapping, "searching": r.Searching, "confirming": r.Confirming}
			for _, phase := range e.Phases {
				calls := spent[phase.Name].Calls.Requested
				if phase.Name == "bootstrapping" {
					// Three answers of four are accepted, and not every second one.
					if calls == 0 || calls > phase.Calls {
						t.Errorf("%d calls to bootstrap, the estimate is %d", calls, phase.Calls)
					}
				} else if calls != phase.Calls {
					t.Errorf("%d calls of %s, the estimate is %d", calls, phase.Name, phase.Calls)
				}
				delete(spent, phase.Name)
			}
			for name, s := range spent {
				if s.Calls.Requested != 0 {
					t.Errorf("%d calls of %s, which the estimate does not have", s.Calls.Requested, name)
				}
			}
			if r.Searching.Calls.Requested == r.Searching.Calls.Paid {
				for _, phase := range e.Phases {
					if in := r.Searching.Usage.PromptTokens; phase.Name == "searching" && (in < phase.PromptTokens.Low || in > phase.PromptTokens.High) {
						t.Errorf("%d tokens of prompts, the estimate is %v", in, phase.PromptTokens)
					}
				}
			}
			if e.Optimizer != tt.opt.String() || !strings.HasPrefix(e.String(), e.Optimizer+"\n") {
				t.Errorf("the estimate is of %q", e.Optimizer)
			}
		})
	}
}

// TestDryRunOfCalibration counts the runs that fit biases, and those that look whether they help.
func TestDryRunOfCalibration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opt  optimize.Optimizer
		opts []optimize.Option
	}{
		{"alone", optimize.Calibrate{}, nil},
		{"alone, with validation examples", optimize.Calibrate{}, []optimize.Option{optimize.Val(rare(100, 30))}},
		{"as the last step", optimize.LabeledFewShot{K: 3}, []optimize.Option{optimize.Calibrated(optimize.Calibrate{}), optimize.Val(rare(100, 30))}},
		{"as the last step of a search", optimize.RandomSearch{MaxBootstrapped: optimize.None, MaxLabeled: 3, Candidates: 1}, []optimize.Option{optimize.Calibrated(optimize.Calibrate{})}},
	} {
		p := newClassifier(biased(0.5))
		e, err := optimize.DryRun(t.Context(), tt.opt, p, rare(0, 60), metric.Exact, append(tt.opts, macroF1())...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := optimize.Compile(t.Context(), tt.opt, p, rare(0, 60), metric.Exact, append(tt.opts, macroF1())...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Calls.Requested != e.Total.Calls {
			t.Errorf("%s: %d calls, the estimate is %d", tt.name, r.Calls.Requested, e.Total.Calls)
		}
	}
}

// TestDryRunPrices works the price out by hand.
func TestDryRunPrices(t *testing.T) {
	t.Parallel()
	model := counted{lmtest.Script(), miniModel}
	e, err := optimize.DryRun(t.Context(), optimize.LabeledFewShot{K: 8}, newClassifier(model), messages(20), metric.Exact, optimize.Val(messages(120)[20:]))
	if err != nil {
		t.Fatal(err)
	}
	cost := func(prompt int) lm.Money {
		c, ok := price.Default().Cost("openai", "gpt-4o-mini", lm.Usage{Calls: 1, PromptTokens: prompt, CompletionTokens: 3}, price.Default().AsOf())
		if !ok {
			t.Fatal("there is no price")
		}
		return 200 * c
	}
	// Two messages without demos, and 16 more with eight; 100 rows, before and after.
	want := optimize.PhaseEstimate{
		Name: "searching", Runs: 200, Calls: 200, TokensKnown: true, CostKnown: true,
		PromptTokens: optimize.Range{Low: 200 * 20, High: 200 * 180}, Cost: optimize.MoneyRange{Low: cost(20), High: cost(180)},
	}
	got := e.Phases[0]
	if got.ReplyTokens < 400 || got.ReplyTokens > 900 {
		t.Errorf("%d tokens of replies", got.ReplyTokens)
	}
	got.ReplyTokens = 0
	if len(e.Phases) != 1 || got != want {
		t.Errorf("got %+v\nwant %+v", e.Phases, want)
	}
	if model.Calls() != 0 {
		t.Error("the model was asked")
	}
}

// TestDryRunSaysWhatItDoesNotKnow has two predictors, of which one asks for what no example has,
// and a model without tokenizer and price.
func TestDryRunSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(twoModel)
	e, err := optimize.DryRun(t.Context(), optimize.BootstrapFewShot{}, newTwo(module.WithLM(model)), twoExamples(12), metric.Exact, optimize.Val(twoExamples(40)[20:]))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Phases) != 2 || e.Phases[0].Runs != 8 || e.Phases[0].Calls != 16 || e.Phases[1].Runs != 40 || e.Total.Calls != 96 || e.Total.CostKnown || !e.Total.TokensKnown || model.Calls() != 0 {
		t.Errorf("got %+v", e)
	}
	if in := e.Phases[1].PromptTokens; in.Low < 40*2*50 || in.High < 2*in.Low {
		t.Errorf("the prompts take %+v tokens", in)
	}
	text := e.String()
	for _, want := range []string{"judge.predict.topic", "judge.predict.reasoning", "topic.topic", "64 tokens", "a quarter of the bytes", "no list price of scripted", "2 calls", "?"} {
		if !strings.Contains(text, want) {
			t.Errorf("the estimate does not mention %q:\n%s", want, text)
		}
	}
}

// TestDryRunOfEveryOptimizer estimates all of them as they are, and asks nothing.
func TestDryRunOfEveryOptimizer(t *testing.T) {
	t.Parallel()
	opts := []optimize.Optimizer{
		optimize.LabeledFewShot{},
		optimize.BootstrapFewShot{},
		optimize.RandomSearch{},
		optimize.Calibrate{},
		optimize.COPRO{},
		optimize.GEPA{Auto: optimize.AutoLight},
		optimize.MIPROv2{},
		optimize.OPRO{},
		optimize.Race{},
		optimize.SIMBA{},
	}
	for _, opt := range opts {
		model := counted{lmtest.Script(), miniModel}
		e, err := optimize.DryRun(t.Context(), opt, newClassifier(model), messages(60), metric.Exact, optimize.Val(messages(200)[60:]))
		if err != nil {
			t.Errorf("%s: %v", opt, err)
			continue
		}
		if e.Total.Runs < 100 || e.Total.Calls < e.Total.Runs || e.Total.Cost.High == 0 || e.Total.PromptTokens.Low == 0 || model.Calls() != 0 {
			t.Errorf("%s: %d calls were made; %+v", opt, model.Calls(), e.Total)
		}
		if (e.Total.Proposals > 0) == e.Total.CostKnown {
			t.Errorf("%s: %d proposals, whose cost cannot be known; %+v", opt, e.Total.Proposals, e.Total)
		}
	}
}

func TestDryRunErrors(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	if _, err := optimize.DryRun(t.Context(), nil, p, messages(3), metric.Exact); err == nil {
		t.Error("no optimizer: no error")
	}
	if _, err := optimize.DryRun(t.Context(), search, p, nil, metric.Exact); !errors.Is(err, evaluate.ErrNoData) {
		t.Errorf("no examples: %v", err)
	}
	if _, err := optimize.DryRun(t.Context(), search, p, messages(3), nil); err == nil {
		t.Error("no metric: no error")
	}
	if _, err := optimize.DryRun(t.Context(), optimize.Calibrate{Method: 9}, p, messages(3), metric.Exact); err == nil {
		t.Error("bad settings: no error")
	}
	if _, err := optimize.DryRun(t.Context(), search, module.MustPredict[message, verdict](""), messages(3), metric.Exact); !errors.Is(err, module.ErrNoLM) {
		t.Errorf("no model: %v", err)
	}
}

func ExampleDryRun() {
	ctx := context.Background()
	model := counted{lmtest.Answer(golden), "openai:gpt-4o-mini"} // stands for a hosted model
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(model))
	e, err := optimize.DryRun(ctx, optimize.RandomSearch{MaxLabeled: 8}, classify, messages(50), metric.Exact, optimize.Val(messages(150)[50:]))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range e.Phases {
		fmt.Printf("%s: %d calls\n", p.Name, p.Calls)
	}
	fmt.Println("at most", e.Total.PromptTokens.High, "tokens of prompts; the cost is known:", e.Total.CostKnown)
	fmt.Println("calls made:", model.Calls())
	// Output:
	// bootstrapping: 86 calls
	// searching: 1900 calls
	// at most 357480 tokens of prompts; the cost is known: true
	// calls made: 0
}
