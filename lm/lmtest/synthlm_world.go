package lmtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// The predictors of SynthPipeline; any other version has the second alone.
const (
	synthHints = iota
	synthAnswers
)

// What the formulas of docs/synthlm.md are made of, in bp.
const (
	synthLow, synthHigh = 200, 9800 // no probability is outside
	synthShared         = 6000      // share of answers whose luck is the item's alone
	synthWrongDemo      = 400
	synthWrongMatch     = 500
	synthManyDemos      = 8
	synthManyCost       = 150
	synthHintEffect     = 2500
	synthRuleGain       = 1500
	synthRuleHarm       = 1000
	synthRuleCost       = 60
	synthHarmful        = 2 // rules that harm, in each world
)

var synthMatchBonus = [...]int{0, 900, 1400, 1600}

// synthTabled is up to which item values are computed beforehand: all that are in use.
const synthTabled = SynthHeldOutEnd

// synthWorld holds all that does not depend on a prompt.
type synthWorld struct {
	label, kind [synthTabled]uint8
	effects     [2]synthEffects // by predictor
	rule        [SynthTypes]int // effect of a type's rule on that type
}

// synthEffects are what changes the probability of one predictor's right answer.
type synthEffects struct {
	salt              string // what a hash of this predictor has in it besides
	difficulty, value [synthTabled]int16
	strategy          [SynthStrategies][SynthTypes]int
	synergy           [SynthStrategies]int
}

// h hashes a text behind version and world.
func (m *SynthLM) h(text string) uint64 {
	sum := sha256.Sum256(append(m.prefix, text...))
	return binary.BigEndian.Uint64(sum[:8])
}

// below returns a hash modulo n.
func (m *SynthLM) below(n int, text string) int { return int(m.h(text) % uint64(n)) }

func (m *SynthLM) newWorld() synthWorld {
	var w synthWorld
	for i := range synthTabled {
		w.label[i], w.kind[i] = uint8(m.labelHash(i)), uint8(m.kindHash(i))
	}
	first := synthAnswers
	if m.cfg.Version == SynthPipeline {
		first = synthHints
	}
	for p := first; p <= synthAnswers; p++ {
		e := &w.effects[p]
		if m.cfg.Version == SynthPipeline {
			e.salt = strconv.Itoa(p+1) + "|"
		}
		for i := range synthTabled {
			e.difficulty[i] = int16(m.difficultyHash(e.salt, i))
			if m.demosCount() {
				e.value[i] = int16(m.valueHash(e.salt, i))
			}
		}
		m.fillStrategies(e)
	}
	if m.cfg.Version == SynthFeedback {
		w.rule = m.newRules()
	}
	return w
}

// demosCount reports whether demos change the probability, and are copied.
func (m *SynthLM) demosCount() bool {
	return m.cfg.Version == SynthBasic || m.cfg.Version == SynthPipeline
}

func (m *SynthLM) fillStrategies(e *synthEffects) {
	if m.cfg.Version == SynthNull {
		return
	}
	size := 2
	if m.cfg.Version == SynthFeedback {
		size = 1 // half as much, so that rules matter more
	}
	for s := 1; s < SynthStrategies; s++ {
		text := e.salt + strconv.Itoa(s)
		general := m.below(1000*size+1, "sg|"+text) - 500*size
		for t := range SynthTypes {
			e.strategy[s][t] = general + m.below(600*size+1, "sv|"+text+"|"+strconv.Itoa(t)) - 300*size
		}
		if m.demosCount() {
			e.synergy[s] = m.below(801, "sx|"+text) - 400
		}
	}
}

// newRules draws which rules harm: those of the types with the smallest hashes.
func (m *SynthLM) newRules() [SynthTypes]int {
	var rule [SynthTypes]int
	var hash [SynthTypes]uint64
	order := make([]int, SynthTypes)
	for t := range SynthTypes {
		order[t], rule[t], hash[t] = t, synthRuleGain, m.h("rule|"+strconv.Itoa(t))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(hash[a], hash[b]) })
	for _, t := range order[:synthHarmful] {
		rule[t] = -synthRuleHarm
	}
	return rule
}

func (m *SynthLM) labelHash(i int) int { return m.below(len(synthLabels), "label|"+strconv.Itoa(i)) }

func (m *SynthLM) kindHash(i int) int { return m.below(SynthTypes, "type|"+strconv.Itoa(i)) }

func (m *SynthLM) difficultyHash(salt string, i int) int {
	return m.below(3001, "diff|"+salt+strconv.Itoa(i)) - 1500
}

