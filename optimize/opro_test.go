package optimize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// smallOPRO proposes eight instructions.
var smallOPRO = optimize.OPRO{Steps: 4, Proposals: 2, Rows: 40, EvalEvery: 2}

// randomSearchOf is what OPRO does with a proposer that knows nothing, without a program: of
// as many random strategies it measures those that are best on the training rows.
func randomSearchOf(m *lmtest.SynthLM, o optimize.OPRO, seed uint64, val int) float64 {
	rng := rand.New(rand.NewPCG(seed, 99))
	right := func(s, from, n int) float64 {
		k := 0
		for i := range n {
			if m.Answer(s, nil, from+i, 0) == m.Label(from+i) {
				k++
			}
		}
		return float64(k)
	}
	best, score := 0, right(0, lmtest.SynthDev, val)
	seen := []int{0}
	sample := map[int]float64{} // of those that were not measured
	for step := range o.Steps {
		for range o.Proposals {
			if s := 1 + rng.IntN(lmtest.SynthStrategies-1); !slices.Contains(seen, s) {
				seen, sample[s] = append(seen, s), right(s, 0, o.Rows)
			}
		}
		top := -1
		for _, s := range seen {
			if v, ok := sample[s]; ok && (top < 0 || v > sample[top]) {
				top = s
			}
		}
		if (step+1)%o.EvalEvery == 0 && top >= 0 {
			delete(sample, top)
			if v := right(top, lmtest.SynthDev, val); v > score {
				best, score = top, v
			}
		}
	}
	return m.Expected(best, nil)
}

// TestOPROSkill has proposers of known skill: regret falls with it, and without any OPRO is
// random search over as many instructions.
func TestOPROSkill(t *testing.T) {
	t.Parallel()
	const val = 60
	worlds := 20
	if race {
		worlds = 2
	}
	skills := []float64{0, 0.4, 1}
	regret := make([]float64, len(skills))
	var diffs []float64 // at no skill, from random search
	for world := range worlds {
		m := synthWorld(t, lmtest.SynthBasic, world)
		best := bestStrategy(m)
		train, dev := synthItems(m, 0, lmtest.SynthTrain), synthItems(m, lmtest.SynthDev, val)
		for i, q := range skills {
			opt := smallOPRO
			opt.Seed = int64(world)
			r, err := optimize.Compile(t.Context(), opt, synthOne(m), train, metric.Exact, optimize.Val(dev),
				optimize.PromptModel(skilled(m, uint64(world), q)), optimize.Concurrency(2))
			if err != nil {
				t.Fatal(err)
			}
			truth := synthTruth(t, m, r.States)
			regret[i] += (best - truth) / float64(worlds)
			if q == 0 {
				diffs = append(diffs, truth-randomSearchOf(m, opt, uint64(world), val))
			}
		}
	}
	if race {
		return
	}
	t.Logf("regret at the skills %v: %.4f", skills, regret)
	if !(regret[0]-regret[1] > 0.01 && regret[1]-regret[2] > 0.01) {
		t.Errorf("regret is %.4f at the skills %v; want it to fall", regret, skills)
	}
	mean, spread := 0.0, 0.0
	for _, d := range diffs {
		mean += d / float64(len(diffs))
	}
	for _, d := range diffs {
		spread += (d - mean) * (d - mean) / float64(len(diffs)-1)
	}
	se := math.Sqrt(spread / float64(len(diffs)))
	t.Logf("without skill: %+.4f from random search, standard error %.4f", mean, se)
	if math.Abs(mean) > 2.6*se || se > 0.03 {
		t.Errorf("without skill: %+.4f from random search, standard error %.4f; want no difference", mean, se)
	}
}

