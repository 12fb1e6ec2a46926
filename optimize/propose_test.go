package optimize_test

import (
	"context"
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

// answering answers a prompt by the field it asks for.
func answering(replies func(field string, n int, r *lm.Request) string) *lmtest.Scripted {
	counts := map[string]int{}
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		_, asked := miproFields(r)
		text := replies(asked[0], counts[asked[0]], r)
		counts[asked[0]]++
		if text == "" {
			return "", errors.New("cut off")
		}
		return fmt.Sprintf("[[ ## %s ## ]]\n%s\n\n[[ ## completed ## ]]", asked[0], text), nil
	})
}

// firstField returns the first that a prompt asks for.
func firstField(r *lm.Request) string {
	_, asked := miproFields(r)
	return asked[0]
}

// proposalsOf runs a search of one trial that proposes instructions.
func proposalsOf(t *testing.T, prompts lm.LM, opt optimize.MIPROv2, train int, program module.Program[message, verdict]) (*optimize.Result, error) {
	t.Helper()
	opt.Candidates, opt.Trials, opt.MinibatchSize = 4, 6, 3
	return optimize.Compile(t.Context(), opt, program, messages(train), metric.Exact, optimize.Val(messages(train + 6)[train:]), optimize.PromptModel(prompts))
}

// TestSummaryOfData reads the data in batches, adds the notes up, leaves out the replies that
// have nothing new, and stops where there are five of these, or after ten batches.
func TestSummaryOfData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		train, view int
		complete    func(n int) bool
		batches     int
		notes       string // that are condensed
	}{
		"one batch":       {8, 0, func(int) bool { return false }, 1, "note 0."},
		"three batches":   {25, 0, func(int) bool { return false }, 3, "note 0.\nnote 1.\nnote 2."},
		"one is skipped":  {25, 0, func(n int) bool { return n == 1 }, 3, "note 0.\nnote 2."},
		"five skips":      {50, 2, func(n int) bool { return n > 1 }, 7, "note 0.\nnote 1."},
		"at most ten":     {50, 2, func(int) bool { return false }, 10, "note 0.\nnote 1.\nnote 2.\nnote 3.\nnote 4.\nnote 5.\nnote 6.\nnote 7.\nnote 8.\nnote 9."},
		"the first is no": {12, 10, func(n int) bool { return n == 0 }, 2, "Complete, says this one.\nnote 1."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prompts := answering(func(field string, n int, _ *lm.Request) string {
				switch {
				case field == "observations" && c.complete(n):
					return "Complete, says this one."
				case field == "observations":
					return fmt.Sprintf("note %d.", n)
				case field == "summary":
					return `Summary: "They are messages."`
				}
				return "something"
			})
			if _, err := proposalsOf(t, prompts, optimize.MIPROv2{ViewData: c.view}, c.train, newClassifier(lmtest.Answer(miproTask))); err != nil {
				t.Fatal(err)
			}
			batches, summary := 0, ""
			for _, r := range prompts.Requests() {
				switch _, asked := miproFields(r); asked[0] {
				case "observations":
					batches++
				case "summary":
					summary = question(r)
				case "proposed_instruction":
					if !strings.Contains(question(r), "[[ ## dataset_description ## ]]\nThey are messages.\n") {
						t.Fatalf("a proposal is told\n%s", question(r))
					}
				}
			}
			if batches != c.batches || !strings.Contains(summary, "[[ ## observations ## ]]\n"+c.notes+"\n") {
				t.Errorf("%d batches, want %d; what is condensed is\n%s", batches, c.batches, summary)
			}
		})
	}
}

// TestProposalsThatFail leaves out what cannot be read, and goes on.
func TestProposalsThatFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bad    func(field string, n int) bool
		lacks  string // a field that proposals are not told then
		told   string // what they are
		trials string // what a trial's note has
		left   int    // instructions
	}{
		"no notes":      {func(f string, _ int) bool { return f == "observations" }, "dataset_description", "", "without a summary of the data", 4},
		"no more notes": {func(f string, n int) bool { return f == "observations" && n > 0 }, "prior_observations", "summary 0", "tip: ", 4},
		"no summary":    {func(f string, _ int) bool { return f == "summary" }, "dataset_description", "", "without a summary of the data", 4},
		"no program":    {func(f string, _ int) bool { return f == "program_description" }, "", "There is no description.", "without a description of the program", 4},
		"no module":     {func(f string, _ int) bool { return f == "module_description" }, "", "There is no description.", "without a description of the program", 4},
		"one proposal":  {func(f string, n int) bool { return f == "proposed_instruction" && n == 2 }, "", "", "tip: ", 3},
		"all proposals": {func(f string, _ int) bool { return f == "proposed_instruction" }, "", "", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prompts := answering(func(field string, n int, _ *lm.Request) string {
				if c.bad(field, n) {
					return ""
				}
				return fmt.Sprintf("%s %d", field, n)
			})
			r, err := proposalsOf(t, prompts, optimize.MIPROv2{}, 30, newClassifier(lmtest.Answer(miproTask)))
			if err != nil {
				t.Fatal(err)
			}
			for _, req := range prompts.Requests() {
				if fields, asked := miproFields(req); asked[0] == "proposed_instruction" {
					if c.lacks != "" && strings.Contains(strings.Join(fields, " "), c.lacks) || !strings.Contains(question(req), c.told) {
						t.Errorf("a proposal is told\n%s", question(req))
					}
				}
			}
			instructions, notes := map[string]bool{"": true}, ""
			for _, trial := range r.Trials {
				instructions[trial.States[0].State.Instructions] = true
				notes += trial.Note + "\n"
			}
			if len(instructions) > c.left || !strings.Contains(notes, c.trials) {
				t.Errorf("the instructions are %v, the notes\n%s", instructions, notes)
			}
		})
	}
}

