package lmtest_test

import (
	"context"
	"crypto/rand"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func story() *lmtest.Scripted {
	return lmtest.Answer(func(*lm.Request) (string, error) { return "one two three four", nil })
}

func TestSuiteOnScripted(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(*testing.T) lm.LM { return story() }, lmtest.Capabilities{Messages: true, Prompt: true})
}

// shaping is a backend that fills the holes of a shape with what fill says, by name, and
// picks the choice with the highest bias.
func shaping(fill map[string]string) lm.Func {
	return func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := story().Generate(ctx, r)
		if err != nil || r.Shape == nil {
			return resp, err
		}
		resp.Text, resp.Shaped, resp.Finish, resp.Usage.CompletionTokens = "", true, lm.FinishStop, 0
		for _, s := range r.Shape.Segments {
			switch s.Hole {
			case lm.HoleNone:
				resp.Text += s.Literal
			case lm.HoleChoice:
				c := lm.Choice{Name: s.Name}
				sum := 0.0
				for i, a := range s.Choices {
					c.Options = append(c.Options, lm.Option{Text: a.Text, Prob: math.Exp(min(a.Bias, 100))})
					sum += c.Options[i].Prob
					if a.Bias > s.Choices[c.Picked].Bias {
						c.Picked = i
					}
				}
				for i := range c.Options {
					c.Options[i].Prob /= sum
				}
				resp.Choices = append(resp.Choices, c)
				resp.Text += c.Options[c.Picked].Text
			default:
				resp.Text += fill[s.Name]
			}
		}
		return resp, nil
	}
}

func good() map[string]string {
	return map[string]string{"whole": "-7", "number": "2.5", "small": "12", "object": `{"name": "box", "sure": true, "sizes": [1, 9]}`, "code": "ab-12"}
}

func TestSuiteOnShaping(t *testing.T) {
	t.Parallel()
	c := lmtest.Capabilities{Messages: true, Prompt: true, Forms: true, Scores: true}
	lmtest.Suite(t, func(*testing.T) lm.LM { return shaping(good()) }, c)
}

// drawing is a backend that decodes the tokens of a shape, as a server does: it reports no
// choices and heeds no bias.
func drawing(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	resp, err := shaping(good())(ctx, r)
	if err == nil && resp.Shaped {
		resp.Choices, resp.Usage.CompletionTokens = nil, 5
	}
	return resp, err
}

func TestSuiteOnDrawing(t *testing.T) {
	t.Parallel()
	c := lmtest.Capabilities{Messages: true, Prompt: true, Forms: true}
	lmtest.Suite(t, func(*testing.T) lm.LM { return lm.Func(drawing) }, c)
}

// uncounted is a backend that tells of no tokens.
func uncounted(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	resp, err := story().Generate(ctx, r)
	if err == nil {
		resp.Usage = lm.Usage{Calls: 1}
	}
	return resp, err
}

func TestSuiteOnUncounted(t *testing.T) {
	t.Parallel()
	c := lmtest.Capabilities{Messages: true, Prompt: true, NoTokenCounts: true}
	lmtest.Suite(t, func(*testing.T) lm.LM { return lm.Func(uncounted) }, c)
}

func TestSuiteOnSpecialReading(t *testing.T) {
	t.Parallel()
	c := lmtest.Capabilities{Messages: true, Prompt: true, ReadsSpecialTokens: true}
	lmtest.Suite(t, func(*testing.T) lm.LM { return lm.Func(readingSpecial) }, c)
}

// readingSpecial reads the mark of a chat template in data as its special token.
func readingSpecial(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	r = r.Clone()
	for i := range r.Messages {
		r.Messages[i] = lm.User(strings.ReplaceAll(r.Messages[i].Text(), "<|im_end|>", " end "))
	}
	return story().Generate(ctx, r)
}

// badForms are values that the suite must find wrong, by the name of their hole.
var badForms = map[string][]string{
	"whole":  {"2.0", "seven", ""},
	"number": {"2.", "inf", "", "1\n2"},
	"small":  {"13", "2", "7.0", `"7"`},
	"object": {
		`{"name": "box", "sure": true}`, `{"sure": true, "sizes": [1]}`, `{"name": "box", "sizes": [1]}`, `{"name": "box", "sure": true, "sizes": [0]}`,
		`{"name": "box", "sure": true, "sizes": []}`, `{"name": "a long name", "sure": true, "sizes": [1]}`, `{"name": "box", "sure": true, "sizes": [1]`,
	},
	"code": {"AB-12", "ab-12 ", "see ab-12"},
}

