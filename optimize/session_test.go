package optimize

import (
	"errors"
	"slices"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// TestOwnWinnerIsNotConfirmed has a search in which the program as it is wins: there is nothing
// to confirm, so the fresh examples are not run.
func TestOwnWinnerIsNotConfirmed(t *testing.T) {
	t.Parallel()
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(echo(nil)))
	r, err := Compile(t.Context(), RandomSearch{MaxBootstrapped: None, MaxLabeled: 2, Candidates: None}, p, engineData(0, 5), metric.Exact, Confirm(engineData(50, 9)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Winner != 0 || r.Confirmation != nil || r.Confirmed || r.Confirming != (Spent{}) {
		t.Errorf("the winner is %d, confirmed %t by %v, which took %+v", r.Winner, r.Confirmed, r.Confirmation, r.Confirming)
	}
}

// TestCurveBeforeTheFirstWinner has trials in which every example failed: the best so far is the
// program as it is, with its score.
func TestCurveBeforeTheFirstWinner(t *testing.T) {
	t.Parallel()
	_, s := engineSession(t, echo(nil), engineData(0, 2))
	s.setBaseline(&evaluation{score: 0.5, subscores: []float64{0, 1}})
	failed := errors.New("failed")
	s.record(Trial{Name: "bad"}, s.own, &evaluation{subscores: []float64{0, 0}, failed: 2, err: failed})
	s.record(Trial{Name: "good"}, s.own, &evaluation{score: 1, subscores: []float64{1, 1}})
	want := []Point{{Score: 0.5, Trial: -1}, {Score: 0.5, Trial: -1}, {Score: 1, Trial: 1}}
	if !slices.Equal(s.result.Curve, want) {
		t.Errorf("got %+v, want %+v", s.result.Curve, want)
	}
}

// TestNoScoreNamesAnError ends without a winner after a trial that was scored on some rows.
func TestNoScoreNamesAnError(t *testing.T) {
	t.Parallel()
	ctx, s := engineSession(t, echo(nil), engineData(0, 2))
	failed := errors.New("failed")
	s.note(Trial{Name: "a part", Rows: []int{0}}, s.own, &evaluation{score: 1, subscores: []float64{1}})
	if err := s.finish(ctx); err != nil {
		t.Errorf("nothing failed: %v", err)
	}
	s.record(Trial{Name: "all"}, s.own, &evaluation{subscores: []float64{0, 0}, failed: 2, err: failed})
	if err := s.finish(ctx); !errors.Is(err, errNoScore) || !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

// TestDryRunOfPointers estimates the same for an optimizer and a pointer to it.
func TestDryRunOfPointers(t *testing.T) {
	t.Parallel()
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(lm.LM(lmtest.Script())))
	for _, pair := range [][2]Optimizer{{Race{}, &Race{}}, {LabeledFewShot{K: 3}, &LabeledFewShot{K: 3}}, {RandomSearch{}, &RandomSearch{}}} {
		var text [2]string
		for i, opt := range pair {
			e, err := DryRun(t.Context(), opt, p, engineData(0, 9), metric.Exact, Val(engineData(10, 200)))
			if err != nil {
				t.Fatal(err)
			}
			text[i] = e.String()
		}
		if text[0] != text[1] {
			t.Errorf("got\n%s\nand of a pointer\n%s", text[0], text[1])
		}
	}
}

// TestProvenanceHasTheSeed writes the seed of a search that has one into saved programs.
func TestProvenanceHasTheSeed(t *testing.T) {
	t.Parallel()
	if p := (&Result{Seed: 9}).Provenance(); p.Seed != 9 {
		t.Errorf("got %+v", p)
	}
}

// TestDivide compares how a dry run divides the examples with how the search does.
func TestDivide(t *testing.T) {
	t.Parallel()
	o := Race{Instructions: None, MaxRuns: 20, Seed: 4}
	ctx, searched := engineSession(t, echo(nil), engineData(0, 90))
	if err := o.search(ctx, searched); err != nil {
		t.Fatal(err)
	}
	_, dry := engineSession(t, echo(nil), engineData(0, 90))
	o.divide(dry)
	if dry.sizes != searched.sizes || dry.sizes != [3]int{20, 40, 30} || !slices.Equal(dry.names, searched.names) {
		t.Errorf("got %v and %v, want %v and %v", dry.sizes, dry.names, searched.sizes, searched.names)
	}
}
