package lmtest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

func ExampleNewSynthLM() {
	model, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(lm.NameOf(model))
	predict := module.MustDynamic(signatureOf("question -> answer"), module.WithLM(model))
	answer, err := predict.Run(context.Background(), recordOf("question", model.Question(200)))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := answer.Get("answer")
	fmt.Printf("%s: %s, and %s is right\n", model.Question(200), text, model.Label(200))
	fmt.Printf("expected accuracy %.4f\n", model.Expected(0, nil))
	fmt.Printf("%+v\n", model.Calls())
	// Output:
	// synthlm/1:world-0/base-5000/rugged-0
	// item-0200: alpha, and beta is right
	// expected accuracy 0.4998
	// {Task:1 Unique:1 Proposals:0 Other:0}
}

func synth(t testing.TB, cfg lmtest.SynthConfig) *lmtest.SynthLM {
	t.Helper()
	m, err := lmtest.NewSynthLM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// synthRequest asks for an output field of an item, as adapter.Chat does.
func synthRequest(p lmtest.SynthPrompt, fields []string, question string) *lm.Request {
	system := "Your input fields are:\n1. `question` (str):\nYour output fields are:\n"
	for i, f := range fields {
		system += fmt.Sprintf("%d. `%s` (str): \n", i+1, f)
	}
	system += "All interactions are like this.\n" + p.Instruction()
	messages := []lm.Message{lm.System(system)}
	for _, d := range p.Demos {
		messages = append(messages, lm.User(fmt.Sprintf("[[ ## question ## ]]\nitem-%04d", d.Item)), lm.Assistant("[[ ## answer ## ]]\n"+d.Label))
	}
	return &lm.Request{Messages: append(messages, lm.User("[[ ## question ## ]]\n"+question))}
}

// ask returns the label that a model answers with.
func ask(ctx context.Context, m lm.LM, r *lm.Request) (string, error) {
	resp, err := m.Generate(ctx, r)
	if err != nil {
		return "", err
	}
	_, text, _ := strings.Cut(resp.Text, "\n")
	text, _, _ = strings.Cut(text, "\n")
	return text, nil
}

// askFor puts another question in place of a request's last.
func askFor(ctx context.Context, m lm.LM, r *lm.Request, question string) (string, error) {
	r.Messages[len(r.Messages)-1] = lm.User("[[ ## question ## ]]\n" + question)
	return ask(ctx, m, r)
}

// randomPrompt has any strategy, rules, and up to 12 demos, some of them wrong.
func randomPrompt(rng *rand.Rand, m *lmtest.SynthLM) lmtest.SynthPrompt {
	labels := []string{"alpha", "beta", "gamma", "delta"}
	p := lmtest.SynthPrompt{Strategy: rng.IntN(lmtest.SynthStrategies)}
	for rule := range lmtest.SynthTypes {
		if strings.HasPrefix(m.Name(), string(lmtest.SynthFeedback)) && rng.IntN(2) == 0 {
			p.Rules = append(p.Rules, rule)
		}
	}
	for range rng.IntN(13) {
		item := rng.IntN(lmtest.SynthTrain)
		label := m.Label(item)
		if rng.IntN(5) == 0 {
			label = labels[rng.IntN(4)]
		}
		p.Demos = append(p.Demos, lmtest.SynthDemo{Item: item, Label: label})
	}
	return p
}

// The answers are as often right as Expected says.
func TestSynthExpected(t *testing.T) {
	t.Parallel()
	for _, version := range []lmtest.SynthVersion{lmtest.SynthNull, lmtest.SynthBasic, lmtest.SynthPipeline, lmtest.SynthFeedback} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			m := synth(t, lmtest.SynthConfig{Version: version, World: 11})
			rng := rand.New(rand.NewPCG(1, 2))
			lowest, highest := 1.0, 0.0
			for range 20 {
				prompts := []lmtest.SynthPrompt{randomPrompt(rng, m)}
				if version == lmtest.SynthPipeline {
					prompts = append(prompts, randomPrompt(rng, m))
				}
				want, err := m.ExpectedOf(prompts...)
				if err != nil {
					t.Fatal(err)
				}
				lowest, highest = min(lowest, want), max(highest, want)
				right, last := 0, len(prompts)-1
				hints, answers := synthRequest(prompts[0], []string{"hint"}, ""), synthRequest(prompts[last], []string{"answer"}, "")
				for i := lmtest.SynthHeldOut; i < lmtest.SynthHeldOutEnd; i++ {
					question := m.Question(i)
					if version == lmtest.SynthPipeline {
						hint, err := askFor(t.Context(), m, hints, question)
						if err != nil {
							t.Fatal(err)
						}
						question += "\n\n[[ ## hint ## ]]\n" + hint
					}
					got, err := askFor(t.Context(), m, answers, question)
					if err != nil {
						t.Fatal(err)
					}
					if got == m.Label(i) {
						right++
					}
				}
				got := float64(right) / 2000
				// Items differ, so the standard error is at most this.
				if sigma := math.Sqrt(want * (1 - want) / 2000); math.Abs(got-want) > 5*sigma {
					t.Errorf("%+v: accuracy %.4f, expected %.4f with a standard error of %.4f", prompts, got, want, sigma)
				}
			}
			if null := version == lmtest.SynthNull; null != (lowest == highest) {
				t.Errorf("expected accuracies are from %.4f to %.4f", lowest, highest)
			}
		})
	}
}

