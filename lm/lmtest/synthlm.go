package lmtest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/whetgo/whet/lm"
)

// SynthVersion names a specification of [SynthLM]. One is never changed: what would answer
// otherwise has a name of its own.
type SynthVersion string

// The versions; docs/synthlm.md specifies each, with vectors.
const (
	// SynthNull is a task in which no prompt is better than another: whoever reports a
	// gain there reports luck.
	SynthNull SynthVersion = "synthlm/0"
	// SynthBasic is one predictor, question -> answer, whose instruction (a strategy) and
	// demos matter. It answers, byte for byte, as the Python program that DSPy's own
	// optimizers were measured with.
	SynthBasic SynthVersion = "synthlm/1"
	// SynthPipeline is two predictors, question -> hint and then question, hint -> answer,
	// each with instruction and demos of its own that matter: credit assignment.
	SynthPipeline SynthVersion = "synthlm/2"
	// SynthFeedback is one predictor whose instruction may hold rules, of which some help
	// and some harm, and a proposer that heeds the metric's feedback: see
	// [SynthLM.Feedback].
	SynthFeedback SynthVersion = "synthlm/3"
)

// The items. [SynthLM.Question] gives the text of one; all have four digits.
const (
	// SynthItems is the number of items, from 0 on.
	SynthItems = 10000
	// SynthTrain items, from 0 on, are for training: 0 to 199.
	SynthTrain = 200
	// SynthDev is the first of those that candidates are scored on, 200 to 499.
	SynthDev = 200
	// SynthDevEnd is the one behind the last.
	SynthDevEnd = 500
	// SynthConfirm is the first of those that confirm a winner, 500 to 999.
	SynthConfirm = 500
	// SynthConfirmEnd is the one behind the last.
	SynthConfirmEnd = 1000
	// SynthHeldOut is the first of those that [SynthLM.Expected] is about, 1000 to 2999.
	SynthHeldOut = 1000
	// SynthHeldOutEnd is the one behind the last.
	SynthHeldOutEnd = 3000
)

// SynthStrategies is the number of strategies, of which 0 is none, and SynthTypes that of
// types of items.
const (
	SynthStrategies = 32
	SynthTypes      = 6
)

// synthLabels are the answers.
var synthLabels = [...]string{"alpha", "beta", "gamma", "delta"}

// Defaults of a SynthConfig, in parts per 10,000.
const (
	synthBase  = 5000
	synthSkill = 8000
	synthWhole = 10000
)

// SynthConfig says which synthetic language model is meant. Probabilities are in basis
// points (bp), that is parts per 10,000.
type SynthConfig struct {
	// Version is the specification; "" means SynthBasic.
	Version SynthVersion
	// World is the task's number: each has its own labels, types and effects.
	World int
	// Base says how good the model is where nothing helps it, in bp; 0 means 5000, the
	// student. 8000 is the teacher of the same world.
	Base int
	// Rugged is the size, in bp, of an effect of each whole prompt that nothing foresees;
	// 0 means none. It is for SynthBasic alone.
	Rugged int
	// Skill is how often the proposer heeds feedback, in bp; 0 means 8000, and any negative
	// number never. It is for SynthFeedback alone.
	Skill int
	// Proposed is how many instructions were proposed before, which this model then goes
	// on from; 0 means none. It is for a search that goes on in another process.
	Proposed int
}

// SynthLM is a language model with known truth, for measuring optimizers: it answers
// questions about items by labels, and how often it is right depends, by a formula, on the
// instruction and the demos in its prompt. What it draws comes from SHA-256, so that the
// same question has the same answer, everywhere and in any order; and the exact expected
// accuracy of a program is known: see [SynthLM.Expected].
//
// A request is read without regard to its adapter, but replies have the form of
// adapter.Chat. Settings but for the messages and Rollout, such as the temperature and the
// shape, are ignored. Where a request asks for a proposed_instruction, the reply proposes
// one. The k-th such request of a model gets the k-th proposal, whatever it says (but for
// SynthFeedback), in the order in which they arrive: a proposer that is to repeat asks for
// one after the other.
//
// It is safe for concurrent use.
type SynthLM struct {
	cfg    SynthConfig
	name   string
	prefix []byte // of what is hashed
	world  synthWorld

	proposed atomic.Int64
	mu       sync.Mutex
	calls    SynthCalls
	unique   map[string]struct{}
}

// SynthCalls counts requests by what they asked for.
type SynthCalls struct {
	// Task is the number of requests for an answer or a hint, and Unique that of
	// different prompts among them; rollouts of one prompt count once.
	Task, Unique int
	// Proposals is the number of requests for an instruction.
	Proposals int
	// Other is the number of other requests.
	Other int
}

