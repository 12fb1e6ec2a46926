package optimize_test

import (
	"encoding/json"
	"fmt"
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

type message struct {
	Text string `json:"text"`
}

type label string

func (label) Enum() []string { return []string{"ham", "spam", "smishing"} }

type verdict struct {
	Label label `json:"label"`
}

type example = module.Example[message, verdict]

var labels = []label{"ham", "spam", "smishing"}

// messages returns the training set of the golden run.
func messages(n int) []example {
	out := make([]example, n)
	for i := range out {
		out[i] = example{In: message{fmt.Sprintf("message %d", i)}, Out: verdict{labels[i%3]}, ID: strconv.Itoa(i)}
	}
	return out
}

var messageNumber = regexp.MustCompile(`message (\d+)`)

// golden answers as the model of the golden run: right for three messages of
// four, and for the fourth where a demo is its neighbour.
func golden(r *lm.Request) (string, error) {
	last := len(r.Messages) - 1
	m := messageNumber.FindStringSubmatch(r.Messages[last].Text())
	if m == nil {
		return "", fmt.Errorf("no message in %q", r.Messages[last].Text())
	}
	i, err := strconv.Atoi(m[1])
	if err != nil {
		return "", err
	}
	right := i%4 != 3
	for _, d := range r.Messages[:last] {
		if d.Role == lm.RoleUser {
			m := messageNumber.FindStringSubmatch(d.Text())
			right = right || m != nil && (m[1] == strconv.Itoa(i+1) || m[1] == strconv.Itoa(i-1))
		}
	}
	if !right {
		i++
	}
	return fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", labels[i%3]), nil
}

type goldenDemo struct {
	Text      string
	Label     string
	Augmented bool
}

// demosOf reads the demos of a state.
func demosOf(t *testing.T, s module.State) []goldenDemo {
	t.Helper()
	out := []goldenDemo{}
	for _, d := range s.Demos {
		text, _ := d.Fields.Get("text")
		l, _ := d.Fields.Get("label")
		ts, ok1 := text.(string)
		ls, ok2 := l.(string)
		if !ok1 || !ok2 || d.Fields.Len() != 2 {
			t.Fatalf("unexpected demo %v", d.Fields)
		}
		out = append(out, goldenDemo{ts, ls, d.Augmented})
	}
	return out
}

// TestRandomSearchGolden reproduces a run of DSPy 3.4.1's
// BootstrapFewShotWithRandomSearch candidate by candidate.
func TestRandomSearchGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/bootstrap_rs_run.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Calls      int `json:"lm_calls"`
		Candidates []struct {
			Seed      int
			Score     float64
			Subscores []bool
			Demos     []goldenDemo
		}
		Best []goldenDemo `json:"best_demos"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	model := lmtest.Answer(golden)
	p := module.MustPredict[message, verdict]("", module.WithLM(model))
	opt := optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: 6}
	var progress strings.Builder
	r, err := optimize.Compile(t.Context(), opt, p, messages(20), metric.Exact, optimize.Progress(&progress))
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls.Requested != want.Calls {
		t.Errorf("%d calls were requested, want %d", r.Calls.Requested, want.Calls)
	}
	if r.Calls.Paid != model.Calls() || r.Calls.Paid >= r.Calls.Requested {
		t.Errorf("%d calls were paid and %d made, of %d", r.Calls.Paid, model.Calls(), r.Calls.Requested)
	}
	if r.Usage.Calls != r.Calls.Requested || r.Usage.CachedCalls != r.Calls.Requested-r.Calls.Paid {
		t.Errorf("usage %+v does not fit the calls %+v", r.Usage, r.Calls)
	}
	if len(r.Trials) != len(want.Candidates) {
		t.Fatalf("%d trials, want %d", len(r.Trials), len(want.Candidates))
	}
	for i, w := range want.Candidates {
		got := r.Trials[i]
		if got.Seed != w.Seed || 100*got.Score != w.Score {
			t.Errorf("trial %d: seed %d with score %v, want %d with %v", i, got.Seed, got.Score, w.Seed, w.Score)
		}
		sub := make([]bool, len(got.Subscores))
		for j, s := range got.Subscores {
			sub[j] = s == 1
		}
		if !slices.Equal(sub, w.Subscores) {
			t.Errorf("seed %d: subscores %v, want %v", w.Seed, sub, w.Subscores)
		}
		if demos := demosOf(t, got.States[0].State); !slices.Equal(demos, w.Demos) {
			t.Errorf("seed %d: demos\n%v\nwant\n%v", w.Seed, demos, w.Demos)
		}
	}
	if got := demosOf(t, r.States[0].State); !slices.Equal(got, want.Best) {
		t.Errorf("the winner has the demos %v, want %v", got, want.Best)
	}
	if r.Score != 1 || r.Baseline != 0.75 || !r.Scored || !r.Improved() || r.Confirmed || r.Winner != 3 {
		t.Errorf("unexpected result: %+v", r)
	}
	if n := strings.Count(progress.String(), "\n"); n != len(want.Candidates) {
		t.Errorf("%d lines of progress:\n%s", n, progress.String())
	}
	if len(p.Predictor().State().Demos) != 0 {
		t.Error("the search changed the program")
	}
	if err := r.Apply(p); err != nil {
		t.Fatal(err)
	}
	if got := demosOf(t, p.Predictor().State()); !slices.Equal(got, want.Best) {
		t.Error("Apply did not apply the winner")
	}
}
