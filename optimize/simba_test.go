package optimize_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// simbaReply is a reply of the model that writes SIMBA's rules.
func simbaReply(rule string) string {
	return "[[ ## comparison ## ]]\nOne was better.\n\n" + draftReply("proposed_instruction", rule)
}

// TestSIMBAImproves runs on worlds in which there is something to find, and looks at the
// exact expected accuracy of what is found.
func TestSIMBAImproves(t *testing.T) {
	t.Parallel()
	const worlds = 4
	gains := make([]float64, worlds)
	var wg sync.WaitGroup
	for w := range worlds {
		wg.Go(func() {
			m := synthWorld(t, lmtest.SynthBasic, w)
			opt := optimize.SIMBA{Candidates: 4, Steps: 4}
			r, err := optimize.Compile(t.Context(), opt, synthOne(m), synthItems(m, 0, 200), metric.Exact, optimize.Val(synthItems(m, 200, 100)))
			if err != nil {
				t.Error(err)
				return
			}
			gains[w] = synthTruth(t, m, r.States) - m.Expected(0, nil)
			if limit := 4*9*32 + 5*100; r.Searching.Calls.Requested > limit || !r.Improved() || r.Proposing.Calls.Requested == 0 {
				t.Errorf("world %d: %s, of at most %d", w, r, limit)
			}
		})
	}
	wg.Wait()
	mean := 0.0
	for _, g := range gains {
		mean += g / worlds
	}
	t.Logf("gains of the exact accuracy in worlds 0-%d: %.3f, mean %.3f", worlds-1, gains, mean)
	if mean < 0.05 || slices.Min(gains) < 0 {
		t.Errorf("the gains are %.3f, want at least 0.05 on average and none below 0", gains)
	}
}

// luckyModel is right on every second rollout, and where better says so of a request; the
// usual answer is wrong.
func luckyModel(better func(r *lm.Request) bool) *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		m := messageNumber.FindStringSubmatch(question(r))
		if m == nil {
			return "", errors.New("no message")
		}
		i, err := strconv.Atoi(m[1])
		if err != nil {
			return "", err
		}
		if r.Rollout%2 == 0 && !better(r) {
			i++
		}
		return draftReply("label", string(labels[i%3])), nil
	})
}

