package module_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// drawing is a model that notes the rollouts and seeds that it is asked for.
type drawing struct {
	text     string
	mu       sync.Mutex
	rollouts map[int]int
	seeds    map[uint64]int
}

func newDrawing(text string) *drawing {
	return &drawing{text: text, rollouts: map[int]int{}, seeds: map[uint64]int{}}
}

func (d *drawing) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rollouts[r.Rollout]++
	d.seeds[*r.Seed]++
	return &lm.Response{Text: d.text, Usage: lm.Usage{Calls: 1}}, nil
}

func middling(context.Context, question, *module.Prediction[answer]) (float64, error) {
	return 0.5, nil
}

// TestNestedRolloutsAreApart asks for nine answers: no two of them are the same rollout.
func TestNestedRolloutsAreApart(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(p program) program{
		"SelfConsistency of BestOfN": func(p program) program {
			return module.MustSelfConsistency(module.MustBestOfN(p, 3, math.Inf(1), middling), 3, 0, module.Voting[answer]{})
		},
		"BestOfN of SelfConsistency": func(p program) program {
			return module.MustBestOfN(module.MustSelfConsistency(p, 3, 0, module.Voting[answer]{}), 3, math.Inf(1), middling)
		},
	} {
		d := newDrawing(reply("a", "x"))
		p := module.MustPredict[question, answer]("", module.WithLM(d), module.Seed(7))
		if _, err := wrap(p).Run(t.Context(), question{"?"}); err != nil {
			t.Fatal(err)
		}
		if len(d.rollouts) != 9 || len(d.seeds) != 9 || d.rollouts[0] != 1 || d.seeds[7] != 1 {
			t.Errorf("%s: rollouts %v, seeds %v; want 9 of each, 0 and 7 among them", name, d.rollouts, d.seeds)
		}
	}
}

// TestRetriesAreRolloutsApart asks again, in three attempts, for what cannot be read: a
// raw prompt is the same each time, so that each must be a rollout of its own.
func TestRetriesAreRolloutsApart(t *testing.T) {
	t.Parallel()
	d := newDrawing("unsure")
	p := module.MustPredict[sms, verdict]("", module.WithLM(d), module.Seed(7), module.Retry(2), module.WithAdapter(adapter.Compact{}))
	b := module.MustBestOfN(p, 3, 1, func(context.Context, sms, *module.Prediction[verdict]) (float64, error) { return 1, nil })
	if _, err := b.Run(t.Context(), sms{"?"}); err == nil {
		t.Fatal("an answer")
	}
	if len(d.rollouts) != 9 || len(d.seeds) != 9 {
		t.Errorf("rollouts %v, seeds %v; want 9 of each", d.rollouts, d.seeds)
	}
}

// TestRolloutsStream has rollouts and temperatures keep no reply from being shown while it
// grows.
func TestRolloutsStream(t *testing.T) {
	t.Parallel()
	p := module.MustPredict[question, answer]("", module.WithLM(growing{LM: lmtest.Script(reply("a", "one two three"))}))
	var parts []string
	for e, err := range module.Stream(t.Context(), module.MustBestOfN(p, 1, 1, middling), question{"?"}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Text != "" {
			parts = append(parts, e.Text)
		}
	}
	if got := strings.Join(parts, "|"); got != "one| two| three" {
		t.Errorf("the answer came as %q", got)
	}
}

// best is a program around a BestOfN.
type best struct {
	Best *module.BestOfN[question, answer]
}

func (b *best) Run(ctx context.Context, q question) (answer, error) { return b.Best.Run(ctx, q) }

// TestRewardIsNoAttempt has a reward that asks a model: its temperature is its own, it is
// no rollout, and the answer does not rest on it.
func TestRewardIsNoAttempt(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var judged []string
	judge := module.MustPredict[answer, verdict]("", module.Temperature(0.25), module.WithLM(lmtest.Answer(func(r *lm.Request) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		judged = append(judged, fmt.Sprint(r.Rollout, " ", *r.Temperature))
		return reply("label", "ham"), nil
	})))
	reward := func(ctx context.Context, _ question, got *module.Prediction[answer]) (float64, error) {
		_, err := judge.Run(ctx, got.Out)
		return float64(len(got.Out.A)), err
	}
	p := module.MustPredict[question, answer]("", module.WithLM(lmtest.Answer(func(r *lm.Request) (string, error) {
		return reply("a", []string{"x", "xxx", "xx"}[r.Rollout]), nil
	})))
	ctx, tr := trace.Start(context.Background())
	pred, err := module.Call(ctx, &best{module.MustBestOfN(p, 3, math.Inf(1), reward)}, question{"?"})
	if err != nil || pred.Out.A != "xxx" || pred.Raw != reply("a", "xxx") || pred.Usage.Calls != 6 {
		t.Errorf("got %+v, %v: want the answer's own reply", pred, err)
	}
	if want := []string{"0 0.25", "0 0.25", "0 0.25"}; !slices.Equal(judged, want) {
		t.Errorf("the judge was asked as %q, want %q", judged, want)
	}
	var kept []bool
	for _, s := range module.Steps(tr) {
		if !s.Dropped {
			kept = append(kept, s.Predictor == judge.Predictor())
		}
	}
	if !slices.Equal(kept, []bool{true, false}) {
		t.Errorf("kept are (the judge's?) %v, want the judge's step before the attempt's", kept)
	}
}

func TestRolloutOf(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	once := module.WithRollout(ctx, 3)
	if module.RolloutOf(ctx) != 0 || module.RolloutOf(once) != 3 || module.RolloutOf(module.WithRollout(once, 0)) != 3 {
		t.Error("a rollout alone is its number")
	}
	if a, b := module.RolloutOf(module.WithRollout(module.WithRollout(ctx, 0), 3)), module.RolloutOf(module.WithRollout(once, 3)); a == 3 || b == 3 || a == b {
		t.Errorf("nested rollouts are %d and %d", a, b)
	}
}
