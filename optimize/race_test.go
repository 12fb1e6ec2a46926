package optimize_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

var smallRace = optimize.Race{Instructions: 4, Demos: 12, MaxDemos: 4, MaxRuns: 200, Seed: 2}

// TestRace is the optimizer as a user calls it: it finds its own instructions and demos, and
// the gain is confirmed.
func TestRace(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 100)
	r, err := optimize.Compile(t.Context(), optimize.Race{MaxRuns: 540}, synthOne(m), synthItems(m, 0, 200), metric.Exact,
		optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 300)), optimize.Confirm(synthItems(m, 500, 500)))
	if err != nil {
		t.Fatal(err)
	}
	before, after := m.Expected(0, nil), synthTruth(t, m, r.States)
	if !r.Confirmed || after < before+0.2 {
		t.Errorf("confirmed %v, the accuracy is %.4f after %.4f", r.Confirmed, after, before)
	}
	if r.Searching.Calls.Requested != 540 || r.Searching.Calls.Paid != 540 || r.Bootstrapping.Calls.Requested != 0 || r.Confirming.Calls.Requested != 1000 {
		t.Errorf("searching %+v, bootstrapping %+v, confirming %+v", r.Searching.Calls, r.Bootstrapping.Calls, r.Confirming.Calls)
	}
	if r.Proposing.Calls.Requested != 16 || !strings.Contains(r.Why, "budget of 540") {
		t.Errorf("%d proposals; %s", r.Proposing.Calls.Requested, r.Why)
	}
	if math.Abs(r.Score-after) > 0.1 || !r.Interval.Contains(r.Score) || r.Interval.High-r.Interval.Low > 0.3 {
		t.Errorf("the score is %.4f, %s, the truth %.4f", r.Score, r.Interval, after)
	}
	rows := 0
	for i, trial := range r.Trials {
		rows += len(trial.Rows)
		if len(trial.Rows) == 0 || len(trial.Rows) != len(trial.Subscores) || !strings.Contains(trial.Note, "posterior mean") {
			t.Fatalf("trial %d: %+v", i, trial)
		}
	}
	if rows != 540 || r.Trials[0].Name != "the program as it is" {
		t.Errorf("%d rows in all; the first trial is %s", rows, r.Trials[0].Name)
	}
	if last := r.Curve[len(r.Curve)-1]; last.Calls.Requested != 540+16 || last.Trial != r.Winner || last.Score != r.Score {
		t.Errorf("the curve ends with %+v, the winner is %d with %v", last, r.Winner, r.Score)
	}
	if n := len(r.Front); n < 2 || r.Front[n-1].Trial != r.Winner || r.Front[0].Tokens >= r.Front[n-1].Tokens {
		t.Errorf("the front is %+v, the winner %d", r.Front, r.Winner)
	}
}

// raceSpace is a space on a world: strategies, and demo sets of which the first is empty.
func raceSpace(m *lmtest.SynthLM, instructions, sets int) optimize.Space {
	strategies, demos := m.Grid(instructions, sets, 8)
	c := optimize.Choices{Instructions: []string{synthOne(m).Predictor().Signature().Instructions()}}
	for _, s := range strategies[1:] {
		c.Instructions = append(c.Instructions, fmt.Sprintf("Use strategy-%02d.", s))
	}
	for _, set := range demos {
		var of []module.Demo
		for _, d := range set {
			of = append(of, module.Demo{Fields: signature.RecordOf("question", m.Question(d.Item), "answer", d.Label)})
		}
		c.Demos = append(c.Demos, of)
	}
	return optimize.Space{"self": c}
}

