package module_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
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

func TestConstructorErrors(t *testing.T) {
	t.Parallel()
	var se *signature.Error
	if _, err := module.NewPredict[int, verdict](""); !errors.As(err, &se) {
		t.Errorf("NewPredict of an int: %v", err)
	}
	if _, err := module.NewChainOfThought[sms, int](""); !errors.As(err, &se) {
		t.Errorf("NewChainOfThought of an int: %v", err)
	}
	type taken struct{ Reasoning string }
	if _, err := module.NewChainOfThought[sms, taken](""); !errors.As(err, &se) || se.Field != "reasoning" {
		t.Errorf("an output named reasoning: %v", err)
	}
	if _, err := module.NewChainOfThought[taken, verdict](""); !errors.As(err, &se) || se.Field != "reasoning" {
		t.Errorf("an input named reasoning: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustChainOfThought did not panic")
		}
	}()
	module.MustChainOfThought[sms, taken]("")
}

func TestCallErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("reply that cannot be read", func(t *testing.T) {
		t.Parallel()
		_, err := newCoT().Call(lm.With(ctx, lmtest.Script("I cannot say.")), sms{"x"})
		var pe *adapter.ParseError
		if !errors.As(err, &pe) || pe.Raw != "I cannot say." || pe.Field != "reasoning" || !pe.Missing {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no model", func(t *testing.T) {
		t.Parallel()
		out, err := newSMS().Run(ctx, sms{"x"})
		if !errors.Is(err, module.ErrNoLM) || out != (verdict{}) || !strings.Contains(err.Error(), "text -> label") {
			t.Errorf("got %v, %v", out, err)
		}
	})
	t.Run("error of the model", func(t *testing.T) {
		t.Parallel()
		_, err := newCoT().Run(lm.With(ctx, lmtest.Script()), sms{"x"})
		var le *lm.Error
		if !errors.As(err, &le) || !errors.Is(err, lm.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		model := lmtest.Script(reply("label", "ham"))
		cctx, cancel := context.WithCancel(lm.With(ctx, model))
		cancel()
		if _, err := newSMS().Run(cctx, sms{"x"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if model.Calls() != 0 {
			t.Error("the model was asked")
		}
	})
	t.Run("input that is no choice", func(t *testing.T) {
		t.Parallel()
		model := lmtest.Script(reply("a", "x"))
		_, err := module.MustPredict[verdict, answer]("").Run(lm.With(ctx, model), verdict{"junk"})
		var se *signature.Error
		if !errors.As(err, &se) || model.Calls() != 0 {
			t.Errorf("got %v after %d calls", err, model.Calls())
		}
	})
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
	p := module.MustPredict[sms, verdict]("", module.WithLM(model), module.Temperature(0), module.Seed(7), module.MaxTokens(9),
		module.WithAdapter(adapter.Compact{}))
	_, _ = p.Run(context.Background(), sms{"x"})
	r := model.Requests()[0]
	if r.Temperature == nil || *r.Temperature != 0 || r.Seed == nil || *r.Seed != 7 || r.MaxTokens != 9 {
		t.Errorf("request %+v", r)
	}
	q := module.MustPredict[sms, verdict]("", module.WithLM(model))
	if _, err := q.Run(context.Background(), sms{"x"}); err != nil {
		t.Fatal(err)
	}
	plain := model.Requests()[1]
	if plain.Temperature != nil || plain.Seed != nil || plain.MaxTokens != 0 {
		t.Errorf("request without options %+v", plain)
	}
	if cmp.Equal(r.Messages, plain.Messages) && r.Prompt == plain.Prompt {
		t.Error("WithAdapter changed nothing")
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

// echo answers with the instructions that it was given.
func echo() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		system := r.Messages[0].Text()
		return reply("a", strings.TrimSpace(system[strings.LastIndex(system, "\n"):])), nil
	})
}

func candidate(t *testing.T, p *module.Predictor, instructions string) module.States {
	t.Helper()
	s, err := module.States{}.With(p, module.State{Instructions: instructions})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCandidatesDoNotMix(t *testing.T) {
	t.Parallel()
	p := newPredict()
	ctx := lm.With(context.Background(), echo())
	var wg sync.WaitGroup
	for _, name := range []string{"candidate one", "candidate two"} {
		cctx := module.WithStates(ctx, candidate(t, p.Predictor(), name))
		wg.Go(func() {
			for range 200 {
				if out, err := p.Run(cctx, question{"?"}); err != nil || out.A != name {
					t.Errorf("%s: got %v, %v", name, out, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := p.Predictor().State().Instructions; got != "" {
		t.Errorf("the program has instructions %q now", got)
	}
}

func TestNestedCandidates(t *testing.T) {
	t.Parallel()
	a, b := newPredict(), newPredict()
	ctx := lm.With(context.Background(), echo())
	both, err := candidate(t, a.Predictor(), "outer a").With(b.Predictor(), module.State{Instructions: "outer b"})
	if err != nil {
		t.Fatal(err)
	}
	outer := module.WithStates(ctx, both)
	innermost := module.WithStates(outer, candidate(t, a.Predictor(), "inner a"))
	for _, tt := range []struct {
		ctx  context.Context
		p    *predict
		want string
	}{
		{outer, a, "outer a"},
		{outer, b, "outer b"},
		{innermost, a, "inner a"},
		{innermost, b, "outer b"},
	} {
		out, err := tt.p.Run(tt.ctx, question{"?"})
		if err != nil || out.A != tt.want || tt.p.Predictor().StateIn(tt.ctx).Instructions != tt.want {
			t.Errorf("got %v, %v; want %s", out, err, tt.want)
		}
	}
	if s, ok := both.Of(b.Predictor()); !ok || s.Instructions != "outer b" {
		t.Errorf("Of = %v, %v", s, ok)
	}
	if _, ok := (module.States{}).Of(b.Predictor()); ok {
		t.Error("the zero States has a state")
	}
	both.Apply()
	if got := a.Predictor().State().Instructions; got != "outer a" {
		t.Errorf("after Apply: %q", got)
	}
	if _, err := both.With(a.Predictor(), module.State{Biases: map[string]map[string]float64{"x": {"y": 1}}}); err == nil {
		t.Error("With took a state that does not fit")
	}
}

func TestJudgeIsNotTouched(t *testing.T) {
	t.Parallel()
	type program struct{ Ask *predict }
	student, judge := program{newPredict()}, program{module.MustPredict[question, answer]("Judge it.")}
	ctx := module.WithStates(lm.With(context.Background(), echo()), candidate(t, student.Ask.Predictor(), "candidate"))
	// A metric calls its judge with the context of the run.
	metric := func(ctx context.Context, got answer) string {
		out, err := judge.Ask.Run(ctx, question{got.A})
		if err != nil {
			t.Error(err)
		}
		return out.A
	}
	got, err := student.Ask.Run(ctx, question{"?"})
	if err != nil || got.A != "candidate" {
		t.Fatalf("student: %v, %v", got, err)
	}
	if verdict := metric(ctx, got); verdict != "Judge it." {
		t.Errorf("the judge was told %q", verdict)
	}
}

func TestSetStateWhileCallsRun(t *testing.T) {
	t.Parallel()
	p := newPredict()
	ctx := lm.With(context.Background(), echo())
	stop := make(chan struct{})
	var calls, setter sync.WaitGroup
	set(t, p, "self", module.State{Instructions: "state 0"})
	setter.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.Predictor().SetState(module.State{Instructions: fmt.Sprintf("state %d", i%7)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 4 {
		calls.Go(func() {
			for range 50 {
				if out, err := p.Run(ctx, question{"?"}); err != nil || !strings.HasPrefix(out.A, "state ") {
					t.Errorf("got %v, %v", out, err)
				}
			}
		})
	}
	calls.Wait()
	close(stop)
	setter.Wait()
}

func TestSetStateRefusesBiases(t *testing.T) {
	t.Parallel()
	type flag struct {
		Ok    bool
		Label string `enum:"a,b"`
		Free  string
	}
	p := module.MustPredict[question, flag]("").Predictor()
	good := module.State{Instructions: "keep", Biases: map[string]map[string]float64{"ok": {"True": 1}, "label": {"b": 2}}}
	if err := p.SetState(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []map[string]map[string]float64{
		{"nothing": {"a": 1}},
		{"q": {"a": 1}},
		{"label": {"c": 1}},
		{"ok": {"true": 1}},
		{"free": {"a": 1}},
		{"label": {"a": math.NaN()}},
		{"label": {"a": math.Inf(-1)}},
	} {
		if err := p.SetState(module.State{Biases: bad}); err == nil {
			t.Errorf("SetState took the biases %v", bad)
		}
		if diff := cmp.Diff(good, p.State()); diff != "" {
			t.Errorf("the state was changed:\n%s", diff)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("a", "fine"), "nonsense")
	p := newPredict()
	ctx, tr := trace.Start(lm.With(context.Background(), model))
	if _, err := p.Run(ctx, question{"first"}); err != nil {
		t.Fatal(err)
	}
	_, second := p.Run(ctx, question{"second"})
	_, third := p.Run(ctx, question{"third"})
	if second == nil || third == nil {
		t.Fatal("calls succeeded that should fail")
	}
	tr.Add(trace.Step{Predictor: "of another kind"})
	steps := module.Steps(tr)
	if len(steps) != 3 {
		t.Fatalf("%d steps, want 3", len(steps))
	}
	for i, q := range []string{"first", "second", "third"} {
		if s := steps[i]; s.Predictor != p.Predictor() || !s.Inputs.Equal(signature.RecordOf("q", q)) {
			t.Errorf("step %d: %+v", i, s)
		}
	}
	ok, failed := steps[0], steps[1]
	if ok.Err != nil || !ok.Outputs.Equal(signature.RecordOf("a", "fine")) || ok.Prediction == nil || ok.Prediction.Usage.Calls != 1 {
		t.Errorf("step of a good call: %+v", ok)
	}
	var pe *adapter.ParseError
	if !errors.As(failed.Err, &pe) || failed.Outputs.Len() != 0 || failed.Prediction != nil {
		t.Errorf("step of a failed call: %+v", failed)
	}
	if !errors.Is(steps[2].Err, lm.ErrUnavailable) {
		t.Errorf("step of a failed model: %+v", steps[2])
	}
	if module.Steps(nil) != nil {
		t.Error("steps of no trace")
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