// TestOPROUseless has a prompt model that writes nothing of use.
func TestOPROUseless(t *testing.T) {
	t.Parallel()
	paraphrase := lmtest.Answer(func(r *lm.Request) (string, error) {
		return draftReply("proposed_instruction", fmt.Sprintf("Please answer, way %d.", r.Rollout)), nil
	})
	m := synthWorld(t, lmtest.SynthBasic, 3)
	r, err := optimize.Compile(t.Context(), smallOPRO, synthOne(m), synthItems(m, 0, 200), metric.Exact,
		optimize.Val(synthItems(m, 200, 60)), optimize.PromptModel(paraphrase))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Why, "no significant gain") || !strings.Contains(r.Why, "8 instructions were scored") || r.States[0].State.Instructions != "" || r.Improved() {
		t.Errorf("got %s", r)
	}

	// Where nothing helps the winner has luck on the examples that chose it, but hardly
	// ever so much that it looks like a gain.
	worlds, claims := 40, 0
	if race {
		worlds = 4
	}
	for world := range worlds {
		null := synthWorld(t, lmtest.SynthNull, 100+world)
		r, err := optimize.Compile(t.Context(), smallOPRO, synthOne(null), synthItems(null, 0, 200), metric.Exact, optimize.Val(synthItems(null, 200, 60)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Why, "no significant gain") {
			claims++
		}
	}
	if claims > worlds/8 {
		t.Errorf("a gain is reported in %d of %d worlds that have none", claims, worlds)
	}
}

// TestOPROGain has a world in which there is something to find, and a winner that says so.
func TestOPROGain(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 100)
	for world := 101; bestStrategy(m) < m.Expected(0, nil)+0.13; world++ {
		m = synthWorld(t, lmtest.SynthBasic, world)
	}
	r, err := optimize.Compile(t.Context(), optimize.OPRO{Steps: 6, Proposals: 4, Rows: 100}, synthOne(m), synthItems(m, 0, 200), metric.Exact,
		optimize.Val(synthItems(m, 200, 300)), optimize.PromptModel(skilled(m, 1, 0.5)))
	if err != nil {
		t.Fatal(err)
	}
	before, after := m.Expected(0, nil), synthTruth(t, m, r.States)
	if after < before+0.05 || strings.Contains(r.Why, "no significant gain") || r.Confirmed {
		t.Errorf("%s: %.3f before and %.3f after: %s", m.Name(), before, after, r)
	}
}

// bestStrategy returns the expected accuracy of the best strategy.
func bestStrategy(m *lmtest.SynthLM) float64 {
	best := 0.0
	for s := range lmtest.SynthStrategies {
		best = max(best, m.Expected(s, nil))
	}
	return best
}

var (
	pastMark     = regexp.MustCompile(`"(\d+): ([^"]*)"`)
	exemplarMark = regexp.MustCompile(`(?m)^\{"question":"item-(\d{4})"\} -> \{"answer":"(\w+)"\}$`)
)

// TestOPROPrompt looks at what the prompt model is shown, and counts what is asked.
func TestOPROPrompt(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 4)
	prompts := skilled(m, 2, 0)
	opt := optimize.OPRO{Steps: 5, Proposals: 6, Shown: 4, Exemplars: 2, Rows: 30, EvalEvery: 2, KeepAbove: 0.4}
	train, val := synthItems(m, 0, 100), synthItems(m, 200, 50)
	r, err := optimize.Compile(t.Context(), opt, synthOne(m), train, metric.Exact, optimize.Val(val), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	if prompts.Calls() != 30 || r.Proposing.Calls.Requested != 30 {
		t.Errorf("the prompt model was asked %d times, want 30", prompts.Calls())
	}
	onSample, measured := 0, 0
	texts := map[string]bool{}
	for _, trial := range r.Trials {
		switch text := trial.States[0].State.Instructions; {
		case trial.Rows == nil:
			measured++
		case len(trial.Rows) != 30 || texts[text] || !slices.Equal(trial.Rows, r.Trials[1].Rows):
			t.Errorf("%s was scored on %d rows", trial.Name, len(trial.Rows))
		default:
			onSample, texts[text] = onSample+1, true
		}
	}
	if measured != 4 || onSample < 10 || onSample >= 30 {
		t.Errorf("%d were measured, want the program as it was and 3 more, and %d scored, want fewer than the 30, as some come again", measured, onSample)
	}
	if want := 30*(1+onSample) + 50*measured; r.Searching.Calls.Requested != want {
		t.Errorf("%d calls, want %d", r.Searching.Calls.Requested, want)
	}
	asked := map[string]bool{}
	for i, req := range prompts.Requests() {
		text := question(req)
		if req.Temperature == nil || *req.Temperature != 1 || req.Rollout != i+1 {
			t.Errorf("request %d: %+v", i, req)
		}
		last := -1
		past := pastMark.FindAllStringSubmatch(text, -1)
		for _, p := range past {
			score, err := strconv.Atoi(p[1])
			if err != nil || score < last || score < 40 {
				t.Errorf("request %d shows the score %s after %d", i, p[1], last)
			}
			last = score
		}
		if len(past) > 4 || i >= 12 && len(past) == 0 {
			t.Errorf("request %d shows %d instructions:\n%s", i, len(past), text)
		}
		examples := exemplarMark.FindAllStringSubmatch(text, -1)
		if len(examples) != 2 {
			t.Fatalf("request %d shows %d examples:\n%s", i, len(examples), text)
		}
		for _, e := range examples {
			if item, err := strconv.Atoi(e[1]); err != nil || item >= 100 || m.Label(item) != e[2] {
				t.Errorf("%s is no training example", e[0])
			}
		}
		asked[text] = true
	}
	if len(asked) != 5 {
		t.Errorf("%d different prompts were asked, want one for each step", len(asked))
	}
}

