package adapter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Compact is whet's own layout for small models: a raw prompt of few tokens in
// which all that stays the same comes first and the answer's place is left open
// at the end, so that a backend that shares prefixes computes per question hardly
// more than the question.
//
//	Given an SMS text, predict whether it is ham, spam, or smishing.
//
//	Text: see you at five
//	Label: ham
//
//	Text: You won! Call now
//	Label:
//
// Fields stand on one line each, under the labels that signature.InferPrefix
// gives them; white space inside a text is collapsed, so that data cannot forge
// a line of its own, and lists, objects and code of several lines are JSON. What
// the instructions do not say about a field (its description, its choices, the
// fields of an object) stands in brackets behind them. Fields that a demo lacks are
// left out, and a demo without an output altogether. Earlier turns of a
// [signature.History] are examples behind the demos.
//
// The raw prompt needs a backend that takes one, cannot hold images, sounds or
// files, and is of most use where the backend enforces the reply's Shape. Replies
// are read with the same repairs as Chat's.
type Compact struct {
	// Turns cuts the prompt into short messages, for backends with a chat template
	// only: the instructions are the system message, each example a question that
	// ends with the label of its answer, and that answer.
	Turns bool
	// Terse leaves the descriptions of the fields out. To a very small model they can
	// be more noise than help; what an answer looks like is said all the same.
	Terse bool
}

// Name returns "compact", followed by "-turns" and "-terse" where these are set.
func (c Compact) Name() string {
	name := "compact"
	if c.Turns {
		name += "-turns"
	}
	if c.Terse {
		name += "-terse"
	}
	return name
}

// Prepare implements Adapter.
func (c Compact) Prepare(p Program) (Template, error) {
	t := &compactTemplate{sig: p.Signature, adapter: c.Name(), turns: c.Turns}
	if err := t.label(); err != nil {
		return nil, err
	}
	switch {
	case c.Turns:
	case len(t.outs) == 1:
		t.stop = []string{"\n"}
	default:
		t.stop = []string{"\n\n"}
	}
	head := strings.Join(append([]string{oneLine(p.Signature.Instructions())}, compactHints(p.Signature, t.ins, t.outs, c.Terse)...), " ")
	if c.Turns {
		t.messages = []lm.Message{lm.System(head)}
	} else {
		t.prefix = head + "\n\n"
	}
	for _, d := range orderDemos(p.Signature, p.Demos) {
		text, messages, err := t.example(d.fields)
		if err != nil {
			return nil, err
		}
		t.prefix += text
		t.messages = append(t.messages, messages...)
	}
	var err error
	t.shape, err = t.replyShape(p.Biases)
	return t, err
}

// compactTemplate is a prepared program.
type compactTemplate struct {
	sig     *signature.Signature
	adapter string
	turns   bool
	// ins are the inputs without the one that holds earlier turns, which is history.
	ins, outs []compactField
	history   string
	// prefix is the instructions and the demos, messages the same as messages.
	prefix   string
	messages []lm.Message
	shape    *lm.Shape
	stop     []string
}

// compactField is a field with the label that begins its line.
type compactField struct {
	signature.Field
	label string
}