func (m *SynthLM) valueHash(salt string, i int) int {
	return m.below(601, "dq|"+salt+strconv.Itoa(i)) - 200
}

func (m *SynthLM) label(i int) int {
	if i < synthTabled {
		return int(m.world.label[i])
	}
	return m.labelHash(i)
}

func (m *SynthLM) kind(i int) int {
	if i < synthTabled {
		return int(m.world.kind[i])
	}
	return m.kindHash(i)
}

func (m *SynthLM) difficulty(predictor, i int) int {
	e := &m.world.effects[predictor]
	if i < synthTabled {
		return int(e.difficulty[i])
	}
	return m.difficultyHash(e.salt, i)
}

// value is what a right demo of an item is worth to a predictor.
func (m *SynthLM) value(predictor, i int) int {
	e := &m.world.effects[predictor]
	if i < synthTabled {
		return int(e.value[i])
	}
	return m.valueHash(e.salt, i)
}

// levels returns, by type, the probability of a right answer without the item's difficulty,
// without the hint's effect, and before it is clamped. key is that of the prompt.
func (m *SynthLM) levels(predictor int, p SynthPrompt, key string) [SynthTypes]int {
	e := &m.world.effects[predictor]
	level := e.strategy[p.Strategy]
	all := m.cfg.Base
	if m.demosCount() {
		var right, wrong [SynthTypes]int
		for _, d := range p.Demos {
			if t := m.kind(d.Item); d.Label == synthLabels[m.label(d.Item)] {
				right[t]++
				all += m.value(predictor, d.Item)
			} else {
				wrong[t]++
				all -= synthWrongDemo
			}
		}
		if len(p.Demos) > 0 {
			all += e.synergy[p.Strategy]
		}
		all -= synthManyCost * max(0, len(p.Demos)-synthManyDemos)
		for t := range level {
			level[t] += synthMatchBonus[min(right[t], len(synthMatchBonus)-1)] - synthWrongMatch*wrong[t]
		}
	}
	if r := m.cfg.Rugged; r > 0 {
		all += m.below(2*r+1, "rug|"+key) - r
	}
	if m.cfg.Version == SynthFeedback {
		for _, rule := range p.Rules {
			all -= synthRuleCost
			level[rule] += m.world.rule[rule] + synthRuleCost
		}
	}
	for t := range level {
		level[t] += all
	}
	return level
}

func synthClamp(p int) int { return max(synthLow, min(synthHigh, p)) }

// hintEffect is what a hint does to the answer that follows it.
func (m *SynthLM) hintEffect(t synthTask) int {
	switch {
	case m.cfg.Version != SynthPipeline || t.predictor != synthAnswers || t.hint == "":
		return 0
	case t.hint == synthLabels[m.label(t.item)]:
		return synthHintEffect
	}
	return -synthHintEffect
}

// chance is the probability of a right answer in bp.
func (m *SynthLM) chance(t synthTask, key string) int {
	level := m.levels(t.predictor, t.prompt, key)
	return synthClamp(level[m.kind(t.item)] - m.difficulty(t.predictor, t.item) + m.hintEffect(t))
}

// draw answers a question: the index of a label. key is that of the prompt.
func (m *SynthLM) draw(t synthTask, key string, rollout int) int {
	if m.demosCount() {
		for _, d := range slices.Backward(t.prompt.Demos) {
			if d.Item == t.item { // what stands in the prompt is copied
				return synthLabel(d.Label)
			}
		}
	}
	right, item := m.label(t.item), fourDigits(t.item)
	salt := m.world.effects[t.predictor].salt
	again := ""
	if rollout != 0 {
		again = strconv.Itoa(rollout)
	}
	prompt := salt + key + "|" + item
	luck := "v|" + prompt + "|" + again
	if m.below(synthWhole, "mix|"+prompt+"|"+again) < synthShared {
		luck = "u|" + salt + item
	}
	if m.below(synthWhole, luck) < m.chance(t, key) {
		return right
	}
	return (right + 1 + m.below(len(synthLabels)-1, "wrong|"+prompt)) % len(synthLabels)
}

// key names a prompt in what is hashed.
func (m *SynthLM) key(p SynthPrompt) string {
	var b strings.Builder
	b.WriteString("S" + twoDigits(p.Strategy) + "/")
	if m.cfg.Version == SynthFeedback {
		b.WriteByte('R')
		for _, rule := range p.Rules {
			b.WriteString(strconv.Itoa(rule))
		}
		b.WriteByte('/')
	}
	for i, d := range p.Demos {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(fourDigits(d.Item) + ":" + d.Label)
	}
	return b.String()
}
