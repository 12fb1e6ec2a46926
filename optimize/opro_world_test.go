package optimize_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// What the programs on SynthLM read and write.
type (
	synthQuestion struct {
		Question string `json:"question"`
	}
	synthAnswer struct {
		Answer string `json:"answer"`
	}
	synthHint struct {
		Hint string `json:"hint"`
	}
	synthHinted struct {
		Question string `json:"question"`
		Hint     string `json:"hint"`
	}
	synthExample = module.Example[synthQuestion, synthAnswer]
)

func synthWorld(t testing.TB, version lmtest.SynthVersion, world int) *lmtest.SynthLM {
	t.Helper()
	m, err := lmtest.NewSynthLM(lmtest.SynthConfig{Version: version, World: world})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// synthItems returns n items as examples.
func synthItems(m *lmtest.SynthLM, from, n int) []synthExample {
	out := make([]synthExample, n)
	for i := range out {
		out[i] = synthExample{In: synthQuestion{m.Question(from + i)}, Out: synthAnswer{m.Label(from + i)}, ID: strconv.Itoa(from + i)}
	}
	return out
}

func synthOne(m lm.LM) *module.Predict[synthQuestion, synthAnswer] {
	return module.MustPredict[synthQuestion, synthAnswer]("", module.WithLM(m))
}

// synthTwo is a program for the worlds of two predictors.
type synthTwo struct {
	Hint   *module.Predict[synthQuestion, synthHint]
	Answer *module.Predict[synthHinted, synthAnswer]
}

func newSynthTwo(m lm.LM) *synthTwo {
	return &synthTwo{
		module.MustPredict[synthQuestion, synthHint]("", module.WithLM(m)),
		module.MustPredict[synthHinted, synthAnswer]("", module.WithLM(m)),
	}
}

func (p *synthTwo) Run(ctx context.Context, in synthQuestion) (synthAnswer, error) {
	h, err := p.Hint.Run(ctx, in)
	if err != nil {
		return synthAnswer{}, err
	}
	return p.Answer.Run(ctx, synthHinted{in.Question, h.Hint})
}

// synthTruth returns the exact expected accuracy of a program on a world.
func synthTruth(t testing.TB, m *lmtest.SynthLM, states []optimize.NamedState) float64 {
	t.Helper()
	var prompts []lmtest.SynthPrompt
	for _, s := range states {
		p := lmtest.SynthInstruction(s.State.Instructions)
		for _, d := range s.State.Demos {
			text := map[string]string{}
			for name, v := range d.Fields.All() {
				text[name], _ = v.(string)
			}
			label, ok := text["answer"]
			if !ok {
				label = text["hint"]
			}
			read, ok := lmtest.NewSynthDemo(text["question"], label)
			if !ok {
				t.Fatalf("unexpected demo %v", d.Fields)
			}
			p.Demos = append(p.Demos, read)
		}
		prompts = append(prompts, p)
	}
	v, err := m.ExpectedOf(prompts...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var strategyMark = regexp.MustCompile(`strategy-(\d\d)`)

// skilled proposes, with probability q, a strategy that is truly better than the best of
// those that it is shown, and else any of the 31. What it draws depends on the rollout alone.
func skilled(m *lmtest.SynthLM, seed uint64, q float64) *lmtest.Scripted {
	truth := make([]float64, lmtest.SynthStrategies)
	for s := range truth {
		truth[s] = m.Expected(s, nil)
	}
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		rng := rand.New(rand.NewPCG(seed, uint64(r.Rollout)))
		shown := truth[0]
		for _, found := range strategyMark.FindAllStringSubmatch(question(r), -1) {
			s, err := strconv.Atoi(found[1])
			if err != nil {
				return "", err
			}
			shown = max(shown, truth[s])
		}
		var better []int
		for s, v := range truth {
			if v > shown {
				better = append(better, s)
			}
		}
		s := 1 + rng.IntN(len(truth)-1)
		if rng.Float64() < q && len(better) > 0 {
			s = better[rng.IntN(len(better))]
		}
		return draftReply("proposed_instruction", fmt.Sprintf("Answer by strategy-%02d.", s)), nil
	})
}
