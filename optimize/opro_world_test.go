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

// synthTruth returns the exact expected accuracy of a program of instructions alone.
func synthTruth(t testing.TB, m *lmtest.SynthLM, states []optimize.NamedState) float64 {
	t.Helper()
	prompts := make([]lmtest.SynthPrompt, len(states))
	for i, s := range states {
		prompts[i] = lmtest.SynthInstruction(s.State.Instructions)
	}
	truth, err := m.ExpectedOf(prompts...)
	if err != nil {
		t.Fatal(err)
	}
	return truth
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
