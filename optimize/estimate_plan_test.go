package optimize

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// silent is an optimizer that tells nothing beforehand, planning one that does.
type (
	silent   struct{}
	planning struct {
		silent
		told plan
	}
)

func (silent) String() string                         { return "Silent()" }
func (silent) search(context.Context, *session) error { return nil }
func (p planning) plan(*session) plan                 { return p.told }

// named is a model with a name.
type named struct {
	*lmtest.Scripted
	name string
}

func (n named) Name() string { return n.name }

func dynamicData(n int) []module.Example[signature.Record, signature.Record] {
	out := make([]module.Example[signature.Record, signature.Record], n)
	for i := range out {
		out[i].In, out[i].Out = signature.RecordOf("text", strings.Repeat("word ", i+1)), signature.RecordOf("label", "ham")
	}
	return out
}

// TestDryRunOfPhases has a teacher and a prompt model of their own, whose prices are not the
// program's, and a program of records.
func TestDryRunOfPhases(t *testing.T) {
	t.Parallel()
	own, teacher, prompt := named{lmtest.Script(), "llamacpp:a.gguf"}, named{lmtest.Script(), "openai:gpt-4o"}, named{lmtest.Script(), "openai:gpt-4o"}
	p := module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(own))
	opts := []Option{Teacher(teacher), PromptModel(prompt), Confirm(dynamicData(7))}
	e, err := DryRun(t.Context(), planning{told: plan{bootstrapping: 3, proposing: 2, searching: 40}}, p, dynamicData(5), metric.Exact, opts...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var calls []int
	for _, phase := range e.Phases {
		names, calls = append(names, phase.Name), append(calls, phase.Calls)
	}
	if !slices.Equal(names, []string{"bootstrapping", "proposing", "searching", "confirming"}) || !slices.Equal(calls, []int{3, 2, 40, 14}) {
		t.Fatalf("got %v and %v", names, calls)
	}
	if p := e.Phases[0]; !p.CostKnown || p.Cost.Low == 0 {
		t.Errorf("the teacher's cost is %+v", p)
	}
	if p := e.Phases[1]; p.CostKnown || p.TokensKnown || p.Runs != 0 {
		t.Errorf("proposing: %+v, want nothing known but the calls", p)
	}
	if p := e.Phases[2]; !p.CostKnown || p.Cost != (MoneyRange{}) || p.PromptTokens.Low == 0 || p.PromptTokens.Low != p.PromptTokens.High {
		t.Errorf("a model of one's own: %+v", p)
	}
	if e.Total.CostKnown || e.Total.TokensKnown || e.Total.Cost.Low != e.Phases[0].Cost.Low || e.Total.Runs != 57 || e.Total.Calls != 59 {
		t.Errorf("the total is %+v", e.Total)
	}
	text := e.String()
	for _, want := range []string{"\nproposing", "how many demos the optimizer shows is not known", "their tokens are not counted", "+\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for _, m := range []named{own, teacher, prompt} {
		if m.Calls() != 0 {
			t.Errorf("%s was asked", m.name)
		}
	}
	// A prompt model in the process is known to cost nothing.
	e, err = DryRun(t.Context(), planning{told: plan{proposing: 2}}, p, dynamicData(5), metric.Exact)
	if err != nil || !e.Total.CostKnown || e.Total.Calls != 2 {
		t.Errorf("%v: %+v", err, e)
	}
	if _, err := DryRun(t.Context(), silent{}, p, dynamicData(5), metric.Exact); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "Silent()") {
		t.Errorf("an optimizer without a plan: %v", err)
	}
}

// TestRequestOf looks at a request without a call, whatever stands before the model.
func TestRequestOf(t *testing.T) {
	t.Parallel()
	model := named{lmtest.Script(), "a model"}
	p := module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(model), module.Retry(2), module.JSONFallback())
	asked := 0
	ctx := lm.Wrap(t.Context(), func(m lm.LM) lm.LM {
		return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			asked++
			return m.Generate(ctx, r)
		})
	})
	st := module.State{Instructions: "Say ham.", Demos: []module.Demo{{Fields: signature.RecordOf("text", "a", "label", "b")}}}
	r, _, err := requestOf(ctx, p.Predictor(), st, signature.RecordOf("text", "hello"))
	if err != nil || asked != 0 || model.Calls() != 0 {
		t.Fatalf("%v after %d and %d calls", err, asked, model.Calls())
	}
	if len(r.Messages) != 4 || !strings.Contains(r.Messages[0].Text(), "Say ham.") || !strings.Contains(r.Messages[3].Text(), "hello") {
		t.Errorf("the request is %+v", r)
	}
	if _, m, err := requestOf(t.Context(), p.Predictor(), st, signature.Record{}); err != nil || lm.NameOf(m) != "a model" {
		t.Errorf("%v: the model is %v", err, m)
	}
	ctx = module.Intercept(t.Context(), func(context.Context, module.PredictorCall, module.PredictorFunc) (*module.Prediction[signature.Record], error) {
		return &module.Prediction[signature.Record]{Out: signature.RecordOf("label", "ham")}, nil
	})
	if _, _, err := requestOf(ctx, p.Predictor(), st, signature.Record{}); !errors.Is(err, errIntercepted) {
		t.Errorf("something answers in its place: %v", err)
	}
	if _, _, err := requestOf(t.Context(), module.MustDynamic(signature.MustParse("text -> label")).Predictor(), st, signature.Record{}); !errors.Is(err, module.ErrNoLM) {
		t.Errorf("no model: %v", err)
	}
}

// TestPricesAreFromTheTable prices by the name of the model, and nothing without one.
func TestPricesAreFromTheTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		known bool
		free  bool
	}{
		{"openai:gpt-4o-mini", true, false},
		{"openai:gpt-4o-mini#012791ef", true, false},
		{"openai:gpt-4o-mini@localhost:8080", false, false},
		{"llamacpp:m.gguf:sha256:0123456789ab", true, true},
		{"scripted", false, false},
		{"", false, false},
	} {
		cost, known := costOf(t.Context(), named{lmtest.Script(), tt.name}, &lm.Request{Prompt: "x"}, 100, 10)
		if known != tt.known || known && (cost == 0) != tt.free {
			t.Errorf("%q: %v, known %t", tt.name, cost, known)
		}
	}
}
