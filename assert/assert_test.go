package assert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

func TestOutsideOfWrap(t *testing.T) {
	t.Parallel()
	ctx, tr := trace.Start(t.Context())
	for _, tt := range []struct {
		check func(context.Context, bool, string, ...assert.At) error
		hard  bool
		want  string
	}{
		{assert.That, true, `assert: predictor "x": too long`},
		{assert.Suggest, false, `assert: suggestion: predictor "x": too long`},
	} {
		if err := tt.check(ctx, true, "too long", assert.Target("x")); err != nil {
			t.Errorf("%v for what holds", err)
		}
		err := tt.check(ctx, false, "too long", assert.Target("x"))
		var e *assert.Error
		if !errors.As(err, &e) || e.Hard != tt.hard || e.Message != "too long" || e.Target != "x" || e.Try != 0 || err.Error() != tt.want {
			t.Errorf("got %v", err)
		}
	}
	want := assert.Tally{Asserts: 1, Suggestions: 1, UnmetAsserts: 1, UnmetSuggestions: 1}
	if got := assert.Count(tr); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if err := assert.That(t.Context(), false, "no trace"); err == nil {
		t.Error("no error without a trace")
	}
}

// TestUnknownTarget also holds where the assertion does.
func TestUnknownTarget(t *testing.T) {
	t.Parallel()
	stranger := module.MustPredict[question, answer]("").Predictor()
	for name, at := range map[string]assert.At{
		"misprint": assert.Target("qeury"), "empty": assert.Target(""),
		"nil": assert.TargetPredictor(nil), "question -> answer": assert.TargetPredictor(stranger),
	} {
		for _, ok := range []bool{true, false} {
			model := lmtest.Script(reply("query", "q"), reply("answer", "a"))
			p := assert.Wrap(newSteps(model, func(ctx context.Context, _ query, _ answer) error {
				return assert.That(ctx, ok, "no", at)
			}))
			_, err := p.Run(t.Context(), question{"?"})
			var e *assert.TargetError
			if !errors.As(err, &e) || !slices.Equal(e.Names, []string{"query", "answer"}) || !strings.Contains(err.Error(), "it has query, answer") {
				t.Errorf("%s, %v: got %v", name, ok, err)
			}
			if model.Calls() != 2 {
				t.Errorf("%s: %d calls, want 2: nothing can be mended", name, model.Calls())
			}
		}
	}
	p := assert.Wrap(module.Func[question, answer](func(ctx context.Context, _ question) (answer, error) {
		return answer{}, assert.That(ctx, false, "no", assert.Target("query"))
	}))
	if _, err := p.Run(t.Context(), question{}); err == nil || !strings.Contains(err.Error(), "none that can be found") {
		t.Errorf("a program without predictors: %v", err)
	}
}

