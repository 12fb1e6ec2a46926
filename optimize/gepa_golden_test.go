package optimize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// numbered returns a model that proposes a numbered instruction at each call.
func numbered(format string) *lmtest.Scripted {
	var n atomic.Int64
	return lmtest.Answer(func(*lm.Request) (string, error) {
		return fmt.Sprintf("[[ ## proposed_instruction ## ]]\n"+format+"\n\n[[ ## completed ## ]]", n.Add(1)), nil
	})
}

// numberIn returns the number that a pattern finds in a text, and 0 where it finds none.
func numberIn(t *regexp.Regexp, text string) int {
	m := t.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// foundAfter returns after how many metric calls a trial was found.
func foundAfter(trial optimize.Trial) int {
	return numberIn(regexp.MustCompile(`found after (\d+) metric calls`), trial.Note)
}

// pooled returns the trials that were scored on all validation examples, and their parents
// as indexes into these.
func pooled(r *optimize.Result) (trials []optimize.Trial, parents [][]int) {
	at := map[int]int{}
	for i, trial := range r.Trials {
		if trial.Rows != nil {
			continue
		}
		at[i] = len(trials)
		trials = append(trials, trial)
		from := []int{}
		for _, p := range trial.Parents {
			from = append(from, at[p])
		}
		parents = append(parents, from)
	}
	return trials, parents
}

// TestGEPAGolden reproduces a run of DSPy 3.4.1's GEPA (gepa 0.1.4), number for number.
func TestGEPAGolden(t *testing.T) {
	t.Parallel()
	const file = "../../shared/golden/gepa_run.json"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the run of DSPy is not here: %v", err)
	}
	var want struct {
		Candidates []string
		Parents    [][]*int
		Scores     []float64         `json:"val_aggregate_scores"`
		Found      []int             `json:"discovery_eval_counts"`
		Calls      int               `json:"total_metric_calls"`
		Best       int               `json:"best_idx"`
		Reflected  []json.RawMessage `json:"reflection_calls"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`instruction number (\d+)`)
	task := lmtest.Answer(func(r *lm.Request) (string, error) {
		i := numberIn(messageNumber, question(r))
		k := numberIn(number, r.Messages[0].Text())
		if (i*7+k*3)%10 >= 5+min(k, 4) {
			i++
		}
		return fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", labels[i%3]), nil
	})
	reflection := numbered("Proposed instruction number %d.")
	p := module.MustPredict[message, verdict](want.Candidates[0], module.WithLM(task))
	all := messages(24)
	r, err := optimize.Compile(t.Context(), optimize.GEPA{MaxMetricCalls: 90}, p, all[:12], metric.Exact,
		optimize.Val(all[12:]), optimize.PromptModel(reflection))
	if err != nil {
		t.Fatal(err)
	}
	trials, parents := pooled(r)
	if len(trials) != len(want.Candidates) {
		t.Fatalf("%d candidates, want %d", len(trials), len(want.Candidates))
	}
	for i, trial := range trials {
		text := trial.States[0].State.Instructions
		if i == 0 {
			text = p.Predictor().Signature().Instructions()
		}
		if text != want.Candidates[i] || trial.Score != want.Scores[i] || foundAfter(trial) != want.Found[i] {
			t.Errorf("candidate %d is %q with score %v, found after %d; want %q with %v after %d", i, text, trial.Score, foundAfter(trial), want.Candidates[i], want.Scores[i], want.Found[i])
		}
		if from := want.Parents[i]; i > 0 && (len(parents[i]) != len(from) || parents[i][0] != *from[0]) {
			t.Errorf("candidate %d has the parents %v, want %d", i, parents[i], *from[0])
		}
	}
	if r.States[0].State.Instructions != want.Candidates[want.Best] {
		t.Errorf("the winner is %q, want %q", r.States[0].State.Instructions, want.Candidates[want.Best])
	}
	if reflection.Calls() != len(want.Reflected) || r.Proposing.Calls.Requested != len(want.Reflected) {
		t.Errorf("%d reflections, want %d", reflection.Calls(), len(want.Reflected))
	}
	// Each metric call is one call of the model here.
	if r.Searching.Calls.Requested != want.Calls || !strings.Contains(r.Why, fmt.Sprint(want.Calls)) {
		t.Errorf("%d metric calls, want %d: %s", r.Searching.Calls.Requested, want.Calls, r.Why)
	}
}

type sorter struct {
	Topic *module.Predict[message, topic]
	Judge *module.Predict[topical, judged]
}

func newSorter(model lm.LM) *sorter {
	opts := []module.Option{module.WithAdapter(adapter.Chat{Strict: true}), module.WithLM(model)}
	return &sorter{module.MustPredict[message, topic]("", opts...), module.MustPredict[topical, judged]("", opts...)}
}

func (p *sorter) Run(ctx context.Context, in message) (judged, error) {
	t, err := p.Topic.Run(ctx, in)
	if err != nil {
		return judged{}, err
	}
	return p.Judge.Run(ctx, topical{in.Text, t.Topic})
}

var (
	ruleNumber  = regexp.MustCompile(`Rule number (\d+)`)
	topicNumber = regexp.MustCompile(`topic (\d+)`)
)

// sorterModel answers as the model of testdata/make_gepa_two.py.
func sorterModel(r *lm.Request) (string, error) {
	number, last := numberIn(ruleNumber, r.Messages[0].Text()), question(r)
	i := numberIn(messageNumber, last)
	if !strings.Contains(last, "[[ ## topic ## ]]\n") {
		if i%8 == 5 && number%3 == 1 {
			return "no field here", nil
		}
		return fmt.Sprintf("[[ ## topic ## ]]\ntopic %d\n\n[[ ## completed ## ]]", number), nil
	}
	a, b := numberIn(topicNumber, last), number
	off := 0
	switch x := (7*i+3*a)%11 + (5*i+4*b)%13 - a%5 - b%4; {
	case x >= 11:
		off = 2
	case x >= 8:
		off = 1
	}
	return fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", labels[(i+off)%3]), nil
}

func sorterMetric(_ context.Context, ex module.Example[message, judged], got judged, _ *trace.Trace) (metric.Score, error) {
	at := func(l string) int { return slices.Index(labels, label(l)) }
	off := (at(got.Label) - at(ex.Out.Label) + 3) % 3
	return metric.Score{Value: []float64{1, 0.5, 0}[off], Feedback: fmt.Sprintf("It is %d off.", off)}, nil
}

type gepaRun struct {
	Train, Val int
	Args       struct {
		Calls       int    `json:"max_metric_calls"`
		Full        int    `json:"max_full_evals"`
		Auto        string `json:"auto"`
		Seed        int64
		Minibatch   int    `json:"reflection_minibatch_size"`
		Components  string `json:"component_selector"`
		Selection   string `json:"candidate_selection_strategy"`
		Merge       *bool  `json:"use_merge"`
		SkipPerfect *bool  `json:"skip_perfect_score"`
		Merges      int    `json:"max_merge_invocations"`
	}
	Candidates  [][]int
	Parents     [][]int
	Scores      []float64
	Found       []int
	Calls       int `json:"metric_calls"`
	Reflections int
	Best        int
}

func (w gepaRun) optimizer() optimize.GEPA {
	a := w.Args
	o := optimize.GEPA{MaxMetricCalls: a.Calls, MaxFullEvals: a.Full, MinibatchSize: a.Minibatch, MaxMerges: a.Merges, Seed: a.Seed}
	if a.Auto == "light" {
		o.Auto = optimize.AutoLight
	}
	if a.Components == "all" {
		o.Components = optimize.AllComponents
	}
	if a.Selection == "current_best" {
		o.Selection = optimize.SelectBest
	}
	o.NoMerge = a.Merge != nil && !*a.Merge
	o.KeepPerfect = a.SkipPerfect != nil && !*a.SkipPerfect
	return o
}

// TestGEPAGoldenTwo compares with the real DSPy on a program of two predictors: larger
// pools, merges, replies that cannot be read, and other settings.
func TestGEPAGoldenTwo(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/gepa_two.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Runs []gepaRun }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	merges, largest := 0, 0
	for _, w := range want.Runs {
		reflection := numbered("Rule number %d.")
		all := twoExamples(w.Train + w.Val)
		opt := w.optimizer()
		r, err := optimize.Compile(t.Context(), opt, newSorter(lmtest.Answer(sorterModel)), all[:w.Train], sorterMetric,
			optimize.Val(all[w.Train:]), optimize.PromptModel(reflection))
		if err != nil {
			t.Fatal(err)
		}
		trials, parents := pooled(r)
		if len(trials) != len(w.Candidates) {
			t.Errorf("%s: %d candidates, want %d", opt, len(trials), len(w.Candidates))
		}
		largest = max(largest, len(trials))
		for i, trial := range trials[:min(len(trials), len(w.Candidates))] {
			var rules []int
			for _, s := range trial.States {
				rules = append(rules, numberIn(ruleNumber, s.State.Instructions))
			}
			if len(parents[i]) == 2 {
				merges++
			}
			if !slices.Equal(rules, w.Candidates[i]) || !slices.Equal(parents[i], w.Parents[i]) || trial.Score != w.Scores[i] || foundAfter(trial) != w.Found[i] {
				t.Errorf("%s: candidate %d is %v of %v with score %v, found after %d; want %v of %v with %v after %d", opt, i,
					rules, parents[i], trial.Score, foundAfter(trial), w.Candidates[i], w.Parents[i], w.Scores[i], w.Found[i])
				break
			}
		}
		if calls := numberIn(regexp.MustCompile(`used up: (\d+) in`), r.Why); calls != w.Calls || reflection.Calls() != w.Reflections {
			t.Errorf("%s: %d metric calls and %d reflections, want %d and %d: %s", opt, calls, reflection.Calls(), w.Calls, w.Reflections, r.Why)
		}
		if r.Winner < 0 || r.Score != w.Scores[w.Best] {
			t.Errorf("%s: the winner has %v, want %v", opt, r.Score, w.Scores[w.Best])
		}
	}
	if merges < 3 || largest < 12 {
		t.Errorf("%d merges, and %d candidates at most: too few to prove anything", merges, largest)
	}
}
