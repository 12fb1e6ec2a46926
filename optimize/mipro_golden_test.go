package optimize_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

var (
	miproNumber    = regexp.MustCompile(`instruction number (\d+)`)
	miproMarker    = regexp.MustCompile(`\[\[ ## (\w+) ## \]\]`)
	miproOutput    = regexp.MustCompile("(?m)^\\d+\\. `(\\w+)`")
	miproOneChoice = regexp.MustCompile(`instructions (\d+), demos (\d+)$`)
)

// miproRight says whether the model of the golden run answers message i rightly under the
// instruction of number k and nd demos.
func miproRight(i, k, nd int) bool { return (i*7+k*3+nd*5)%10 < 5+min(nd, 3)+k%2 }

// miproTask is the model of the golden run.
func miproTask(r *lm.Request) (string, error) {
	i, err := strconv.Atoi(messageNumber.FindStringSubmatch(question(r))[1])
	if err != nil {
		return "", err
	}
	k, nd := 0, 0
	for _, m := range r.Messages {
		switch m.Role {
		case lm.RoleSystem:
			if n := miproNumber.FindStringSubmatch(m.Text()); n != nil {
				k, _ = strconv.Atoi(n[1])
			}
		case lm.RoleAssistant:
			nd++
		}
	}
	if !miproRight(i, k, nd) {
		i++
	}
	return fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", labels[i%3]), nil
}

// miproFields returns the fields that a prompt names, in their order, and those it asks for.
func miproFields(r *lm.Request) (all, asked []string) {
	system := r.Messages[0].Text()
	for _, m := range miproMarker.FindAllStringSubmatch(system, -1) {
		all = append(all, m[1])
	}
	_, outputs, _ := strings.Cut(system, "Your output fields are:")
	outputs, _, _ = strings.Cut(outputs, "All interactions")
	for _, m := range miproOutput.FindAllStringSubmatch(outputs, -1) {
		asked = append(asked, m[1])
	}
	return all, asked
}

// proposing answers as the prompt model of the golden run: call number n with "<field> text
// n", a proposal with an instruction of its number.
func miproProposing() *lmtest.Scripted {
	n := 0 // calls come one after the other
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		n++
		_, asked := miproFields(r)
		var b strings.Builder
		for _, f := range asked {
			text := fmt.Sprintf("%s text %d", f, n)
			if f == "proposed_instruction" {
				text = fmt.Sprintf("Proposed instruction number %d.", n)
			}
			fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", f, text)
		}
		return b.String() + "[[ ## completed ## ]]", nil
	})
}

type miproGolden struct {
	Logs map[string]struct {
		Instruction *int     `json:"0_predictor_instruction"`
		Demos       *int     `json:"0_predictor_demos"`
		Minibatch   *float64 `json:"mb_score"`
		Full        *float64 `json:"full_eval_score"`
		Calls       int      `json:"total_eval_calls_so_far"`
	} `json:"trial_logs"`
	BestDemos []goldenDemo `json:"best_demos"`
	Prompts   []struct {
		Kwargs struct{ Temperature *float64 }
		Fields []string `json:"output_fields"`
	} `json:"prompt_model_calls"`
}

