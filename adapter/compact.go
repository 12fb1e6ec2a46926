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
	if err := checkLabels(p.Signature); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(oneLine(p.Signature.Instructions()))
	for _, f := range p.Signature.Outputs() {
		if hint := compactHint(p.Signature, f); hint != "" {
			b.WriteString(" (" + f.Prefix() + " " + hint + ")")
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

// checkLabels refuses two fields that would stand under one label.
func checkLabels(sig *signature.Signature) error {
	seen := map[string]string{}
	for _, f := range sig.Fields() {
		if other, ok := seen[f.Prefix()]; ok {
			return fmt.Errorf("adapter compact: the fields %q and %q would both stand under the label %q; rename one of them", other, f.Name, f.Prefix())
		}
		seen[f.Prefix()] = f.Name
	}
	return nil
}

// compactHint says what the instructions do not say about an output already: the
// choices of an enum, the type of a value, what a text is for. It stands behind the
// instructions and not on a line of its own, where it would look like an answer.
func compactHint(sig *signature.Signature, f signature.Field) string {
	switch f.Type.Kind {
	case signature.KindString:
		return oneLine(description(f))
	case signature.KindEnum:
		said := strings.ToLower(sig.Instructions())
		for _, c := range f.Type.Choices {
			if !strings.Contains(said, strings.ToLower(c)) {
				return "one of " + strings.Join(f.Type.Choices, ", ")
			}
		}
		return ""
	}
	if d := oneLine(description(f)); d != "" {
		return d + "; " + f.Type.String()
	}
	return f.Type.String()
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
		if h.Hole != lm.HoleText && h.Hole != lm.HoleChoice {
			// Free text brings its own space and a choice has it in its alternatives.
			if n := len(shape.Segments); n > 0 {
				shape.Segments[n-1].Literal += " "
			} else {
				shape.Segments = append(shape.Segments, lm.Segment{Literal: " "})
			}
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