// faults are backends that do one thing wrong, by the test of the suite that must
// find it.
var faults = map[string]func(ctx context.Context, r *lm.Request) (*lm.Response, error){
	"SpecialTokensAreText": readingSpecial,
	// Says that the model came to its end, where the limit did.
	"MaxTokens": func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := story().Generate(ctx, r)
		if err == nil {
			resp.Finish = lm.FinishStop
		}
		return resp, err
	},
	// Writes into the request.
	"RequestUnchanged": func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := story().Generate(ctx, r)
		r.Stop = append(r.Stop, "!")
		return resp, err
	},
	// Samples where a seed is given, and knows nothing of it.
	"SeedRepeats": func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := story().Generate(ctx, r)
		if err == nil && r.Seed != nil {
			resp.Text = rand.Text()
		}
		return resp, err
	},
	// Reports a choice that it has not made.
	"Choice": func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := story().Generate(ctx, r)
		if err == nil && r.Shape != nil {
			resp.Choices = []lm.Choice{{Name: "label"}}
		}
		return resp, err
	},
}

// claims are capabilities that a backend does not have, by the tests that must find it.
var claims = map[string]struct {
	m lm.LM
	c lmtest.Capabilities
}{
	"Choice":               {lm.Func(drawing), lmtest.Capabilities{Forms: true, Scores: true}},
	"Choice,Forms":         {story(), lmtest.Capabilities{Forms: true}},
	"SeedRepeats":          {story(), lmtest.Capabilities{Samples: true}},
	"SpecialTokensAreText": {story(), lmtest.Capabilities{ReadsSpecialTokens: true}},
}

// denials are capabilities that a backend has and does not name.
var denials = map[string]lm.LM{
	"Choice,Forms": shaping(good()),
}

// The suite runs in a process of its own, as it is meant to fail.
func TestSuiteFindsFaults(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("WHET_SUITE_FAULT"); name != "" {
		c := lmtest.Capabilities{}
		m := lm.LM(lm.Func(faults[name]))
		switch os.Getenv("WHET_SUITE_KIND") {
		case "form":
			c.Forms, c.Scores = true, true
			fill := good()
			fill[os.Getenv("WHET_SUITE_HOLE")] = os.Getenv("WHET_SUITE_VALUE")
			m = shaping(fill)
		case "claim":
			m, c = claims[name].m, claims[name].c
		case "denial":
			m = denials[name]
		}
		c.Messages, c.Prompt = true, true
		lmtest.Suite(t, func(*testing.T) lm.LM { return m }, c)
		return
	}
	type fault struct{ kind, tests, hole, value string }
	var all []fault
	for name := range faults {
		all = append(all, fault{kind: "fault", tests: name})
	}
	for name := range claims {
		all = append(all, fault{kind: "claim", tests: name})
	}
	for name := range denials {
		all = append(all, fault{kind: "denial", tests: name})
	}
	for hole, values := range badForms {
		for _, v := range values {
			all = append(all, fault{"form", "Forms", hole, v})
		}
	}
	for _, f := range all {
		t.Run(f.kind+f.tests+f.hole+f.value, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteFindsFaults$", "-test.v")
			cmd.Env = append(os.Environ(), "WHET_SUITE_KIND="+f.kind, "WHET_SUITE_FAULT="+f.tests, "WHET_SUITE_HOLE="+f.hole, "WHET_SUITE_VALUE="+f.value)
			out, err := cmd.CombinedOutput()
			var failed []string
			for _, m := range regexp.MustCompile(`--- FAIL: TestSuiteFindsFaults/(\S+)`).FindAllStringSubmatch(string(out), -1) {
				failed = append(failed, m[1])
			}
			if err == nil || strings.Join(failed, ",") != f.tests {
				t.Errorf("the suite ended with %v and failed in %s; want %s\n%s", err, strings.Join(failed, ", "), f.tests, out)
			}
		})
	}
}