// TestMIPROv2Golden repeats a run of DSPy 3.4.1's MIPROv2: the same trials, sizes, demos and
// prompts. Which choices are tried differs, as the estimator's random numbers are others; but
// the rows of every minibatch are DSPy's, so that its choices have its scores on them.
func TestMIPROv2Golden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/mipro_run.json")
	if err != nil {
		t.Fatal(err)
	}
	var want miproGolden
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	prompts := miproProposing()
	p := module.MustPredict[message, verdict]("", module.WithLM(lmtest.Answer(miproTask)))
	all := messages(60)
	r, err := optimize.Compile(t.Context(), optimize.MIPROv2{
		Candidates: 4, Trials: 12, MinibatchSize: 10, FullEvalEvery: 4, MaxBootstrapped: 2, MaxLabeled: 2, Seed: 9,
	}, p, all[:20], metric.Exact, optimize.Val(all[20:]), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	checkMIPROPrompts(t, prompts.Requests(), want)
	if len(r.Trials) != len(want.Logs) {
		t.Fatalf("%d trials, want %d", len(r.Trials), len(want.Logs))
	}
	score := func(rows []int, instruction, demos int) float64 { // of DSPy's choice
		k := map[int]int{1: 9, 2: 12, 3: 15}[instruction]
		right := 0
		for _, row := range rows {
			if miproRight(20+row, k, min(demos, 1)*2) {
				right++
			}
		}
		return float64(right) / float64(len(rows))
	}
	calls, best := 0, 0.0
	demos := map[string][]goldenDemo{}
	for i, got := range r.Trials {
		log := want.Logs[strconv.Itoa(i+1)]
		calls += len(got.Subscores)
		if calls != log.Calls || (got.Rows != nil) != (log.Minibatch != nil) {
			t.Errorf("trial %d ends after %d calls, want %d; its rows are %v", i+1, calls, log.Calls, got.Rows)
		}
		choice := miproOneChoice.FindStringSubmatch(got.Name)
		if i > 0 && choice == nil {
			t.Fatalf("trial %d is named %q", i+1, got.Name)
		}
		if log.Minibatch != nil {
			if s := 100 * score(got.Rows, *log.Instruction, *log.Demos); math.Abs(s-*log.Minibatch) > 1e-9 {
				t.Errorf("trial %d: DSPy's choice has %v on the rows %v, want %v", i+1, s, got.Rows, *log.Minibatch)
			}
			demos[choice[2]] = demosOf(t, got.States[0].State)
		} else {
			best = max(best, got.Score)
		}
		if i > 0 {
			instruction, _ := strconv.Atoi(choice[1])
			set, _ := strconv.Atoi(choice[2])
			rows := got.Rows
			if rows == nil {
				rows = upTo(40)
			}
			if s := score(rows, instruction, set); math.Abs(s-got.Score) > 1e-9 {
				t.Errorf("trial %d, %s: the score is %v, want %v", i+1, got.Name, got.Score, s)
			}
		}
	}
	if got := demos["2"]; !slices.Equal(got, want.BestDemos) {
		t.Errorf("demo set 2 is %v, want %v", got, want.BestDemos)
	}
	if r.Baseline != 0.5 || r.Score != best || r.Score < 0.7 || r.Rows != 40 || r.Seed != 9 {
		t.Errorf("got %s", r)
	}
	if r.Proposing.Calls.Requested != 15 || r.Searching.Calls.Requested != 280 || r.Bootstrapping.Calls.Requested == 0 {
		t.Errorf("the phases are %+v, %+v, %+v", r.Bootstrapping.Calls, r.Proposing.Calls, r.Searching.Calls)
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// checkMIPROPrompts compares the fields and temperatures of the prompt model's calls.
func checkMIPROPrompts(t *testing.T, got []*lm.Request, want miproGolden) {
	t.Helper()
	if len(got) != len(want.Prompts) {
		t.Fatalf("%d calls of the prompt model, want %d", len(got), len(want.Prompts))
	}
	for i, w := range want.Prompts {
		// Where DSPy's call gives no temperature its model has the proposer's, which is 1, too.
		if temp := got[i].Temperature; temp == nil || *temp != 1 {
			t.Errorf("prompt %d has the temperature %v, want 1", i, temp)
		}
		if fields, _ := miproFields(got[i]); !slices.Equal(fields, w.Fields) {
			t.Errorf("prompt %d has the fields %v, want %v", i, fields, w.Fields)
		}
		if proposal := w.Kwargs.Temperature == nil; proposal != (got[i].Rollout != 0) {
			t.Errorf("prompt %d has the rollout %d", i, got[i].Rollout)
		}
	}
}
