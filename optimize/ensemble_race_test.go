package optimize_test

import (
	"slices"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/optimize"
)

// TestSelectEnsembleOfRace chooses among the candidates of a search that scored none of them in
// full.
func TestSelectEnsembleOfRace(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 101)
	p, val := synthOne(m), synthItems(m, lmtest.SynthDev, 80)
	r, err := optimize.Compile(t.Context(), optimize.Race{Instructions: 4, Demos: 12, MaxRuns: 200}, p, synthItems(m, 0, 40), metric.Exact,
		optimize.Val(val), optimize.PromptModel(m))
	if err != nil {
		t.Fatal(err)
	}
	choice, err := optimize.SelectEnsemble(t.Context(), optimize.Ensemble[synthAnswer]{Size: 3}, p, r, val, metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if len(choice.Trials) != 16 || len(choice.Members) == 0 || choice.Score < choice.SingleScore {
		t.Errorf("got %s of the trials %v", choice, choice.Trials)
	}
	least := len(val)
	for _, i := range choice.Trials {
		least = min(least, len(r.Trials[i].Rows))
	}
	for i, tr := range r.Trials {
		if len(tr.Rows) > least && !slices.Contains(choice.Trials, i) {
			t.Errorf("trial %d has answered %d examples, and one that entered only %d", i, len(tr.Rows), least)
		}
	}
}
