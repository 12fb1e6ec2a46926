package optimize_test

import (
	"math"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// TestCOPROGain improves worlds in which there is something to find: the exact expected
// accuracy rises, and not only the score that chose the winner.
func TestCOPROGain(t *testing.T) {
	t.Parallel()
	for _, version := range []lmtest.SynthVersion{lmtest.SynthBasic, lmtest.SynthPipeline} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			worlds := 20
			if race {
				worlds = 2
			}
			var gains []float64
			for world := range worlds {
				m := synthWorld(t, version, world)
				var p module.Program[synthQuestion, synthAnswer] = synthOne(m)
				before := []lmtest.SynthPrompt{{}}
				if version == lmtest.SynthPipeline {
					p, before = newSynthTwo(m), append(before, lmtest.SynthPrompt{})
				}
				r, err := optimize.Compile(t.Context(), optimize.COPRO{Breadth: 4, Depth: 3}, p, synthItems(m, 0, 80), metric.Exact, optimize.Concurrency(2))
				if err != nil {
					t.Fatal(err)
				}
				truth, err := m.ExpectedOf(before...)
				if err != nil {
					t.Fatal(err)
				}
				gains = append(gains, synthTruth(t, m, r.States)-truth)
				if r.Score < r.Baseline || r.Confirmed {
					t.Errorf("world %d: %s", world, r)
				}
			}
			if race {
				return
			}
			mean, spread := 0.0, 0.0
			for _, g := range gains {
				mean += g / float64(len(gains))
			}
			for _, g := range gains {
				spread += (g - mean) * (g - mean) / float64(len(gains)-1)
			}
			se := math.Sqrt(spread / float64(len(gains)))
			t.Logf("the gain is %.4f, standard error %.4f", mean, se)
			if mean < 0.03 || mean < 2.6*se {
				t.Errorf("the gain is %.4f, standard error %.4f", mean, se)
			}
		})
	}
}

// TestCOPROPrompts looks at what the prompt model is asked.
func TestCOPROPrompts(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 104)
	prompts := skilled(m, 1, 0.5)
	_, err := optimize.Compile(t.Context(), optimize.COPRO{Breadth: 3, Depth: 2}, synthOne(m), synthItems(m, 0, 40), metric.Exact, optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	requests := prompts.Requests()
	if len(requests) != 5 {
		t.Fatalf("%d questions, want 2 and 3", len(requests))
	}
	for i, r := range requests {
		if r.Rollout != i+1 || r.Temperature == nil || *r.Temperature != 1.4 || r.Seed == nil {
			t.Errorf("question %d: %+v", i+1, r)
		}
		text := question(r)
		if !strings.Contains(text, "self, which reads question and writes answer") {
			t.Errorf("question %d does not say what the predictor is:\n%s", i+1, text)
		}
		if own := "Given the fields `question`, produce the fields `answer`."; strings.Count(text, own) != 1 {
			t.Errorf("question %d does not show the program's own instruction:\n%s", i+1, text)
		}
	}
}

// TestCOPRODefaults has a prompt model by default: that of the program.
func TestCOPRODefaults(t *testing.T) {
	t.Parallel()
	m := synthWorld(t, lmtest.SynthBasic, 105)
	ctx := lm.With(t.Context(), lm.Func(m.Generate))
	p := module.MustPredict[synthQuestion, synthAnswer]("")
	r, err := optimize.Compile(ctx, optimize.COPRO{}, p, synthItems(m, 0, 12), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	calls := m.Calls().Proposals
	if calls != 29 || r.Proposing.Calls.Requested != 29 || len(r.Trials) > 30 || r.Searching.Calls.Requested != 12*len(r.Trials) {
		t.Errorf("%d proposals, %d trials, %+v", calls, len(r.Trials), r.Searching)
	}
}

// TestCOPROFailing has instructions under which every example fails.
func TestCOPROFailing(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(r.Messages[0].Text(), "Look for offers") {
			return "", &lm.Error{Kind: lm.ErrRefused, Message: "no"}
		}
		return draftReply("label", "ham"), nil
	})
	p := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(model))
	r, err := optimize.Compile(t.Context(), optimize.COPRO{Breadth: 4, Depth: 2}, p, exampleData(), metric.Exact, optimize.PromptModel(wordyModel()))
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, trial := range r.Trials {
		if trial.Failed == len(exampleData()) {
			failed++
		}
	}
	if failed != 1 || r.Score != 0.5 || strings.Contains(r.States[0].State.Instructions, "offers") {
		t.Errorf("%d programs failed: %s", failed, r)
	}
}
