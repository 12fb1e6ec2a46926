package module_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

type program = module.Program[question, answer]

// says is a program that answers the same to everything.
func says(text string) program {
	return module.Func[question, answer](func(context.Context, question) (answer, error) { return answer{text}, nil })
}

func saying(texts ...string) (out []program) {
	for _, t := range texts {
		out = append(out, says(t))
	}
	return out
}

func fails(err error) program {
	return module.Func[question, answer](func(context.Context, question) (answer, error) { return answer{}, err })
}

// asks is a predictor whose model answers text, counts its calls and spends 10 tokens.
func asks(text string, calls *atomic.Int64) *module.Predict[question, answer] {
	model := lm.Func(func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
		if calls != nil {
			calls.Add(1)
		}
		return &lm.Response{Text: reply("a", text), Usage: lm.Usage{Calls: 1, PromptTokens: 10}}, ctx.Err()
	})
	return module.MustPredict[question, answer]("", module.WithLM(model))
}

func TestEnsembleVotes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		programs []program
		voting   module.Voting[answer]
		want     string
		chosen   int
		counts   string
	}{
		{"most", saying("x", "y", "y"), module.Voting[answer]{}, "y", 1, "y[1 2]=2 x[0]=1"},
		{"normalised", saying("x", "The Y.", "y"), module.Voting[answer]{}, "The Y.", 1, "y[1 2]=2 x[0]=1"},
		{"tie", saying("z", "y", "y", "z"), module.Voting[answer]{}, "z", 0, "z[0 3]=2 y[1 2]=2"},
		{"articles", saying("a", "the", "the"), module.Voting[answer]{}, "the", 1, "the[1 2]=2 a[0]=1"},
		{"empty has no vote", saying(" ", "", "y"), module.Voting[answer]{}, "y", 2, "y[2]=1"},
		{"nobody", saying(" ", ""), module.Voting[answer]{}, " ", 0, ""},
		{"key", saying("x1", "y1", "y2"), module.Voting[answer]{Key: func(a answer) string { return a.A[:1] }}, "y1", 1, "y[1 2]=2 x[0]=1"},
		{"weights", saying("x", "y", "y"), module.Voting[answer]{Weights: []float64{3, 1, 1}}, "x", 0, "x[0]=3 y[1 2]=2"},
		{"rounding is no lead", saying("x", "y", "y"), module.Voting[answer]{Weights: []float64{0.3, 0.1, 0.2}}, "x", 0, "x[0]=0.3 y[1 2]=0.3"},
		{"failed", []program{fails(lm.ErrTimeout), says("y"), says("x")}, module.Voting[answer]{MaxErrors: 1}, "y", 1, "y[1]=1 x[2]=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pred, err := module.MustEnsemble(tt.programs, tt.voting).Call(context.Background(), question{"?"})
			if err != nil {
				t.Fatal(err)
			}
			var counts []string
			for _, c := range pred.Votes.Counts {
				counts = append(counts, fmt.Sprintf("%s%v=%.3g", c.Key, c.Members, c.Weight))
			}
			if got := strings.Join(counts, " "); pred.Out.A != tt.want || pred.Chosen != tt.chosen || got != tt.counts {
				t.Errorf("%q by %d, votes %q; want %q by %d, votes %q", pred.Out.A, pred.Chosen, got, tt.want, tt.chosen, tt.counts)
			}
			if v := pred.Votes; v.Members != len(tt.programs) || v.Asked != v.Members || len(v.Failed) != tt.voting.MaxErrors {
				t.Errorf("%+v", v)
			}
		})
	}
}

