package optimize_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
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
