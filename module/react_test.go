package module_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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

var (
	reactFinish = reactCall("Done.", "finish", "{}")
	reactReply  = reply("reasoning", "So it is.", "answer", "yes")
)

func TestReActTellsItsSteps(t *testing.T) {
	t.Parallel()
	inner := module.MustPredict[question, answer]("")
	tools := append(reactTools(), module.MustTool("ask", "", inner.Run))
	model := lmtest.Script(
		reactCall("One.", "add", `{"a": 1}`),
		reactCall("Two.", "ask", `{"q": "why?"}`), reply("a", "because"),
		reactCall("Three.", "add", `{"b": 1}`),
		reactFinish, reactReply,
	)
	agent := module.MustReAct[reactQuestion, reactAnswer]("", tools)
	ctx, tr := trace.Start(lm.With(context.Background(), model))
	pred, steps, err := agent.CallTrajectory(ctx, reactQuestion{"Is it?"})
	if err != nil {
		t.Fatal(err)
	}
	if pred.Out.Answer != "yes" || pred.Reasoning != "So it is." || pred.Usage.Calls != 6 || pred.Raw != reactReply || pred.Model != "scripted" {
		t.Errorf("prediction %+v", pred)
	}
	var got []string
	for _, s := range steps.Steps {
		got = append(got, s.Thought+" "+s.Tool+" "+s.Observation)
	}
	want := []string{"One. add 3", `Two. ask {"A":"because"}`, `Three. add The call of add failed: the argument "a": it is missing; the tool takes a (int), b (int, may be left out)`, "Done. finish Completed."}
	if diff := cmp.Diff(want, got); diff != "" || steps.Stopped != module.StopFinish || steps.Forgotten != 0 {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	calls := module.ToolSteps(tr)
	if len(calls) != 3 || calls[0].Args.Len() != 1 || calls[0].Start.IsZero() || calls[0].Dropped || calls[0].Err != nil {
		t.Fatalf("tool steps %+v", calls)
	}
	var te *module.ToolError
	if !errors.As(calls[2].Err, &te) || te.Argument != "a" || calls[2].Observation != steps.Steps[2].Observation {
		t.Errorf("the failed call: %+v", calls[2])
	}
	// react, add, react, the predictor in the tool, ask, react, add, react, extract
	var order []string
	for _, s := range tr.Steps() {
		switch note := s.Note.(type) {
		case module.ToolStep:
			order = append(order, note.Tool)
		default:
			order = append(order, s.Predictor.(*module.Predictor).Signature().Outputs()[0].Name)
		}
	}
	if diff := cmp.Diff(strings.Fields("next_thought add next_thought a ask next_thought add next_thought reasoning"), order); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
	if got := module.Steps(tr); len(got) != 6 {
		t.Errorf("%d predictor calls in the trace", len(got))
	}
	branch, _ := trace.Start(context.Background())
	inBranch, _, join := trace.Branch(branch)
	if _, err := newReAct(module.WithLM(lmtest.Script(reactCall("One.", "add", `{"a": 1}`), reactFinish, reactReply))).Run(inBranch, reactQuestion{}); err != nil {
		t.Fatal(err)
	}
	join(false)
	if calls := module.ToolSteps(trace.From(branch)); len(calls) != 1 || !calls[0].Dropped {
		t.Errorf("tool steps of a dropped branch: %+v", calls)
	}
}

func TestReActEndsTheRun(t *testing.T) {
	t.Parallel()
	wrongKey := errors.New("the key is wrong")
	ctx, cancel := context.WithCancel(context.Background())
	after := func(context.Context, struct{}) (string, error) { cancel(); return "too late", nil }
	broken, breakOff := context.WithCancel(context.Background())
	during := func(ctx context.Context, _ struct{}) (string, error) {
		breakOff()
		return "", fmt.Errorf("no: %w", ctx.Err())
	}
	gone, leave := context.WithCancel(context.Background())
	leave()
	tests := []struct {
		name   string
		ctx    context.Context
		tool   *module.Tool
		want   error
		plain  bool // the error is want itself
		steps  int
		called int
	}{
		{"abort", context.Background(), failing(module.Abort(wrongKey)), wrongKey, false, 1, 1},
		{"another package's", context.Background(), failing(fmt.Errorf("x: %w", endOfRun{})), endOfRun{}, false, 1, 1},
		{"cancelled by a tool that has a result", ctx, module.MustTool("fail", "", after), context.Canceled, true, 1, 1},
		{"cancelled in a tool that fails", broken, module.MustTool("fail", "", during), context.Canceled, true, 1, 1},
		{"cancelled before", gone, module.MustTool("fail", "", during), context.Canceled, false, 0, 0},
	}
	for _, tt := range tests {
		model := lmtest.Script(reactCall("t", "fail", "{}"), reactFinish, reactReply)
		agent := module.MustReAct[reactQuestion, reactAnswer]("", []*module.Tool{tt.tool}, module.WithLM(model))
		traced, tr := trace.Start(tt.ctx)
		pred, steps, err := agent.CallTrajectory(traced, reactQuestion{"?"})
		if !errors.Is(err, tt.want) || tt.plain && err != tt.want || pred != nil { //nolint:errorlint // the context's own, unwrapped
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if len(steps.Steps) != tt.steps || steps.Stopped != "" || len(module.ToolSteps(tr)) != tt.steps || model.Calls() != tt.called {
			t.Errorf("%s: steps %+v, %d calls", tt.name, steps, model.Calls())
		}
	}
	if module.Abort(nil) != nil {
		t.Error("Abort(nil) is an error")
	}
	// Any other error is the model's to see, the end of another context, too.
	for _, err := range []error{io.EOF, context.Canceled, context.DeadlineExceeded} {
		agent := module.MustReAct[reactQuestion, reactAnswer]("", []*module.Tool{failing(err)}, module.WithLM(lmtest.Script(reactCall("t", "fail", "{}"), reactFinish, reactReply)))
		if _, steps, got := agent.CallTrajectory(context.Background(), reactQuestion{"?"}); got != nil || steps.Steps[0].Observation != "The call of fail failed: "+err.Error() {
			t.Errorf("%v: %v, %+v", err, got, steps)
		}
	}
}

type endOfRun struct{}

func (endOfRun) Error() string { return "the end" }
func (endOfRun) EndsRun() bool { return true }

func TestReActUnreadableReplies(t *testing.T) {
	t.Parallel()
	bad := "I would rather not."
	tests := []struct {
		name    string
		opts    []module.ReActOption
		replies []string
		stop    module.StopReason
		steps   int
	}{
		{"three in a row", nil, []string{bad, bad, bad, reactReply}, module.StopUnreadable, 3},
		{"not in a row", nil, []string{bad, bad, reactCall("t", "add", `{"a": 1}`), bad, bad, reactFinish, reactReply}, module.StopFinish, 6},
		{"the module's own retry first", []module.ReActOption{module.Retry(1)}, []string{bad, reactFinish, reactReply}, module.StopFinish, 1},
		{"the last of all steps", []module.ReActOption{module.MaxIters(1)}, []string{bad, reactReply}, module.StopMaxIters, 1},
		{"cut off", []module.ReActOption{module.MaxTokens(24)}, []string{reply("next_thought", strings.Repeat("and so on ", 30)), reactFinish, reply("reasoning", "r", "answer", "yes")}, module.StopFinish, 2},
	}
	for _, tt := range tests {
		model := lmtest.Script(tt.replies...)
		pred, steps, err := newReAct(append(tt.opts, module.WithLM(model))...).CallTrajectory(context.Background(), reactQuestion{"?"})
		if err != nil || pred.Out.Answer != "yes" || steps.Stopped != tt.stop || len(steps.Steps) != tt.steps || model.Calls() != len(tt.replies) {
			t.Errorf("%s: %v, %+v, %d calls", tt.name, err, steps, model.Calls())
			continue
		}
		first := steps.Steps[0]
		if first.Tool != "finish" && (first.Err == nil || first.Tool != "" || first.Observation == "") {
			t.Errorf("%s: first step %+v", tt.name, first)
		}
	}
	// The complaint is what the model sees next, and an answer that cannot be read is an error.
	model := lmtest.Script(bad, reactFinish, "no fields")
	var pe *adapter.ParseError
	if _, err := newReAct(module.WithLM(model)).Run(context.Background(), reactQuestion{"?"}); !errors.As(err, &pe) {
		t.Errorf("an unreadable answer: %v", err)
	}
	if seen := model.Requests()[1].Messages[1].Text(); !strings.Contains(seen, "## observation_0 ## ]]\nYour last reply cannot be used. The field `next_thought` is missing") || strings.Contains(seen, "tool_name_0") {
		t.Errorf("the second prompt: %s", seen)
	}
	cut := lmtest.Script(reply("next_thought", strings.Repeat("and so on ", 30)), reactFinish, reply("reasoning", "r", "answer", "yes"))
	if _, err := newReAct(module.WithLM(cut), module.MaxTokens(24)).Run(context.Background(), reactQuestion{"?"}); err != nil {
		t.Fatal(err)
	}
	if seen := cut.Requests()[1].Messages[1].Text(); !strings.Contains(seen, "Be brief.") {
		t.Errorf("the prompt after a reply that was cut off: %s", seen)
	}
}

func TestReActIntercepted(t *testing.T) {
	t.Parallel()
	agent := newReAct(module.WithLM(lmtest.Script(reactReply)))
	chooser := predictor(t, agent, "react")
	var trajectories []string
	ctx := func(tools ...string) context.Context {
		n := 0
		return module.Intercept(context.Background(), func(ctx context.Context, c module.PredictorCall, next module.PredictorFunc) (*module.Prediction[signature.Record], error) {
			if c.Predictor != chooser {
				return next(ctx, c)
			}
			v, _ := c.Inputs.Get("trajectory")
			text, _ := v.(string)
			trajectories = append(trajectories, text)
			tool := tools[min(n, len(tools)-1)]
			n++
			out := signature.RecordOf("next_thought", "told", "next_tool_name", tool, "next_tool_args", signature.RecordOf("text", "hm"))
			if tool == "" {
				out = out.Without("next_tool_name")
			}
			return &module.Prediction[signature.Record]{Out: out}, nil
		})
	}
	pred, steps, err := agent.CallTrajectory(ctx("shout", "finish"), reactQuestion{"?"})
	if err != nil || pred.Out.Answer != "yes" || steps.Steps[0].Observation != "HM!\n" {
		t.Errorf("%+v, %+v, %v", pred, steps, err)
	}
	if want := []string{"", "[[ ## thought_0 ## ]]\ntold\n\n[[ ## tool_name_0 ## ]]\nshout\n\n[[ ## tool_args_0 ## ]]\n{\"text\": \"hm\"}\n\n[[ ## observation_0 ## ]]\nHM!"}; !cmp.Equal(want, trajectories) {
		t.Errorf("trajectories %q, want %q", trajectories, want)
	}
	// What an interceptor says is read as a reply is.
	for _, tool := range []string{"nothing", ""} {
		agent = newReAct(module.WithLM(lmtest.Script(reactReply)), module.MaxIters(1))
		chooser = predictor(t, agent, "react")
		if _, steps, err = agent.CallTrajectory(ctx(tool), reactQuestion{"?"}); err != nil || steps.Steps[0].Err == nil || steps.Steps[0].Tool != "" {
			t.Errorf("the tool %q: %+v, %v", tool, steps, err)
		}
	}
}

func TestReActConcurrently(t *testing.T) {
	t.Parallel()
	agent := module.MustReAct[reactQuestion, reactAnswer]("", shopTools())
	states, err := module.States{}.With(predictor(t, agent, "extract.predict"), module.State{Instructions: "Candidate."})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i, task := range shopTasks {
		if len(task.opts) > 0 {
			continue
		}
		wg.Go(func() {
			ctx, tr := trace.Start(lm.With(context.Background(), lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
				if system := r.Messages[0].Text(); !asksForTool(r) && strings.Contains(system, "Candidate.") != (i%2 == 0) {
					return nil, errors.New("the state is another run's")
				}
				return task.model(reply).Generate(ctx, r)
			})))
			if i%2 == 0 {
				ctx = module.WithStates(ctx, states)
			}
			out, err := agent.Run(ctx, reactQuestion{task.name})
			if err != nil || out.Answer != task.want {
				t.Errorf("%s: %q, %v", task.name, out.Answer, err)
			}
			if len(module.ToolSteps(tr)) == 0 {
				t.Errorf("%s: no tool in its trace", task.name)
			}
		})
	}
	wg.Wait()
}