// Choices that a normal form would make alike, or nothing, are different votes.
func TestEnsembleChoicesAreVerbatim(t *testing.T) {
	t.Parallel()
	type letter struct {
		Letter string `enum:"A,B,C,C++"`
		Why    string
	}
	p := func(l, why string) module.Program[question, letter] {
		return module.Func[question, letter](func(context.Context, question) (letter, error) { return letter{l, why}, nil })
	}
	e := module.MustEnsemble([]module.Program[question, letter]{p("B", "x"), p("A", "x"), p("C", "y"), p("C++", "y"), p("A", "X!")}, module.Voting[letter]{})
	pred, err := e.Call(context.Background(), question{})
	if err != nil || pred.Out.Letter != "A" || len(pred.Votes.Counts) != 4 {
		t.Errorf("%+v %v", pred, err)
	}
}

// Whatever the members say, an early exit has the same winner as all votes, and the same
// votes whatever the batch.
func TestEarlyExitIsExact(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	saved := 0
	for round := range 3000 {
		n := 1 + rnd.IntN(7)
		texts, weights, accuracies := make([]string, n), make([]float64, n), make([]float64, n)
		for i := range n {
			texts[i] = []string{"x", "y", "z", ""}[rnd.IntN(4)]
			weights[i] = []float64{1, 2, 0.1, 0.2, 0.3, 0}[rnd.IntN(6)]
			accuracies[i] = []float64{0.2, 0.4, 0.6, 0.9}[rnd.IntN(4)] // some worse than chance
		}
		weights[0]++
		all := module.Voting[answer]{}
		switch round % 3 {
		case 1:
			all.Weights = weights
		case 2:
			all.Accuracies, all.Classes = accuracies, 3
		}
		want, err := module.MustEnsemble(saying(texts...), all).Call(context.Background(), question{})
		if err != nil {
			t.Fatal(err)
		}
		var before *module.Prediction[answer]
		for _, batch := range []int{1, 2, 0} {
			early := all
			early.EarlyExit, early.Batch = true, batch
			got, err := module.MustEnsemble(saying(texts...), early).Call(context.Background(), question{})
			if err != nil || got.Out != want.Out {
				t.Fatalf("%q %+v, batch %d: %v %v, want %v", texts, all, batch, got.Out, err, want.Out)
			}
			if before != nil && !cmp.Equal(before.Votes.Counts, got.Votes.Counts) {
				t.Fatalf("%q %+v, batch %d: %v, want %v", texts, all, batch, got.Votes, before.Votes)
			}
			before = got
			saved += got.Votes.Members - got.Votes.Asked
		}
	}
	if saved < 1000 {
		t.Errorf("%d calls saved in all", saved)
	}
}

func TestEarlyExitSavesCalls(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var programs []program
	for range 5 {
		programs = append(programs, asks("x", &calls))
	}
	e := module.MustEnsemble(programs, module.Voting[answer]{EarlyExit: true, Batch: 1})
	pred, err := e.Call(context.Background(), question{"?"})
	if err != nil || calls.Load() != 3 || pred.Votes.Asked != 3 || pred.Votes.Members != 5 || pred.Usage.PromptTokens != 30 {
		t.Errorf("%d calls, %+v, %v", calls.Load(), pred, err)
	}
}

func TestEnsembleTraceAndUsage(t *testing.T) {
	t.Parallel()
	e := module.MustEnsemble([]program{asks("x", nil), asks("y", nil), asks("y", nil)}, module.Voting[answer]{})
	ctx, tr := trace.Start(context.Background())
	pred, err := e.Call(ctx, question{"?"})
	if err != nil {
		t.Fatal(err)
	}
	named, err := module.Predictors(e)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range module.Steps(tr) {
		i := slices.IndexFunc(named, func(n module.Named) bool { return n.Predictor == s.Predictor })
		got = append(got, fmt.Sprint(named[i].Name, " ", s.Dropped))
	}
	if diff := cmp.Diff([]string{"programs[0] true", "programs[1] false", "programs[2] false"}, got); diff != "" {
		t.Error(diff)
	}
	if pred.Usage.PromptTokens != 30 || pred.Raw != reply("a", "y") {
		t.Errorf("%+v", pred)
	}
}

