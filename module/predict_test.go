package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

func reply(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", pairs[i], pairs[i+1])
	}
	return b.String() + "[[ ## completed ## ]]\n"
}

func TestPredictCall(t *testing.T) {
	t.Parallel()
	raw := reply("label", "SPAM")
	p := module.MustPredict[sms, verdict]("", module.WithLM(lmtest.Script(raw, raw)))
	pred, err := p.Call(context.Background(), sms{"hello"})
	if err != nil {
		t.Fatal(err)
	}
	if pred.Out.Label != "spam" || pred.Raw != raw || pred.Model != "scripted" || pred.Reasoning != "" || pred.Shaped {
		t.Errorf("prediction %+v", pred)
	}
	if len(pred.Repairs) != 1 || pred.Repairs[0].Field != "label" {
		t.Errorf("repairs %v, want one for the label", pred.Repairs)
	}
	if u := pred.Usage; u.Calls != 1 || u.PromptTokens == 0 || u.CompletionTokens == 0 {
		t.Errorf("usage %+v", u)
	}
	out, err := p.Run(context.Background(), sms{"hello"})
	if err != nil || out.Label != "spam" {
		t.Errorf("Run = %v, %v", out, err)
	}
}

func TestChainOfThoughtCall(t *testing.T) {
	t.Parallel()
	raw := reply("reasoning", "It sells.\nThus spam.", "label", "spam")
	model := lmtest.Script(raw, raw)
	c := module.MustChainOfThought[sms, verdict]("", module.WithLM(model))
	pred, err := c.Call(context.Background(), sms{"hello"})
	if err != nil {
		t.Fatal(err)
	}
	if pred.Out.Label != "spam" || pred.Reasoning != "It sells.\nThus spam." {
		t.Errorf("prediction %+v", pred)
	}
	if out, err := c.Run(context.Background(), sms{"hello"}); err != nil || out.Label != "spam" {
		t.Errorf("Run = %v, %v", out, err)
	}
	if last := lastMessage(model); !strings.Contains(last, "starting with the field `[[ ## reasoning ## ]]`") {
		t.Errorf("the model was asked: %s", last)
	}
}

func lastMessage(model *lmtest.Scripted) string {
	requests := model.Requests()
	messages := requests[len(requests)-1].Messages
	return messages[len(messages)-1].Text()
}

func TestChoicesAndShapedPassThrough(t *testing.T) {
	t.Parallel()
	choices := []lm.Choice{{Name: "label", Options: []lm.Option{{Text: "ham", Prob: 1}}}}
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		if r.Shape == nil {
			return nil, errors.New("no shape")
		}
		return &lm.Response{Text: reply("label", "ham"), Choices: choices, Shaped: true}, nil
	})
	pred, err := newSMS().Call(lm.With(context.Background(), model), sms{"x"})
	if err != nil {
		t.Fatal(err)
	}
	if !pred.Shaped || !cmp.Equal(choices, pred.Choices) {
		t.Errorf("prediction %+v", pred)
	}
}

func TestWhichModelIsAsked(t *testing.T) {
	t.Parallel()
	say := func(a string) lm.LM {
		return lmtest.Answer(func(*lm.Request) (string, error) { return reply("a", a), nil })
	}
	ctx := lm.With(context.Background(), say("context"))
	ask := func(ctx context.Context, p *predict) string {
		out, err := p.Run(ctx, question{"?"})
		if err != nil {
			t.Fatal(err)
		}
		return out.A
	}
	p := newPredict()
	if got := ask(ctx, p); got != "context" {
		t.Errorf("without one of its own: %s", got)
	}
	p = module.MustPredict[question, answer]("", module.WithLM(say("option")))
	if got := ask(ctx, p); got != "option" {
		t.Errorf("with WithLM: %s", got)
	}
	set(t, p, "self", module.State{LM: say("state")})
	if got := ask(ctx, p); got != "state" {
		t.Errorf("with State.LM: %s", got)
	}
	states, err := module.States{}.With(p.Predictor(), module.State{LM: say("overlay")})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(module.WithStates(ctx, states), p); got != "overlay" {
		t.Errorf("with WithStates: %s", got)
	}
	wrapped := lm.Wrap(ctx, func(m lm.LM) lm.LM {
		return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			resp, err := m.Generate(ctx, r)
			if err == nil {
				resp.Text = strings.Replace(resp.Text, "state", "wrapped state", 1)
			}
			return resp, err
		})
	})
	if got := ask(wrapped, p); got != "wrapped state" {
		t.Errorf("with lm.Wrap: %s", got)
	}
}

