package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// wordings are the optimizers that propose from instructions and their scores.
var wordings = map[string]optimize.Optimizer{
	"COPRO": optimize.COPRO{Breadth: 4, Depth: 2},
	"OPRO":  optimize.OPRO{Steps: 4, Proposals: 2, Rows: 30, EvalEvery: 2, Seed: 3},
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

// TestWordingsDeterministic checks that nothing depends on concurrency.
func TestWordingsDeterministic(t *testing.T) {
	t.Parallel()
	for name, opt := range wordings {
		for _, version := range []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline} {
			t.Run(name+" "+string(version), func(t *testing.T) {
				t.Parallel()
				var first *optimize.Result
				for _, n := range []int{1, 2, 16} {
					r, err := newWordingSearch(t, version).run(t.Context(), opt, optimize.Concurrency(n))
					if err != nil {
						t.Fatal(err)
					}
					if first == nil {
						first = r
					} else if !sameResult(first, r) {
						t.Errorf("with a concurrency of %d: %s\nwith 1: %s", n, r, first)
					}
				}
			})
		}
	}
}

// TestWordingsResume ends searches at several points and runs them again on the same store.
func TestWordingsResume(t *testing.T) {
	t.Parallel()
	const inFlight = 4
	for name, opt := range wordings {
		for _, version := range []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline} {
			t.Run(name+" "+string(version), func(t *testing.T) {
				t.Parallel()
				whole, err := newWordingSearch(t, version).run(t.Context(), opt)
				if err != nil {
					t.Fatal(err)
				}
				total := whole.Calls.Paid
				for _, part := range []float64{0.1, 0.5, 0.9} {
					at := int64(part * float64(total))
					file := filepath.Join(t.TempDir(), "answers.db")
					killed, err := searchOn(t, newWordingSearch(t, version), opt, file, inFlight, at)
					if !errors.Is(err, context.Canceled) || killed == nil {
						t.Fatalf("ended at %d of %d calls: %v and %v", at, total, killed, err)
					}
					again, err := searchOn(t, newWordingSearch(t, version), opt, file, inFlight, 0)
					if err != nil {
						t.Fatal(err)
					}
					if !sameResult(whole, again) {
						t.Errorf("ended at %d of %d calls and run again: %s\nwant %s", at, total, again, whole)
					}
					if paid := killed.Calls.Paid + again.Calls.Paid; paid > total+inFlight+1 {
						t.Errorf("ended at %d, %d calls were paid in all, of %d", at, paid, total)
					}
				}
			})
		}
	}
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

// TestWordingsBudget ends searches with the best so far.
func TestWordingsBudget(t *testing.T) {
	t.Parallel()
	for name, opt := range wordings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := newWordingSearch(t, lmtest.SynthBasic).run(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, calls := range []int{1, 45, whole.Calls.Paid - 1} {
				w := newWordingSearch(t, lmtest.SynthBasic)
				r, err := w.run(t.Context(), opt, optimize.Within(optimize.Budget{Calls: calls}))
				if !errors.Is(err, lm.ErrBudget) || r == nil {
					t.Fatalf("%d calls allowed: got %v and %v", calls, r, err)
				}
				if w.reached() > calls || r.Score < r.Baseline || (calls >= 45) != r.Scored || len(r.Trials) > len(whole.Trials) {
					t.Errorf("%d calls allowed: %s", calls, r)
				}
			}
			r, err := newWordingSearch(t, lmtest.SynthBasic).run(t.Context(), opt, optimize.Within(optimize.Budget{Calls: whole.Calls.Paid}))
			if err != nil || !sameResult(whole, r) {
				t.Errorf("with all that it takes: %v and %v", r, err)
			}
		})
	}
}

// TestWordingsCancelled begins no call under a context that has ended, and returns the
// program as it was.
func TestWordingsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, opt := range wordings {
		w := newWordingSearch(t, lmtest.SynthBasic)
		r, err := w.run(ctx, opt)
		if !errors.Is(err, context.Canceled) || r == nil || r.Winner != -1 || r.Scored || w.world.Calls().Task+w.prompts.Calls() != 0 {
			t.Errorf("%s: got %v and %v", name, r, err)
		}
	}
}