func TestEnsembleErrors(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	var me *module.MemberError
	// The earliest error is that of the ensemble, however long the member takes.
	released := make(chan struct{})
	slow := module.Func[question, answer](func(context.Context, question) (answer, error) { <-released; return answer{}, first })
	quick := module.Func[question, answer](func(context.Context, question) (answer, error) { close(released); return answer{}, second })
	waits := module.Func[question, answer](func(ctx context.Context, _ question) (answer, error) { <-ctx.Done(); return answer{}, ctx.Err() })
	e := module.MustEnsemble([]program{says("x"), slow, quick, waits}, module.Voting[answer]{})
	_, err := e.Run(context.Background(), question{})
	if !errors.Is(err, first) || !errors.As(err, &me) || me.Member != "programs[1]" || err.Error() != "module: Ensemble: programs[1]: first" {
		t.Errorf("%v", err)
	}
	e = module.MustEnsemble([]program{fails(first), says("x"), fails(second)}, module.Voting[answer]{MaxErrors: 1})
	if _, err = e.Run(context.Background(), question{}); !errors.Is(err, second) || !errors.As(err, &me) || me.Member != "programs[2]" {
		t.Errorf("%v", err)
	}
	e = module.MustEnsemble([]program{fails(first), fails(second)}, module.Voting[answer]{MaxErrors: 9})
	if _, err = e.Run(context.Background(), question{}); err == nil {
		t.Error("all failed, and there is an answer")
	}
	ctx, cancel := context.WithCancel(context.Background())
	e = module.MustEnsemble([]program{waits, module.Func[question, answer](func(context.Context, question) (answer, error) { cancel(); return answer{"x"}, nil })}, module.Voting[answer]{MaxErrors: 2})
	if _, err = e.Run(ctx, question{}); !errors.Is(err, context.Canceled) || errors.As(err, &me) {
		t.Errorf("cancelled: %v", err)
	}
}

// A member that is not needed is cancelled, and its error is not seen.
func TestEarlyExitCancels(t *testing.T) {
	t.Parallel()
	waits := module.Func[question, answer](func(ctx context.Context, _ question) (answer, error) { <-ctx.Done(); return answer{}, ctx.Err() })
	e := module.MustEnsemble([]program{says("x"), says("x"), waits}, module.Voting[answer]{EarlyExit: true})
	pred, err := e.Call(context.Background(), question{})
	if err != nil || pred.Out.A != "x" || len(pred.Votes.Failed) != 0 || pred.Votes.Asked != 3 {
		t.Errorf("%+v %v", pred, err)
	}
}

func TestEnsembleBadArguments(t *testing.T) {
	t.Parallel()
	two := saying("x", "y")
	for want, v := range map[string]module.Voting[answer]{
		"Size is 3":               {Size: 3},
		"Batch is -1":             {Batch: -1},
		"MaxErrors is -1":         {MaxErrors: -1},
		"1 weights for 2":         {Weights: []float64{1}},
		"weight 1 is -1":          {Weights: []float64{1, -1}},
		"all weights are 0":       {Weights: []float64{0, 0}},
		"both Weights":            {Weights: []float64{1, 1}, Accuracies: []float64{0.5, 0.5}},
		"accuracies need":         {Accuracies: []float64{0.5, 0.5}},
		"the accuracy is 1":       {Accuracies: []float64{0.5, 1}, Classes: 2},
		"Classes is 1":            {Classes: 1},
		`"nothing", which is no`:  {LogProbs: "nothing"},
		`"a", which is no output`: {LogProbs: "a"},
	} {
		if _, err := module.NewEnsemble(two, v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", v, err, want)
		}
	}
	if _, err := module.NewEnsemble([]program{nil}, module.Voting[answer]{}); err == nil {
		t.Error("a nil program")
	}
	if _, err := module.NewEnsemble([]program{}, module.Voting[answer]{}); err == nil {
		t.Error("no program")
	}
	for _, tt := range []struct {
		n int
		t float64
		v module.Voting[answer]
	}{{0, 0, module.Voting[answer]{}}, {1, -1, module.Voting[answer]{}}, {2, 0, module.Voting[answer]{Size: 1}}} {
		if _, err := module.NewSelfConsistency(says("x"), tt.n, tt.t, tt.v); err == nil {
			t.Errorf("%+v is taken", tt)
		}
	}
}