// TestRaceInASpace chooses among given instructions and demo sets, and proposes none. It stops
// by itself where little is left to be gained.
func TestRaceInASpace(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 101)
	opt := optimize.Race{Space: raceSpace(m, 3, 3), Limit: 0.02}
	r, err := optimize.Compile(t.Context(), opt, synthOne(m), synthItems(m, 0, 10), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 300)))
	if err != nil {
		t.Fatal(err)
	}
	best, found := 0.0, synthTruth(t, m, r.States)
	strategies, demos := m.Grid(3, 3, 8)
	for _, s := range strategies {
		for _, d := range demos {
			best = max(best, m.Expected(s, d))
		}
	}
	if found < best-0.03 || !strings.Contains(r.Why, "lose no more than") || r.Proposing.Calls.Requested+r.Bootstrapping.Calls.Requested > 0 || len(r.Trials) > 9 {
		t.Errorf("found %.4f of %.4f: %s", found, best, r)
	}
	// A fifth of the validation examples was kept out.
	if r.Rows != 240 || r.Confirmation == nil || r.Confirmation.Rows != 60 {
		t.Errorf("%d rows; the confirmation is %v", r.Rows, r.Confirmation)
	}
	if _, err := optimize.Compile(t.Context(), optimize.Race{Space: optimize.Space{"other": {}}}, synthOne(m), synthItems(m, 0, 10), metric.Exact); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("a space of another predictor: %v", err)
	}
}

// TestRaceDynamic searches a typed and a dynamic program alike.
func TestRaceDynamic(t *testing.T) {
	t.Parallel()
	w := newWordingSearch(t, lmtest.SynthBasic)
	typed, err := w.run(t.Context(), smallRace)
	if err != nil {
		t.Fatal(err)
	}
	var data [2][]module.Example[signature.Record, signature.Record]
	for i, items := range [][]synthExample{synthItems(w.world, 0, 60), synthItems(w.world, 200, 40)} {
		for _, ex := range items {
			data[i] = append(data[i], module.Example[signature.Record, signature.Record]{
				In: signature.RecordOf("question", ex.In.Question), Out: signature.RecordOf("answer", ex.Out.Answer), ID: ex.ID,
			})
		}
	}
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(w.world))
	dynamic, err := optimize.Compile(t.Context(), smallRace, p, data[0], metric.Exact, optimize.Val(data[1]), optimize.PromptModel(w.prompts))
	if n := typed.Searching.Calls.Requested; n != smallRace.MaxRuns {
		t.Errorf("%d calls of searching, want %d", n, smallRace.MaxRuns)
	}
	if err != nil || typed.Score != dynamic.Score || len(typed.Trials) != len(dynamic.Trials) {
		t.Errorf("%v: typed %s\ndynamic %s", err, typed, dynamic)
	}
}

// TestRaceOfTwo assigns credit to two predictors: their hints are in no example, so the demos
// are bootstrapped.
func TestRaceOfTwo(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthPipeline, 103)
	opt := optimize.Race{MaxRuns: 600, Demos: 16, Instructions: 6}
	p := newSynthTwo(m)
	r, err := optimize.Compile(t.Context(), opt, p, synthItems(m, 0, 100), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 200)), optimize.Confirm(synthItems(m, 500, 300)))
	if err != nil {
		t.Fatal(err)
	}
	before, after := synthTruth(t, m, r.Base), synthTruth(t, m, r.States)
	if after < before+0.1 || !r.Confirmed {
		t.Errorf("%.4f after %.4f: %s", after, before, r)
	}
	runs := (r.Searching.Calls.Requested + r.Bootstrapping.Calls.Requested) / 2
	if r.Bootstrapping.Calls.Requested == 0 || runs != 600 {
		t.Errorf("%d runs, of which %d calls of bootstrapping", runs, r.Bootstrapping.Calls.Requested)
	}
	for _, s := range r.States {
		if len(s.State.Demos) == 0 || !s.State.Demos[0].Augmented {
			t.Errorf("%s has the demos %v", s.Name, s.State.Demos)
		}
	}
}

// TestRaceWithoutVal splits the training examples; there are too few to confirm.
func TestRaceWithoutVal(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 104)
	r, err := optimize.Compile(t.Context(), smallRace, synthOne(m), synthItems(m, 0, 45), metric.Exact, optimize.PromptModel(m))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != 30 || r.Confirmation != nil || !strings.Contains(r.Why, "unconfirmed") {
		t.Errorf("%d rows: %s", r.Rows, r)
	}
	scored := map[string]bool{}
	for _, trial := range r.Trials {
		for _, row := range trial.Rows {
			if row >= 30 {
				t.Fatalf("row %d of 30", row)
			}
		}
		for _, d := range trial.States[0].State.Demos {
			q, _ := d.Fields.Get("question")
			scored[fmt.Sprint(q)] = true
		}
	}
	if len(scored) == 0 || len(scored) > 15 {
		t.Errorf("%d examples are demos, want up to 15", len(scored))
	}
}

