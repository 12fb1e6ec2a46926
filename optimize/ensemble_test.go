package optimize_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

var memberMark = regexp.MustCompile(`member-(\d+)`)

// panel are candidates whose answers stand in a table, by candidate and message; a reply that
// is no label fails.
type panel [][]string

func (p panel) model() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		row, member := messageNumber.FindStringSubmatch(question(r)), memberMark.FindStringSubmatch(r.Messages[0].Text())
		if row == nil || member == nil {
			return "", fmt.Errorf("no message or no member in %q", question(r))
		}
		i, err := strconv.Atoi(row[1])
		k, err2 := strconv.Atoi(member[1])
		if err = errors.Join(err, err2); err != nil {
			return "", err
		}
		return draftReply("label", p[k][i]), nil
	})
}

// result is a search that tried the candidates.
func (p panel) result() *optimize.Result {
	r := &optimize.Result{}
	for k := range p {
		state := module.State{Instructions: fmt.Sprintf("You are member-%d.", k)}
		r.Trials = append(r.Trials, optimize.Trial{Name: fmt.Sprintf("candidate %d", k), States: []optimize.NamedState{{Name: "self", State: state}}})
	}
	return r
}

// drawPanel draws candidates that are right with the given accuracy, each on its own.
func drawPanel(rows int, seed uint64, accuracies ...float64) panel {
	rng := rand.New(rand.NewPCG(seed, 5))
	p := make(panel, len(accuracies))
	for k, a := range accuracies {
		for i := range rows {
			l := i
			if rng.Float64() >= a {
				l += 1 + rng.IntN(2)
			}
			p[k] = append(p[k], string(labels[l%3]))
		}
	}
	return p
}

// score is the accuracy of a vote, of which the earliest member decides even ones.
func (p panel) score(members []int) float64 {
	right := 0
	for i := range p[0] {
		best, most := "", 0
		for _, m := range members {
			n := 0
			for _, other := range members {
				if p[other][i] == p[m][i] {
					n++
				}
			}
			if n > most {
				best, most = p[m][i], n
			}
		}
		if best == string(labels[i%3]) {
			right++
		}
	}
	return float64(right) / float64(len(p[0]))
}

