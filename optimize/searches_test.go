package optimize_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

var smallGEPA = optimize.GEPA{MaxMetricCalls: 260, Seed: 2}

// searches are small searches of every optimizer that tries candidates.
var searches = []struct {
	name string
	opt  optimize.Optimizer
	make func(t *testing.T, version lmtest.SynthVersion) wordingSearch
	// scored is a number of calls after which something was scored.
	scored int
	// improves says that there is something to find on these worlds.
	improves bool
}{
	{"RandomSearch", optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 3}, newWordingSearch, 45, false},
	{"MIPROv2", optimize.MIPROv2{Candidates: 4, Trials: 5, MaxBootstrapped: 2, MinibatchSize: 10, FullEvalEvery: 2}, newSIMBASearch, 90, false},
	{"Race", smallRace, newWordingSearch, 100, true},
	{"COPRO", wordings["COPRO"], newWordingSearch, 45, false},
	{"OPRO", wordings["OPRO"], newWordingSearch, 45, false},
	{"SIMBA", simbaShort, newSIMBASearch, 45, false},
	{"GEPA", smallGEPA, newWordingSearch, 45, true},
}

// synthVersions are worlds of one predictor and of two.
var synthVersions = []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline}

// TestSearchesRunTheSame checks that nothing depends on concurrency.
func TestSearchesRunTheSame(t *testing.T) {
	t.Parallel()
	for _, s := range searches {
		for _, version := range synthVersions {
			t.Run(s.name+" "+string(version), func(t *testing.T) {
				t.Parallel()
				var first *optimize.Result
				for _, n := range []int{1, 3, 16} {
					r, err := s.make(t, version).run(t.Context(), s.opt, optimize.Concurrency(n))
					if err != nil {
						t.Fatal(err)
					}
					if first == nil {
						first = r
					} else if !sameResult(first, r) || !reflect.DeepEqual(first.Trials, r.Trials) || !reflect.DeepEqual(first.Curve, r.Curve) || !reflect.DeepEqual(first.Front, r.Front) {
						t.Errorf("with a concurrency of %d: %s\nwith 1: %s", n, r, first)
					}
				}
				if len(first.Trials) < 4 || first.Calls.Paid < 100 || s.improves && !first.Improved() {
					t.Errorf("nothing happened: %s", first)
				}
			})
		}
	}
}

// TestSearchesResume ends searches at several points and runs them again on the same store.
func TestSearchesResume(t *testing.T) {
	t.Parallel()
	const inFlight = 4
	for _, s := range searches {
		for _, version := range synthVersions {
			t.Run(s.name+" "+string(version), func(t *testing.T) {
				t.Parallel()
				whole, err := s.make(t, version).run(t.Context(), s.opt)
				if err != nil {
					t.Fatal(err)
				}
				paid := whole.Calls.Paid
				for _, part := range []float64{0.1, 0.5, 0.9} {
					at := int64(part * float64(paid))
					file := filepath.Join(t.TempDir(), "answers.db")
					ended, err := searchOn(t, s.make(t, version), s.opt, file, inFlight, at)
					if !errors.Is(err, context.Canceled) || ended == nil || ended.Score < ended.Baseline {
						t.Fatalf("ended at %d of %d calls: %v and %v", at, paid, ended, err)
					}
					again, err := searchOn(t, s.make(t, version), s.opt, file, inFlight, 0)
					if err != nil {
						t.Fatal(err)
					}
					if !sameResult(whole, again) {
						t.Errorf("ended at %d of %d calls and run again: %s\nwant %s", at, paid, again, whole)
					}
					if both := ended.Calls.Paid + again.Calls.Paid; both > paid+inFlight+1 {
						t.Errorf("ended at %d, %d calls were paid in all, of %d", at, both, paid)
					}
				}
			})
		}
	}
}

