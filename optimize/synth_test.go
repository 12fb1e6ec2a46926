package optimize_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

type parityInput struct {
	Question string `json:"question"`
}

type parityOutput struct {
	Answer string `json:"answer"`
}

// parityExamples are the items from first to end-1.
func parityExamples(m *lmtest.SynthLM, first, end int) []module.Example[parityInput, parityOutput] {
	var out []module.Example[parityInput, parityOutput]
	for i := first; i < end; i++ {
		q := m.Question(i)
		out = append(out, module.Example[parityInput, parityOutput]{In: parityInput{q}, Out: parityOutput{m.Label(i)}, ID: q})
	}
	return out
}

// parityDemo is a demo of DSPy's run.
type parityDemo struct {
	Item      int
	Label     string
	Augmented bool
}

func parityDemosOf(t *testing.T, s module.State) []parityDemo {
	t.Helper()
	out := []parityDemo{}
	for _, d := range s.Demos {
		q, _ := d.Fields.Get("question")
		a, _ := d.Fields.Get("answer")
		question, _ := q.(string)
		answer, _ := a.(string)
		read, ok := lmtest.NewSynthDemo(question, answer)
		if !ok || d.Fields.Len() != 2 {
			t.Fatalf("unexpected demo %v", d.Fields)
		}
		out = append(out, parityDemo{read.Item, read.Label, d.Augmented})
	}
	return out
}

// TestRandomSearchSynthLM reproduces runs of the real DSPy's BootstrapFewShotWithRandomSearch
// on SynthLM, candidate by candidate: bench/peers/synthlm_golden.py has made them.
func TestRandomSearchSynthLM(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/randomsearch_synthlm.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Worlds []struct {
			World, Calls, Unique, Strategy int
			Score, Expected                float64
			Demos                          []parityDemo
			Candidates                     []struct {
				Seed  int
				Score float64
				Demos []parityDemo
			}
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Worlds) != 6 {
		t.Fatalf("%d worlds, want 6", len(golden.Worlds))
	}
	for _, want := range golden.Worlds {
		model, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: want.World})
		if err != nil {
			t.Fatal(err)
		}
		p := module.MustPredict[parityInput, parityOutput]("", module.WithLM(model))
		opt := optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: 16}
		r, err := optimize.Compile(t.Context(), opt, p, parityExamples(model, 0, 100), metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		if r.Calls.Requested != want.Calls || r.Calls.Paid != want.Unique || model.Calls().Unique != want.Unique {
			t.Errorf("world %d: %d calls requested and %d paid of %d prompts, want %d and %d", want.World,
				r.Calls.Requested, r.Calls.Paid, model.Calls().Unique, want.Calls, want.Unique)
		}
		// DSPy's scores are percentages, here of 100 rows, and so whole numbers.
		if r.Score != want.Score/100 {
			t.Errorf("world %d: score %v, want %v", want.World, r.Score, want.Score/100)
		}
		demos := parityDemosOf(t, r.States[0].State)
		if !slices.Equal(demos, want.Demos) {
			t.Errorf("world %d: the winner's demos are %v, want %v", want.World, demos, want.Demos)
		}
		strategy := lmtest.SynthInstruction(r.States[0].State.Instructions).Strategy
		var shown []lmtest.SynthDemo
		for _, d := range demos {
			shown = append(shown, lmtest.SynthDemo{Item: d.Item, Label: d.Label})
		}
		if got := model.Expected(strategy, shown); got != want.Expected || strategy != want.Strategy {
			t.Errorf("world %d: strategy %d with expected accuracy %v, want %d with %v", want.World, strategy, got, want.Strategy, want.Expected)
		}
		if len(r.Trials) != len(want.Candidates) {
			t.Fatalf("world %d: %d trials, want %d", want.World, len(r.Trials), len(want.Candidates))
		}
		for i, w := range want.Candidates {
			got := r.Trials[i]
			if got.Seed != w.Seed || got.Score != w.Score/100 {
				t.Errorf("world %d, candidate %d: seed %d with score %v, want %d with %v", want.World, i, got.Seed, got.Score, w.Seed, w.Score/100)
			}
			if demos := parityDemosOf(t, got.States[0].State); !slices.Equal(demos, w.Demos) {
				t.Errorf("world %d, seed %d: demos %v, want %v", want.World, w.Seed, demos, w.Demos)
			}
		}
	}
}
