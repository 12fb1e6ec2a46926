package optimize_test

import (
	"fmt"
	"hash/fnv"
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
