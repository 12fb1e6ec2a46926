package assert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// goldenCase is a run of the real DSPy 2.5.43.
type goldenCase struct {
	Name          string              `json:"name"`
	MaxBacktracks *int                `json:"max_backtracks"`
	Scripted      []map[string]string `json:"scripted_outputs"`
	Result        map[string]string   `json:"result"`
	Exception     string              `json:"exception"`
	Message       string              `json:"message"`
	Calls         [][]struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"calls"`
	FinalTrace []goldenStep `json:"final_trace"`
}

type goldenStep struct {
	Inputs  map[string]string `json:"inputs"`
	Outputs map[string]string `json:"outputs"`
}

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	data, err := os.ReadFile("testdata/assertions_2.5.43.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []goldenCase `json:"cases"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 14 {
		t.Fatalf("%d cases, want 14", len(golden.Cases))
	}
	return golden.Cases
}

// think is one with a chain of thought.
type think struct {
	Answer *module.ChainOfThought[question, answer]
}

func (p *think) Run(ctx context.Context, in question) (answer, error) {
	out, err := p.Answer.Run(ctx, in)
	if err != nil {
		return out, err
	}
	return out, assert.Suggest(ctx, len(strings.Fields(out.Answer)) == 1, oneWord)
}

// program returns the program of a golden run, and how it is wrapped there.
func (c goldenCase) program(m lm.LM) (module.Program[question, answer], []assert.Option) {
	var p module.Program[question, answer]
	switch {
	case strings.HasPrefix(c.Name, "two_step"):
		p = newSteps(m, func(ctx context.Context, _ query, a answer) error {
			if err := assert.Suggest(ctx, a.Answer != "bad", "Answer is bad, query differently", assert.Target("query")); err != nil {
				return err
			}
			return assert.Suggest(ctx, a.Answer != "toolong", "Answer too long", assert.Target("answer"))
		})
	case c.Name == "suggest_cot_target":
		p = &think{module.MustChainOfThought[question, answer]("", module.WithLM(m))}
	case strings.HasPrefix(strings.ToLower(c.Name), "assert"), c.Name == "noop":
		p = newOne(m, assert.That)
	default:
		p = newOne(m, assert.Suggest)
	}
	switch {
	case c.Name == "noop":
		return p, []assert.Option{assert.BypassAsserts(), assert.BypassSuggestions()}
	case c.Name == "bypass_suggest":
		return p, []assert.Option{assert.BypassSuggestions()}
	case c.MaxBacktracks != nil:
		return p, []assert.Option{assert.MaxBacktracks(*c.MaxBacktracks)}
	}
	return p, nil
}

// model answers in the order of the script.
func (c goldenCase) model() *lmtest.Scripted {
	if len(c.Scripted) == 0 {
		return lmtest.Script(reply("answer", "a b"))
	}
	var texts []string
	for _, fields := range c.Scripted {
		var pairs []string
		for _, name := range []string{"reasoning", "query", "answer"} {
			if v, ok := fields[name]; ok {
				pairs = append(pairs, name, v)
			}
		}
		texts = append(texts, reply(pairs...))
	}
	return lmtest.Script(texts...)
}

var inputNames = regexp.MustCompile("(?m)^[0-9]+\\. `(\\w+)`")

// inputsListed returns the input fields that a system message lists, in order.
func inputsListed(system string) []string {
	system, _, _ = strings.Cut(system, "Your output fields are")
	var out []string
	for _, m := range inputNames.FindAllStringSubmatch(system, -1) {
		out = append(out, m[1])
	}
	return out
}

// TestGoldenFullRerun runs all golden runs as DSPy did, without the memory.
func TestGoldenFullRerun(t *testing.T) {
	t.Parallel()
	for _, c := range goldenCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			model := c.model()
			calls, _ := runGolden(t, c, model, assert.FullRerun())
			if c.Calls == nil {
				return
			}
			var want [][]string
			var wantListed, gotListed [][]string
			for _, call := range c.Calls {
				r := &lm.Request{}
				for _, m := range call {
					r.Messages = append(r.Messages, lm.User(m.Content))
				}
				want = append(want, asked(r))
				wantListed = append(wantListed, inputsListed(call[0].Content))
			}
			for _, r := range model.Requests() {
				gotListed = append(gotListed, inputsListed(r.Messages[0].Text()))
			}
			if d := cmp.Diff(want, calls); d != "" {
				t.Errorf("the calls (-DSPy +whet):\n%s", d)
			}
			if d := cmp.Diff(wantListed, gotListed); d != "" {
				t.Errorf("the inputs that the calls describe (-DSPy +whet):\n%s", d)
			}
		})
	}
}

// TestGoldenMemory runs them with the memory: only a run that goes back twice to
// different predictors differs, by the call that is not paid again.
func TestGoldenMemory(t *testing.T) {
	t.Parallel()
	for _, c := range goldenCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			want := len(c.Calls)
			if c.Name == "two_step_two_failures" {
				// The second query stays, so that the third one of the script is not asked for.
				want--
				c.Scripted = slices.Delete(slices.Clone(c.Scripted), 4, 5)
				c.FinalTrace = []goldenStep{
					{map[string]string{"question": "Capital of France?", "feedback": "Answer is bad, query differently"}, map[string]string{"query": "q2"}},
					{map[string]string{"query": "q2", "feedback": "Answer too long"}, map[string]string{"answer": "fine"}},
				}
			}
			calls, tr := runGolden(t, c, c.model())
			if c.Calls != nil && len(calls) != want {
				t.Errorf("%d calls, want %d", len(calls), want)
			}
			reused := 0
			for _, s := range module.Steps(tr) {
				if s.Reused {
					reused++
				}
			}
			if wantReused := len(c.Calls) - want; c.Calls != nil && reused != wantReused {
				t.Errorf("%d reused steps, want %d", reused, wantReused)
			}
		})
	}
}

// runGolden runs a program and compares outcome and trace. It returns what was asked.
func runGolden(t *testing.T, c goldenCase, model *lmtest.Scripted, more ...assert.Option) ([][]string, *trace.Trace) {
	t.Helper()
	p, opts := c.program(model)
	if !strings.HasSuffix(c.Name, "not_activated") {
		p = assert.Wrap(p, append(opts, more...)...)
	}
	ctx, tr := trace.Start(t.Context())
	out, err := p.Run(ctx, question{"Capital of France?"})
	if c.Exception != "" {
		var e *assert.Error
		if !errors.As(err, &e) || e.Message != c.Message || e.Hard != (c.Exception == "DSPyAssertionError") {
			t.Fatalf("got %v, want the %s %q", err, c.Exception, c.Message)
		}
	} else if err != nil || out.Answer != c.Result["answer"] {
		t.Fatalf("got %q, %v; want %q", out.Answer, err, c.Result["answer"])
	}
	if c.FinalTrace != nil {
		var got []goldenStep
		for _, s := range module.Steps(tr) {
			if s.Dropped {
				continue
			}
			step := goldenStep{map[string]string{}, map[string]string{}}
			for n, v := range s.Inputs.All() {
				step.Inputs[n] = fmt.Sprint(v)
			}
			for n, v := range s.Outputs.All() {
				step.Outputs[n] = fmt.Sprint(v)
			}
			got = append(got, step)
		}
		same := slices.EqualFunc(got, c.FinalTrace, func(a, b goldenStep) bool {
			return maps.Equal(a.Inputs, b.Inputs) && maps.Equal(a.Outputs, b.Outputs)
		})
		if !same {
			t.Errorf("the steps kept are %v, want %v", got, c.FinalTrace)
		}
	}
	return allAsked(model), tr
}