func (p panel) choose(t *testing.T, e optimize.Ensemble[verdict], opts ...optimize.Option) *optimize.EnsembleChoice {
	t.Helper()
	c, err := optimize.SelectEnsemble(t.Context(), e, newClassifier(p.model()), p.result(), messages(len(p[0])), metric.Exact, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSelectEnsemble compares the choice with the best of all ensembles of three votes, and
// with what the ensemble that is made of it really scores.
func TestSelectEnsemble(t *testing.T) {
	t.Parallel()
	const rows, panels = 60, 12
	sumChosen, sumBest, sumSingle := 0.0, 0.0, 0.0
	for seed := range uint64(panels) {
		p := drawPanel(rows, seed, 0.55, 0.6, 0.6, 0.65, 0.5, 0.6)
		c := p.choose(t, optimize.Ensemble[verdict]{Size: 3, Folds: optimize.None})
		single, best := 0.0, 0.0
		for a := range p {
			single = max(single, p.score([]int{a}))
			for b := range p {
				for d := range p {
					best = max(best, p.score([]int{a, b, d}))
				}
			}
		}
		if c.SingleScore != single || c.Score < single || c.Score != p.score(c.Members) || p.score([]int{c.Single}) != single || c.Curve[len(c.Members)-1] != c.Score {
			t.Errorf("panel %d: %s, the best alone scores %v, and the vote of these %v", seed, c, single, p.score(c.Members))
		}
		sumChosen, sumBest, sumSingle = sumChosen+c.Score, sumBest+best, sumSingle+single

		model := p.model()
		e, err := optimize.EnsembleOf(func() module.Program[message, verdict] { return newClassifier(model) }, p.result(), c.Members, module.Voting[verdict]{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := evaluate.Run(t.Context(), e, messages(rows), metric.Exact)
		if err != nil || report.Score != c.Score {
			t.Errorf("panel %d: the ensemble of %v scores %v (%v), want %v", seed, c.Members, report.Score, err, c.Score)
		}
	}
	chosen, best, single := sumChosen/panels, sumBest/panels, sumSingle/panels
	t.Logf("mean over %d panels: the best alone %.4f, chosen %.4f, the best of all %.4f", panels, single, chosen, best)
	if chosen < single+0.8*(best-single) {
		t.Errorf("chosen %.4f, the best of all %.4f, the best alone %.4f: want four fifths of the gain", chosen, best, single)
	}
}

// TestSelectEnsembleVotes holds the votes that are counted in memory on those of the module,
// with answers that fail, that differ in case alone, or in which nothing stands.
func TestSelectEnsembleVotes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	said := []string{"Yes", "yes!", "no", "", "BROKEN", "maybe"}
	const rows = 40
	for _, maxErrors := range []int{0, 1, 2} {
		p := make(panel, 4)
		for k := range p {
			for range rows {
				p[k] = append(p[k], said[rng.IntN(len(said))])
			}
		}
		model := lmtest.Answer(func(r *lm.Request) (string, error) {
			resp, err := p.model().Generate(t.Context(), r)
			if err != nil {
				return "", err
			}
			if strings.Contains(resp.Text, "BROKEN") {
				return "", errors.New("broken")
			}
			return resp.Text, nil
		})
		build := func() module.Program[message, judged] {
			return module.MustPredict[message, judged]("", module.WithLM(model))
		}
		data := make([]module.Example[message, judged], rows)
		for i := range data {
			data[i] = module.Example[message, judged]{In: message{fmt.Sprintf("message %d", i)}, Out: judged{"yes"}}
		}
		voting := module.Voting[judged]{MaxErrors: maxErrors}
		c, err := optimize.SelectEnsemble(t.Context(), optimize.Ensemble[judged]{Size: 6, Folds: optimize.None, Voting: voting}, build(), p.result(), data, metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		for i, members := range [][]int{c.Members, c.Members[:1]} {
			e, err := optimize.EnsembleOf(build, p.result(), members, voting)
			if err != nil {
				t.Fatal(err)
			}
			report, err := evaluate.Run(t.Context(), e, data, metric.Exact)
			if err != nil {
				t.Fatal(err)
			}
			if want := []float64{c.Score, c.SingleScore}[i]; report.Score != want {
				t.Errorf("up to %d errors: %v scores %v, want %v", maxErrors, members, report.Score, want)
			}
		}
	}
}

// TestSelectEnsembleNoGain finds no gain in members that are all alike, and by
// cross-validation none in members that guess.
func TestSelectEnsembleNoGain(t *testing.T) {
	t.Parallel()
	one := drawPanel(40, 3, 0.6)
	alike := panel{one[0], one[0], one[0]}
	c := alike.choose(t, optimize.Ensemble[verdict]{})
	if !slices.Equal(c.Members, []int{0}) || c.Score != c.SingleScore || c.CrossValidation == nil || c.CrossValidation.Value != 0 || c.CrossValidation.P != 1 || c.CrossValidation.Gain() {
		t.Errorf("of members that are alike: %s", c)
	}
	// What is asked twice is paid once, but here the candidates' instructions differ.
	if c.Calls != (optimize.Calls{Requested: 120, Paid: 120}) || c.Usage.Calls != 120 {
		t.Errorf("%+v and %+v", c.Calls, c.Usage)
	}
	optimism, honest := 0.0, 0.0
	const panels = 4
	for seed := range uint64(panels) {
		accuracies := make([]float64, 12)
		for i := range accuracies {
			accuracies[i] = 1.0 / 3
		}
		c := drawPanel(60, 50+seed, accuracies...).choose(t, optimize.Ensemble[verdict]{})
		optimism += c.Score / panels
		honest += c.CrossValidation.After / panels
		if c.CrossValidation.Rows != 60 || c.CrossValidation.Gain() {
			t.Errorf("of members that guess: %s", c)
		}
	}
	t.Logf("members that guess one of three: %.3f on the examples that chose them, %.3f cross-validated", optimism, honest)
	if optimism < 0.42 || honest < 0.25 || honest > 0.42 {
		t.Errorf("members that guess score %.3f, cross-validated %.3f, want about 0.33", optimism, honest)
	}
}

// TestSelectEnsembleGain finds that members which err independently are better together.
func TestSelectEnsembleGain(t *testing.T) {
	t.Parallel()
	p := drawPanel(300, 9, 0.6, 0.6, 0.62, 0.6, 0.6, 0.6, 0.6)
	c := p.choose(t, optimize.Ensemble[verdict]{Size: 7, Best: 6, Seed: 3})
	if len(c.Trials) != 6 || len(c.Members) < 3 || !c.CrossValidation.Gain() || c.CrossValidation.After > c.Score || c.CrossValidation.After < 0.68 {
		t.Errorf("got %s", c)
	}
	if text := c.String(); !strings.Contains(text, "chosen among 6") || !strings.Contains(text, "paired permutation test, 300 examples") {
		t.Errorf("it says %q", text)
	}
	// The same whatever runs at once, and by an objective.
	again := p.choose(t, optimize.Ensemble[verdict]{Size: 7, Best: 6, Seed: 3}, optimize.Concurrency(1))
	if !slices.Equal(again.Members, c.Members) || again.CrossValidation.Difference != c.CrossValidation.Difference {
		t.Errorf("with a concurrency of 1: %s\nwith 8: %s", again, c)
	}
	by := p.choose(t, optimize.Ensemble[verdict]{Folds: optimize.None}, macroF1())
	if by.Objective != "macro F1" || by.Score <= by.SingleScore || !strings.Contains(by.String(), "not cross-validated") {
		t.Errorf("by macro F1: %s", by)
	}
}

// TestEnsembleOfCandidates makes an ensemble of a search's trials, saves it, and loads it
// into another one; the members have states and predictors of their own.
func TestEnsembleOfCandidates(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(twoModel)
	build := func() module.Program[message, judged] { return newTwo(module.WithLM(model)) }
	store := cache.Memory()
	train, val := twoExamples(30)[:14], twoExamples(30)[14:]
	program := build()
	opt := optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 3, Candidates: 2}
	r, err := optimize.Compile(t.Context(), opt, program, train, metric.Exact, optimize.Val(val), optimize.Through(store.Wrap))
	if err != nil {
		t.Fatal(err)
	}
	paid := model.Calls()
	r.Trials = append(r.Trials, optimize.Trial{Name: "a minibatch", Rows: []int{1}, States: r.States})
	c, err := optimize.SelectEnsemble(t.Context(), optimize.Ensemble[judged]{}, program, r, val, metric.Exact, optimize.Through(store.Wrap))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Trials, []int{0, 1, 2, 3, 4}) || model.Calls() != paid || c.Calls.Paid != 0 || c.Calls.Requested != 5*16*2 {
		t.Errorf("%d calls more: %s", model.Calls()-paid, c)
	}
	for i, trial := range c.Trials {
		if c.Scores[i] != r.Trials[trial].Score {
			t.Errorf("trial %d scores %v, and did %v", trial, c.Scores[i], r.Trials[trial].Score)
		}
	}
	members := []int{1, 3, 1}
	e, err := optimize.EnsembleOf(build, r, members, module.Voting[judged]{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.Weights(), []float64{2, 1}) {
		t.Errorf("the weights are %v", e.Weights())
	}
	named, err := module.Predictors(e)
	if err != nil || len(named) != 4 || named[3].Name != "programs[1].judge.predict" {
		t.Fatalf("the predictors are %v, %v", named, err)
	}
	for i, n := range named {
		want := r.Trials[members[i/2]].States[i%2].State.Demos
		if got := n.Predictor.State().Demos; len(got) != len(want) || len(want) == 0 {
			t.Errorf("%s has %d demos, want %d", n.Name, len(got), len(want))
		}
	}
	file, file2 := filepath.Join(t.TempDir(), "a.json"), filepath.Join(t.TempDir(), "b.json")
	if err := module.Save(file, e); err != nil {
		t.Fatal(err)
	}
	other, err := optimize.EnsembleOf(build, r, []int{0, 2, 0}, module.Voting[judged]{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := module.Load(file, other); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(file2, other); err != nil {
		t.Fatal(err)
	}
	a, errA := os.ReadFile(file)
	b, errB := os.ReadFile(file2)
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Error("what was saved and loaded is another program")
	}
	got, err := e.Run(t.Context(), message{"message 15"})
	if err != nil || got.Label != "ham" {
		t.Errorf("it says %v, %v", got, err)
	}
}

// TestSelectEnsembleDynamic chooses among candidates of a program whose fields are known only
// when it runs.
func TestSelectEnsembleDynamic(t *testing.T) {
	t.Parallel()
	p := drawPanel(50, 4, 0.6, 0.6, 0.6)
	model := p.model()
	build := func() module.Program[signature.Record, signature.Record] {
		return module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(model))
	}
	data := make([]module.Example[signature.Record, signature.Record], 50)
	for i := range data {
		data[i].In, data[i].Out = signature.RecordOf("text", fmt.Sprintf("message %d", i)), signature.RecordOf("label", string(labels[i%3]))
	}
	c, err := optimize.SelectEnsemble(t.Context(), optimize.Ensemble[signature.Record]{Size: 3}, build(), p.result(), data, metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if c.Score != p.score(c.Members) || c.Score <= c.SingleScore {
		t.Errorf("got %s, want %v", c, p.score(c.Members))
	}
	if _, err := optimize.EnsembleOf(build, p.result(), c.Members, module.Voting[signature.Record]{}); err != nil {
		t.Error(err)
	}
}