// TestSearchesBudget ends searches with the best so far. No call leaves beyond the budget.
func TestSearchesBudget(t *testing.T) {
	t.Parallel()
	for _, s := range searches {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole, err := s.make(t, lmtest.SynthBasic).run(t.Context(), s.opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, calls := range []int{1, s.scored, whole.Calls.Paid - 1} {
				w := s.make(t, lmtest.SynthBasic)
				r, err := w.run(t.Context(), s.opt, optimize.Within(optimize.Budget{Calls: calls}))
				if !errors.Is(err, lm.ErrBudget) || r == nil {
					t.Fatalf("%d calls allowed: got %v and %v", calls, r, err)
				}
				if w.reached() > calls || r.Score < r.Baseline || (calls >= s.scored) != r.Scored || len(r.Trials) > len(whole.Trials) {
					t.Errorf("%d calls allowed, %d made: %s", calls, w.reached(), r)
				}
			}
			r, err := s.make(t, lmtest.SynthBasic).run(t.Context(), s.opt, optimize.Within(optimize.Budget{Calls: whole.Calls.Paid}))
			if err != nil || !sameResult(whole, r) {
				t.Errorf("with all that it takes: %v and %v", r, err)
			}
		})
	}
}

// TestSearchesCancelled begins no call under a context that has ended, and returns the program
// as it was.
func TestSearchesCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range searches {
		w := s.make(t, lmtest.SynthBasic)
		r, err := w.run(ctx, s.opt)
		if !errors.Is(err, context.Canceled) || r == nil || r.Winner != -1 || r.Scored || w.reached() != 0 {
			t.Errorf("%s: got %v and %v", s.name, r, err)
		}
	}
}

// wordingSearch is a search on a world with something to find.
type wordingSearch struct {
	world   *lmtest.SynthLM
	prompts *lmtest.Scripted
	program module.Program[synthQuestion, synthAnswer]
}

func newWordingSearch(t *testing.T, version lmtest.SynthVersion) wordingSearch {
	m := synthWorld(t, version, 102)
	w := wordingSearch{world: m, prompts: skilled(m, 5, 0.5), program: synthOne(m)}
	if version == lmtest.SynthPipeline {
		w.program = newSynthTwo(m)
	}
	return w
}

func (w wordingSearch) run(ctx context.Context, opt optimize.Optimizer, opts ...optimize.Option) (*optimize.Result, error) {
	opts = append([]optimize.Option{optimize.Val(synthItems(w.world, 200, 40)), optimize.PromptModel(w.prompts)}, opts...)
	return optimize.Compile(ctx, opt, w.program, synthItems(w.world, 0, 60), metric.Exact, opts...)
}

// reached counts the calls that a model has seen. A call that was cut off as another one met
// the end of the budget may count as paid though it never left.
func (w wordingSearch) reached() int {
	return w.world.Calls().Task + w.world.Calls().Proposals + w.prompts.Calls()
}

// sameResult reports whether two searches went the same way; what was paid may differ.
func sameResult(a, b *optimize.Result) bool {
	if len(a.Trials) != len(b.Trials) {
		return false
	}
	for i := range a.Trials {
		x, y := a.Trials[i], b.Trials[i]
		if x.Name != y.Name || x.Score != y.Score || !reflect.DeepEqual(x.Subscores, y.Subscores) || !reflect.DeepEqual(x.States, y.States) {
			return false
		}
	}
	return a.Winner == b.Winner && a.Score == b.Score && a.Why == b.Why && reflect.DeepEqual(a.States, b.States) && a.Calls.Requested == b.Calls.Requested
}

// searchOn searches on a store in a file. After so many calls, unless it is 0, the context
// ends.
func searchOn(t *testing.T, w wordingSearch, opt optimize.Optimizer, file string, concurrency int, at int64) (*optimize.Result, error) {
	t.Helper()
	store, err := cache.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := &ender{at: at, end: cancel}
	ending := func(m lm.LM) lm.LM { return endingLM{m, end} }
	r, err := w.run(ctx, opt, optimize.Concurrency(concurrency), optimize.Through(store.Wrap, ending))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return r, err
}

// ender ends a context at a call.
type ender struct {
	calls atomic.Int64
	at    int64
	end   context.CancelFunc
}

type endingLM struct {
	lm.LM
	*ender
}

func (e endingLM) Unwrap() lm.LM { return e.LM }

func (e endingLM) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if e.calls.Add(1) == e.at {
		e.end()
	}
	return e.LM.Generate(ctx, r)
}
