package lmtest_test

import (
	"reflect"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

func signatureOf(text string) *signature.Signature { return signature.MustParse(text) }

func recordOf(pairs ...string) signature.Record {
	var r signature.Record
	for i := 0; i < len(pairs); i += 2 {
		r = r.With(pairs[i], pairs[i+1])
	}
	return r
}

func TestReadSynth(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		messages []lm.Message
		want     lmtest.SynthPrompt
		item     int
	}{
		"nothing": {[]lm.Message{lm.User("hello")}, lmtest.SynthPrompt{}, -1},
		"last strategy": {[]lm.Message{
			lm.System("strategy-03, strategy-4, strategy-35x"), lm.System("more strategy-"),
			lm.User("item-0042 item-0043 strategy-09"),
		}, lmtest.SynthPrompt{Strategy: 3}, 42},
		"demos": {[]lm.Message{
			lm.User("item-item-0001"), lm.Assistant("Alphabet, or alpha_beta, or gamma: alpha"),
			lm.User("item-0002"), lm.Assistant("not supplied"),
			lm.Assistant("beta"),
			lm.User("no item"), lm.Assistant("delta"),
			lm.User("item-00031"), lm.User("item-0004"), lm.Assistant("[[ ## answer ## ]]\ndelta"),
			lm.User("item-0005\n\nitem-0006"),
		}, lmtest.SynthPrompt{Demos: []lmtest.SynthDemo{{Item: 1, Label: "gamma"}, {Item: 4, Label: "delta"}}}, 5},
		"answered": {[]lm.Message{lm.User("item-0001"), lm.Assistant("none")}, lmtest.SynthPrompt{}, -1},
		"rules": {[]lm.Message{
			lm.System("rule-5, rule-2; rule-5 rule-6 rule-11 xrule-1 rule-0_ rule-"), lm.User("rule-3"),
		}, lmtest.SynthPrompt{Rules: []int{2, 5}}, -1},
	} {
		if got, item := lmtest.ReadSynth(tt.messages); !reflect.DeepEqual(got, tt.want) || item != tt.item {
			t.Errorf("%s: %+v and item %d, want %+v and %d", name, got, item, tt.want, tt.item)
		}
	}
	if d, ok := lmtest.NewSynthDemo("item-0007", "It is beta."); !ok || d != (lmtest.SynthDemo{Item: 7, Label: "beta"}) {
		t.Errorf("the demo is %+v, %v", d, ok)
	}
	for _, texts := range [][2]string{{"item-7", "beta"}, {"item-0007", "betas"}} {
		if _, ok := lmtest.NewSynthDemo(texts[0], texts[1]); ok {
			t.Errorf("%q is a demo", texts)
		}
	}
}

// Programs of modules are read right: their instructions, demos and hints.
func TestSynthPrograms(t *testing.T) {
	t.Parallel()
	basic := synth(t, lmtest.SynthConfig{World: 6})
	pair := synth(t, lmtest.SynthConfig{Version: lmtest.SynthPipeline, World: 6})
	demos := []lmtest.SynthDemo{{Item: 8, Label: "beta"}, {Item: 9, Label: "alpha"}}
	state := module.State{Instructions: "Use strategy-17."}
	for _, d := range demos {
		state.Demos = append(state.Demos, module.Demo{Fields: recordOf("question", basic.Question(d.Item), "answer", d.Label)})
	}
	// Whoever reasons has demos without reasons.
	for name, program := range map[string]module.Program[signature.Record, signature.Record]{
		"Predict":        module.MustDynamic(signatureOf("question -> answer"), module.WithLM(basic)),
		"ChainOfThought": must(module.NewDynamicChainOfThought(signatureOf("question -> answer"), module.WithLM(basic))),
	} {
		named, err := module.Predictors(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := named[0].Predictor.SetState(state); err != nil {
			t.Fatal(err)
		}
		for i := lmtest.SynthDev; i < lmtest.SynthDevEnd; i++ {
			got, err := program.Run(t.Context(), recordOf("question", basic.Question(i)))
			if err != nil {
				t.Fatal(err)
			}
			if label, _ := got.Get("answer"); label != basic.Answer(17, demos, i, 0) {
				t.Errorf("%s: item %d: %v", name, i, got)
			}
		}
	}
	second := module.MustDynamic(signatureOf("question, hint -> answer: Literal['alpha', 'beta', 'gamma', 'delta']"), module.WithLM(pair))
	var right [3]int // by hint: alpha, none, the right one
	for i := lmtest.SynthDev; i < lmtest.SynthDevEnd; i++ {
		for n, hint := range []string{"alpha", "n/a", pair.Label(i)} {
			got, err := second.Run(t.Context(), recordOf("question", pair.Question(i), "hint", hint))
			if err != nil {
				t.Fatal(err)
			}
			if label, _ := got.Get("answer"); label == pair.Label(i) {
				right[n]++
			}
			if label, _ := got.Get("answer"); hint == "n/a" && label != pair.Answer(0, nil, i, 0) {
				t.Errorf("item %d without a hint: %v", i, got)
			}
		}
	}
	if right[0]+20 > right[1] || right[1]+40 > right[2] {
		t.Errorf("right answers to 300 questions with the hint alpha, with none, and with the right one: %v", right)
	}
}

// must returns what a constructor has made.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