// The same input has the same members, and all members have inputs.
func TestEnsembleSize(t *testing.T) {
	t.Parallel()
	e := module.MustEnsemble(saying("a1", "b1", "c1", "d1", "e1"), module.Voting[answer]{Size: 2})
	asked := map[int]int{}
	for i := range 500 {
		in := question{fmt.Sprint(i)}
		var before []int
		for range 2 {
			pred, err := e.Call(context.Background(), in)
			if err != nil || len(pred.Votes.Counts) != 2 {
				t.Fatalf("%+v %v", pred, err)
			}
			now := []int{pred.Votes.Counts[0].Members[0], pred.Votes.Counts[1].Members[0]}
			if before != nil && !slices.Equal(before, now) {
				t.Fatalf("input %d is asked of %v and %v", i, before, now)
			}
			before = now
		}
		for _, m := range before {
			asked[m]++
		}
	}
	for m := range 5 {
		if asked[m] < 150 || asked[m] > 250 { // 200 each
			t.Errorf("member %d is asked %d times", m, asked[m])
		}
	}
}

func TestSelfConsistency(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(r.Rollout, " ", *r.Temperature))
		return &lm.Response{Text: reply("a", []string{"x", "y", "y"}[r.Rollout]), Usage: lm.Usage{Calls: 1}}, nil
	})
	p := module.MustPredict[question, answer]("", module.WithLM(model), module.Temperature(0))
	s := module.MustSelfConsistency(p, 3, 0, module.Voting[answer]{})
	pred, err := s.Call(context.Background(), question{})
	if err != nil || pred.Out.A != "y" || pred.Chosen != 1 || pred.Usage.Calls != 3 || pred.Votes.Share() < 0.66 || pred.Votes.Share() > 0.67 {
		t.Errorf("%+v %v", pred, err)
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]string{"0 0.7", "1 0.7", "2 0.7"}, seen); diff != "" {
		t.Error(diff)
	}
	if named, err := module.Predictors(s); err != nil || named[0].Name != "program" {
		t.Errorf("%v %v", named, err)
	}
}

func TestEnsembleSavesAndLoads(t *testing.T) {
	t.Parallel()
	fresh := func() *module.Ensemble[question, answer] {
		return module.MustEnsemble([]program{module.MustChainOfThought[question, answer](""), module.MustPredict[question, answer]("")}, module.Voting[answer]{})
	}
	path := filepath.Join(t.TempDir(), "ensemble.json")
	from, to := fresh(), fresh()
	named, err := module.Predictors(from)
	if err != nil || len(named) != 2 || named[0].Name != "programs[0].predict" || named[1].Name != "programs[1]" {
		t.Fatalf("%v %v", named, err)
	}
	demos := []module.Demo{{Fields: signature.RecordOf("q", "1", "a", "2")}}
	if err := named[1].Predictor.SetState(module.State{Demos: demos}); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(path, from); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Load(path, to); err != nil {
		t.Fatal(err)
	}
	if named, err = module.Predictors(to); err != nil || len(named[1].Predictor.State().Demos) != 1 || len(named[0].Predictor.State().Demos) != 0 {
		t.Errorf("%v", err)
	}
}

// Calls run while weights are set.
func TestEnsembleConcurrently(t *testing.T) {
	t.Parallel()
	e := module.MustEnsemble([]program{asks("x", nil), asks("y", nil), asks("y", nil)}, module.Voting[answer]{EarlyExit: true, Batch: 2})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 20 {
				if err := e.SetWeights([]float64{float64(1 + g), 1, 1}); err != nil {
					t.Error(err)
				}
				if _, err := e.Call(context.Background(), question{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := e.SetAccuracies([]float64{0.5, 0.5, 0.5}); err == nil {
		t.Error("accuracies without classes")
	}
}
