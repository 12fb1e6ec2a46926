package assert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// rating declares what must hold of it.
type rating struct {
	Label string `json:"label" enum:"ham,spam"`
	Score int    `json:"score" min:"0" max:"10"`
	Code  string `json:"code" pattern:"^[A-Z]{2}$"`
}

// wild is a model that writes values, of which most are none of their field. With forms
// it enforces the Shape: of what it would write it takes what the hole allows.
type wild struct {
	rng    *rand.Rand
	forms  bool
	calls  int
	broken int // replies that break something
}

func (m *wild) pick(values ...string) string { return values[m.rng.IntN(len(values))] }

// fill writes a value, one that fits where fits is given.
func (m *wild) fill(fits func(string) bool, values ...string) string {
	for {
		if v := m.pick(values...); fits == nil || fits(v) {
			return v
		}
	}
}

// Generate implements lm.LM.
func (m *wild) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	m.calls++
	labels, scores, codes := []string{"ham", "eggs", "beans"}, []string{"3", "11", "-1", "ten"}, []string{"AB", "abc", "A"}
	if !m.forms {
		label, score, code := m.pick(labels...), m.pick(scores...), m.pick(codes...)
		if label != "ham" || score != "3" || code != "AB" {
			m.broken++
		}
		return &lm.Response{Text: reply("label", label, "score", score, "code", code), Usage: lm.Usage{Calls: 1}}, nil
	}
	var b strings.Builder
	for _, s := range r.Shape.Segments {
		switch s.Hole {
		case lm.HoleNone:
			b.WriteString(s.Literal)
		case lm.HoleChoice:
			b.WriteString(m.fill(func(v string) bool {
				for _, c := range s.Choices {
					if c.Text == v {
						return true
					}
				}
				return false
			}, labels...))
		case lm.HoleJSON:
			var schema struct{ Minimum, Maximum float64 }
			if err := json.Unmarshal(s.Schema, &schema); err != nil {
				return nil, err
			}
			b.WriteString(m.fill(func(v string) bool {
				n, err := strconv.Atoi(v)
				return err == nil && float64(n) >= schema.Minimum && float64(n) <= schema.Maximum
			}, scores...))
		case lm.HolePattern:
			b.WriteString(m.fill(regexp.MustCompile(s.Pattern).MatchString, codes...))
		default:
			return nil, fmt.Errorf("the hole %q of kind %d is not expected here", s.Name, s.Hole)
		}
	}
	return &lm.Response{Text: b.String(), Shaped: true, Usage: lm.Usage{Calls: 1}}, nil
}

// TestDeclaredConstraints runs one program on a backend that enforces forms, on which
// nothing fails, and on one that does not, on which failures send it back.
func TestDeclaredConstraints(t *testing.T) {
	t.Parallel()
	for _, forms := range []bool{true, false} {
		model := &wild{rng: rand.New(rand.NewPCG(3, 4)), forms: forms}
		p := assert.Wrap(module.MustPredict[question, rating]("", module.WithLM(model)), assert.MaxBacktracks(400))
		var sum assert.Tally
		for range 50 {
			ctx, tr := trace.Start(t.Context())
			got, err := p.Run(ctx, question{"?"})
			if err != nil || got != (rating{"ham", 3, "AB"}) {
				t.Fatalf("forms %v: got %+v, %v", forms, got, err)
			}
			sum = sum.Add(assert.Count(tr))
		}
		if forms && (sum != (assert.Tally{}) || model.calls != 50) {
			t.Errorf("with forms %+v failed in %d calls", sum, model.calls)
		}
		if !forms && (model.broken == 0 || sum != (assert.Tally{Asserts: model.broken}) || model.calls != 50+model.broken) {
			t.Errorf("without forms %+v failed in %d calls, of which %d were broken", sum, model.calls, model.broken)
		}
	}
}

