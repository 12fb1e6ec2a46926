package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

const family = "[[ ## folder ## ]]\nfamily\n\n[[ ## completed ## ]]"

func ExampleRetry() {
	model := lmtest.Script("[[ ## folder ## ]]\npets", family)
	sort := module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model), module.Retry(1))
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	messages := model.Requests()[1].Messages
	fmt.Println(messages[len(messages)-1].Text())
	fmt.Println()
	fmt.Println(pred.Out.Folder, "after", len(pred.Rejected), "rejected reply; calls:", pred.Usage.Calls)
	// Output:
	// Your last reply cannot be used. The field `folder` must be one of work, family, junk, and you wrote: pets.
	//
	// Reply again to the same request, with all fields and in the form that it asks for.
	//
	// family after 1 rejected reply; calls: 2
}

func TestRepairPolicy(t *testing.T) {
	t.Parallel()
	const bad, asJSON = "[[ ## folder ## ]]\npets", `{"folder": "work"}`
	for name, c := range map[string]struct {
		options []module.Option
		replies []string
		want    string // the folder, "" for an error
		calls   int
	}{
		"one call by default":     {nil, []string{bad, family}, "", 1},
		"retry":                   {[]module.Option{module.Retry(2)}, []string{bad, bad, family}, "family", 3},
		"retries are used up":     {[]module.Option{module.Retry(1)}, []string{bad, bad, family}, "", 2},
		"JSON":                    {[]module.Option{module.JSONFallback()}, []string{bad, asJSON}, "work", 2},
		"JSON, then retry":        {[]module.Option{module.JSONFallback(), module.Retry(1)}, []string{bad, "no", family}, "family", 3},
		"JSON is its own already": {[]module.Option{module.JSONFallback(), module.WithAdapter(adapter.JSON{})}, []string{bad, asJSON}, "", 1},
		"an empty reply":          {[]module.Option{module.Retry(1)}, []string{"", family}, "family", 2},
		"a raw prompt":            {[]module.Option{module.Retry(1), module.WithAdapter(adapter.Compact{})}, []string{"pets", "junk"}, "junk", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := lmtest.Script(c.replies...)
			p := module.MustPredict[Mail, Folder]("Sort the mail.", append(c.options, module.WithLM(model))...)
			ctx, tr := trace.Start(t.Context())
			pred, err := p.Call(ctx, Mail{Text: "x"})
			if model.Calls() != c.calls {
				t.Errorf("%d calls, want %d", model.Calls(), c.calls)
			}
			step := module.Steps(tr)[0]
			if step.Usage.Calls != c.calls || len(step.Rejected) != c.calls-1 {
				t.Errorf("the trace has %d calls and %d rejected replies, want %d", step.Usage.Calls, len(step.Rejected), c.calls)
			}
			var pe *adapter.ParseError
			switch {
			case c.want == "":
				if !errors.As(err, &pe) {
					t.Errorf("got %v, want a *ParseError", err)
				}
			case err != nil:
				t.Error(err)
			case pred.Out.Folder != c.want || pred.Usage.Calls != c.calls || len(pred.Rejected) != c.calls-1:
				t.Errorf("got %+v", pred)
			default:
				for _, r := range pred.Rejected {
					if !errors.As(r.Err, &pe) || r.Usage.Calls != 1 {
						t.Errorf("rejected: %+v", r)
					}
				}
			}
		})
	}
}

// After the fallback the first form is asked for again, with its own reply.
func TestRetryAfterFallback(t *testing.T) {
	t.Parallel()
	model := lmtest.Script("[[ ## folder ## ]]\npets", "not JSON", family)
	p := module.MustPredict[Mail, Folder]("Sort.", module.WithLM(model), module.JSONFallback(), module.Retry(1))
	pred, err := p.Call(t.Context(), Mail{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	last := model.Requests()[2].Messages
	if n := len(last); last[n-2].Text() != "[[ ## folder ## ]]\npets" || !strings.Contains(last[n-1].Text(), "pets") || !strings.Contains(last[0].Text(), "[[ ## folder ## ]]") {
		t.Errorf("the third request is %+v", last)
	}
	if pred.Rejected[0].Adapter != "chat" || pred.Rejected[1].Adapter != "json" {
		t.Errorf("rejected: %+v", pred.Rejected)
	}
}

// A raw prompt is sent again as another rollout, so that no answer store gives the
// same reply.
func TestRetryRawPrompt(t *testing.T) {
	t.Parallel()
	model := lmtest.Script("pets", "junk")
	p := module.MustPredict[Mail, Folder]("Sort.", module.WithLM(model), module.Retry(1), module.WithAdapter(adapter.Compact{}), module.Temperature(0), module.Seed(7))
	if _, err := p.Run(t.Context(), Mail{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	again := model.Requests()[1]
	if again.Rollout != 1 || *again.Temperature < 0.5 || *again.Seed == 7 || again.Prompt != model.Requests()[0].Prompt {
		t.Errorf("the second request is %+v", again)
	}
}

func TestRetryEndsWithTheModel(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	calls := 0
	model := lmtest.Answer(func(*lm.Request) (string, error) {
		if calls++; calls > 1 {
			return "", down
		}
		return "hm", nil
	})
	p := module.MustPredict[Mail, Folder]("Sort.", module.WithLM(model), module.Retry(3))
	if _, err := p.Run(t.Context(), Mail{Text: "x"}); !errors.Is(err, down) || calls != 2 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	if _, err := module.NewPredict[Mail, Folder]("Sort.", module.Retry(-1)); err == nil || !strings.Contains(err.Error(), "Retry(-1)") {
		t.Errorf("Retry(-1): %v", err)
	}
}

func TestNoShape(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(family, family)
	for i, options := range [][]module.Option{{module.WithLM(model)}, {module.WithLM(model), module.NoShape()}} {
		if _, err := module.MustPredict[Mail, Folder]("Sort.", options...).Run(t.Context(), Mail{Text: "x"}); err != nil {
			t.Fatal(err)
		}
		if shaped := model.Requests()[i].Shape != nil; shaped != (i == 0) {
			t.Errorf("request %d has a shape: %v", i, shaped)
		}
	}
}
