package module_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// counting is a model that answers with the number of references that it sees.
func counting(seen func(*lm.Request)) lm.LM {
	return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		if seen != nil {
			seen(r)
		}
		text := r.Messages[len(r.Messages)-1].Text()
		refs := strings.Count(text, "answer of ")
		return &lm.Response{Text: reply("a", fmt.Sprintf("answer of %d refs, rollout %d", refs, r.Rollout)), Usage: lm.Usage{Calls: 1}}, ctx.Err()
	})
}

func TestMixtureOfAgents(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var last *lm.Request
	model := counting(func(r *lm.Request) {
		mu.Lock()
		defer mu.Unlock()
		last = r
	})
	p := func() program { return module.MustPredict[question, answer]("", module.WithLM(model)) }
	m := module.MustMixtureOfAgents([]program{p(), p()}, module.MixtureConfig[question, answer]{
		Instructions: "Answer.", Layers: 2, Width: 3, Options: []module.Option{module.WithLM(model)},
	})
	named, err := module.Predictors(m)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	byPtr := map[*module.Predictor]string{}
	for _, n := range named {
		names = append(names, n.Name)
		byPtr[n.Predictor] = n.Name
	}
	want := []string{"proposers[0]", "proposers[1]", "layers[0][0]", "layers[0][1]", "layers[0][2]", "aggregator"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatal(diff)
	}
	ctx, tr := trace.Start(context.Background())
	pred, err := m.Call(ctx, question{"why?"})
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range module.Steps(tr) {
		a, _ := s.Outputs.Get("a")
		steps = append(steps, byPtr[s.Predictor]+": "+a.(string))
	}
	// The layers between are rollouts of their own, so that they may differ.
	if diff := cmp.Diff([]string{
		"proposers[0]: answer of 0 refs, rollout 0", "proposers[1]: answer of 0 refs, rollout 0",
		"layers[0][0]: answer of 2 refs, rollout 0", "layers[0][1]: answer of 2 refs, rollout 1", "layers[0][2]: answer of 2 refs, rollout 2",
		"aggregator: answer of 3 refs, rollout 0",
	}, steps); diff != "" {
		t.Error(diff)
	}
	if pred.Out.A != "answer of 3 refs, rollout 0" || pred.Usage.Calls != 6 {
		t.Errorf("%+v", pred)
	}
	if last.Temperature != nil {
		t.Errorf("the last aggregator has the temperature %v", *last.Temperature)
	}
	// It sees task, input and references, in order.
	system, user := last.Messages[0].Text(), last.Messages[1].Text()
	if !strings.Contains(system, "Answer.") || !strings.Contains(user, "why?") ||
		!strings.Contains(user, "[1] «answer of 2 refs, rollout 0»\n[2] «answer of 2 refs, rollout 1»\n[3] «answer of 2 refs, rollout 2»") {
		t.Errorf("%s\n%s", system, user)
	}
}

func TestSelfMixtureOfAgents(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	temperatures := map[string]int{}
	model := counting(func(r *lm.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Temperature != nil {
			temperatures[fmt.Sprint(r.Rollout, " ", *r.Temperature)]++
		}
	})
	m := module.MustMixtureOfAgents([]program{module.MustPredict[question, answer]("", module.WithLM(model))},
		module.MixtureConfig[question, answer]{Rollouts: 4, Temperature: 0.9, Options: []module.Option{module.WithLM(model)}})
	got, err := m.Run(context.Background(), question{"?"})
	if err != nil || got.A != "answer of 4 refs, rollout 0" {
		t.Errorf("%v %v", got, err)
	}
	if diff := cmp.Diff(map[string]int{"0 0.9": 1, "1 0.9": 1, "2 0.9": 1, "3 0.9": 1}, temperatures); diff != "" {
		t.Error(diff)
	}
}

// Answers of several fields have a line for each, and others than texts are JSON.
func TestAggregatorShowsAllFields(t *testing.T) {
	t.Parallel()
	type both struct {
		A    string
		Tags []string
	}
	var user string
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		user = r.Messages[len(r.Messages)-1].Text()
		return &lm.Response{Text: reply("a", "x", "tags", `["y"]`)}, nil
	})
	a, err := module.NewAggregator[question, both]("", module.WithLM(model))
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.Run(context.Background(), module.Referenced[question, both]{question{"?"}, []both{{"one", []string{"t", "u"}}, {A: "two"}}})
	if err != nil || out.A != "x" || !strings.Contains(user, "[1] «««\n    a: one\n    tags: [\"t\",\"u\"]\n»»»\n[2] «««\n    a: two\n    tags: []\n»»»") {
		t.Errorf("%v %v: %s", out, err, user)
	}
}