// TestWordingsUnread has a prompt model of which some replies hold no instruction, and one
// that is not there.
func TestWordingsUnread(t *testing.T) {
	t.Parallel()
	for name, opt := range wordings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWordingSearch(t, lmtest.SynthBasic)
			good := w.prompts
			w.prompts = lmtest.Answer(func(r *lm.Request) (string, error) {
				switch r.Rollout % 3 {
				case 1:
					return "[[ ## completed ## ]]", nil
				case 2:
					return draftReply("proposed_instruction", `""`), nil
				}
				resp, err := good.Generate(t.Context(), r)
				if err != nil {
					return "", err
				}
				return resp.Text, nil
			})
			r, err := w.run(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(r.Why, "calls of the prompt model brought no instruction") || len(r.Trials) < 2 || !r.Scored {
				t.Errorf("got %s", r)
			}

			w.prompts = lmtest.Answer(func(*lm.Request) (string, error) { return "", nil })
			if r, err = w.run(t.Context(), opt); err != nil {
				t.Fatal(err)
			}
			if r.Improved() || len(r.Trials) != 1 || r.Winner != 0 || !strings.Contains(r.Why, "brought no instruction") {
				t.Errorf("without a reply: %s", r)
			}

			w.prompts = lmtest.Script()
			if r, err = w.run(t.Context(), opt); !errors.Is(err, lm.ErrUnavailable) || r == nil || !r.Scored || w.prompts.Calls() != 1 {
				t.Errorf("without a prompt model: %v and %v, after %d calls", r, err, w.prompts.Calls())
			}
		})
	}
}

// TestWordingsKeepTheRest runs on a dynamic program that has demos: they stay.
func TestWordingsKeepTheRest(t *testing.T) {
	t.Parallel()
	for name, opt := range wordings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := synthWorld(t, lmtest.SynthBasic, 103)
			p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(m))
			type record = module.Example[signature.Record, signature.Record]
			items := func(from, n int) []record {
				out := make([]record, n)
				for i := range out {
					out[i].In, out[i].Out = signature.RecordOf("question", m.Question(from+i)), signature.RecordOf("answer", m.Label(from+i))
				}
				return out
			}
			demo := module.Demo{Fields: signature.RecordOf("question", m.Question(1), "answer", m.Label(1))}
			if err := p.Predictor().SetState(module.State{Demos: []module.Demo{demo}, Instructions: "Answer by strategy-30."}); err != nil {
				t.Fatal(err)
			}
			r, err := optimize.Compile(t.Context(), opt, p, items(0, 60), metric.Exact, optimize.Val(items(200, 100)), optimize.PromptModel(skilled(m, 6, 1)))
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for i := range 100 {
				if m.Answer(30, []lmtest.SynthDemo{{Item: 1, Label: m.Label(1)}}, 200+i, 0) == m.Label(200+i) {
					want++
				}
			}
			if r.Baseline != float64(want)/100 || len(r.States[0].State.Demos) != 1 || !r.Improved() {
				t.Errorf("the baseline is %v, want %d of 100: %s", r.Baseline, want, r)
			}
			if err := r.Apply(p); err != nil {
				t.Fatal(err)
			}
			if got := p.Predictor().State(); got.Instructions == "Answer by strategy-30." || len(got.Demos) != 1 {
				t.Errorf("the program has the state %+v now", got)
			}
		})
	}
}