// label gives the fields their labels. It refuses two fields under one, and what
// the layout cannot hold.
func (t *compactTemplate) label() error {
	seen := map[string]string{}
	label := func(f signature.Field) (compactField, error) {
		out := compactField{f, f.Prefix()}
		if other, ok := seen[out.label]; ok {
			return out, &FormatError{t.adapter, f.Name, fmt.Sprintf("the fields %q and %q would both stand under the label %q; rename one of them", other, f.Name, out.label)}
		}
		seen[out.label] = f.Name
		return out, nil
	}
	for _, f := range t.sig.Inputs() {
		if f.Type.Kind == signature.KindHistory && t.history == "" {
			t.history = f.Name
			continue
		}
		if !t.turns && holds(f.Type, isMedia) {
			return &FormatError{t.adapter, f.Name, "a raw prompt holds text only; use adapter.Chat, or adapter.Compact{Turns: true}, for images, sounds and files"}
		}
		cf, err := label(f)
		if err != nil {
			return err
		}
		t.ins = append(t.ins, cf)
	}
	for _, f := range t.sig.Outputs() {
		if holds(f.Type, func(t *signature.Type) bool {
			return isMedia(t) || t.Kind == signature.KindTool || t.Kind == signature.KindHistory
		}) {
			return &FormatError{t.adapter, f.Name, "a reply on one line holds no " + f.Type.String() + "; use adapter.Chat, or another type"}
		}
		cf, err := label(f)
		if err != nil {
			return err
		}
		t.outs = append(t.outs, cf)
	}
	if len(t.outs) == 0 {
		return &FormatError{Adapter: t.adapter, Problem: "the signature has no output, so there is nothing to ask for"}
	}
	return nil
}

// example writes a demo or an earlier turn, as text or as two messages: nothing
// when it has no output.
func (t *compactTemplate) example(r signature.Record) (string, []lm.Message, error) {
	first := slices.IndexFunc(t.outs, func(f compactField) bool { return f.shown(r) })
	if first < 0 {
		return "", nil, nil
	}
	var user, assistant content
	assistant.textOnly = true
	if err := t.fieldLines(&user, t.ins, r); err != nil {
		return "", nil, err
	}
	if err := t.fieldLines(&assistant, t.outs[first:], r); err != nil {
		return "", nil, err
	}
	answer := assistant.text.String()
	if !t.turns {
		return user.text.String() + answer + "\n", nil, nil
	}
	label := t.outs[first].label
	user.text.WriteString(label)
	return "", []lm.Message{user.message(lm.RoleUser), lm.Assistant(strip(strings.TrimPrefix(answer, label)))}, nil
}

// Request implements Template.
func (t *compactTemplate) Request(in signature.Record) (*lm.Request, error) {
	var b content
	var messages []lm.Message
	if !t.turns {
		b.text.Grow(len(t.prefix) + 512)
		b.text.WriteString(t.prefix)
	}
	turns, err := earlierTurns(t.adapter, t.history, in)
	if err != nil {
		return nil, err
	}
	for _, turn := range turns {
		text, pair, err := t.example(turn)
		if err != nil {
			return nil, err
		}
		b.text.WriteString(text)
		messages = append(messages, pair...)
	}
	if err := t.fieldLines(&b, t.ins, in); err != nil {
		return nil, err
	}
	b.text.WriteString(t.outs[0].label)
	r := &lm.Request{Shape: t.shape, Stop: t.stop}
	if t.turns {
		r.Messages = append(append(slices.Clone(t.messages), messages...), b.message(lm.RoleUser))
	} else {
		r.Prompt = b.text.String()
	}
	return r, nil
}

// replyShape is the reply: it begins behind the first output's label, and each
// value has a space before it, but for one that begins a message.
func (t *compactTemplate) replyShape(biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	for i, f := range t.outs {
		space := " "
		if i == 0 && t.turns {
			space = ""
		}
		if i > 0 {
			shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n" + f.label})
		}
		value, err := holes(f.Field, biases[f.Name], space)
		if err != nil {
			return nil, err
		}
		if len(value) > 1 {
			shape.Segments = append(shape.Segments, value...)
			continue
		}
		h := value[0]
		if h.Hole != lm.HoleText && h.Hole != lm.HoleChoice && space != "" {
			// Free text brings its own space and a choice has it in its alternatives.
			if n := len(shape.Segments); n > 0 {
				shape.Segments[n-1].Literal += space
			} else {
				shape.Segments = append(shape.Segments, lm.Segment{Literal: space})
			}
		}
		shape.Segments = append(shape.Segments, h)
	}
	if !t.turns { // a message ends by itself
		shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n"})
	}
	return shape, nil
}
