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
	ins, outs, err := labels(p.Signature)
	if err != nil {
		return nil, err
	}
	t := &compactTemplate{sig: p.Signature, ins: ins, outs: outs, stop: []string{"\n\n"}}
	if len(outs) == 1 {
		t.stop = []string{"\n"}
	}
	var b strings.Builder
	b.WriteString(oneLine(p.Signature.Instructions()))
	for _, f := range outs {
		if hint := compactHint(p.Signature, f.Field); hint != "" {
			b.WriteString(" (" + f.label + " " + hint + ")")
		}
	}
	b.WriteString("\n\n")
	for _, d := range orderDemos(p.Signature, p.Demos) {
		answered := func(f compactField) bool { v, _ := d.fields.Get(f.Name); return v != nil }
		if !slices.ContainsFunc(outs, answered) {
			continue
		}
		if err := writeLines(&b, ins, d.fields); err != nil {
			return nil, err
		}
		if err := writeLines(&b, outs, d.fields); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
	}
	t.prefix = b.String()
	t.shape, err = compactShape(outs, p.Biases)
	return t, err
}

// compactField is a field with the label that begins its line.
type compactField struct {
	signature.Field
	label string
}

// labels gives the fields their labels, and refuses two fields under one.
func labels(sig *signature.Signature) (ins, outs []compactField, err error) {
	seen := map[string]string{}
	label := func(fields []signature.Field) []compactField {
		out := make([]compactField, len(fields))
		for i, f := range fields {
			out[i] = compactField{f, f.Prefix()}
			if other, ok := seen[out[i].label]; ok {
				err = fmt.Errorf("adapter compact: the fields %q and %q would both stand under the label %q; rename one of them", other, f.Name, out[i].label)
			}
			seen[out[i].label] = f.Name
		}
		return out
	}
	ins, outs = label(sig.Inputs()), label(sig.Outputs())
	return ins, outs, err
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

// writeLines writes the fields that the record has, each on its line.
func writeLines(b *strings.Builder, fields []compactField, r signature.Record) error {
	for _, f := range fields {
		v, ok := r.Get(f.Name)
		if !ok || v == nil {
			continue
		}
		text, err := formatValue(f.Type, v)
		if err != nil {
			return fmt.Errorf("adapter compact: field %q: %w", f.Name, err)
		}
		b.WriteString(f.label)
		for word := range strings.FieldsSeq(text) {
			b.WriteByte(' ')
			b.WriteString(word)
		}
		b.WriteByte('\n')
	}
	return nil
}

// compactShape is the reply: it begins behind the first output's label, and each
// value has a space before it.
func compactShape(outs []compactField, biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	for i, f := range outs {
		if i > 0 {
			shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n" + f.label})
		}
		h, err := hole(f.Field, biases[f.Name], " ")
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
	sig       *signature.Signature
	ins, outs []compactField
	// prefix is the instructions and the demos.
	prefix string
	shape  *lm.Shape
	stop   []string
}

// Request implements Template.
func (t *compactTemplate) Request(in signature.Record) (*lm.Request, error) {
	var b strings.Builder
	b.Grow(len(t.prefix) + 512)
	b.WriteString(t.prefix)
	if err := writeLines(&b, t.ins, in); err != nil {
		return nil, err
	}
	b.WriteString(t.outs[0].label)
	return &lm.Request{Prompt: b.String(), Shape: t.shape, Stop: t.stop}, nil
}