func TestDynamicMixtureOfAgents(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("q -> a")
	model := counting(nil)
	last, err := module.NewDynamicAggregator(sig, module.WithLM(model))
	if err != nil {
		t.Fatal(err)
	}
	type dynamic = module.Program[signature.Record, signature.Record]
	m, err := module.NewMixtureOfAgents([]dynamic{module.MustDynamic(sig, module.WithLM(model)), module.MustDynamic(sig, module.WithLM(model))},
		module.MixtureConfig[signature.Record, signature.Record]{Final: last})
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Run(context.Background(), signature.RecordOf("q", "?"))
	if a, _ := out.Get("a"); err != nil || a != "answer of 2 refs, rollout 0" {
		t.Errorf("%v %v", a, err)
	}
	if _, err := module.NewDynamicAggregator(nil); err == nil {
		t.Error("no signature")
	}
}

func TestMixtureOfAgentsErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	final := module.Func[module.Referenced[question, answer], answer](func(_ context.Context, in module.Referenced[question, answer]) (answer, error) {
		return answer{fmt.Sprint(in.Answers)}, nil
	})
	config := module.MixtureConfig[question, answer]{Final: final}
	var me *module.MemberError
	_, err := module.MustMixtureOfAgents([]program{says("x"), fails(broken)}, config).Run(context.Background(), question{})
	if !errors.Is(err, broken) || !errors.As(err, &me) || err.Error() != "module: MixtureOfAgents: proposers[1]: broken" {
		t.Errorf("%v", err)
	}
	config.MaxErrors = 1
	if got, err := module.MustMixtureOfAgents([]program{fails(broken), says("x")}, config).Run(context.Background(), question{}); err != nil || got.A != "[{x}]" {
		t.Errorf("%v %v", got, err)
	}
	config.Final = module.Func[module.Referenced[question, answer], answer](func(context.Context, module.Referenced[question, answer]) (answer, error) { return answer{}, broken })
	if _, err = module.MustMixtureOfAgents(saying("x", "y"), config).Run(context.Background(), question{}); !errors.As(err, &me) || me.Member != "aggregator" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = module.MustMixtureOfAgents(saying("x", "y"), config).Run(ctx, question{}); !errors.Is(err, context.Canceled) || errors.As(err, &me) {
		t.Errorf("%v", err)
	}
	type taken struct {
		References string
	}
	if _, err := module.NewAggregator[taken, answer](""); err == nil {
		t.Error("an input named references")
	}
	for _, c := range []module.MixtureConfig[question, answer]{
		{Layers: -1},
		{Width: -1},
		{Rollouts: -1},
		{MaxErrors: -1},
		{Temperature: -1},
		{Between: [][]module.Program[module.Referenced[question, answer], answer]{{}}},
		{Between: [][]module.Program[module.Referenced[question, answer], answer]{{nil}}},
		{Between: [][]module.Program[module.Referenced[question, answer], answer]{{final}}, Layers: 2},
	} {
		if _, err := module.NewMixtureOfAgents(saying("x"), c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestMixtureOfAgentsSavesAndLoads(t *testing.T) {
	t.Parallel()
	fresh := func() *module.MixtureOfAgents[question, answer] {
		return module.MustMixtureOfAgents([]program{module.MustPredict[question, answer](""), module.MustChainOfThought[question, answer]("")}, module.MixtureConfig[question, answer]{Layers: 2})
	}
	path := filepath.Join(t.TempDir(), "moa.json")
	from, to := fresh(), fresh()
	named, err := module.Predictors(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range named {
		state := module.State{Instructions: "I am " + n.Name}
		if n.Name == "aggregator" { // as a bootstrapped demo has it
			state.Demos = []module.Demo{{Fields: signature.RecordOf("q", "1", "references", []string{"2", "3"}, "a", "2")}}
		}
		if err := n.Predictor.SetState(state); err != nil {
			t.Fatal(err)
		}
	}
	if err := module.Save(path, from); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Load(path, to); err != nil {
		t.Fatal(err)
	}
	if named, err = module.Predictors(to); err != nil || len(named) != 5 {
		t.Fatalf("%v %v", named, err)
	}
	for _, n := range named {
		if got := n.Predictor.State().Instructions; got != "I am "+n.Name {
			t.Errorf("%s: %q", n.Name, got)
		}
	}
	var demo string
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		demo = r.Messages[1].Text()
		return &lm.Response{Text: reply("a", "x")}, nil
	})
	if _, err := to.Aggregator.Run(lm.With(context.Background(), model), module.Referenced[question, answer]{}); err != nil || !strings.Contains(demo, "[1] «2»\n[2] «3»") {
		t.Errorf("%v %s", err, demo)
	}
}