// TestRaceFailures counts failed answers as 0 and goes on.
func TestRaceFailures(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 105)
	broken := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(r.Messages[0].Text(), "strategy") {
			return "", errors.New("out of order")
		}
		resp, err := m.Generate(t.Context(), r)
		if err != nil {
			return "", err
		}
		return resp.Text, nil
	})
	r, err := optimize.Compile(t.Context(), smallRace, synthOne(broken), synthItems(m, 0, 60), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 40)))
	if err != nil {
		t.Fatal(err)
	}
	if i := lmtest.SynthInstruction(r.States[0].State.Instructions); i.Strategy != 0 {
		t.Errorf("the winner's instruction fails: %s", r)
	}
	failed := 0
	for _, trial := range r.Trials {
		failed += trial.Failed
	}
	if failed == 0 {
		t.Error("no answer failed")
	}
	all := lmtest.Answer(func(*lm.Request) (string, error) { return "", errors.New("out of order") })
	opt := smallRace
	opt.Instructions = optimize.None
	r, err = optimize.Compile(t.Context(), opt, synthOne(all), synthItems(m, 0, 60), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 40)))
	if err == nil || !strings.Contains(err.Error(), "every example of every candidate failed") || r.Winner != -1 {
		t.Errorf("where everything fails: %v and %v", r, err)
	}
}

// TestRaceByObjective scores the last candidates fully by the objective.
func TestRaceByObjective(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 106)
	f1 := metric.MacroF1(func(a synthAnswer) string { return a.Answer }, "alpha", "beta", "gamma", "delta")
	r, err := optimize.Compile(t.Context(), smallRace, synthOne(m), synthItems(m, 0, 60), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 40)), optimize.By(f1))
	if err != nil {
		t.Fatal(err)
	}
	full := slices.DeleteFunc(slices.Clone(r.Trials), func(trial optimize.Trial) bool { return trial.Rows != nil })
	if len(full) != 4 || r.Winner < 0 || r.Trials[r.Winner].Rows != nil || r.Trials[r.Winner].Score != r.Score {
		t.Errorf("%d candidates were scored on all examples; the winner is %d: %s", len(full), r.Winner, r)
	}
	for _, trial := range full {
		if trial.Score > r.Score || len(trial.Subscores) != 40 {
			t.Errorf("%s has %.4f", trial.Name, trial.Score)
		}
	}
}

func TestRaceSettings(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]optimize.Race{
		"Race(instructions=16, demos=48, max demos=8, runs=1500, limit=0.02, batch=12)": {},
		"Race(instructions=0, demos=0, max demos=4, runs=99, limit=0, batch=6, threshold=0.5, seed=7)": {
			Instructions: optimize.None, Demos: optimize.None, MaxDemos: 4, MaxRuns: 99, Limit: optimize.None, Batch: 6, Threshold: 0.5, Seed: 7,
		},
		"Race(space given, runs=1500, limit=0.02, batch=12)": {Space: optimize.Space{}},
	} {
		if got := opt.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	m := synthWorld(t, lmtest.SynthBasic, 107)
	for name, opt := range map[string]optimize.Race{
		"MaxRuns": {MaxRuns: optimize.None}, "Batch": {Batch: optimize.None}, "Limit": {Limit: math.NaN()}, "Threshold": {Threshold: math.Inf(1)},
	} {
		if r, err := optimize.Compile(t.Context(), opt, synthOne(m), synthItems(m, 0, 10), metric.Exact); err == nil || r != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v and %v", name, r, err)
		}
	}
}

// TestRaceWhereNothingHelps keeps the program as it was.
func TestRaceWhereNothingHelps(t *testing.T) {
	t.Parallel()
	for world := 130; world < 134; world++ {
		m := synthWorld(t, lmtest.SynthNull, world)
		r, err := optimize.Compile(t.Context(), smallRace, synthOne(m), synthItems(m, 0, 60), metric.Exact, optimize.PromptModel(m), optimize.Val(synthItems(m, 200, 300)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Winner != -1 || r.Confirmed || len(r.States[0].State.Demos) > 0 || r.Score != r.Baseline {
			t.Errorf("world %d: %s", world, r)
		}
	}
}
