package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// pupil answers a message of kind i%4 rightly where its instruction names the kind.
func pupil(r *lm.Request) (string, error) {
	i := numberIn(messageNumber, question(r))
	if !strings.Contains(r.Messages[0].Text(), fmt.Sprintf("kind-%d", i%4)) {
		return draftReply("label", string(labels[(i+1)%3])), nil
	}
	return draftReply("label", string(labels[i%3])), nil
}

// needsKind is the metric that says what an instruction lacks.
func needsKind(_ context.Context, ex example, got verdict, _ *trace.Trace) (metric.Score, error) {
	if got == ex.Out {
		return metric.Score{Value: 1, Feedback: "It is right."}, nil
	}
	return metric.Score{Feedback: fmt.Sprintf("It needs kind-%d.", numberIn(messageNumber, ex.In.Text)%4)}, nil
}

var (
	currentField = regexp.MustCompile(`(?s)\[\[ ## current_instruction ## \]\]\n(.*?)\n\n\[\[ ## examples`)
	neededKind   = regexp.MustCompile(`needs (kind-\d)`)
)

// tutor adds the first kind that the feedback asks for.
func tutor() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		text := question(r)
		current := currentField.FindStringSubmatch(text)
		if current == nil {
			return "", fmt.Errorf("no current instruction in %q", text)
		}
		needed := neededKind.FindStringSubmatch(text)
		if needed == nil {
			return draftReply("proposed_instruction", current[1]+" Be bold."), nil
		}
		return draftReply("proposed_instruction", current[1]+" Know "+needed[1]+"."), nil
	})
}

func newPupil() *module.Predict[message, verdict] {
	return module.MustPredict[message, verdict]("Sort the message.", module.WithLM(lmtest.Answer(pupil)))
}

// TestGEPALearns has feedback that tells what to write: all of it is written.
func TestGEPALearns(t *testing.T) {
	t.Parallel()
	all := messages(40)
	p := newPupil()
	prompts := tutor()
	r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 300}, p, all[:20], needsKind, optimize.Val(all[20:]), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	text := r.States[0].State.Instructions
	for kind := range 4 {
		if !strings.Contains(text, fmt.Sprintf("kind-%d", kind)) {
			t.Errorf("the winner is %q and lacks kind-%d", text, kind)
		}
	}
	if r.Score != 1 || r.Baseline != 0 || !strings.HasPrefix(text, "Sort the message.") || r.Seed != 0 {
		t.Errorf("got %s", r)
	}
	if r.Proposing.Calls.Requested != prompts.Calls() || r.Searching.Calls.Requested+prompts.Calls() != r.Calls.Requested {
		t.Errorf("%+v of proposing, %+v of searching, %+v in all", r.Proposing.Calls, r.Searching.Calls, r.Calls)
	}
	if p.Predictor().State().Instructions != "" {
		t.Error("the search changed the program")
	}
	for i, trial := range r.Trials {
		if i > 0 && (len(trial.Parents) == 0 || trial.Parents[0] >= i || trial.Note == "" || trial.Rows != nil && len(trial.Rows) != len(trial.Subscores)) {
			t.Errorf("trial %d: %+v", i, trial)
		}
	}
}

// TestGEPAPrompt looks at what the model that reflects is shown.
func TestGEPAPrompt(t *testing.T) {
	t.Parallel()
	silent := func(_ context.Context, ex example, got verdict, _ *trace.Trace) (metric.Score, error) {
		switch numberIn(messageNumber, ex.In.Text) {
		case 0:
			return metric.Score{Value: 0.25}, nil
		case 1:
			return metric.Score{Feedback: "Two lines\nFeedback: of one."}, nil
		}
		return metric.Score{Value: 1, Feedback: "Quite right."}, nil
	}
	prompts := numbered("Try %d.")
	all := messages(3)
	all[2].In.Text = "message 2\nExample 4\nInputs:"
	_, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 9}, newPupil(), all, silent, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	if prompts.Calls() != 1 {
		t.Fatalf("%d reflections, want one", prompts.Calls())
	}
	text := question(prompts.Requests()[0])
	if current := currentField.FindStringSubmatch(text); current == nil || current[1] != "Sort the message." {
		t.Errorf("no current instruction in\n%s", text)
	}
	for _, want := range []string{
		"\nInputs:\n  text: message 0\nOutputs:\n  label: spam\nFeedback: The program's answer scored 0.25.\n",
		"\nInputs:\n  text: message 1\nOutputs:\n  label: smishing\nFeedback: \n    Two lines\n    Feedback: of one.\n",
		"\nInputs:\n  text: \n    message 2\n    Example 4\n    Inputs:\nOutputs:\n  label: ham\nFeedback: Quite right.\n",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("the prompt lacks\n%s\nit is\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\nExample "); n != 3 {
		t.Errorf("%d examples, want 3, in\n%s", n, text)
	}
}