// TestSIMBADemos finds that a demo is what the program lacks.
func TestSIMBADemos(t *testing.T) {
	t.Parallel()
	model := luckyModel(func(r *lm.Request) bool { return len(r.Messages) > 2 })
	prompts := lmtest.Answer(func(*lm.Request) (string, error) { return simbaReply("N/A."), nil })
	opt := optimize.SIMBA{BatchSize: 8, Candidates: 4, Steps: 2, MaxDemos: 2}
	r, err := optimize.Compile(t.Context(), opt, newClassifier(model), messages(24), metric.Exact, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	demos := demosOf(t, r.States[0].State)
	if r.Baseline != 0 || r.Score != 1 || len(demos) == 0 || r.States[0].State.Instructions != "" {
		t.Fatalf("got %s with the demos %v", r, demos)
	}
	for _, d := range demos {
		i, err := strconv.Atoi(strings.TrimPrefix(d.Text, "message "))
		if err != nil || !d.Augmented || d.Label != string(labels[i%3]) {
			t.Errorf("the demo %+v is not what a good run did", d)
		}
	}
	added, unchanged := 0, 0
	for i, trial := range r.Trials[1:] {
		if trial.Rows == nil {
			continue // a winner of a step
		}
		if len(trial.Rows) != 8 || len(trial.Subscores) != 8 || len(trial.Parents) != 1 || trial.Parents[0] > i {
			t.Errorf("trial %d: %+v", i+1, trial)
		}
		parent := r.Trials[trial.Parents[0]].States[0].State
		have := trial.States[0].State
		if len(have.Demos) > 2 {
			t.Errorf("trial %d has %d demos, of at most 2", i+1, len(have.Demos))
		}
		switch {
		case strings.Contains(trial.Note, "a demo of training example"):
			added++
		case strings.Contains(trial.Note, "no rule for self"):
			unchanged++
			if len(have.Demos) > len(parent.Demos) {
				t.Errorf("trial %d got a demo: %q", i+1, trial.Note)
			}
		case !strings.Contains(trial.Note, "no demo of") && !strings.Contains(trial.Note, "no rule from"):
			t.Errorf("trial %d: the note is %q", i+1, trial.Note)
		}
	}
	if added == 0 || unchanged == 0 || prompts.Calls() == 0 {
		t.Errorf("%d demos and %d rules were tried, with %d prompts", added, unchanged, prompts.Calls())
	}
}

// TestSIMBARules finds that a rule is what one of two predictors lacks, and looks at what the
// prompt model is shown.
func TestSIMBARules(t *testing.T) {
	t.Parallel()
	const rule = "Where the number is odd, count from one."
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if !strings.Contains(question(r), "[[ ## topic ## ]]\n") {
			return draftReply("topic", "some topic"), nil
		}
		good := luckyModel(func(r *lm.Request) bool { return strings.Contains(r.Messages[0].Text(), rule) })
		resp, err := good.Generate(t.Context(), r)
		if err != nil {
			return "", err
		}
		return "[[ ## reasoning ## ]]\nso\n\n" + resp.Text, nil
	})
	var mu sync.Mutex
	var shown []string
	prompts := lmtest.Answer(func(r *lm.Request) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		shown = append(shown, question(r))
		if strings.Contains(question(r), "[[ ## predictor ## ]]\njudge.predict\n") {
			return simbaReply(rule), nil
		}
		return simbaReply("N/A"), nil
	})
	// Of every fourth message all answers are as good.
	graded := func(_ context.Context, ex module.Example[message, judged], got judged, _ *trace.Trace) (metric.Score, error) {
		i, err := strconv.Atoi(strings.TrimPrefix(ex.In.Text, "message "))
		switch {
		case err != nil:
			return metric.Score{}, err
		case i%4 == 0:
			return metric.Score{Value: 0.5}, nil
		case got != ex.Out:
			return metric.Score{Feedback: "that label is wrong"}, nil
		}
		return metric.Score{Value: 1}, nil
	}
	opt := optimize.SIMBA{BatchSize: 8, Candidates: 7, Steps: 1, MaxDemos: optimize.None}
	r, err := optimize.Compile(t.Context(), opt, newTwo(module.WithLM(model)), twoExamples(8), graded, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	topicState, judgeState := r.States[0].State, r.States[1].State
	if r.Baseline != 0.125 || r.Score != 0.875 || topicState.Instructions != "" || len(topicState.Demos)+len(judgeState.Demos) != 0 {
		t.Errorf("got %s, %+v", r, r.States)
	}
	named, err := module.Predictors(newTwo())
	if err != nil {
		t.Fatal(err)
	}
	before := named[1].Predictor.Signature().Instructions()
	if judgeState.Instructions != before+"\n\n"+rule {
		t.Errorf("the instructions are %q", judgeState.Instructions)
	}
	both, alone := 0, 0
	for _, text := range shown {
		if strings.Contains(text, "[[ ## better_run ## ]]\nnot shown") {
			alone++
			continue
		}
		both++
		for _, want := range []string{
			"topic (", "judge.predict (", before, `{"text": "message `, "known_outputs ## ]]\n{\"label\": ",
			"[[ ## worse_score ## ]]\n0\n", "[[ ## worse_feedback ## ]]\nthat label is wrong\n", "[[ ## better_score ## ]]\n1\n", "[[ ## better_feedback ## ]]\nnothing\n",
			"topic read ", "judge.predict read ", `wrote {"topic": "some topic"}`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the prompt model is not shown %q:\n%s", want, text)
			}
		}
	}
	if both != 12 || alone != 4 { // 6 messages that vary and 2 that do not, two predictors
		t.Errorf("%d prompts of two runs and %d of one", both, alone)
	}
}

// TestSIMBAUnread goes on without rules that cannot be read, and ends where there is no
// prompt model.
func TestSIMBAUnread(t *testing.T) {
	t.Parallel()
	model := luckyModel(func(*lm.Request) bool { return false })
	opt := optimize.SIMBA{BatchSize: 8, Candidates: 3, Steps: 2, MaxDemos: optimize.None}
	garbled := lmtest.Answer(func(*lm.Request) (string, error) { return "[[ ## completed ## ]]", nil })
	r, err := optimize.Compile(t.Context(), opt, newClassifier(model), messages(24), metric.Exact, optimize.PromptModel(garbled))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Trials) != 1 || r.Winner != -1 || !r.Scored || !strings.Contains(r.Why, "16 rules could not be read; none was better") {
		t.Errorf("got %s", r)
	}
	gone := lmtest.Script()
	r, err = optimize.Compile(t.Context(), opt, newClassifier(model), messages(24), metric.Exact, optimize.PromptModel(gone))
	if !errors.Is(err, lm.ErrUnavailable) || gone.Calls() != 1 || r == nil || !r.Scored || !strings.Contains(err.Error(), "step 1 of 2: the rule for the predictor \"self\"") {
		t.Errorf("without a prompt model: %v and %v", r, err)
	}
}

