package adapter

import (
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// JSON speaks the format of DSPy 3's JSONAdapter, byte for byte: user messages are
// those of [Chat], replies are JSON objects. Requests ask for such an object twice
// over: by lm.Request.ResponseFormat, for providers that know structured outputs,
// and by the Shape.
//
// Tools and their calls are fields like any others, as in DSPy where a model has no
// function calling of its own.
type JSON struct {
	// Strict reads replies as DSPy does and forgives nothing beyond.
	Strict bool
	// KeepMarkers renders field markers in data as they are, as DSPy does. Data can
	// then pass for fields.
	KeepMarkers bool
}

// Name returns "json".
func (JSON) Name() string { return "json" }

// jsonTemplate is a prepared program.
type jsonTemplate struct{ dialogue }

// Prepare implements Adapter.
func (j JSON) Prepare(p Program) (Template, error) {
	system, err := jsonSystem(p.Signature)
	if err != nil {
		return nil, err
	}
	answer := func(c *content, r signature.Record, missing signature.Value) error {
		return jsonAnswer(c, p.Signature, r, missing)
	}
	read := readOptions{strict: j.Strict, keepMarkers: j.KeepMarkers}
	d, err := newDialogue(j.Name(), p, read, system, jsonRequirement(p.Signature), answer)
	if err != nil {
		return nil, err
	}
	if d.shape, err = jsonShape(p.Signature, p.Biases); err != nil {
		return nil, err
	}
	if d.format, err = responseFormat(p.Signature); err != nil {
		return nil, err
	}
	return &jsonTemplate{d}, nil
}

// Parse implements Template.
func (t *jsonTemplate) Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error) {
	return readJSONReply(t.sig, reply, inputs, t.read)
}

// jsonSystem writes the system message.
func jsonSystem(sig *signature.Signature) (string, error) {
	slots, err := outputSlots(sig)
	if err != nil {
		return "", err
	}
	var object signature.Record
	for i, f := range sig.Outputs() {
		object = object.With(f.Name, slots[i])
	}
	outputs := content{keep: true}
	if err := (&jsonWriter{c: &outputs, indent: true}).write(nil, object, 0); err != nil {
		return "", err
	}
	structure := structureIntro + "\n\nInputs will have the following structure:\n\n" + inputSlots(sig) +
		"\n\nOutputs will be a JSON object with the following fields.\n\n" + outputs.text.String()
	return fieldsSection(sig) + "\n" + structure + "\n" + taskSection(sig), nil
}

// jsonRequirement is the line that ends a request.
func jsonRequirement(sig *signature.Signature) string {
	fields := make([]string, len(sig.Outputs()))
	for i, f := range sig.Outputs() {
		fields[i] = "`" + f.Name + "`" + typeRequirement(f.Type)
	}
	return "Respond with a JSON object in the following order of fields: " + strings.Join(fields, ", then ") + "."
}

// jsonAnswer writes the outputs of a demo or of an earlier turn.
func jsonAnswer(c *content, sig *signature.Signature, r signature.Record, missing signature.Value) error {
	w := jsonWriter{c: c, indent: true}
	c.text.WriteByte('{')
	for i, f := range sig.Outputs() {
		v, ok := r.Get(f.Name)
		if !ok {
			v = missing
		}
		w.before(i, 1)
		c.text.WriteString(`"` + f.Name + `": `)
		if err := w.write(f.Type, v, 1); err != nil {
			return &FormatError{Field: f.Name, Problem: err.Error()}
		}
	}
	w.after(len(sig.Outputs()), 0)
	c.text.WriteByte('}')
	return nil
}

// responseFormat asks for the reply's object: by its schema, or as any object where
// an output has keys that are not known before.
func responseFormat(sig *signature.Signature) (*lm.ResponseFormat, error) {
	const name = "DSPyProgramOutputs"
	for _, f := range sig.Outputs() {
		open := func(t *signature.Type) bool {
			switch t.Kind {
			case signature.KindDict, signature.KindToolCalls, signature.KindHistory:
				return true
			}
			return false
		}
		if holds(f.Type, open) {
			return &lm.ResponseFormat{Name: name}, nil
		}
	}
	schema, err := signature.MarshalValue(sig.StrictSchema(name))
	return &lm.ResponseFormat{Name: name, Schema: schema}, err
}
