package lmtest

import (
	"cmp"
	"fmt"
	"slices"
)

// SynthDemo is a demo as [SynthLM] reads it: an item, and the label that is shown for it,
// which may be wrong.
type SynthDemo struct {
	Item  int
	Label string
}

// SynthPrompt is all of a predictor's prompt that matters to [SynthLM], the question apart.
type SynthPrompt struct {
	// Strategy is the instruction's strategy, 0 to 31; 0 is none.
	Strategy int
	// Rules are the types whose rules the instruction has, ascending (SynthFeedback).
	Rules []int
	// Demos are in the order of the prompt.
	Demos []SynthDemo
}

// normal returns p as a reader of its text would have it: strategies modulo 32, items modulo
// 10,000, rules in order and once, and no demo without a label.
func (p SynthPrompt) normal() SynthPrompt {
	out := SynthPrompt{Strategy: (p.Strategy%SynthStrategies + SynthStrategies) % SynthStrategies}
	for _, rule := range p.Rules {
		if rule >= 0 && rule < SynthTypes && !slices.Contains(out.Rules, rule) {
			out.Rules = append(out.Rules, rule)
		}
	}
	slices.Sort(out.Rules)
	for _, d := range p.Demos {
		if synthLabel(d.Label) >= 0 {
			out.Demos = append(out.Demos, SynthDemo{synthItem(d.Item), d.Label})
		}
	}
	return out
}

// synthTask is a question to a predictor.
type synthTask struct {
	predictor int
	prompt    SynthPrompt
	item      int    // -1: none
	hint      string // "": none
}

func newSynthTask(strategy int, demos []SynthDemo, item int) synthTask {
	return synthTask{synthAnswers, SynthPrompt{Strategy: strategy, Demos: demos}.normal(), synthItem(item), ""}
}

// P returns the probability, in bp, with which the answer to an item is right under a
// strategy and demos. Copying is apart: an item that is among the demos has the label
// that they show. Of SynthPipeline it is the answer without a hint, and of SynthFeedback
// that to an instruction without rules.
func (m *SynthLM) P(strategy int, demos []SynthDemo, item int) int {
	t := newSynthTask(strategy, demos, item)
	return m.chance(t, m.key(t.prompt))
}

// Answer returns the label that Generate answers with; rollout is that of the request.
// For what it answers see [SynthLM.P].
func (m *SynthLM) Answer(strategy int, demos []SynthDemo, item, rollout int) string {
	t := newSynthTask(strategy, demos, item)
	return synthLabels[m.draw(t, m.key(t.prompt), rollout)]
}

// Expected returns the exact expected accuracy, 0 to 1, over the held-out items of a
// program that has this strategy and these demos: its truth, which no evaluation can tell
// so well. For SynthPipeline they are the second predictor's, and the first one is as it
// was; see [SynthLM.ExpectedOf].
func (m *SynthLM) Expected(strategy int, demos []SynthDemo) float64 {
	p := SynthPrompt{Strategy: strategy, Demos: demos}
	if m.cfg.Version == SynthPipeline {
		return m.expectedPair(SynthPrompt{}, p)
	}
	return m.expected(p)
}

// ExpectedOf is [SynthLM.Expected] for the prompts of all predictors: two of SynthPipeline,
// the hint's first, and one of any other version. Another number is an error.
func (m *SynthLM) ExpectedOf(prompts ...SynthPrompt) (float64, error) {
	want := 1
	if m.cfg.Version == SynthPipeline {
		want = 2
	}
	if len(prompts) != want {
		return 0, fmt.Errorf("lmtest: SynthLM: %d prompts are given, and a program of %s has %d", len(prompts), m.cfg.Version, want)
	}
	if want == 2 {
		return m.expectedPair(prompts[0], prompts[1]), nil
	}
	return m.expected(prompts[0]), nil
}

func (m *SynthLM) expected(p SynthPrompt) float64 {
	p = p.normal()
	level, sum := m.levels(synthAnswers, p, m.key(p)), 0
	for i := SynthHeldOut; i < SynthHeldOutEnd; i++ {
		sum += synthClamp(level[m.kind(i)] - m.difficulty(synthAnswers, i))
	}
	return float64(sum) / synthWhole / (SynthHeldOutEnd - SynthHeldOut)
}

// expectedPair sums up the probability that the answer is right after a hint that is right
// or wrong by its own.
func (m *SynthLM) expectedPair(hints, answers SynthPrompt) float64 {
	hints, answers = hints.normal(), answers.normal()
	first := m.levels(synthHints, hints, m.key(hints))
	second := m.levels(synthAnswers, answers, m.key(answers))
	sum := 0 // in bp squared
	for i := SynthHeldOut; i < SynthHeldOutEnd; i++ {
		t := m.kind(i)
		hint := synthClamp(first[t] - m.difficulty(synthHints, i))
		level := second[t] - m.difficulty(synthAnswers, i)
		sum += hint*synthClamp(level+synthHintEffect) + (synthWhole-hint)*synthClamp(level-synthHintEffect)
	}
	return float64(sum) / (synthWhole * synthWhole) / (SynthHeldOutEnd - SynthHeldOut)
}

// Grid returns a fixed search space, the same in each run: instructions, the first of which
// is none, and sets of k demos with right labels, the first of which is empty. So the
// program as it was is the first of each. The usual grid is that of 9 instructions and 18
// sets of 8. There are at most 32 instructions.
func (m *SynthLM) Grid(instructions, sets, k int) (strategies []int, demos [][]SynthDemo) {
	for r := 0; len(strategies) < min(instructions, SynthStrategies); r++ {
		s := 0
		if len(strategies) > 0 {
			s = 1 + m.below(SynthStrategies-1, fmt.Sprintf("grid-instr|%d", r-1))
		}
		if !slices.Contains(strategies, s) {
			strategies = append(strategies, s)
		}
	}
	for set := range sets {
		demos = append(demos, m.gridSet(set, max(0, min(k, SynthTrain))))
	}
	return strategies, demos
}

// gridSet returns the k training items with the smallest hashes.
func (m *SynthLM) gridSet(set, k int) []SynthDemo {
	if set == 0 {
		return nil
	}
	hash := make([]uint64, SynthTrain)
	order := make([]int, SynthTrain)
	for i := range order {
		order[i], hash[i] = i, m.h(fmt.Sprintf("grid-demo|%d|%d", set, i))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(hash[a], hash[b]) })
	demos := make([]SynthDemo, k)
	for i := range demos {
		demos[i] = SynthDemo{order[i], m.Label(order[i])}
	}
	return demos
}