// TestConstraintFeedback looks at what the predictor is told.
func TestConstraintFeedback(t *testing.T) {
	t.Parallel()
	good := []string{"label", "ham", "score", "3", "code", "AB"}
	with := func(name, value string) string {
		pairs := append([]string(nil), good...)
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				pairs[i+1] = value
			}
		}
		return reply(pairs...)
	}
	model := lmtest.Script(with("label", "eggs"), with("score", "11"), with("score", "-1"), with("score", "ten"), with("code", "abc"), reply(good...))
	p := assert.Wrap(module.MustPredict[question, rating]("", module.WithLM(model)), assert.MaxBacktracks(9))
	ctx, tr := trace.Start(t.Context())
	if _, err := p.Run(ctx, question{"?"}); err != nil {
		t.Fatal(err)
	}
	const (
		label = "The field `label` must be one of ham, spam"
		score = "\nThe field `score` must be int, greater than or equal to: 0, less than or equal to: 10"
		code  = "\nThe field `code` must be str, a text that matches the regular expression ^[A-Z]{2}$"
	)
	want := [][]string{
		{"question=?"},
		{"question=?", "past_label=eggs", "feedback=" + label},
		{"question=?", "past_score=11", "feedback=" + label + score},
		{"question=?", "past_score=-1", "feedback=" + label + score}, // the same mistake is told once
		{"question=?", "past_score=ten", "feedback=" + label + score},
		{"question=?", "past_code=abc", "feedback=" + label + score + code},
	}
	if d := cmp.Diff(want, allAsked(model)); d != "" {
		t.Error(d)
	}
	failures := assert.Failures(tr)
	if len(failures) != 5 || !failures[0].Hard || failures[0].Target != "self" || !errors.As(failures[0].Err, new(*adapter.ParseError)) {
		t.Errorf("failures: %+v", failures)
	}
	var usage int
	for _, s := range module.Steps(tr) {
		usage += s.Usage.Calls
	}
	if usage != 6 {
		t.Errorf("%d calls are in the trace, want 6", usage)
	}
}

func TestConstraintNeverMet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		text  string
		opts  []assert.Option
		calls int
		is    bool // an assertion
	}{
		{"broken", reply("label", "eggs", "score", "3", "code", "AB"), nil, 2, true},
		{"a field is missing", reply("label", "ham", "score", "3"), nil, 1, false},
		{"bypassed", reply("label", "eggs", "score", "3", "code", "AB"), []assert.Option{assert.BypassAsserts(), assert.MaxBacktracks(2)}, 1, false},
		{"no backtracking", reply("label", "eggs", "score", "3", "code", "AB"), []assert.Option{assert.BypassSuggestions()}, 1, false},
	} {
		model := lmtest.Answer(func(*lm.Request) (string, error) { return tt.text, nil })
		p := assert.Wrap(module.MustPredict[question, rating]("", module.WithLM(model)), tt.opts...)
		_, err := p.Run(t.Context(), question{"?"})
		var e *assert.Error
		var pe *adapter.ParseError
		if !errors.As(err, &pe) || errors.As(err, &e) != tt.is || model.Calls() != tt.calls {
			t.Errorf("%s: got %v after %d calls", tt.name, err, model.Calls())
		}
		if tt.is && (!e.Hard || e.Target != "self" || pe.Got != "eggs" || !strings.Contains(err.Error(), "must be one of ham, spam")) {
			t.Errorf("%s: got %+v", tt.name, e)
		}
	}
}

// TestConstraintCutOff is no matter for another try: the next would be cut off, too.
func TestConstraintCutOff(t *testing.T) {
	t.Parallel()
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: "[[ ## label ## ]]\nha", Finish: lm.FinishLength}, nil
	})
	_, err := assert.Wrap(module.MustPredict[question, rating]("", module.WithLM(model))).Run(t.Context(), question{"?"})
	if !errors.As(err, new(*module.TruncatedError)) || errors.As(err, new(*assert.Error)) {
		t.Errorf("got %v", err)
	}
}

// TestConstraintInside tells which part of a value is wrong.
func TestConstraintInside(t *testing.T) {
	t.Parallel()
	type part struct {
		Size int `json:"size" max:"9"`
	}
	type whole struct {
		Parts []part `json:"parts"`
	}
	model := lmtest.Script(reply("parts", `[{"size": 3}, {"size": 12}]`), reply("parts", `[{"size": 3}]`))
	p := assert.Wrap(module.MustPredict[question, whole]("", module.WithLM(model)))
	got, err := p.Run(t.Context(), question{"?"})
	if err != nil || len(got.Parts) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	again := strings.Join(allAsked(model)[1], "\n")
	if !strings.Contains(again, `past_parts=[{"size": 3}, {"size": 12}]`) || !strings.Contains(again, `item 1: field "size": want less than or equal to: 9, got 12`) {
		t.Errorf("asked %s", again)
	}
}

// TestConstraintNested leaves a broken constraint to the innermost, and it counts once.
func TestConstraintNested(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(
		reply("label", "eggs", "score", "3", "code", "AB"), reply("label", "beans", "score", "3", "code", "AB"),
		reply("label", "ham", "score", "3", "code", "AB"))
	inner := assert.Wrap(module.MustPredict[question, rating]("", module.WithLM(model)))
	ctx, tr := trace.Start(t.Context())
	got, err := assert.Wrap(inner).Run(ctx, question{"?"})
	if err != nil || got.Label != "ham" {
		t.Fatalf("got %v, %v", got, err)
	}
	if c := assert.Count(tr); c != (assert.Tally{Asserts: 2}) {
		t.Errorf("counted %+v", c)
	}
}
