package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

var simbaShort = optimize.SIMBA{BatchSize: 16, Candidates: 3, Steps: 3, Seed: 2}

// newSIMBASearch returns a search whose rules depend on nothing but what the prompt model is
// shown, so that it repeats.
func newSIMBASearch(t *testing.T, version lmtest.SynthVersion) wordingSearch {
	w := newWordingSearch(t, version)
	w.prompts = lmtest.Answer(func(r *lm.Request) (string, error) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(question(r)))
		return simbaReply(fmt.Sprintf("Answer by strategy-%02d.", 1+h.Sum32()%31)), nil
	})
	return w
}

// TestSIMBARepeats checks that nothing depends on concurrency, and that a search which ended
// at some point and is run again on the same store ends as one that did not.
func TestSIMBARepeats(t *testing.T) {
	t.Parallel()
	const inFlight = 4
	for _, version := range []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			whole, err := newSIMBASearch(t, version).run(t.Context(), simbaShort, optimize.Concurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			if whole.Calls.Paid < 100 || whole.Proposing.Calls.Requested == 0 || len(whole.Trials) < 8 {
				t.Fatalf("nothing to repeat: %s", whole)
			}
			many, err := newSIMBASearch(t, version).run(t.Context(), simbaShort, optimize.Concurrency(16))
			if err != nil || !sameResult(whole, many) {
				t.Errorf("with a concurrency of 16: %v, %s\nwith 1: %s", err, many, whole)
			}
			total := whole.Calls.Paid
			for _, part := range []float64{0.1, 0.5, 0.9} {
				at := int64(part * float64(total))
				file := filepath.Join(t.TempDir(), "answers.db")
				ended, err := searchOn(t, newSIMBASearch(t, version), simbaShort, file, inFlight, at)
				if !errors.Is(err, context.Canceled) || ended == nil || ended.Score < ended.Baseline {
					t.Fatalf("ended at %d of %d calls: %v and %v", at, total, ended, err)
				}
				again, err := searchOn(t, newSIMBASearch(t, version), simbaShort, file, inFlight, 0)
				if err != nil || !sameResult(whole, again) {
					t.Errorf("ended at %d of %d calls and run again: %v, %s\nwant %s", at, total, err, again, whole)
				}
				if paid := ended.Calls.Paid + again.Calls.Paid; paid > total+inFlight+1 {
					t.Errorf("ended at %d, %d calls were paid in all, of %d", at, paid, total)
				}
			}
		})
	}
}

// TestSIMBAEnds spends budgets, and begins nothing under a context that has ended.
func TestSIMBAEnds(t *testing.T) {
	t.Parallel()
	whole, err := newSIMBASearch(t, lmtest.SynthBasic).run(t.Context(), simbaShort)
	if err != nil {
		t.Fatal(err)
	}
	for _, calls := range []int{1, 45, whole.Calls.Paid - 1} {
		w := newSIMBASearch(t, lmtest.SynthBasic)
		r, err := w.run(t.Context(), simbaShort, optimize.Within(optimize.Budget{Calls: calls}))
		if !errors.Is(err, lm.ErrBudget) || r == nil {
			t.Fatalf("%d calls allowed: got %v and %v", calls, r, err)
		}
		if w.reached() > calls || r.Score < r.Baseline || calls >= 45 != r.Scored {
			t.Errorf("%d calls allowed: %s", calls, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newSIMBASearch(t, lmtest.SynthBasic)
	r, err := w.run(ctx, simbaShort)
	if !errors.Is(err, context.Canceled) || r == nil || r.Winner != -1 || r.Scored || w.world.Calls().Task+w.prompts.Calls() != 0 {
		t.Errorf("cancelled: got %v and %v", r, err)
	}
}

// TestSIMBADynamic runs on a program whose fields are known only when it runs, and that has
// demos already: new ones take their place one by one.
func TestSIMBADynamic(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 104)
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(m))
	type record = module.Example[signature.Record, signature.Record]
	items := func(from, n int) []record {
		out := make([]record, n)
		for i := range out {
			out[i].In, out[i].Out = signature.RecordOf("question", m.Question(from+i)), signature.RecordOf("answer", m.Label(from+i))
		}
		return out
	}
	var demos []module.Demo
	for i := range 3 {
		demos = append(demos, module.Demo{Fields: signature.RecordOf("question", m.Question(150+i), "answer", m.Label(150+i))})
	}
	if err := p.Predictor().SetState(module.State{Demos: demos}); err != nil {
		t.Fatal(err)
	}
	opt := optimize.SIMBA{BatchSize: 16, Candidates: 3, Steps: 2, MaxDemos: 3}
	r, err := optimize.Compile(t.Context(), opt, p, items(0, 60), metric.Exact, optimize.Val(items(200, 60)))
	if err != nil {
		t.Fatal(err)
	}
	for i, trial := range r.Trials[1:] {
		st := trial.States[0].State
		if trial.Rows != nil && (len(st.Demos) > 3 || !strings.HasPrefix(trial.Note, "dropped ")) {
			t.Errorf("trial %d has %d demos: %q", i+1, len(st.Demos), trial.Note)
		}
	}
	if got := p.Predictor().State().Demos; len(got) != 3 || !got[0].Fields.Equal(demos[0].Fields) {
		t.Error("the search changed the program")
	}
	if r.Score < r.Baseline {
		t.Errorf("got %s", r)
	}
}
