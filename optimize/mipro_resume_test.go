package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// counting counts a model's calls before they are made.
type counting struct {
	model lm.LM
	count func()
}

func (c *counting) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	c.count()
	return c.model.Generate(ctx, r)
}

// TestMIPROv2Cancelled returns the best so far, at whatever call the context ends; run again
// with the same store it ends as the search that was not cancelled, and pays twice for no more
// than what was in flight.
func TestMIPROv2Cancelled(t *testing.T) {
	t.Parallel()
	full, _ := compileMIPRO(t, smallMIPRO, 60)
	for at := int64(1); at < int64(full.Calls.Paid); at += 23 {
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		count := func() {
			if n.Add(1) == at {
				cancel()
			}
		}
		store, prompts, model := optimize.NewStore(), miproProposing(), lmtest.Answer(miproTask)
		asked := &counting{prompts, count}
		search := func(ctx context.Context, p *module.Predict[message, verdict]) (*optimize.Result, error) {
			return optimize.Compile(ctx, smallMIPRO, p, messages(60), metric.Exact, optimize.PromptModel(asked),
				optimize.Through(store.Wrap), optimize.Concurrency(2))
		}
		p := newClassifier(&counting{model, count})
		r, err := search(ctx, p)
		if !errors.Is(err, context.Canceled) || r == nil {
			t.Fatalf("cancelled at call %d: got %v and %v", at, r, err)
		}
		if r.Score < r.Baseline || len(r.Trials) > len(full.Trials) {
			t.Errorf("cancelled at call %d: got %s", at, r)
		}
		if r, err = search(t.Context(), p); err != nil || miproTrials(r) != miproTrials(full) {
			t.Errorf("cancelled at call %d and run again: %v, got %s", at, err, r)
		}
		if paid := model.Calls() + prompts.Calls(); paid > full.Calls.Paid+2 {
			t.Errorf("cancelled at call %d and run again, %d calls were paid, and %d without", at, paid, full.Calls.Paid)
		}
		cancel()
	}
}

// TestMIPROv2Resumes runs into a budget again and again, goes on from the store, and ends
// with the search that had none.
func TestMIPROv2Resumes(t *testing.T) {
	t.Parallel()
	want, _ := compileMIPRO(t, smallMIPRO, 60)
	store := optimize.NewStore()
	prompts, model := miproProposing(), lmtest.Answer(miproTask)
	ended := 0
	for {
		r, err := optimize.Compile(t.Context(), smallMIPRO, newClassifier(model), messages(60), metric.Exact,
			optimize.PromptModel(prompts), optimize.Through(store.Wrap), optimize.Within(optimize.Budget{Calls: 37}), optimize.Concurrency(4))
		if err == nil {
			if miproTrials(r) != miproTrials(want) {
				t.Errorf("got\n%s\nwant\n%s", miproTrials(r), miproTrials(want))
			}
			break
		}
		if ended++; !errors.Is(err, lm.ErrBudget) || r == nil || r.Score < r.Baseline || ended > 40 {
			t.Fatalf("run %d: got %v and %v", ended, r, err)
		}
	}
	if paid := model.Calls() + prompts.Calls(); ended < 3 || paid != want.Calls.Paid {
		t.Errorf("after %d ends %d calls were paid, want %d", ended, paid, want.Calls.Paid)
	}
}

// TestMIPROv2WithAssertions makes demos of the final tries of a teacher that asserts, and
// scores the program without its assertions.
func TestMIPROv2WithAssertions(t *testing.T) {
	t.Parallel()
	model := wordy()
	predict := module.MustPredict[message, judged]("", module.WithLM(model))
	opt := optimize.MIPROv2{Candidates: 3, Trials: 4, NoMinibatch: true, MaxBootstrapped: 3, MaxLabeled: optimize.None}
	r, err := optimize.Compile(t.Context(), opt, &plain{predict}, hams(6), metric.Exact, optimize.Val(hams(8)),
		optimize.TeacherProgram(assert.Wrap(&brief{predict})), optimize.PromptModel(miproProposing()), optimize.Concurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, trial := range r.Trials {
		var got []string
		for _, d := range trial.States[0].State.Demos {
			text, _ := d.Fields.Get("text")
			got = append(got, fmt.Sprint(text))
			if l, _ := d.Fields.Get("label"); l != "ham" || !d.Augmented {
				t.Errorf("a demo is %v", d)
			}
		}
		seen = seen || slices.Equal(got, []string{"message 0", "message 1", "message 2"})
	}
	if !seen {
		t.Errorf("no trial has the set of demos in order: %s", miproTrials(r))
	}
}

// TestMIPROv2DryRun tells beforehand what the search asks.
func TestMIPROv2DryRun(t *testing.T) {
	t.Parallel()
	all := messages(60)
	for name, opt := range map[string]optimize.MIPROv2{
		"small": smallMIPRO, "light": {}, "medium": {Auto: optimize.AutoMedium}, "batches of none": {Candidates: 3, Trials: 2, NoMinibatch: true},
		"no demos": {Candidates: 3, Trials: 4, MinibatchSize: 10, MaxBootstrapped: optimize.None, MaxLabeled: optimize.None},
		"little":   {Candidates: 3, Trials: 4, MinibatchSize: 10, Without: optimize.AidData | optimize.AidProgram},
		"given": {Candidates: 3, Trials: 4, MinibatchSize: 10, Space: optimize.Space{"self": {
			Instructions: []string{"Do.", "Do it."}, Demos: [][]module.Demo{nil, {miproDemo(all[0])}},
		}}},
	} {
		for _, split := range []bool{false, true} {
			opts := []optimize.Option{optimize.PromptModel(miproProposing())}
			if !split {
				opts = append(opts, optimize.Val(all[20:]))
			}
			train := all
			if !split {
				train = all[:20]
			}
			p := newClassifier(lmtest.Answer(miproTask))
			want, err := optimize.Compile(t.Context(), opt, p, train, metric.Exact, opts...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := optimize.DryRun(t.Context(), opt, p, train, metric.Exact, opts...)
			if err != nil {
				t.Fatal(err)
			}
			calls := map[string]int{}
			for _, phase := range got.Phases {
				calls[phase.Name] = phase.Calls
			}
			if calls["searching"] != want.Searching.Calls.Requested || calls["proposing"] != want.Proposing.Calls.Requested {
				t.Errorf("%s: %v were told, the search took %d and the proposals %d", name, calls, want.Searching.Calls.Requested, want.Proposing.Calls.Requested)
			}
			if b := want.Bootstrapping.Calls.Requested; (calls["bootstrapping"] == 0) != (b == 0) || calls["bootstrapping"] > 4*b {
				t.Errorf("%s: %v were told, bootstrapping took %d", name, calls, b)
			}
		}
	}
}
