package lmtest_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
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

// faults are backends that do one thing wrong, by the test of the suite that must
// find it.
var faults = map[string]func(ctx context.Context, r *lm.Request) (*lm.Response, error){
	// Reads the marks of a chat template in data as its special tokens.
	"SpecialTokensAreText": func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		special := regexp.MustCompile(`<\|im_end\|>`)
		r = r.Clone()
		for i := range r.Messages {
			r.Messages[i] = lm.User(special.ReplaceAllString(r.Messages[i].Text(), " end "))
		}
		return story().Generate(ctx, r)
	},
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
}

// The suite runs in a process of its own, as it is meant to fail.
func TestSuiteFindsFaults(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("WHET_SUITE_FAULT"); name != "" {
		lmtest.Suite(t, func(*testing.T) lm.LM { return lm.Func(faults[name]) }, lmtest.Capabilities{Messages: true, Prompt: true})
		return
	}
	for name := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteFindsFaults$", "-test.v")
			cmd.Env = append(os.Environ(), "WHET_SUITE_FAULT="+name)
			out, err := cmd.CombinedOutput()
			var failed []string
			for _, m := range regexp.MustCompile(`--- FAIL: TestSuiteFindsFaults/(\S+)`).FindAllStringSubmatch(string(out), -1) {
				failed = append(failed, m[1])
			}
			if err == nil || !slices.Equal(failed, []string{name}) {
				t.Errorf("the suite ended with %v and failed in %s; want %s\n%s", err, strings.Join(failed, ", "), name, out)
			}
		})
	}
}
