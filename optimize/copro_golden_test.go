package optimize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
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
	"github.com/whetgo/whet/signature"
)

// variantModel is the model of testdata/make_copro.py. It is asked one request at a time.
type variantModel struct {
	k        int
	attempts [][][]any // that each question for instructions shows
	rollouts []int     // of the questions for instructions
}

var (
	variantMark = regexp.MustCompile(`variant (\d+)`)
	attemptMark = regexp.MustCompile(`"([0-9.]+): ([^"]*)"`)
)

func variantOf(text string) int {
	found := variantMark.FindAllStringSubmatch(text, -1)
	if found == nil {
		return 0
	}
	v, err := strconv.Atoi(found[len(found)-1][1])
	if err != nil {
		panic(err)
	}
	return v
}

func (m *variantModel) answer(r *lm.Request) (string, error) {
	system, last := r.Messages[0].Text(), question(r)
	if strings.Contains(system, "proposed_instruction") {
		shown := [][]any{}
		for _, found := range attemptMark.FindAllStringSubmatch(last, -1) {
			score, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				return "", err
			}
			shown = append(shown, []any{float64(variantOf(found[2])), score})
		}
		m.attempts = append(m.attempts, shown)
		text := fmt.Sprintf("Try variant %d.", (5*m.k*m.k+3*m.k)%19+1)
		if m.k%3 == 2 {
			text = `"` + text + `"`
		}
		m.k++
		m.rollouts = append(m.rollouts, r.Rollout)
		return draftReply("proposed_instruction", text), nil
	}
	i, err := strconv.Atoi(messageNumber.FindStringSubmatch(last)[1])
	if err != nil {
		return "", err
	}
	_, outputs, _ := strings.Cut(system, "Your output fields are:")
	outputs, _, _ = strings.Cut(outputs, "All interactions")
	v := variantOf(system)
	ok := (7*i+3*v)%20 < (37*v+11)%20
	switch {
	case strings.Contains(outputs, "`topic` (str)"):
		return draftReply("topic", map[bool]string{true: "right", false: "wrong"}[ok]), nil
	case strings.Contains(last, "[[ ## topic ## ]]\n"):
		ok = strings.Contains(last, "[[ ## topic ## ]]\nright") && (3*i+11*v)%20 < 8+(29*v+5)%13
	}
	return draftReply("label", map[bool]string{true: "good", false: "bad"}[ok]), nil
}

// draftReply is a reply of one field in the form of adapter.Chat.
func draftReply(field, text string) string {
	return "[[ ## " + field + " ## ]]\n" + text + "\n\n[[ ## completed ## ]]"
}

// twoDynamic is the program of two predictors whose fields are known only when it runs.
type twoDynamic struct{ Topic, Label *module.Dynamic }

func (p *twoDynamic) Run(ctx context.Context, in signature.Record) (signature.Record, error) {
	topic, err := p.Topic.Run(ctx, in)
	if err != nil {
		return signature.Record{}, err
	}
	return p.Label.Run(ctx, in.Merge(topic))
}

func variantData() []module.Example[signature.Record, signature.Record] {
	out := make([]module.Example[signature.Record, signature.Record], 20)
	for i := range out {
		out[i].In = signature.RecordOf("text", fmt.Sprintf("message %d", i))
		out[i].Out = signature.RecordOf("label", "good")
	}
	return out
}

type coproGolden struct {
	Runs []struct {
		Breadth, Depth, Predictors, Evaluations int
		Asked                                   []int
		Attempts                                [][][]any
		Programs                                [][]int
		Best                                    []int
		Candidates                              []struct {
			Score    float64
			Variants []int
		}
	}
}

// TestCOPROGolden reproduces runs of DSPy 3.4.1's COPRO: which programs are scored in which
// order, what the prompt model is shown, and which program wins.
func TestCOPROGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/copro_run.json")
	if err != nil {
		t.Fatal(err)
	}
	var want coproGolden
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Runs {
		t.Run(fmt.Sprintf("%d predictors, breadth %d, depth %d", w.Predictors, w.Breadth, w.Depth), func(t *testing.T) {
			t.Parallel()
			model := &variantModel{}
			opt := module.WithLM(lmtest.Answer(model.answer))
			var p module.Program[signature.Record, signature.Record] = module.MustDynamic(signature.MustParse("text -> label"), opt)
			if w.Predictors == 2 {
				p = &twoDynamic{
					module.MustDynamic(signature.MustParse("text -> topic"), opt),
					module.MustDynamic(signature.MustParse("text, topic -> label"), opt),
				}
			}
			r, err := optimize.Compile(t.Context(), optimize.COPRO{Breadth: w.Breadth, Depth: w.Depth}, p, variantData(), metric.Exact, optimize.Concurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			if got := variantsOf(r.States); !slices.Equal(got, w.Best) || math.Abs(100*r.Score-w.Candidates[0].Score) > 1e-9 {
				t.Errorf("the winner is %v with %v, want %v with %v", got, 100*r.Score, w.Best, w.Candidates[0].Score)
			}
			// The program as it is comes first here.
			programs := slices.DeleteFunc(slices.Clone(w.Programs), func(p []int) bool { return !slices.ContainsFunc(p, func(v int) bool { return v != 0 }) })
			got := make([][]int, 0, len(programs))
			for _, trial := range r.Trials[1:] {
				got = append(got, variantsOf(trial.States))
			}
			if !reflect.DeepEqual(got, programs) || len(r.Trials) != len(w.Programs) {
				t.Errorf("%d trials, the programs are\n%v, want\n%v", len(r.Trials), got, programs)
			}
			asked := 0
			var attempts [][][]any
			for i, n := range w.Asked {
				asked += n
				attempts = append(attempts, slices.Repeat(w.Attempts[i:i+1], n)...)
			}
			if !reflect.DeepEqual(model.attempts, attempts) {
				t.Errorf("the prompt model was shown\n%v, want\n%v", model.attempts, attempts)
			}
			if model.k != asked || r.Proposing.Calls.Requested != asked {
				t.Errorf("%d proposals and %+v, want %d", model.k, r.Proposing, asked)
			}
			if w.Predictors == 1 && !slices.IsSorted(model.rollouts) || slices.Max(model.rollouts) != w.Breadth*w.Depth-1 {
				t.Errorf("the rollouts are %v", model.rollouts)
			}
			for _, c := range w.Candidates {
				if !slices.ContainsFunc(r.Trials, func(trial optimize.Trial) bool {
					return slices.Equal(variantsOf(trial.States), c.Variants) && math.Abs(100*trial.Score-c.Score) < 1e-9
				}) {
					t.Errorf("no trial of %v scored %v", c.Variants, c.Score)
				}
			}
		})
	}
}

func variantsOf(states []optimize.NamedState) []int {
	out := make([]int, len(states))
	for i, s := range states {
		out[i] = variantOf(s.State.Instructions)
	}
	return out
}