// Two prompts share most of their luck, and rollouts of one do, too; a prompt shares
// all with itself.
func TestSynthLuck(t *testing.T) {
	t.Parallel()
	m := synth(t, lmtest.SynthConfig{Version: lmtest.SynthNull, World: 3})
	// differ counts the items on which one of two answers is right.
	differ := func(strategy, rollout int) int {
		n := 0
		for i := lmtest.SynthHeldOut; i < lmtest.SynthHeldOutEnd; i++ {
			if a, b := m.Answer(0, nil, i, 0), m.Answer(strategy, nil, i, rollout); (a == m.Label(i)) != (b == m.Label(i)) {
				n++
			}
		}
		return n
	}
	// Both have the item's luck in 36 % of the items; of the others nearly half differ.
	for _, c := range [][2]int{{7, 0}, {0, 1}, {30, 2}} {
		if n := differ(c[0], c[1]); n < 480 || n > 720 {
			t.Errorf("strategy %d, rollout %d: %d of 2000 answers differ in being right; want about 600", c[0], c[1], n)
		}
	}
	if n := differ(0, 0); n != 0 {
		t.Errorf("%d answers differ from themselves", n)
	}
}

// Answers depend neither on their order nor on what is asked at the same time.
func TestSynthConcurrent(t *testing.T) {
	t.Parallel()
	alone, busy := synth(t, lmtest.SynthConfig{World: 2}), synth(t, lmtest.SynthConfig{World: 2})
	p := lmtest.SynthPrompt{Strategy: 4, Demos: []lmtest.SynthDemo{{Item: 1, Label: "beta"}}}
	want := make([]string, 300)
	for i := range want {
		want[i] = alone.Answer(p.Strategy, p.Demos, lmtest.SynthDev+i, 0)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range want {
				i := (k*7 + g*31) % len(want)
				got, err := ask(t.Context(), busy, synthRequest(p, []string{"answer"}, busy.Question(lmtest.SynthDev+i)))
				if err != nil || got != want[i] {
					t.Errorf("item %d: %q, %v; want %q", i, got, err, want[i])
				}
			}
			r := synthRequest(lmtest.SynthPrompt{}, []string{"proposed_instruction"}, "")
			if _, err := busy.Generate(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := busy.Calls(), (lmtest.SynthCalls{Task: 8 * 300, Unique: 300, Proposals: 8}); got != want {
		t.Errorf("calls are %+v, want %+v", got, want)
	}
}

func TestSynthCopies(t *testing.T) {
	t.Parallel()
	demos := []lmtest.SynthDemo{{Item: 5, Label: "gamma"}, {Item: 5, Label: "delta"}}
	for version, copies := range map[lmtest.SynthVersion]bool{
		lmtest.SynthNull: false, lmtest.SynthBasic: true, lmtest.SynthPipeline: true, lmtest.SynthFeedback: false,
	} {
		same := 0
		for world := range 20 {
			if m := synth(t, lmtest.SynthConfig{Version: version, World: world}); m.Answer(3, demos, 5, world) == "delta" {
				same++
			}
		}
		if (same == 20) != copies {
			t.Errorf("%s: %d of 20 worlds answer with the last demo's label; copying is %v", version, same, copies)
		}
	}
}

func TestSynthErrors(t *testing.T) {
	t.Parallel()
	for _, cfg := range []lmtest.SynthConfig{
		{Version: "synthlm/4"},
		{Base: -1},
		{Base: 10001},
		{Rugged: -1},
		{Rugged: 10001},
		{Version: lmtest.SynthNull, Rugged: 1500},
		{Skill: 5000},
		{Version: lmtest.SynthFeedback, Skill: 10001},
		{Proposed: -1},
	} {
		if m, err := lmtest.NewSynthLM(cfg); err == nil || m != nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
	m := synth(t, lmtest.SynthConfig{})
	for name, tt := range map[string]struct {
		r    *lm.Request
		want error
	}{
		"raw":     {&lm.Request{Prompt: "item-0001"}, lm.ErrUnsupported},
		"empty":   {&lm.Request{}, lm.ErrInvalidRequest},
		"no item": {synthRequest(lmtest.SynthPrompt{}, []string{"answer"}, "item-12"), lm.ErrInvalidRequest},
		"fields":  {&lm.Request{Messages: []lm.Message{lm.User("item-0001")}}, lm.ErrInvalidRequest},
	} {
		if _, err := m.Generate(t.Context(), tt.r); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Generate(ctx, synthRequest(lmtest.SynthPrompt{}, []string{"answer"}, "item-0001")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
	if m.Calls() != (lmtest.SynthCalls{}) {
		t.Errorf("refused requests count: %+v", m.Calls())
	}
	if _, err := m.ExpectedOf(); err == nil {
		t.Error("no prompt has an expected accuracy")
	}
}

// What a prompt cannot hold is read as the page says, and nothing is out of range.
func TestSynthOddArguments(t *testing.T) {
	t.Parallel()
	m := synth(t, lmtest.SynthConfig{World: 1})
	demos := []lmtest.SynthDemo{{Item: 3, Label: "beta"}}
	odd := append(slices.Clone(demos), lmtest.SynthDemo{Item: 4, Label: "none"})
	if a, b := m.P(7, demos, 300), m.P(7+32, odd, 300-lmtest.SynthItems); a != b {
		t.Errorf("p is %d and %d", a, b)
	}
	if m.P(-1, nil, 5) != m.P(31, nil, 5) || m.Question(-1) != "item-9999" {
		t.Error("negative numbers do not count from the end")
	}
	if s, sets := m.Grid(-1, -1, -1); len(s) != 0 || len(sets) != 0 {
		t.Errorf("an empty grid has %d instructions and %d sets", len(s), len(sets))
	}
	if s, sets := m.Grid(99, 2, 999); len(s) != lmtest.SynthStrategies || len(sets[1]) != lmtest.SynthTrain {
		t.Errorf("the largest grid has %d instructions and sets of %d", len(s), len(sets[1]))
	}
	p := lmtest.SynthPrompt{Strategy: 9, Rules: []int{4, 1, 4, 8, -1}}
	if got, want := p.Instruction(), "Answer the question with one label. Use strategy-09. Follow rule-1. Follow rule-4."; got != want {
		t.Errorf("the instruction is %q, want %q", got, want)
	}
}

func BenchmarkSynthLM(b *testing.B) {
	m := synth(b, lmtest.SynthConfig{})
	_, sets := m.Grid(1, 2, 8)
	requests := make([]*lm.Request, lmtest.SynthDevEnd-lmtest.SynthDev)
	for i := range requests {
		requests[i] = synthRequest(lmtest.SynthPrompt{Strategy: 3, Demos: sets[1]}, []string{"reasoning", "answer"}, m.Question(lmtest.SynthDev+i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := m.Generate(b.Context(), requests[i%len(requests)]); err != nil {
			b.Fatal(err)
		}
	}
}