func TestOptionsReachTheRequest(t *testing.T) {
	t.Parallel()
	model := lmtest.Script("[label]: ham", reply("label", "ham"))
	p := module.MustPredict[sms, verdict]("", module.WithLM(model), module.Temperature(0), module.Seed(7), module.MaxTokens(9), module.TopP(0.5),
		module.TopK(40), module.MinP(0.05), module.Logprobs(3), module.WithAdapter(adapter.Compact{}))
	_, _ = p.Run(context.Background(), sms{"x"})
	r := model.Requests()[0]
	if r.Temperature == nil || *r.Temperature != 0 || r.Seed == nil || *r.Seed != 7 || r.MaxTokens != 9 || r.TopP == nil || *r.TopP != 0.5 {
		t.Errorf("request %+v", r)
	}
	if r.TopK != 40 || r.MinP == nil || *r.MinP != 0.05 || !r.Logprobs || r.TopLogprobs != 3 {
		t.Errorf("request %+v", r)
	}
	q := module.MustPredict[sms, verdict]("", module.WithLM(model))
	if _, err := q.Run(context.Background(), sms{"x"}); err != nil {
		t.Fatal(err)
	}
	plain := model.Requests()[1]
	if plain.Temperature != nil || plain.Seed != nil || plain.MaxTokens != 0 || plain.TopP != nil {
		t.Errorf("request without options %+v", plain)
	}
	if plain.TopK != 0 || plain.MinP != nil || plain.Logprobs || plain.TopLogprobs != 0 {
		t.Errorf("request without options %+v", plain)
	}
	if cmp.Equal(r.Messages, plain.Messages) && r.Prompt == plain.Prompt {
		t.Error("WithAdapter changed nothing")
	}
}

func TestPredictionHasLogprobs(t *testing.T) {
	t.Parallel()
	want := []lm.TokenLogprob{{Token: "ham", LogProb: -0.5, Top: []lm.TokenLogprob{{Token: "ham", LogProb: -0.5}}}}
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		resp := &lm.Response{Text: reply("label", "ham")}
		if r.Logprobs {
			resp.Logprobs = want
		}
		return resp, nil
	})
	for asked, opts := range map[bool][]module.Option{true: {module.Logprobs(1)}, false: nil} {
		p := module.MustPredict[sms, verdict]("", append(opts, module.WithLM(model))...)
		pred, err := p.Call(t.Context(), sms{"x"})
		if err != nil {
			t.Fatal(err)
		}
		if got := pred.Logprobs; asked != cmp.Equal(want, got) || !asked && got != nil {
			t.Errorf("asked for: %v; got %+v", asked, got)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	model := lmtest.Script()
	program := struct{ A, B *predict }{newPredict(), module.MustPredict[question, answer]("", module.WithLM(model))}
	err := module.Validate(context.Background(), program)
	if !errors.Is(err, module.ErrNoLM) || !strings.Contains(err.Error(), `"a"`) || strings.Contains(err.Error(), `"b"`) {
		t.Errorf("Validate: %v", err)
	}
	if err := module.Validate(lm.With(context.Background(), model), program); err != nil {
		t.Errorf("Validate with a model: %v", err)
	}
	if err := module.Validate(context.Background(), 3); !errors.Is(err, module.ErrNoPredictors) {
		t.Errorf("Validate of nothing: %v", err)
	}
}

func TestFuncIsAProgram(t *testing.T) {
	t.Parallel()
	var p module.Program[question, answer] = module.Func[question, answer](func(_ context.Context, q question) (answer, error) {
		return answer{q.Q + "!"}, nil
	})
	if out, err := p.Run(context.Background(), question{"x"}); err != nil || out.A != "x!" {
		t.Errorf("got %v, %v", out, err)
	}
}
