package adapter

import (
	"fmt"
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
// gives them; white space inside a value is collapsed, so that data cannot forge
// a line of its own. Fields that a demo lacks are left out, and a demo without an
// output altogether.
//
// It needs a backend that takes raw prompts, and one that enforces the reply's
// Shape to be of most use. Replies are read with the same repairs as Chat's.
type Compact struct{}

// Name returns "compact".
func (Compact) Name() string { return "compact" }

// Prepare implements Adapter.
func (c Compact) Prepare(p Program) (Template, error) {
	var b strings.Builder
	b.WriteString(oneLine(p.Signature.Instructions()))
	for _, f := range p.Signature.Outputs() {
		if hint := compactHint(p.Signature, f); hint != "" {
			b.WriteString("\n" + f.Prefix() + " " + hint)
		}
	}
	b.WriteString("\n\n")
	for _, d := range orderDemos(p.Signature, p.Demos) {
		for _, f := range p.Signature.Fields() {
			v, ok := d.fields.Get(f.Name)
			if !ok || v == nil {
				continue
			}
			if err := writeLine(&b, f, v); err != nil {
				return nil, err
			}
		}
		b.WriteByte('\n')
	}
	t := &compactTemplate{sig: p.Signature, prefix: b.String(), stop: []string{"\n\n"}}
	outs := p.Signature.Outputs()
	if len(outs) == 1 {
		t.stop = []string{"\n"}
	}
	var err error
	t.shape, err = compactShape(outs, p.Biases)
	return t, err
}

// compactHint says what the instructions do not say about an output already: what
// it is for, and its choices.
func compactHint(sig *signature.Signature, f signature.Field) string {
	said := strings.ToLower(sig.Instructions())
	hint := oneLine(description(f))
	for _, c := range f.Type.Choices {
		if !strings.Contains(said, strings.ToLower(c)) {
			if hint != "" {
				hint += "; "
			}
			return hint + "one of: " + strings.Join(f.Type.Choices, ", ")
		}
	}
	if f.Type.Kind == signature.KindString || f.Type.Kind == signature.KindEnum {
		return hint
	}
	if hint != "" {
		hint += "; "
	}
	return hint + "a value of type " + f.Type.String()
}

// oneLine collapses white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func writeLine(b *strings.Builder, f signature.Field, v signature.Value) error {
	text, err := formatValue(f.Type, v)
	if err != nil {
		return fmt.Errorf("adapter compact: field %q: %w", f.Name, err)
	}
	b.WriteString(f.Prefix())
	if text = oneLine(text); text != "" {
		b.WriteString(" " + text)
	}
	b.WriteByte('\n')
	return nil
}

// compactShape is the reply: it begins behind the first output's label, and each
// value has a space before it.
func compactShape(outs []signature.Field, biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	for i, f := range outs {
		if i > 0 {
			shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n" + f.Prefix()})
		}
		h, err := hole(f, biases[f.Name], " ")
		if err != nil {
			return nil, err
		}
		shape.Segments = append(shape.Segments, h)
	}
	shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n"})
	return shape, nil
}

type compactTemplate struct {
	sig    *signature.Signature
	prefix string
	shape  *lm.Shape
	stop   []string
}

// Request implements Template.
func (t *compactTemplate) Request(in signature.Record) (*lm.Request, error) {
	var b strings.Builder
	b.WriteString(t.prefix)
	for _, f := range t.sig.Inputs() {
		v, ok := in.Get(f.Name)
		if !ok || v == nil {
			continue
		}
		if err := writeLine(&b, f, v); err != nil {
			return nil, err
		}
	}
	b.WriteString(t.sig.Outputs()[0].Prefix())
	return &lm.Request{Prompt: b.String(), Shape: t.shape, Stop: t.stop}, nil
}

// Parse implements Template. The reply goes on behind the first output's label.
func (t *compactTemplate) Parse(reply string) (signature.Record, []Repair, error) {
	outs := t.sig.Outputs()
	found := map[string]string{}
	var names []string
	var repairs []Repair
	at, lines := 0, []string(nil)
	take := func() {
		name := outs[at].Name
		if _, twice := found[name]; !twice {
			found[name] = strings.TrimSpace(strings.Join(lines, "\n"))
			names = append(names, name)
		}
	}
	text := strings.TrimLeft(reply, " \t")
	if rest, ok := strings.CutPrefix(text, outs[0].Prefix()); ok {
		// A model may say the label again.
		text = rest
		repairs = append(repairs, Repair{Field: outs[0].Name, What: "label repeated"})
	}
	for i, line := range splitLines(text) {
		if i > 0 {
			if next := labelled(outs, line); next >= 0 {
				take()
				at, lines = next, []string{strings.TrimPrefix(line, outs[next].Prefix())}
				continue
			}
			if strings.TrimSpace(line) == "" && at == len(outs)-1 && strings.TrimSpace(strings.Join(lines, "")) != "" {
				break // the example has ended, and what follows is an invented one
			}
		}
		lines = append(lines, line)
	}
	take()
	if last := outs[at]; isChoice(last.Type) {
		// A choice is one line; a model that goes on has still answered.
		first, rest, more := strings.Cut(found[last.Name], "\n")
		if found[last.Name] = strings.TrimSpace(first); more && strings.TrimSpace(rest) != "" {
			repairs = append(repairs, Repair{Field: last.Name, What: "text after the answer"})
		}
	}
	return readFields("compact", t.sig, reply, found, names, repairs)
}

// labelled returns the output whose label begins the line, or -1.
func labelled(outs []signature.Field, line string) int {
	for i, f := range outs {
		if strings.HasPrefix(line, f.Prefix()) {
			return i
		}
	}
	return -1
}
