package optimize_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/optimize"
)

var smallGEPA = optimize.GEPA{MaxMetricCalls: 260, Seed: 2}

// gepaVersions are worlds of one predictor and of two.
var gepaVersions = []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline}

// TestGEPADeterministic checks that nothing depends on concurrency.
func TestGEPADeterministic(t *testing.T) {
	t.Parallel()
	for _, version := range gepaVersions {
		var first *optimize.Result
		for _, n := range []int{1, 3, 16} {
			r, err := newWordingSearch(t, version).run(t.Context(), smallGEPA, optimize.Concurrency(n))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = r
			} else if !sameResult(first, r) {
				t.Errorf("%s with a concurrency of %d: %s\nwith 1: %s", version, n, r, first)
			}
		}
		if len(first.Trials) < 4 || !first.Improved() {
			t.Errorf("%s: nothing happened: %s", version, first)
		}
	}
}

// TestGEPAResume ends searches at several points and runs them again on the same store.
func TestGEPAResume(t *testing.T) {
	t.Parallel()
	const inFlight = 4
	for _, version := range gepaVersions {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			whole, err := newWordingSearch(t, version).run(t.Context(), smallGEPA)
			if err != nil {
				t.Fatal(err)
			}
			paid := whole.Calls.Paid
			for _, part := range []float64{0.1, 0.5, 0.9} {
				at := int64(part * float64(paid))
				file := filepath.Join(t.TempDir(), "answers.db")
				killed, err := searchOn(t, newWordingSearch(t, version), smallGEPA, file, inFlight, at)
				if !errors.Is(err, context.Canceled) || killed == nil {
					t.Fatalf("ended at %d of %d calls: %v and %v", at, paid, killed, err)
				}
				again, err := searchOn(t, newWordingSearch(t, version), smallGEPA, file, inFlight, 0)
				if err != nil {
					t.Fatal(err)
				}
				if !sameResult(whole, again) {
					t.Errorf("ended at %d of %d calls and run again: %s\nwant %s", at, paid, again, whole)
				}
				if both := killed.Calls.Paid + again.Calls.Paid; both > paid+inFlight+1 {
					t.Errorf("ended at %d, %d calls were paid in all, of %d", at, both, paid)
				}
			}
		})
	}
}

// TestGEPABudget ends a search with the best so far.
func TestGEPABudget(t *testing.T) {
	t.Parallel()
	whole, err := newWordingSearch(t, lmtest.SynthBasic).run(t.Context(), smallGEPA)
	if err != nil {
		t.Fatal(err)
	}
	for _, calls := range []int{1, 45, whole.Calls.Paid - 1} {
		w := newWordingSearch(t, lmtest.SynthBasic)
		r, err := w.run(t.Context(), smallGEPA, optimize.Within(optimize.Budget{Calls: calls}))
		if !errors.Is(err, lm.ErrBudget) || r == nil {
			t.Fatalf("%d calls allowed: got %v and %v", calls, r, err)
		}
		if w.reached() > calls || r.Score < r.Baseline || calls >= 45 != r.Scored {
			t.Errorf("%d calls allowed: %s", calls, r)
		}
	}
	r, err := newWordingSearch(t, lmtest.SynthBasic).run(t.Context(), smallGEPA, optimize.Within(optimize.Budget{Calls: whole.Calls.Paid}))
	if err != nil || !sameResult(whole, r) {
		t.Errorf("with all that it takes: %v and %v", r, err)
	}
}

// TestGEPACancelled begins no call under a context that has ended.
func TestGEPACancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWordingSearch(t, lmtest.SynthBasic)
	r, err := w.run(ctx, smallGEPA)
	if !errors.Is(err, context.Canceled) || r == nil || r.Winner != -1 || r.Scored || w.world.Calls().Task+w.prompts.Calls() != 0 {
		t.Errorf("got %v and %v", r, err)
	}
}
