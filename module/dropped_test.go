package module_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// TestNotesKnowTheirAttempt has code, and attempts within attempts, that the answer does not
// rest on although nothing was wrong with them.
func TestNotesKnowTheirAttempt(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(
		code("a b *"), potReply("result", "42"), // chosen
		code("b a *"), potReply("result", "41"),
	)
	reward := func(_ context.Context, _ product, got *module.Prediction[result]) (float64, error) {
		return float64(got.Out.Result), nil
	}
	ctx, tr := trace.Start(t.Context())
	if out, err := module.MustBestOfN(pot(t, model), 2, math.Inf(1), reward).Run(ctx, product{6, 7}); err != nil || out.Result != 42 {
		t.Fatal(out, err)
	}
	runs := module.CodeRuns(tr)
	if len(runs) != 2 || runs[0].Dropped || !runs[1].Dropped || runs[1].Err != nil {
		t.Errorf("the code: %+v", runs)
	}

	inner := module.MustBestOfN(asks("x", nil), 2, math.Inf(1), middling)
	outer := module.MustBestOfN(inner, 2, math.Inf(1), middling)
	ctx, tr = trace.Start(t.Context())
	if _, err := outer.Run(ctx, question{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range module.Attempts(tr) {
		got = append(got, fmt.Sprint(a.N, a.Chosen, a.Dropped))
	}
	// Two of the first attempt and itself, then of the second.
	want := []string{"0 true false", "1 false true", "0 true false", "0 true true", "1 false true", "1 false true"}
	if !slices.Equal(got, want) {
		t.Errorf("attempts (number, chosen, dropped) are %v, want %v", got, want)
	}
}

// TestLiveCall tells what the program tells: a Live between a cascade and a voting program
// hides no votes.
func TestLiveCall(t *testing.T) {
	t.Parallel()
	vote := module.MustSelfConsistency(asks("x", nil), 3, 0, module.Voting[answer]{})
	path := filepath.Join(t.TempDir(), "vote.json")
	if err := module.Save(path, vote); err != nil {
		t.Fatal(err)
	}
	live, err := module.NewLive(t.Context(), vote, path)
	if err != nil {
		t.Fatal(err)
	}
	c := module.MustCascade([]program{live, says("y")}, module.CascadeConfig[question, answer]{Thresholds: []float64{1}})
	pred, err := c.Call(t.Context(), question{})
	if err != nil || pred.Chosen != 0 || pred.Votes.Share() != 1 || pred.Usage.Calls != 3 {
		t.Errorf("%+v, %v", pred, err)
	}
}