// TestFeedback looks at what the predictors see over several tries.
func TestFeedback(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(
		reply("query", "q1"), reply("answer", "a1"), reply("query", "q2"), reply("answer", "a2"), reply("query", "q3"), reply("answer", "a3"),
		reply("answer", "a4"), reply("query", "q5"), reply("answer", "a5"))
	var p *steps
	p = newSteps(model, func(ctx context.Context, q query, a answer) error {
		for _, c := range []struct {
			ok      bool
			message string
			at      assert.At
		}{
			{q.Query != "q1", "not one", assert.Target("query")},
			{q.Query != "q2", "not two", assert.TargetPredictor(p.Query.Predictor())},
			{a.Answer != "a3", "not three", assert.Target("answer")},
			{a.Answer != "a4", "not one", assert.Target("query")},
		} {
			if err := assert.That(ctx, c.ok, c.message, c.at); err != nil {
				return fmt.Errorf("wrapped: %w", err) // an error of the program's own around it does no harm
			}
		}
		return nil
	})
	ctx, tr := trace.Start(t.Context())
	out, err := assert.Wrap(p, assert.MaxBacktracks(6)).Run(ctx, question{"?"})
	if err != nil || out.Answer != "a5" {
		t.Fatalf("got %v, %v", out, err)
	}
	want := [][]string{
		{"question=?"},
		{"query=q1"},
		{"question=?", "past_query=q1", "feedback=not one"},
		{"query=q2"},
		{"question=?", "past_query=q2", "feedback=not one\nnot two"}, // all messages, the last output
		{"query=q3"},
		{"query=q3", "past_answer=a3", "feedback=not three"}, // the query is not paid again
		{"question=?", "past_query=q3", "feedback=not one\nnot two"},
		{"query=q5"},
	}
	if d := cmp.Diff(want, allAsked(model)); d != "" {
		t.Error(d)
	}
	var got []string
	for _, s := range module.Steps(tr) {
		got = append(got, fmt.Sprint(s.Outputs, s.Dropped, s.Reused, s.Usage.Calls))
	}
	if len(got) != 10 || strings.Count(strings.Join(got, "\n"), "true true 0") != 1 {
		t.Errorf("the steps are\n%s", strings.Join(got, "\n"))
	}
	if c := assert.CountCalls(tr); c != (assert.Calls{Requested: 10, Paid: 9}) {
		t.Errorf("counted %+v", c)
	}
	failures := assert.Failures(tr)
	if len(failures) != 4 || assert.Count(tr) != (assert.Tally{Asserts: 4}) {
		t.Fatalf("failures: %+v", failures)
	}
	for i, f := range failures {
		if f.Try != i || !f.Dropped || f.Ignored || !f.Hard || f.Predictor == nil {
			t.Errorf("failure %d: %+v", i, f)
		}
	}
	if past, _ := failures[2].Past.Get("past_answer"); past != "a3" || failures[2].Target != "answer" {
		t.Errorf("the third failure: %+v", failures[2])
	}
}

// TestFirstErrorDecides covers what the first failure was, and which error is returned.
func TestFirstErrorDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		order     string // what fails in each try: A for an assertion, S for a suggestion
		backtrack int
		calls     int
		err       string
	}{
		{"suggestion, then assertion", "SAA", 2, 3, "assertion"},
		{"assertion, then suggestion", "ASS", 2, 2, "assertion"},
		{"suggestion, assertion, fixed", "SA.", 2, 3, ""},
		{"suggestion, assertion, suggestion", "SAS", 2, 3, ""},
		{"assertion at 0", "A", 0, 1, "assertion"},
		{"suggestion at 0", "S", 0, 1, ""},
		{"assertion at 1", "A", 1, 1, "assertion"},
		{"suggestion at 1", "SS", 1, 2, ""},
		{"assertion at 5", "AAAAA", 5, 5, "assertion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var replies []string
			for i := range tt.order {
				replies = append(replies, reply("answer", tt.order[i:i+1]))
			}
			model := lmtest.Script(replies...)
			predict := module.MustPredict[question, answer]("", module.WithLM(model))
			p := program{Answer: predict, run: func(ctx context.Context, in question) (answer, error) {
				out, err := predict.Run(ctx, in)
				if err != nil {
					return out, err
				}
				if err := assert.That(ctx, out.Answer != "A", "assertion"); err != nil {
					return out, err
				}
				return out, assert.Suggest(ctx, out.Answer != "S", "suggestion")
			}}
			ctx, tr := trace.Start(t.Context())
			out, err := assert.Wrap(p, assert.MaxBacktracks(tt.backtrack)).Run(ctx, question{"?"})
			if model.Calls() != tt.calls {
				t.Errorf("%d calls, want %d", model.Calls(), tt.calls)
			}
			if want := tt.order[tt.calls-1 : tt.calls]; out.Answer != want {
				t.Errorf("the answer is %q, want that of the last try, %q", out.Answer, want)
			}
			var e *assert.Error
			if tt.err == "" && err != nil || tt.err != "" && (!errors.As(err, &e) || e.Message != tt.err) {
				t.Errorf("got %v", err)
			}
			if tt.name == "assertion, then suggestion" && (e.Try != 0 || !strings.Contains(err.Error(), `the last try failed, too: assert: suggestion: predictor "answer": suggestion`)) {
				t.Errorf("the error tells not both: %v", err)
			}
			kept := 0
			for _, s := range module.Steps(tr) {
				if !s.Dropped {
					kept++
				}
			}
			if kept != 1 {
				t.Errorf("%d steps kept, want the last one", kept)
			}
			c := assert.Count(tr)
			if wantUnmet := tt.order[tt.calls-1] != '.'; c.Failed() != strings.Count(tt.order[:tt.calls], "A")+strings.Count(tt.order[:tt.calls], "S") || wantUnmet != (c.Unmet() == 1) {
				t.Errorf("counted %+v", c)
			}
			last := assert.Failures(tr)[c.Failed()-1]
			if last.Ignored != (err == nil && c.Unmet() == 1) {
				t.Errorf("the last failure: %+v", last)
			}
		})
	}
}