// TestSIMBATeacher has a teacher's model give the first rollout, from which the demos come.
func TestSIMBATeacher(t *testing.T) {
	t.Parallel()
	student := lmtest.Answer(func(r *lm.Request) (string, error) {
		if len(r.Messages) > 2 {
			return golden(r)
		}
		return draftReply("label", "nothing of this"), nil
	})
	teacher := lmtest.Answer(golden)
	opt := optimize.SIMBA{BatchSize: 8, Candidates: 3, Steps: 2, Seed: 4}
	silent := lmtest.Answer(func(*lm.Request) (string, error) { return simbaReply("none"), nil })
	r, err := optimize.Compile(t.Context(), opt, newClassifier(student), messages(24), metric.Exact, optimize.Teacher(teacher), optimize.PromptModel(silent))
	if err != nil {
		t.Fatal(err)
	}
	if r.Score < 0.75 || r.Bootstrapping.Calls.Requested != 16 || teacher.Calls() > 16 || r.Seed != 4 {
		t.Errorf("%d calls of the teacher: %s", teacher.Calls(), r)
	}
	for _, req := range teacher.Requests() {
		if req.Rollout != 0 || req.Temperature != nil {
			t.Errorf("the teacher was asked for %+v", req)
		}
	}
	for _, s := range r.States {
		if s.State.LM != nil {
			t.Error("the teacher's model got into the result")
		}
	}
}

// TestSIMBATeacherProgram has another program give the first rollout, once for each example.
func TestSIMBATeacherProgram(t *testing.T) {
	t.Parallel()
	program := newClassifier(luckyModel(func(*lm.Request) bool { return false }))
	teacher := &wrapped{Inner: program}
	opt := optimize.SIMBA{BatchSize: 8, Candidates: 3, Steps: 2}
	silent := lmtest.Answer(func(*lm.Request) (string, error) { return simbaReply("none"), nil })
	r, err := optimize.Compile(t.Context(), opt, program, messages(24), metric.Exact,
		optimize.TeacherProgram[message, verdict](teacher), optimize.PromptModel(silent), optimize.Concurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if teacher.runs != 16 || r.Bootstrapping.Calls.Requested != 16 {
		t.Errorf("%d runs of the teacher, want 16: %s, %+v", teacher.runs, r, r.Bootstrapping)
	}
}

func TestSIMBASettings(t *testing.T) {
	t.Parallel()
	run := func(opt optimize.SIMBA, n int) (*optimize.Result, error) {
		return optimize.Compile(t.Context(), opt, newClassifier(lmtest.Answer(golden)), messages(n), metric.Exact)
	}
	for want, opt := range map[string]optimize.SIMBA{
		"BatchSize is 0":            {BatchSize: optimize.None},
		"Candidates is 0":           {Candidates: optimize.None},
		"Steps is 0":                {Steps: optimize.None},
		"SamplingTemperature is -1": {SamplingTemperature: -1},
		"CandidateTemperature is":   {CandidateTemperature: -0.5},
	} {
		if r, err := run(opt, 40); err == nil || r != nil || !strings.Contains(err.Error(), "optimize: SIMBA: "+want) {
			t.Errorf("%s: %v and %v", want, r, err)
		}
	}
	if _, err := run(optimize.SIMBA{}, 31); err == nil || !strings.Contains(err.Error(), "31 training examples are fewer than the 32 of a batch") {
		t.Errorf("too few examples: %v", err)
	}
	if got := (optimize.SIMBA{}).String(); got != "SIMBA(batch=32, candidates=6, steps=8, demos=4, temperatures=0.2 and 0.2, seed=0)" {
		t.Errorf("the defaults are %s", got)
	}
	if got := (optimize.SIMBA{MaxDemos: optimize.None, MaxInput: 50, SamplingTemperature: 1}).String(); got != "SIMBA(batch=32, candidates=6, steps=8, demos=0, temperatures=1 and 0.2, seed=0, input=50)" {
		t.Errorf("got %s", got)
	}
}