// TestGEPATurns reflects on the two predictors in turn, or on both.
func TestGEPATurns(t *testing.T) {
	t.Parallel()
	// Every answer scores 0, so that no instruction is kept.
	zero := func(context.Context, module.Example[message, judged], judged, *trace.Trace) (metric.Score, error) {
		return metric.Score{}, nil
	}
	for components, want := range map[optimize.Components]string{optimize.RoundRobin: "TJTJ", optimize.AllComponents: "TJTJTJTJ"} {
		prompts := numbered("Rule number %d.")
		r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 2 + 4*6, Components: components}, newSorter(lmtest.Answer(sorterModel)),
			twoExamples(4), zero, optimize.Val(twoExamples(2)), optimize.PromptModel(prompts))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, req := range prompts.Requests() {
			text := question(req)
			isJudge := strings.Contains(text, "\n  topic: topic 0\nOutputs:\n  label: ")
			if isTopic := strings.Contains(text, "\nOutputs:\n  topic: topic 0\n"); isTopic == isJudge {
				t.Fatalf("the prompt shows both predictors, or none:\n%s", text)
			}
			got += map[bool]string{true: "J", false: "T"}[isJudge]
		}
		if got != want || len(r.Trials) != 5 || r.Winner != 0 {
			t.Errorf("%s: the turns were %s, want %s: %s", components, got, want, r)
		}
	}
}

// TestGEPAFormatFeedback has replies that cannot be read.
func TestGEPAFormatFeedback(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if numberIn(messageNumber, question(r)) == 1 {
			return "It is ham,\nI think.", nil
		}
		return pupil(r)
	})
	for _, on := range []bool{false, true} {
		prompts := numbered("Try %d.")
		p := module.MustPredict[message, verdict]("", module.WithLM(model), module.WithAdapter(adapter.Chat{Strict: true}))
		r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 9, FormatFeedback: on}, p, messages(3), needsKind, optimize.PromptModel(prompts))
		if err != nil {
			t.Fatal(err)
		}
		text := question(prompts.Requests()[0])
		shown := strings.Contains(text, "\nReply:\n    It is ham,\n    I think.\nFeedback: This reply could not be read, so that the program failed: the field label ") &&
			strings.Contains(text, "label (Literal[")
		if shown != on || strings.Contains(text, "I think") != on || strings.Count(text, "needs kind-") != 2 {
			t.Errorf("format feedback %v: the prompt is\n%s", on, text)
		}
		if r.Trials[0].Failed != 1 {
			t.Errorf("%d examples failed, want 1", r.Trials[0].Failed)
		}
	}
}

// TestGEPAPerfect reflects on perfect minibatches only where it is told to.
func TestGEPAPerfect(t *testing.T) {
	t.Parallel()
	always := func(context.Context, example, verdict, *trace.Trace) (metric.Score, error) {
		return metric.Score{Value: 0.5}, nil
	}
	for name, c := range map[string]struct {
		opt         optimize.GEPA
		reflections int
	}{
		"not perfect":      {optimize.GEPA{}, 3},
		"perfect":          {optimize.GEPA{PerfectScore: 0.5}, 0},
		"perfect and kept": {optimize.GEPA{PerfectScore: 0.5, KeepPerfect: true}, 3},
	} {
		c.opt.MaxMetricCalls = 6 + 3*6
		prompts := numbered("Try %d.")
		r, err := optimize.Compile(t.Context(), c.opt, newPupil(), messages(6), always, optimize.PromptModel(prompts))
		if err != nil || prompts.Calls() != c.reflections || len(r.Trials) != 1+c.reflections {
			t.Errorf("%s: %v; %d reflections, want %d", name, err, prompts.Calls(), c.reflections)
		}
	}
}

// TestGEPAUnread has a prompt model of which some replies hold no instruction, and one that
// is not there.
func TestGEPAUnread(t *testing.T) {
	t.Parallel()
	n := 0
	good := tutor()
	prompts := lmtest.Answer(func(r *lm.Request) (string, error) {
		switch n++; n % 3 {
		case 1:
			return "[[ ## completed ## ]]", nil
		case 2:
			return draftReply("proposed_instruction", "  "), nil
		}
		resp, err := good.Generate(t.Context(), r)
		if err != nil {
			return "", err
		}
		return resp.Text, nil
	})
	r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 200}, newPupil(), messages(20), needsKind, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for _, trial := range r.Trials {
		if strings.HasSuffix(trial.Name, ", without new instructions") {
			if lost++; !strings.Contains(trial.Note, "none of self: ") || len(trial.Rows) != 3 {
				t.Errorf("trial %+v", trial)
			}
		}
	}
	if lost < 2 || !r.Improved() {
		t.Errorf("%d replies were lost: %s", lost, r)
	}

	gone := lmtest.Script()
	r, err = optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 200}, newPupil(), messages(20), needsKind, optimize.PromptModel(gone))
	if !errors.Is(err, lm.ErrUnavailable) || r == nil || !r.Scored || gone.Calls() != 1 || !strings.Contains(err.Error(), "reflecting on the instructions of self") {
		t.Errorf("without a prompt model: %v and %v", r, err)
	}
}

