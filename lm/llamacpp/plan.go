package llamacpp

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/whetgo/whet/lm"
)

// prompt turns the request's conversation or prompt into the tokens up to the last
// special one, and the text that follows it. That text stays text, because the
// reply continues it: where both meet, a token may belong to both. endsTurn reports
// whether the reply is a turn that a special token ends.
func (m *Model) prompt(r *lm.Request) (head []int32, tail string, endsTurn bool, err error) {
	facts := m.engine.info()
	if facts.addBOS && facts.bos >= 0 {
		head = append(head, facts.bos)
	}
	if size := textSize(r); size > maxText {
		return nil, "", false, failure(lm.ErrContextLength, "the request has a text of %d bytes, and no more than %d are tokenised", size, maxText)
	}
	if r.Prompt != "" {
		return head, r.Prompt, false, nil
	}
	if r.UsesTools() {
		return nil, "", false, failure(lm.ErrUnsupported, "the request has tools, and this backend calls none; describe them in a message, as package module does")
	}
	if err := checkMessages(r.Messages); err != nil {
		return nil, "", false, err
	}
	if err := m.template.checkSystem(r.Messages); err != nil {
		return nil, "", false, err
	}
	if m.templateErr != nil {
		return nil, "", false, &lm.Error{Kind: lm.ErrUnsupported, Provider: provider, Model: m.name, Err: m.templateErr}
	}
	for _, p := range m.template.render(r.Messages) {
		if !p.special {
			tail += p.text
			continue
		}
		head = append(head, m.texts.message(m.engine, tail)...)
		head = append(head, m.engine.tokenize(p.text, true)...)
		tail = ""
	}
	return head, tail, true, nil
}

// maxText is how many bytes of text are given to llama.cpp, which counts them with 31 bits.
const maxText = 1 << 28

func textSize(r *lm.Request) int {
	size := len(r.Prompt)
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			size += len(p.Text)
		}
	}
	return size
}

// plan makes a job of a request. It keeps nothing of it that the caller may change.
func (m *Model) plan(ctx context.Context, r *lm.Request) (*job, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, closed()
	}
	head, tail, endsTurn, err := m.prompt(r)
	if err != nil {
		return nil, err
	}
	j := &job{
		ctx: ctx, vocab: m.engine, done: make(chan outcome, 1),
		head: head, tail: tail, replyAt: len(tail), bos: m.engine.info().bos, endOfTurn: -1,
		stop:     slices.DeleteFunc(slices.Clone(r.Stop), func(s string) bool { return s == "" }),
		sampling: samplingOf(r), logprobs: r.Logprobs, topLogprobs: r.TopLogprobs,
		budget: r.MaxTokens, shaped: r.Shape != nil,
	}
	if endsTurn {
		j.endOfTurn = m.engine.info().endOfTurn
	}
	seed := rand.Uint64()
	if r.Seed != nil {
		seed = *r.Seed
	}
	j.rng = rand.New(rand.NewPCG(seed, 0x77686574)) // "whet": any constant
	if j.budget == 0 {
		j.budget = m.maxTokens
	}
	if j.segments, err = m.segments(r); err != nil {
		return nil, err
	}
	for _, s := range j.segments {
		if s.loose {
			j.shaped = false
		}
	}
	j.known = m.texts.prompt(m.engine, tail)
	j.promptTokens = len(head) + len(j.known.tokens)
	j.measure()
	if err := m.fits(j.promptTokens, j.reserve); err != nil {
		return nil, err
	}
	if err := j.advance(); err != nil {
		return nil, err
	}
	return j, nil
}

// samplingOf returns how the request's tokens are drawn.
func samplingOf(r *lm.Request) sampling {
	how := sampling{topP: 1, topK: r.TopK}
	if r.Temperature != nil {
		how.temperature = *r.Temperature
	}
	if r.TopP != nil {
		how.topP = *r.TopP
	}
	if r.MinP != nil {
		how.minP = *r.MinP
	}
	return how
}

// fits reports a prompt and reply that the context cannot hold.
func (m *Model) fits(prompt, reply int) error {
	cells := m.engine.info().limits.cells
	if prompt+reply <= cells {
		return nil
	}
	return &lm.Error{
		Kind: lm.ErrContextLength, Provider: provider, Model: m.name,
		Err: &lm.ContextLengthError{Prompt: prompt, Reply: reply, Limit: cells},
	}
}

// measure finds how many tokens the reply may take: the budget where there is text
// to generate, and the literals and alternatives, whose number is known. Where two
// texts meet the tokens may be others than of each alone, hence one more for each.
func (j *job) measure() {
	generates, branches := false, 0
	for i, s := range j.segments {
		switch s.hole {
		case lm.HoleNone:
			if i+1 < len(j.segments) { // what ends the reply is never computed
				j.reserve += len(j.vocab.tokenize(s.literal, false)) + 1
			}
		case lm.HoleChoice:
			longest, all := 0, 0
			for _, c := range s.choices {
				n := len(j.vocab.tokenize(c.Text, false)) + 1
				longest, all = max(longest, n), all+n
			}
			j.reserve += longest
			branches = max(branches, min(all, stepTokens/4))
		default:
			generates = true
			if s.grammar != nil { // what closes the form
				j.reserve += closingTokens
			}
		}
	}
	if generates {
		j.reserve += min(j.budget, math.MaxInt/2) // no context is so long, and a sum cannot overflow
	}
	j.reserve += branches
}