// program is any function with a predictor that can be found.
type program struct {
	Answer *module.Predict[question, answer]
	run    func(context.Context, question) (answer, error)
}

func (p program) Run(ctx context.Context, in question) (answer, error) { return p.run(ctx, in) }

func TestNothingToAskAgain(t *testing.T) {
	t.Parallel()
	for _, hard := range []bool{true, false} {
		runs := 0
		p := module.Func[question, answer](func(ctx context.Context, _ question) (answer, error) {
			runs++
			if hard {
				return answer{}, assert.That(ctx, false, "no")
			}
			return answer{"went on"}, assert.Suggest(ctx, false, "no")
		})
		out, err := assert.Wrap(p, assert.MaxBacktracks(9)).Run(t.Context(), question{})
		switch {
		case hard && (err == nil || runs != 1):
			t.Errorf("an assertion: %d runs, %v", runs, err)
		case !hard && (err != nil || runs != 2 || out.Answer != "went on"):
			t.Errorf("a suggestion: %d runs, %v, %v", runs, out, err)
		}
	}
}

// TestTargetNotCalledYet asks the last predictor, as DSPy does.
func TestTargetNotCalledYet(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("query", "bad"), reply("query", "good"), reply("answer", "a"))
	p := newSteps(model, nil)
	prog := lookup{p, func(ctx context.Context, q query) error {
		return assert.That(ctx, q.Query != "bad", "no", assert.Target("steps.answer"))
	}}
	if _, err := assert.Wrap(prog).Run(t.Context(), question{"?"}); err != nil {
		t.Fatal(err)
	}
	if got := allAsked(model)[1]; !slices.Equal(got, []string{"question=?", "past_query=bad", "feedback=no"}) {
		t.Errorf("asked %q", got)
	}
}

// lookup is steps with a check between the predictors.
type lookup struct {
	Steps *steps
	check func(context.Context, query) error
}

func (p lookup) Run(ctx context.Context, in question) (answer, error) {
	q, err := p.Steps.Query.Run(ctx, in)
	if err != nil {
		return answer{}, err
	}
	if err := p.check(ctx, q); err != nil {
		return answer{}, err
	}
	return p.Steps.Answer.Run(ctx, q)
}

// TestTakenNames is a signature whose fields have the names of the retry prompt.
func TestTakenNames(t *testing.T) {
	t.Parallel()
	type in struct {
		PastFeedback string `json:"past_feedback"`
	}
	type out struct {
		Feedback string `json:"feedback"`
	}
	model := lmtest.Script(reply("feedback", "x"), reply("feedback", "y"))
	judge := module.MustPredict[in, out]("", module.WithLM(model))
	p := assert.Wrap(module.Func[in, out](func(ctx context.Context, i in) (out, error) {
		o, err := judge.Run(ctx, i)
		if err != nil {
			return o, err
		}
		return o, assert.That(ctx, o.Feedback != "x", "not x")
	}))
	if _, err := p.Run(t.Context(), in{"p"}); err != nil {
		t.Fatal(err)
	}
	if got := allAsked(model)[1]; !slices.Equal(got, []string{"past_feedback=p", "past_feedback_=x", "feedback_=not x"}) {
		t.Errorf("asked %q", got)
	}
}