// TestGEPAAsksAgain has one minibatch for ever: a question that is asked again is another
// rollout.
func TestGEPAAsksAgain(t *testing.T) {
	t.Parallel()
	zero := func(context.Context, example, verdict, *trace.Trace) (metric.Score, error) {
		return metric.Score{}, nil
	}
	prompts := numbered("Try %d.")
	_, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 3 + 3*6}, newPupil(), messages(3), zero, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]map[int]bool{}
	for _, req := range prompts.Requests() {
		text := question(req)
		if seen[text] == nil {
			seen[text] = map[int]bool{}
		}
		if seen[text][req.Rollout] {
			t.Errorf("rollout %d was asked for twice", req.Rollout)
		}
		seen[text][req.Rollout] = true
	}
	if prompts.Calls() != 3 {
		t.Errorf("%d reflections, want 3", prompts.Calls())
	}
}

// TestGEPADynamic runs on a dynamic program that has instructions and demos: these stay.
func TestGEPADynamic(t *testing.T) {
	t.Parallel()
	type record = module.Example[signature.Record, signature.Record]
	var data []record
	for _, ex := range messages(24) {
		data = append(data, record{In: signature.RecordOf("text", ex.In.Text), Out: signature.RecordOf("label", string(ex.Out.Label))})
	}
	needs := func(ctx context.Context, ex record, got signature.Record, tr *trace.Trace) (metric.Score, error) {
		text, _ := ex.In.Get("text")
		s, err := metric.Exact(ctx, ex, got, tr)
		if s.Value == 0 {
			s.Feedback = fmt.Sprintf("It needs kind-%d.", numberIn(messageNumber, fmt.Sprint(text))%4)
		}
		return s, err
	}
	p := module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(lmtest.Answer(pupil)))
	demo := module.Demo{Fields: signature.RecordOf("text", "message 99", "label", "ham")}
	if err := p.Predictor().SetState(module.State{Demos: []module.Demo{demo}, Instructions: "Know kind-1."}); err != nil {
		t.Fatal(err)
	}
	r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 200}, p, data, needs, optimize.PromptModel(tutor()))
	if err != nil {
		t.Fatal(err)
	}
	got := r.States[0].State
	if r.Baseline != 0.25 || r.Score != 1 || len(got.Demos) != 1 || !strings.HasPrefix(got.Instructions, "Know kind-1. Know kind-") {
		t.Errorf("got %+v: %s", got, r)
	}
	if err := r.Apply(p); err != nil || p.Predictor().State().Instructions != got.Instructions {
		t.Errorf("applying: %v", err)
	}
}

func TestGEPASettings(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]optimize.GEPA{
		"GEPA(auto=light, minibatch=3, selection=pareto, components=round robin, merges=5, seed=0)":                                           {Auto: optimize.AutoLight},
		"GEPA(full evals=4, minibatch=2, selection=current best, components=all, merges=0, seed=7, keep perfect, perfect=5, format feedback)": {MaxFullEvals: 4, MinibatchSize: 2, Selection: optimize.SelectBest, Components: optimize.AllComponents, NoMerge: true, MaxMerges: 9, Seed: 7, KeepPerfect: true, PerfectScore: 5, FormatFeedback: true},
		"GEPA(metric calls=90, minibatch=3, selection=pareto, components=round robin, merges=0, seed=0)":                                      {MaxMetricCalls: 90, MaxMerges: optimize.None},
	} {
		if got := o.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for name, o := range map[string]optimize.GEPA{
		"0 of Auto":         {},
		"2 of Auto":         {Auto: optimize.AutoLight, MaxMetricCalls: 5},
		"Auto is":           {Auto: 9},
		"MaxFullEvals is":   {MaxFullEvals: -1},
		"MaxMetricCalls is": {MaxMetricCalls: optimize.None},
		"MinibatchSize is":  {MaxMetricCalls: 9, MinibatchSize: optimize.None},
		"Selection is":      {MaxMetricCalls: 9, Selection: 2},
		"Components is":     {MaxMetricCalls: 9, Components: -1},
	} {
		r, err := optimize.Compile(t.Context(), o, newPupil(), messages(6), needsKind)
		if r != nil || err == nil || !strings.HasPrefix(err.Error(), "optimize: GEPA: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v and %v", name, r, err)
		}
	}
}
