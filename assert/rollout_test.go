package assert_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// voting asserts what several rollouts of one predictor have agreed on.
type voting struct {
	Vote *module.SelfConsistency[question, answer]
}

func (p *voting) Run(ctx context.Context, in question) (answer, error) {
	out, err := p.Vote.Run(ctx, in)
	if err != nil {
		return out, err
	}
	return out, assert.That(ctx, !strings.HasPrefix(out.Answer, "no"), "a better one")
}

// TestMemoKnowsRollouts sends a vote back: the rollout on whose answer the vote rests is
// asked again, and the others keep their own answers, whichever of them comes first.
func TestMemoKnowsRollouts(t *testing.T) {
	t.Parallel()
	for range 30 {
		var mu sync.Mutex
		var again []int
		var first sync.WaitGroup // of the three calls of the first try, which are all there at once
		first.Add(3)
		model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
			text := "yes"
			if field(r, "feedback") == "" {
				text = []string{"no", "left", "yes"}[r.Rollout]
				first.Done()
				first.Wait()
			} else {
				mu.Lock()
				defer mu.Unlock()
				again = append(again, r.Rollout)
			}
			return &lm.Response{Text: reply("answer", text), Usage: lm.Usage{Calls: 1}}, nil
		})
		p := &voting{module.MustSelfConsistency(module.MustPredict[question, answer]("", module.WithLM(model)), 3, 0, module.Voting[answer]{})}
		ctx, tr := trace.Start(t.Context())
		out, err := assert.Wrap(p).Run(ctx, question{"?"})
		if err != nil || out.Answer != "yes" || fmt.Sprint(again) != "[0]" {
			t.Fatalf("%v, %v; rollouts %v were asked again, want that of the answer, 0", out, err, again)
		}
		last := module.Steps(tr)[3:]
		for i, want := range []string{"yes", "left", "yes"} {
			if got, _ := last[i].Outputs.Get("answer"); got != want || last[i].Reused != (i > 0) {
				t.Fatalf("rollout %d answers %v in the second try, reused %v; want %s", i, got, last[i].Reused, want)
			}
		}
	}
}

// TestRepairsKnowTheirFailure has two rollouts of one predictor mended, each of what it had
// answered itself.
func TestRepairsKnowTheirFailure(t *testing.T) {
	t.Parallel()
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		text := fmt.Sprint("rollout ", r.Rollout)
		if field(r, "feedback") != "" {
			text = "mended"
		}
		return &lm.Response{Text: reply("answer", text), Usage: lm.Usage{Calls: 1}}, nil
	})
	vote := module.MustSelfConsistency(assert.Wrap(newOne(model, assert.Suggest)), 2, 0, module.Voting[answer]{})
	ctx, tr := trace.Start(t.Context())
	if out, err := vote.Run(ctx, question{"?"}); err != nil || out.Answer != "mended" {
		t.Fatal(out, err)
	}
	var got []string
	for _, r := range assert.Repairs(tr) {
		v, _ := r.Demo().Get("past_answer")
		got = append(got, fmt.Sprint(v))
	}
	if strings.Join(got, ", ") != "rollout 0, rollout 1" {
		t.Errorf("mended were %q", got)
	}
}

// TestPanicLosesNothing has a program panic after a call that was paid.
func TestPanicLosesNothing(t *testing.T) {
	t.Parallel()
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: reply("answer", "x"), Usage: lm.Usage{Calls: 1}}, nil
	})
	crash := errors.New("crash")
	p := newOne(model, func(context.Context, bool, string, ...assert.At) error { panic(crash) })
	for name, run := range map[string]func(ctx context.Context) error{
		"Run":  func(ctx context.Context) error { _, err := assert.Wrap(p).Run(ctx, question{}); return err },
		"Call": func(ctx context.Context) error { _, err := assert.Wrap(p).Call(ctx, question{}); return err },
	} {
		ctx, tr := trace.Start(t.Context())
		func() {
			defer func() {
				if v, _ := recover().(error); !errors.Is(v, crash) {
					t.Errorf("%s: recovered %v", name, v)
				}
			}()
			_ = run(ctx)
		}()
		if u := module.UsageOf(tr); u.Calls != 1 {
			t.Errorf("%s: the trace has %d calls, want the one that was paid", name, u.Calls)
		}
	}
}

func TestNilOption(t *testing.T) {
	t.Parallel()
	p := newOne(lm.Func(nil), assert.That)
	if _, err := assert.Wrap(p, nil).Run(t.Context(), question{}); err == nil || !strings.Contains(err.Error(), "an option is nil") {
		t.Errorf("Wrap with a nil option: %v", err)
	}
}
