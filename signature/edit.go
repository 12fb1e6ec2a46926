package signature

import (
	"fmt"
	"slices"
	"strings"
)

// WithInstructions returns the signature with other instructions. Empty ones
// become the default.
func (s *Signature) WithInstructions(text string) *Signature {
	c := *s
	if c.instructions = cleandoc(text); strings.TrimFunc(c.instructions, isSpace) == "" {
		c.instructions = s.defaultInstructions()
	}
	return &c
}

// AppendInstructions returns the signature with text behind its instructions, set
// off by a blank line. As in DSPy, it is the whole that loses its indentation.
func (s *Signature) AppendInstructions(text string) *Signature {
	if strings.TrimSpace(text) == "" {
		return s
	}
	return s.WithInstructions(s.instructions + "\n\n" + text)
}

// PrependInput returns the signature with f as its first input. Like all edits of
// fields it returns an *Error when the name is taken.
func (s *Signature) PrependInput(f Field) (*Signature, error) { return s.InsertInput(0, f) }

// AppendInput returns the signature with f as its last input.
func (s *Signature) AppendInput(f Field) (*Signature, error) {
	return s.InsertInput(len(s.inputs), f)
}

// PrependOutput returns the signature with f as its first output.
func (s *Signature) PrependOutput(f Field) (*Signature, error) { return s.InsertOutput(0, f) }

// AppendOutput returns the signature with f as its last output.
func (s *Signature) AppendOutput(f Field) (*Signature, error) {
	return s.InsertOutput(len(s.outputs), f)
}

// InsertInput returns the signature with f as the input number i, from 0. A
// negative i counts from behind, -1 being the last place.
func (s *Signature) InsertInput(i int, f Field) (*Signature, error) {
	at, err := place(i, len(s.inputs), f)
	if err != nil {
		return nil, err
	}
	return build(s.instructions, slices.Insert(slices.Clone(s.inputs), at, f), s.outputs)
}

// InsertOutput is InsertInput for outputs.
func (s *Signature) InsertOutput(i int, f Field) (*Signature, error) {
	at, err := place(i, len(s.outputs), f)
	if err != nil {
		return nil, err
	}
	return build(s.instructions, s.inputs, slices.Insert(slices.Clone(s.outputs), at, f))
}

func place(i, n int, f Field) (int, error) {
	at := i
	if at < 0 {
		at += n + 1
	}
	if at < 0 || at > n {
		return 0, &Error{Field: f.Name, Problem: fmt.Sprintf("there is no place %d among %d fields; want one from %d to %d", i, n, -n-1, n)}
	}
	return at, nil
}

// Delete returns the signature without the field of that name, or an *Error when
// it has none.
func (s *Signature) Delete(name string) (*Signature, error) {
	named := func(f Field) bool { return f.Name == name }
	c := *s
	c.inputs = slices.DeleteFunc(slices.Clone(s.inputs), named)
	c.outputs = slices.DeleteFunc(slices.Clone(s.outputs), named)
	if len(c.inputs)+len(c.outputs) == len(s.inputs)+len(s.outputs) {
		return nil, &Error{Field: name, Problem: "the signature " + s.String() + " has no such field"}
	}
	return build(c.instructions, c.inputs, c.outputs)
}

// WithField returns the signature with f in place of the field of its name, or an
// *Error when it has none.
func (s *Signature) WithField(f Field) (*Signature, error) {
	c := *s
	c.inputs, c.outputs = slices.Clone(s.inputs), slices.Clone(s.outputs)
	for _, fields := range [][]Field{c.inputs, c.outputs} {
		for i := range fields {
			if fields[i].Name == f.Name {
				fields[i] = f
				return build(c.instructions, c.inputs, c.outputs)
			}
		}
	}
	return nil, &Error{Field: f.Name, Problem: "the signature " + s.String() + " has no such field"}
}