func TestReActMistakes(t *testing.T) {
	t.Parallel()
	tools := reactTools()
	named := func(name string) *module.Tool { return module.MustTool(name, "", echoArgs) }
	makes := func(tools []*module.Tool, opts ...module.ReActOption) error {
		_, err := module.NewReAct[reactQuestion, reactAnswer]("", tools, opts...)
		return err
	}
	_, taken := module.NewReAct[struct{ Trajectory string }, reactAnswer]("", tools)
	_, reasons := module.NewReAct[reactQuestion, struct{ Reasoning string }]("", tools)
	_, next := module.NewReAct[struct{ NextThought string }, reactAnswer]("", tools)
	_, noStruct := module.NewReAct[string, reactAnswer]("", tools)
	_, noSignature := module.NewDynamicReAct(nil, tools)
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no tools", makes(nil), "it has no tool"},
		{"nil tool", makes([]*module.Tool{nil}), "the tool 0 is nil"},
		{"finish", makes([]*module.Tool{tools[0], named("finish")}), "the tool 1 is named finish"},
		{"twice", makes([]*module.Tool{named("a"), named("a")}), "two tools are named a"},
		{"iterations", makes(tools, module.MaxIters(0)), "MaxIters(0) is not positive"},
		{"observation", makes(tools, module.MaxObservation(-1)), "MaxObservation(-1) is not positive"},
		{"nil option", makes(tools, nil), "an option is nil"},
		{"nil predictor option", makes(tools, module.Option(nil)), "an option is nil"},
		{"predictor option", makes(tools, module.Retry(-1)), "Retry(-1) is negative"},
		{"adapter", makes(tools, module.WithAdapter(scattered{adapter.Chat{}})), "does not write the inputs of a request in one place"},
		{"trajectory", taken, "trajectory"},
		{"reasoning", reasons, "reasoning"},
		{"next_thought", next, "next_thought"},
		{"no struct", noStruct, "must be structs"},
		{"no signature", noSignature, "needs a signature"},
	}
	for _, tt := range tests {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one that says %q", tt.name, tt.err, tt.want)
		}
	}
}

