package signature

import (
	"fmt"
	"slices"
	"strings"
)

// Signature says what goes into one LM call and what comes out: instructions and
// typed fields in order. It is immutable; the With methods return a changed copy.
type Signature struct {
	instructions string
	inputs       []Field
	outputs      []Field
}

// Field is one input or output.
type Field struct {
	// Name is the field's name in prompts, demos and files.
	Name string
	// Desc tells the model what the field holds; empty means nothing to tell.
	Desc string
	// Type is the type of the values.
	Type *Type
	// Constraints are what a value must fulfil besides, in the order in which they
	// are shown to the model.
	Constraints []Constraint
	// Default is the value of an output, or of an object's field, that a reply
	// lacks, if HasDefault.
	Default    Value
	HasDefault bool
	// Rendered says that the text of an input was written by an adapter, such as the
	// trajectory of a module.ReAct: its field markers are shown as they are, since what was
	// data in it has had its own hidden already.
	Rendered bool
}

// New makes a signature of fields. Empty instructions are replaced by the
// default ones, which list the fields. Names must be given, distinct over inputs
// and outputs, and at least one output is needed.
func New(instructions string, inputs, outputs []Field) (*Signature, error) {
	if len(outputs) == 0 {
		return nil, &Error{Problem: "the signature has no output field, so there is nothing to ask for"}
	}
	return build(instructions, inputs, outputs)
}

// build is New for a signature that may be without outputs, as DSPy allows.
func build(instructions string, inputs, outputs []Field) (*Signature, error) {
	seen := map[string]bool{}
	for _, f := range slices.Concat(inputs, outputs) {
		switch {
		case f.Name == "":
			return nil, &Error{Problem: "a field has no name"}
		case f.Type == nil:
			return nil, &Error{Field: f.Name, Problem: "the field has no type"}
		case !isIdentifier(f.Name):
			return nil, &Error{Field: f.Name, Problem: "the name must be letters, digits and underscores, and not begin with a digit, or no reply could name the field"}
		case seen[f.Name]:
			return nil, &Error{Field: f.Name, Problem: "two fields have this name; rename one of them with a json tag"}
		}
		seen[f.Name] = true
		problem := f.Type.problem(0)
		if problem == "" {
			problem = f.problem()
		}
		if problem != "" {
			return nil, &Error{Field: f.Name, Problem: problem}
		}
	}
	s := &Signature{inputs: slices.Clone(inputs), outputs: slices.Clone(outputs)}
	for i := range s.outputs {
		s.outputs[i].Default = normalize(s.outputs[i].Default)
	}
	if instructions = cleandoc(instructions); strings.TrimFunc(instructions, isSpace) == "" {
		instructions = s.defaultInstructions()
	}
	s.instructions = instructions
	return s, nil
}

// Instructions returns what the model is told to do.
func (s *Signature) Instructions() string { return s.instructions }

// Inputs returns the input fields in order. The slice must not be changed.
func (s *Signature) Inputs() []Field { return s.inputs }

// Outputs returns the output fields in order. The slice must not be changed.
func (s *Signature) Outputs() []Field { return s.outputs }

// Fields returns inputs and then outputs, in a new slice.
func (s *Signature) Fields() []Field { return slices.Concat(s.inputs, s.outputs) }

// Input returns the input field of that name.
func (s *Signature) Input(name string) (Field, bool) { return find(s.inputs, name) }

// Output returns the output field of that name.
func (s *Signature) Output(name string) (Field, bool) { return find(s.outputs, name) }

func find(fields []Field, name string) (Field, bool) {
	if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return fields[i], true
	}
	return Field{}, false
}

// String returns the signature in DSPy's short form: "text -> label".
func (s *Signature) String() string {
	name := func(fs []Field) string {
		names := make([]string, len(fs))
		for i, f := range fs {
			names[i] = f.Name
		}
		return strings.Join(names, ", ")
	}
	return name(s.inputs) + " -> " + name(s.outputs)
}

func (s *Signature) defaultInstructions() string {
	quote := func(fs []Field) string {
		names := make([]string, len(fs))
		for i, f := range fs {
			names[i] = "`" + f.Name + "`"
		}
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("Given the fields %s, produce the fields %s.", quote(s.inputs), quote(s.outputs))
}

// Error is a mistake in a signature or its Go type.
type Error struct {
	// Type is the Go type, Field the Go or signature field, Tag the struct tag
	// that is wrong; each may be empty.
	Type, Field, Tag string
	// Problem says what is wrong, what was expected and what to do.
	Problem string
}

// Error names type, field and tag.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("signature")
	if e.Type != "" {
		b.WriteString(": type " + e.Type)
	}
	if e.Field != "" {
		b.WriteString(": field " + e.Field)
	}
	if e.Tag != "" {
		b.WriteString(": tag " + e.Tag)
	}
	b.WriteString(": " + e.Problem)
	return b.String()
}