// TestWordingsPlan compares what is asked with what was estimated beforehand: with a prompt
// model that never writes the same twice a program of one predictor takes just that.
func TestWordingsPlan(t *testing.T) {
	t.Parallel()
	for name, opt := range wordings {
		for version, predictors := range map[lmtest.SynthVersion]int{lmtest.SynthBasic: 1, lmtest.SynthPipeline: 2} {
			w := newWordingSearch(t, version)
			w.prompts = lmtest.Answer(func(r *lm.Request) (string, error) {
				return draftReply("proposed_instruction", fmt.Sprintf("Answer by strategy-%02d, way %d.", r.Rollout%32, r.Rollout)), nil
			})
			estimate, err := optimize.DryRun(t.Context(), opt, w.program, synthItems(w.world, 0, 60), metric.Exact,
				optimize.Val(synthItems(w.world, 200, 40)), optimize.PromptModel(w.prompts))
			if err != nil {
				t.Fatal(err)
			}
			r, err := w.run(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			proposals, runs := 0, 0
			for _, p := range estimate.Phases {
				proposals, runs = proposals+p.Proposals, runs+p.Runs
			}
			asked := r.Searching.Calls.Requested / predictors
			if proposals != r.Proposing.Calls.Requested || asked > runs || (predictors == 1 || name == "OPRO") && asked != runs {
				t.Errorf("%s on %s: %d proposals and %d runs were estimated, and %d and %d asked", name, version, proposals, runs, r.Proposing.Calls.Requested, asked)
			}
		}
	}
}

// TestWordingsTakeOffBiases calibrates a program that has biases: they are taken off before
// others are fitted, and the baseline is the program with them.
func TestWordingsTakeOffBiases(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]optimize.Optimizer{
		"COPRO": optimize.COPRO{Breadth: 2, Depth: 1},
		"OPRO":  optimize.OPRO{Steps: 1, Proposals: 2, Rows: 20},
		"SIMBA": optimize.SIMBA{BatchSize: 20, Candidates: 2, Steps: 1},
		"GEPA":  optimize.GEPA{MaxMetricCalls: 120},
	} {
		p, _ := calibrated(t, biased(0.8))
		prompts := lmtest.Answer(func(r *lm.Request) (string, error) {
			return simbaReply(fmt.Sprintf("Sort with care, way %d.", r.Rollout)), nil
		})
		r, err := optimize.Compile(t.Context(), opt, p, rare(0, 60), metric.Exact, macroF1(), optimize.PromptModel(prompts), optimize.Calibrated(optimize.Calibrate{}))
		if err != nil {
			t.Fatal(err)
		}
		first := r.Trials[0]
		if r.Baseline < 0.9 || first.Raw > 0.2 || first.Score < 0.85 {
			t.Errorf("%s: the baseline is %.3f, the first trial %.3f without biases and %.3f with fitted ones", name, r.Baseline, first.Raw, first.Score)
		}
		for _, trial := range r.Trials[1:] {
			if name != "GEPA" && trial.Rows != nil && trial.States[0].State.Biases != nil {
				t.Errorf("%s: %s, which was not measured, has biases", name, trial.Name)
			}
		}
	}
}

// TestWordingsPlanCalibrated reckons with the training examples, on which biases are fitted.
func TestWordingsPlanCalibrated(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]optimize.Optimizer{
		"COPRO": optimize.COPRO{Breadth: 3, Depth: 1},
		"OPRO":  optimize.OPRO{Steps: 2, Proposals: 2, Rows: 20, EvalEvery: 1},
		"GEPA":  optimize.GEPA{MaxMetricCalls: 1}, // the program as it is
	} {
		p := newClassifier(biased(0.8))
		prompts := numbered("Sort with care, way %d.")
		opts := []optimize.Option{optimize.Val(rare(60, 30)), macroF1(), optimize.PromptModel(prompts), optimize.Calibrated(optimize.Calibrate{})}
		estimate, err := optimize.DryRun(t.Context(), opt, p, rare(0, 60), metric.Exact, opts...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := optimize.Compile(t.Context(), opt, p, rare(0, 60), metric.Exact, opts...)
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		for _, phase := range estimate.Phases {
			runs += phase.Runs
		}
		if runs != r.Searching.Calls.Requested {
			t.Errorf("%s: %d runs were estimated, and %d asked", name, runs, r.Searching.Calls.Requested)
		}
	}
}