// NewSynthLM returns the model that cfg describes, and an error where a setting is out of
// range or not for that version.
func NewSynthLM(cfg SynthConfig) (*SynthLM, error) {
	if cfg.Version == "" {
		cfg.Version = SynthBasic
	}
	if cfg.Base == 0 {
		cfg.Base = synthBase
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	switch {
	case cfg.Version != SynthFeedback || cfg.Skill < 0:
		cfg.Skill = 0
	case cfg.Skill == 0:
		cfg.Skill = synthSkill
	}
	m := &SynthLM{cfg: cfg, unique: map[string]struct{}{}}
	m.name = fmt.Sprintf("%s:world-%d/base-%d", cfg.Version, cfg.World, cfg.Base)
	switch cfg.Version {
	case SynthBasic:
		m.name += fmt.Sprintf("/rugged-%d", cfg.Rugged)
	case SynthFeedback:
		m.name += fmt.Sprintf("/skill-%d", cfg.Skill)
	}
	m.prefix = fmt.Appendf(nil, "%s|%d|", cfg.Version, cfg.World)
	m.prefix = m.prefix[:len(m.prefix):len(m.prefix)] // so that appending copies
	m.world = m.newWorld()
	m.proposed.Store(int64(cfg.Proposed))
	return m, nil
}

func (c SynthConfig) check() error {
	wrong := func(format string, args ...any) error { return fmt.Errorf("lmtest: SynthLM: "+format, args...) }
	switch c.Version {
	case SynthNull, SynthBasic, SynthPipeline, SynthFeedback:
	default:
		return wrong("the version %q is not known; want %q, %q, %q or %q", c.Version, SynthNull, SynthBasic, SynthPipeline, SynthFeedback)
	}
	switch {
	case c.Base < 0 || c.Base > synthWhole:
		return wrong("the base %d is not in 1 to %d bp", c.Base, synthWhole)
	case c.Rugged < 0 || c.Rugged > synthWhole:
		return wrong("Rugged is %d; want 0 to %d bp", c.Rugged, synthWhole)
	case c.Rugged != 0 && c.Version != SynthBasic:
		return wrong("%s has no rugged worlds; leave Rugged 0 or take %s", c.Version, SynthBasic)
	case c.Skill > synthWhole:
		return wrong("the skill %d is above %d bp", c.Skill, synthWhole)
	case c.Skill != 0 && c.Version != SynthFeedback:
		return wrong("the proposer of %s heeds no feedback; leave Skill 0 or take %s", c.Version, SynthFeedback)
	case c.Proposed < 0:
		return wrong("%d proposals cannot have been made; want 0 or more", c.Proposed)
	}
	return nil
}

// Name implements lm.Named: version, world and settings, such as
// "synthlm/1:world-3/base-5000/rugged-0".
func (m *SynthLM) Name() string { return m.name }

// Calls returns what was asked for so far.
func (m *SynthLM) Calls() SynthCalls {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Question returns the text that asks for an item, such as "item-0042".
func (m *SynthLM) Question(item int) string { return "item-" + fourDigits(item) }

// Label returns the right answer for an item: alpha, beta, gamma or delta.
func (m *SynthLM) Label(item int) string { return synthLabels[m.label(synthItem(item))] }

// Type returns an item's type, 0 to 5.
func (m *SynthLM) Type(item int) int { return m.kind(synthItem(item)) }

// Generate implements lm.LM. Four bytes count as one token. A raw Prompt and tools are
// errors of kind lm.ErrUnsupported; messages that ask for nothing are of kind
// lm.ErrInvalidRequest.
func (m *SynthLM) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	switch {
	case r.Prompt != "":
		return nil, m.fault(lm.ErrUnsupported, "it reads messages and no raw prompt; use adapter.Chat")
	case len(r.Tools) > 0:
		return nil, m.fault(lm.ErrUnsupported, "it calls no tools")
	}
	fields := synthFields(r.Messages)
	if len(fields) == 0 {
		return nil, m.fault(lm.ErrInvalidRequest, "the first message lists no output fields; want messages of adapter.Chat")
	}
	value, err := m.values(r, fields)
	if err != nil {
		return nil, err
	}
	text := synthReply(fields, value)
	usage := lm.Usage{Calls: 1, PricedCalls: 1, CompletionTokens: synthTokens(len(text))}
	size := 0
	for _, msg := range r.Messages {
		size += len(msg.Text())
	}
	usage.PromptTokens = synthTokens(size)
	return &lm.Response{Text: text, Finish: lm.FinishStop, Model: m.name, Usage: usage}, nil
}

func (m *SynthLM) fault(kind lm.ErrorKind, message string) error {
	return &lm.Error{Kind: kind, Provider: "synthlm", Model: m.name, Message: message}
}

func synthTokens(size int) int { return (size + 3) / 4 }

// values returns the one field of the reply that holds something, and counts the call.
func (m *SynthLM) values(r *lm.Request, fields []string) (synthField, error) {
	switch {
	case hasField(fields, "answer"):
		return m.solve(r, "answer", synthAnswers)
	case m.cfg.Version == SynthPipeline && hasField(fields, "hint"):
		return m.solve(r, "hint", synthHints)
	case hasField(fields, "proposed_instruction"):
		m.count(func(c *SynthCalls) { c.Proposals++ })
		return synthField{"proposed_instruction", m.propose(r.Messages, int(m.proposed.Add(1)-1))}, nil
	}
	m.count(func(c *SynthCalls) { c.Other++ })
	return synthField{}, nil
}

// solve answers a question, or gives a hint to it.
func (m *SynthLM) solve(r *lm.Request, field string, predictor int) (synthField, error) {
	t := readSynthTask(r.Messages)
	if t.item < 0 {
		return synthField{}, m.fault(lm.ErrInvalidRequest, "the last user message names no item; want a question such as item-0042")
	}
	t.predictor = predictor
	prompt := m.key(t.prompt)
	id := strconv.Itoa(predictor) + prompt + "?" + fourDigits(t.item)
	m.count(func(c *SynthCalls) {
		c.Task++
		m.unique[id] = struct{}{}
		c.Unique = len(m.unique)
	})
	return synthField{field, synthLabels[m.draw(t, prompt, r.Rollout)]}, nil
}

func (m *SynthLM) count(add func(*SynthCalls)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	add(&m.calls)
}