// scattered is an adapter that writes something new into every request.
type scattered struct{ adapter.Adapter }

func (s scattered) Name() string { return "scattered" }

func (s scattered) Prepare(p adapter.Program) (adapter.Template, error) {
	t, err := s.Adapter.Prepare(p)
	return &scatteredTemplate{t}, err
}

type scatteredTemplate struct{ adapter.Template }

func (s *scatteredTemplate) Request(in signature.Record) (*lm.Request, error) {
	r, err := s.Template.Request(in)
	if err == nil {
		last := len(r.Messages) - 1
		r.Messages[last] = lm.User(fmt.Sprintf("%d%s%d", in.Len(), r.Messages[last].Text(), in.Len()))
	}
	return r, err
}

func TestDynamicReAct(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("question, n: int -> answer, sure: bool")
	agent := module.MustDynamicReAct(sig, reactTools(), module.WithLM(lmtest.Script(
		reactCall("t", "add", `{"a": 1}`), reactFinish, reply("reasoning", "r", "answer", "yes", "sure", "True"),
	)))
	pred, err := agent.Call(context.Background(), signature.RecordOf("question", "?", "n", 1))
	if err != nil || !pred.Out.Equal(signature.RecordOf("answer", "yes", "sure", true)) || pred.Reasoning != "r" {
		t.Errorf("%+v, %v", pred, err)
	}
	for name, in := range map[string]signature.Record{
		"it is missing": signature.RecordOf("question", "?"), "no such input": signature.RecordOf("question", "?", "n", 1, "m", 2),
		"no value of the input": signature.RecordOf("question", "?", "n", "one"),
	} {
		if _, err := agent.Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(name, "it ")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