// TestProposalsEnd with an error that every other call would meet too, and with the context.
func TestProposalsEnd(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"observations", "summary", "program_description", "module_description", "proposed_instruction"} {
		dead := lmtest.Answer(func(r *lm.Request) (string, error) {
			if firstField(r) == at {
				return "", &lm.Error{Kind: lm.ErrAuth, Message: "no"}
			}
			return fmt.Sprintf("[[ ## %s ## ]]\nwords\n\n[[ ## completed ## ]]", firstField(r)), nil
		})
		r, err := proposalsOf(t, dead, optimize.MIPROv2{}, 12, newClassifier(lmtest.Answer(miproTask)))
		if !errors.Is(err, lm.ErrAuth) || r == nil || len(r.Trials) != 0 {
			t.Errorf("%s: got %v and %v", at, r, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ending := lmtest.Answer(func(r *lm.Request) (string, error) {
			if firstField(r) == at {
				cancel()
				return "", errors.New("cut off")
			}
			return fmt.Sprintf("[[ ## %s ## ]]\nwords\n\n[[ ## completed ## ]]", firstField(r)), nil
		})
		_, err = optimize.Compile(ctx, smallMIPRO, newClassifier(lmtest.Answer(miproTask)), messages(60), metric.Exact, optimize.PromptModel(ending))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", at, err)
		}
		cancel()
	}
}

// TestProposalTexts looks at what the prompt model is told.
func TestProposalTexts(t *testing.T) {
	t.Parallel()
	prompts := answering(func(field string, n int, _ *lm.Request) string {
		if field == "proposed_instruction" {
			return []string{"**New instruction: Say which.", `"Say which, please."`, "Say: which of the labels it is, as in 'ham'.", "Proposed_Instruction:\nSay"}[n]
		}
		return field + " is here"
	})
	p := module.MustPredict[message, verdict]("Sort it.\nWell.", module.WithLM(lmtest.Answer(miproTask)))
	st := p.Predictor().State()
	st.Descriptions = map[string]string{"label": "What kind it is"}
	if err := p.Predictor().SetState(st); err != nil {
		t.Fatal(err)
	}
	r, err := proposalsOf(t, prompts, optimize.MIPROv2{Temperature: 0.7}, 12, p)
	if err != nil {
		t.Fatal(err)
	}
	outline := "A program with 1 call of a language model.\n\n1. self: text -> label\n   reads text (str)\n   writes label (Literal['ham', 'spam', 'smishing']): What kind it is\n   is told: Sort it.\n   Well.\n"
	withDemos, tips, rollouts := 0, map[string]bool{}, map[int]int{}
	for _, req := range prompts.Requests() {
		fields, asked := miproFields(req)
		if asked[0] == "observations" || asked[0] == "summary" {
			if *req.Temperature != 1 {
				t.Errorf("the temperature of %s is %v", asked[0], *req.Temperature)
			}
			continue
		}
		text := question(req)
		if *req.Temperature != 0.7 || req.Rollout == 0 {
			t.Errorf("the temperature of %s is %v, the rollout %d", asked[0], *req.Temperature, req.Rollout)
		}
		rollouts[req.Rollout]++
		if !strings.Contains(text, outline) {
			t.Errorf("%s is told\n%s", asked[0], text)
		}
		if asked[0] != "program_description" && !strings.Contains(text, "self(text) -> label") {
			t.Errorf("%s is told\n%s", asked[0], text)
		}
		if asked[0] != "proposed_instruction" {
			continue
		}
		if strings.Contains(text, "text: message 0\nlabel: ham") {
			withDemos++
		}
		if !strings.Contains(text, "[[ ## basic_instruction ## ]]\nSort it.\nWell.\n") {
			t.Errorf("the proposal is told\n%s", text)
		}
		tips[fmt.Sprint(strings.Contains(strings.Join(fields, " "), "tip"))] = true
	}
	if withDemos != 3 || len(tips) == 0 || len(rollouts) != 4 {
		t.Errorf("%d proposals were shown demos; the tips are %v, the rollouts %v", withDemos, tips, rollouts)
	}
	want := map[string]bool{"": true, "Say which, please.": true, "which of the labels it is, as in 'ham'.": true, "Say": true}
	for _, trial := range r.Trials {
		if in := trial.States[0].State.Instructions; !want[in] {
			t.Errorf("an instruction is %q", in)
		}
	}
}

// TestLongValues cuts what would fill a prompt.
func TestLongValues(t *testing.T) {
	t.Parallel()
	prompts := miproProposing()
	p := module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(lmtest.Answer(func(*lm.Request) (string, error) {
		return "[[ ## label ## ]]\nham\n\n[[ ## completed ## ]]", nil
	})))
	var data []module.Example[signature.Record, signature.Record]
	for i := range 12 {
		data = append(data, module.Example[signature.Record, signature.Record]{
			In: signature.RecordOf("text", fmt.Sprintf("%d %s", i, strings.Repeat("é", 10_000))), Out: signature.RecordOf("label", "ham"),
		})
	}
	if _, err := optimize.Compile(t.Context(), optimize.MIPROv2{Candidates: 3, Trials: 1, MinibatchSize: 2}, p, data, metric.Exact, optimize.PromptModel(prompts)); err != nil {
		t.Fatal(err)
	}
	for _, r := range prompts.Requests() {
		if text := question(r); len(text) > 10*4100+2000 || !strings.Contains(r.Messages[0].Text(), "summary") && !strings.Contains(text, "program_code") && strings.Contains(text, "examples ## ]]") && !strings.Contains(text, "é ...") {
			t.Errorf("a prompt has %d bytes:\n%.200s", len(text), text)
		}
	}
}
