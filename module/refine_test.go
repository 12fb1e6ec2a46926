package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// advised is a model whose steps do what a hint tells them, and that advises the step of
// the two that was wrong.
func advised(t *testing.T) *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		system, last := r.Messages[0].Text(), r.Messages[len(r.Messages)-1].Text()
		switch {
		case strings.Contains(system, "`advice`"):
			for _, want := range []string{"two steps", "short answers", "note: q -> note", "answer.predict: note -> reasoning, a", `"a":"long"`, "?"} {
				if !strings.Contains(last, want) {
					t.Errorf("the model that advises is not shown %q:\n%s", want, last)
				}
			}
			return reply("discussion", "The answer is too long.", "advice", `{"answer.predict": "be brief"}`), nil
		case strings.Contains(system, "[[ ## a ## ]]"):
			if strings.Contains(last, "[[ ## hint_ ## ]]\nbe brief") {
				return reply("reasoning", "told", "a", "short"), nil
			}
			return reply("reasoning", "-", "a", "long"), nil
		}
		if strings.Contains(last, "hint_") != strings.Contains(last, "[[ ## hint_ ## ]]\nN/A") {
			t.Errorf("the step without advice is told %q", last)
		}
		return reply("note", "n"), nil
	})
}

func brief(_ context.Context, _ question, got *module.Prediction[answer]) (float64, error) {
	if got.Out.A == "short" {
		return 1, nil
	}
	return 0.25, nil
}

func TestRefine(t *testing.T) {
	t.Parallel()
	model := advised(t)
	program := newTwoSteps()
	r := module.MustRefine(program, 3, 1, brief, module.Description{Program: "two steps", Reward: "short answers"})
	ctx, tr := trace.Start(lm.With(context.Background(), model))
	pred, err := r.Call(ctx, question{"?"})
	if err != nil {
		t.Fatal(err)
	}
	if pred.Out.A != "short" || pred.Reasoning != "told" || pred.Usage.Calls != 5 || model.Calls() != 5 {
		t.Errorf("got %+v after %d calls, want short after 5", pred, model.Calls())
	}
	attempts := module.Attempts(tr)
	if len(attempts) != 2 || attempts[0].Advice != nil || attempts[0].Chosen || !attempts[1].Chosen || attempts[1].Advice["answer.predict"] != "be brief" {
		t.Errorf("the attempts are %+v", attempts)
	}
	var got []string
	for _, s := range module.Steps(tr) {
		if _, ok := s.Inputs.Get("hint_"); ok {
			t.Errorf("the hint is in the trace's inputs: %v", s.Inputs)
		}
		got = append(got, fmt.Sprint(s.Dropped))
	}
	// The first attempt, the advice for the second, which was chosen, and its calls.
	if strings.Join(got, " ") != "true true false false false" {
		t.Errorf("dropped: %v", got)
	}
}

func TestRefineSavesBoth(t *testing.T) {
	t.Parallel()
	r := module.MustRefine(newTwoSteps(), 2, 1, brief, module.Description{Program: "p", Reward: "r"})
	named, err := module.Predictors(r)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range named {
		names = append(names, n.Name)
	}
	if want := "module.note module.answer.predict feedback"; strings.Join(names, " ") != want {
		t.Errorf("the predictors are %v, want %s", names, want)
	}
	other := module.MustRefine(newTwoSteps(), 2, 1, brief, module.Description{Program: "p", Reward: "r"})
	if err := r.Feedback.SetState(module.State{Instructions: "Advise well."}); err != nil {
		t.Fatal(err)
	}
	data, err := module.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := module.Unmarshal(data, other); err != nil {
		t.Fatal(err)
	}
	if got := other.Feedback.State().Instructions; got != "Advise well." {
		t.Errorf("after loading the instructions are %q", got)
	}
}

func TestRefineErrors(t *testing.T) {
	t.Parallel()
	p, d := newTwoSteps(), module.Description{Program: "p", Reward: "r"}
	for name, f := range map[string]func() (*module.Refine[question, answer], error){
		"no description": func() (*module.Refine[question, answer], error) {
			return module.NewRefine(p, 2, 1, brief, module.Description{Program: "p"})
		},
		"no predictors": func() (*module.Refine[question, answer], error) {
			return module.NewRefine(module.Func[question, answer](p.Run), 2, 1, brief, d)
		},
		"no program": func() (*module.Refine[question, answer], error) {
			return module.NewRefine[question, answer](nil, 2, 1, brief, d)
		},
		"bad option": func() (*module.Refine[question, answer], error) {
			return module.NewRefine(p, 2, 1, brief, d, module.FeedbackOptions(module.Retry(-1)))
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRefineWithoutAdvice goes on where the adviser's reply cannot be read, and ends where
// its model fails; what was paid is in the trace.
func TestRefineWithoutAdvice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		says  []string
		err   string
		calls int
		want  []bool // whether the attempts had no new advice
	}{
		{"unreadable", []string{"I have none.", "Nor now."}, "", 8, []bool{false, true, true}},
		{"down", []string{"I have none."}, "asking for advice after attempt 1", 5, []bool{false, true}},
	} {
		steps, adviser := advised(t), lmtest.Script(tt.says...)
		r := module.MustRefine(newTwoSteps(module.WithLM(steps)), 3, 1, brief,
			module.Description{Program: "two steps", Reward: "short answers"}, module.FeedbackOptions(module.WithLM(adviser)))
		ctx, tr := trace.Start(context.Background())
		out, err := r.Run(ctx, question{"?"})
		if tt.err == "" && (err != nil || out.A != "long") || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || errors.As(err, new(*module.AttemptsError))) {
			t.Errorf("%s: Run = %v, %v", tt.name, out, err)
		}
		if u := module.UsageOf(tr); u.Calls != tt.calls {
			t.Errorf("%s: the trace has %d calls, want the %d that were paid", tt.name, u.Calls, tt.calls)
		}
		var got []bool
		for _, a := range module.Attempts(tr) {
			got = append(got, a.AdviceErr != nil)
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: without new advice were %v, want %v", tt.name, got, tt.want)
		}
	}
}
