package adapter

import (
	"strings"

	"github.com/whetgo/whet/signature"
)

// Chat speaks DSPy 3's chat format, byte for byte: a system message that lists
// the fields and shows their order, demos and earlier turns of a [signature.History]
// as messages, and fields under markers such as "[[ ## label ## ]]". Images, sounds
// and files are parts of their own in user messages. Data that holds a marker is
// made harmless before it is rendered (a zero width joiner behind its brackets,
// taken out again when a reply repeats it); all other data is rendered as DSPy does.
//
// Replies are read as DSPy reads them, but for indented markers, which DSPy
// misreads, and unless Strict with some forbearance for what small models write;
// each such repair is reported.
type Chat struct {
	// Strict reads replies as DSPy does and forgives nothing.
	Strict bool
	// KeepMarkers renders field markers in data as they are, as DSPy does. Data can
	// then pass for fields.
	KeepMarkers bool
}

// Name returns "chat".
func (Chat) Name() string { return "chat" }

const completed = "completed"

// chatTemplate is a prepared program.
type chatTemplate struct{ dialogue }

// Prepare implements Adapter.
func (c Chat) Prepare(p Program) (Template, error) {
	if _, ok := p.Signature.Output(completed); ok {
		return nil, &FormatError{c.Name(), completed, "the marker of an output of this name would be the one that ends every reply; rename the field"}
	}
	system, err := chatSystem(p.Signature)
	if err != nil {
		return nil, err
	}
	answer := func(c *content, r signature.Record, missing signature.Value) error {
		return chatAnswer(c, p.Signature, r, missing)
	}
	read := readOptions{strict: c.Strict, keepMarkers: c.KeepMarkers}
	d, err := newDialogue(c.Name(), p, read, system, chatRequirement(p.Signature), answer)
	if err != nil {
		return nil, err
	}
	if d.shape, err = chatShape(p.Signature, p.Biases); err != nil {
		return nil, err
	}
	return &chatTemplate{d}, nil
}

// chatSystem writes the system message.
func chatSystem(sig *signature.Signature) (string, error) {
	outputs, err := outputSlots(sig)
	if err != nil {
		return "", err
	}
	for i, f := range sig.Outputs() {
		outputs[i] = marker(f.Name) + "\n" + outputs[i]
	}
	structure := structureIntro + "\n\n" + inputSlots(sig) + "\n\n" + strip(strings.Join(outputs, "\n\n")) + "\n\n" + marker(completed)
	return fieldsSection(sig) + "\n" + structure + "\n" + taskSection(sig), nil
}

// chatRequirement is the line that ends a request.
func chatRequirement(sig *signature.Signature) string {
	fields := make([]string, len(sig.Outputs()))
	for i, f := range sig.Outputs() {
		fields[i] = "`" + marker(f.Name) + "`" + typeRequirement(f.Type)
	}
	return "Respond with the corresponding output fields, starting with the field " + strings.Join(fields, ", then ") +
		", and then ending with the marker for `" + marker(completed) + "`."
}

// chatAnswer writes the outputs of a demo or of an earlier turn.
func chatAnswer(c *content, sig *signature.Signature, r signature.Record, missing signature.Value) error {
	fields := content{keep: c.keep, textOnly: true}
	for i, f := range sig.Outputs() {
		if i > 0 {
			fields.text.WriteString("\n\n")
		}
		fields.text.WriteString(marker(f.Name) + "\n")
		v, ok := r.Get(f.Name)
		if !ok {
			v = missing
		}
		if err := fields.value(f.Type, v); err != nil {
			return &FormatError{Field: f.Name, Problem: err.Error()}
		}
	}
	c.text.WriteString(strip(fields.text.String()) + "\n\n" + marker(completed) + "\n")
	return nil
}