// TestOPROTakesTurns has two predictors.
func TestOPROTakesTurns(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthPipeline, 100)
	r, err := optimize.Compile(t.Context(), optimize.OPRO{Steps: 6, Proposals: 4}, newSynthTwo(m), synthItems(m, 0, 200), metric.Exact, optimize.Val(synthItems(m, 200, 100)))
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range r.Trials[1:] {
		want := "hint"
		var step int
		if _, err := fmt.Sscanf(trial.Name, "step %d,", &step); err != nil {
			t.Fatal(err)
		}
		if step%2 == 0 {
			want = "answer"
		}
		if !strings.Contains(trial.Name, want) {
			t.Errorf("a trial is %q, want one of the predictor %s", trial.Name, want)
		}
		if parent := r.Trials[trial.Parents[0]]; trial.Rows != nil && changes(parent.States, trial.States) != 1 {
			t.Errorf("%q differs from %q by %d instructions", trial.Name, parent.Name, changes(parent.States, trial.States))
		}
	}
	before, err := m.ExpectedOf(lmtest.SynthPrompt{}, lmtest.SynthPrompt{})
	if err != nil {
		t.Fatal(err)
	}
	if after := synthTruth(t, m, r.States); after < before+0.03 {
		t.Errorf("%.3f before and %.3f after: %s", before, after, r)
	}
}

// changes counts the instructions that differ.
func changes(a, b []optimize.NamedState) int {
	n := 0
	for i := range a {
		if a[i].State.Instructions != b[i].State.Instructions {
			n++
		}
	}
	return n
}

func TestOPROSettings(t *testing.T) {
	t.Parallel()
	p := module.MustPredict[message, verdict]("", module.WithLM(lmtest.Answer(golden)))
	for _, bad := range []optimize.Optimizer{
		optimize.OPRO{Steps: -1},
		optimize.OPRO{Proposals: optimize.None},
		optimize.OPRO{EvalEvery: -2},
		optimize.OPRO{Rows: -1},
		optimize.OPRO{Temperature: -1},
		optimize.OPRO{KeepAbove: math.NaN()},
		optimize.OPRO{Temperature: math.NaN()},
		optimize.COPRO{Breadth: 1},
		optimize.COPRO{Breadth: optimize.None},
		optimize.COPRO{Depth: -1},
		optimize.COPRO{Temperature: math.Inf(1)},
	} {
		if r, err := optimize.Compile(t.Context(), bad, p, messages(8), metric.Exact); err == nil || r != nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: got %v and %v, want an error that says what is wanted", bad, r, err)
		}
	}
	for opt, want := range map[optimize.Optimizer]string{
		optimize.OPRO{}: "OPRO(steps=20, proposals=8, shown=20, exemplars=3, rows=a fifth, eval every=3, temperature=1, seed=0)",
		optimize.OPRO{Exemplars: optimize.None, Rows: 7, KeepAbove: 0.3, Seed: 5}: "OPRO(steps=20, proposals=8, shown=20, exemplars=0, rows=7, eval every=3, temperature=1, keep above=0.3, seed=5)",
		optimize.COPRO{}: "COPRO(breadth=10, depth=3, temperature=1.4)",
	} {
		if opt.String() != want {
			t.Errorf("got %s, want %s", opt, want)
		}
	}
}
