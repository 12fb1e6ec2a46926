package lmtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/whetgo/whet/lm"
)

// propose returns the k-th instruction.
func (m *SynthLM) propose(messages []lm.Message, k int) string {
	number := strconv.Itoa(k)
	strategy := 1 + m.below(SynthStrategies-1, "propose|"+number)
	if m.cfg.Version != SynthFeedback {
		return SynthPrompt{Strategy: strategy}.Instruction()
	}
	texts := make([]string, len(messages))
	for i, msg := range messages {
		texts[i] = msg.Text()
	}
	p, missing := readSynthProposal(strings.Join(texts, "\n"))
	if rule := mostMissing(missing, p.Rules); rule >= 0 && m.below(synthWhole, "skill|"+number) < m.cfg.Skill {
		p.Rules = append(p.Rules, rule)
	} else if m.below(3, "change|"+number) == 0 {
		p.Strategy = strategy
	} else if rule = m.below(SynthTypes, "toggle|"+number); slices.Contains(p.Rules, rule) {
		p.Rules = slices.DeleteFunc(p.Rules, func(r int) bool { return r == rule })
	} else {
		p.Rules = append(p.Rules, rule)
	}
	return p.Instruction()
}

// Instruction writes an instruction that has the strategy and the rules of p, as the proposer
// of [SynthLM] does.
func (p SynthPrompt) Instruction() string {
	p = p.normal()
	text := "Answer the question with one label. Use strategy-" + twoDigits(p.Strategy) + "."
	for _, rule := range p.Rules {
		text += " Follow rule-" + strconv.Itoa(rule) + "."
	}
	return text
}

// Words before a rule that is no part of an instruction but of feedback.
const (
	ruleMissing = "missing "
	ruleThere   = "has "
)

// readSynthProposal reads a request for an instruction: the last instruction that it shows,
// and how often each rule is said to be missing.
func readSynthProposal(text string) (p SynthPrompt, missing [SynthTypes]int) {
	for rule, before := range ruleMarks(text) {
		if strings.HasSuffix(before, ruleMissing) {
			missing[rule]++
		}
	}
	lines := strings.Split(text, "\n")
	for _, line := range slices.Backward(lines) {
		strategy, rest := lastStrategy(line)
		if strategy < 0 {
			strategy, rest = 0, line
		}
		var rules []int
		for rule, before := range ruleMarks(rest) {
			if !strings.HasSuffix(before, ruleMissing) && !strings.HasSuffix(before, ruleThere) {
				rules = append(rules, rule)
			}
		}
		if len(rules) > 0 || len(rest) < len(line) {
			return SynthPrompt{Strategy: strategy, Rules: rules}.normal(), missing
		}
	}
	return SynthPrompt{}, missing
}

// mostMissing returns the rule that is missing most often, the smallest of several, and none
// that the instruction has; or -1.
func mostMissing(missing [SynthTypes]int, have []int) int {
	best := -1
	for rule, n := range missing {
		if n > 0 && !slices.Contains(have, rule) && (best < 0 || n > missing[best]) {
			best = rule
		}
	}
	return best
}

// Feedback tells what a metric says about the answer to an item under an instruction: ""
// where it is right, and else the item's type and whether the instruction has that type's
// rule, which may be one that harms. It is what the proposer of SynthFeedback heeds:
//
//	The item is of type-2; missing rule-2.
func (m *SynthLM) Feedback(item int, instruction, answered string) string {
	if answered == m.Label(item) {
		return ""
	}
	kind := m.Type(item)
	word := ruleMissing
	if slices.Contains(SynthInstruction(instruction).Rules, kind) {
		word = ruleThere
	}
	number := strconv.Itoa(kind)
	return "The item is of type-" + number + "; " + word + "rule-" + number + "."
}
