package module_test

import (
	"context"
	"strings"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// shop is a program around a ReAct.
type shop struct{ Agent *reactAgent }

func (s *shop) Run(ctx context.Context, in reactQuestion) (reactAnswer, error) {
	return s.Agent.Run(ctx, in)
}

// shopClerk does all tasks, by the question.
func shopClerk() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		_, ask, _ := strings.Cut(r.Messages[len(r.Messages)-1].Text(), "[[ ## question ## ]]\n")
		ask, _, _ = strings.Cut(ask, "\n")
		for _, task := range shopTasks {
			if task.name == ask {
				resp, err := task.model(reply).Generate(context.Background(), r)
				if err != nil {
					return "", err
				}
				return resp.Text, nil
			}
		}
		return "", &lm.Error{Kind: lm.ErrInvalidRequest, Message: "no such task: " + ask}
	})
}

func TestReActIsOptimized(t *testing.T) {
	t.Parallel()
	var train []module.Example[reactQuestion, reactAnswer]
	for _, task := range shopTasks {
		if len(task.opts) == 0 && task.limit == 0 {
			train = append(train, module.Example[reactQuestion, reactAnswer]{In: reactQuestion{task.name}, Out: reactAnswer{task.want}, ID: task.name})
		}
	}
	program := &shop{module.MustReAct[reactQuestion, reactAnswer]("", shopTools())}
	clerk := shopClerk()
	ctx := lm.With(context.Background(), clerk)
	report, err := evaluate.Run(ctx, program, train, metric.Exact)
	if err != nil || report.Score != 1 {
		t.Fatalf("evaluation: %+v, %v", report, err)
	}
	used := func(_ context.Context, ex module.Example[reactQuestion, reactAnswer], got reactAnswer, tr *trace.Trace) (metric.Score, error) {
		if got != ex.Out || len(module.ToolSteps(tr)) < 2 {
			return metric.Score{}, nil
		}
		return metric.Score{Value: 1}, nil
	}
	result, err := optimize.Compile(ctx, optimize.BootstrapFewShot{MaxBootstrapped: 2, MaxLabeled: optimize.None}, program, train, used)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Apply(program); err != nil {
		t.Fatal(err)
	}
	for name, fields := range map[string][]string{
		"agent.react":           {"question", "trajectory", "next_thought", "next_tool_name", "next_tool_args"},
		"agent.extract.predict": {"question", "trajectory", "reasoning", "answer"},
	} {
		demos := predictor(t, program, name).State().Demos
		if len(demos) != 2 {
			t.Fatalf("%s has %d demos, want 2", name, len(demos))
		}
		for i, f := range fields {
			if got, _ := demos[0].Fields.At(i); got != f || demos[0].Fields.Len() != len(fields) || !demos[0].Augmented {
				t.Errorf("%s: demo %+v, want the fields %v", name, demos[0], fields)
			}
		}
		// The first task takes one step, so the metric refused it.
		if q, _ := demos[0].Fields.Get("question"); q != "three teas" {
			t.Errorf("%s: the first demo is %v", name, q)
		}
	}
	before := clerk.Calls()
	if out, err := program.Run(ctx, reactQuestion{"change"}); err != nil || out.Answer != "5" {
		t.Errorf("with demos: %q, %v", out.Answer, err)
	}
	if r := clerk.Requests()[before]; len(r.Messages) != 6 || !strings.Contains(r.Messages[1].Text(), "tool_name_0 ## ]]\nlookup") {
		t.Errorf("the demos are not in the prompt: %d messages", len(r.Messages))
	}
	// A run that is saved and loaded is the same.
	path := t.TempDir() + "/shop.json"
	if err := module.Save(path, program); err != nil {
		t.Fatal(err)
	}
	again := &shop{module.MustReAct[reactQuestion, reactAnswer]("", shopTools())}
	if _, err := module.Load(path, again); err != nil {
		t.Fatal(err)
	}
	if out, err := again.Run(ctx, reactQuestion{"change"}); err != nil || out.Answer != "5" {
		t.Errorf("loaded: %q, %v", out.Answer, err)
	}
	requests := clerk.Requests()
	first, second := requests[before], requests[before+(len(requests)-before)/2]
	if first.Messages[3].Text() != second.Messages[3].Text() || first.Messages[0].Text() != second.Messages[0].Text() {
		t.Error("the loaded program asks something else")
	}
}
