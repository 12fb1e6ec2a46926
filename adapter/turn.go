package adapter

import (
	"errors"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// incompleteDemo begins a demo that lacks some field, missingOutput stands for an
// output that it lacks.
const (
	incompleteDemo = "This is an example of the task, though some input or output fields are not supplied."
	missingOutput  = "Not supplied for this particular example. "
)

// dialogue is a prepared program in the layout that Chat and JSON share: a system
// message, demos and earlier turns as pairs of messages, and the request. All but
// the earlier turns and the request is the same for every call.
type dialogue struct {
	sig     *signature.Signature
	adapter string
	// inputs are those of a demo's user message, asked those of a request: without
	// the earlier turns of the conversation.
	inputs, asked []slot
	// history is the input that holds earlier turns, "" for none.
	history string
	// answer writes an assistant message; missing stands for outputs that the record
	// lacks.
	answer      func(c *content, r signature.Record, missing signature.Value) error
	prefix      []lm.Message
	requirement string
	shape       *lm.Shape
	format      *lm.ResponseFormat
	read        readOptions
}

// slot is an input with the marker before it.
type slot struct {
	signature.Field
	header string
}

// newDialogue prepares a program. system is the system message, answer as in
// dialogue.
func newDialogue(name string, p Program, read readOptions, system, requirement string, answer func(*content, signature.Record, signature.Value) error) (dialogue, error) {
	d := dialogue{
		sig: p.Signature, adapter: name, answer: answer, requirement: requirement, read: read,
		prefix: []lm.Message{lm.System(system)},
	}
	for _, f := range p.Signature.Inputs() {
		s := slot{f, marker(f.Name) + "\n"}
		d.inputs = append(d.inputs, s)
		if d.history == "" && f.Type.Kind == signature.KindHistory && !f.Type.Optional {
			d.history = f.Name
		} else {
			d.asked = append(d.asked, s)
		}
	}
	for _, f := range p.Signature.Outputs() {
		if holds(f.Type, func(t *signature.Type) bool { return t.Kind == signature.KindTool }) {
			return d, &FormatError{name, f.Name, "a tool describes a function of the program, which no model can answer with; make the output a signature.ToolCalls"}
		}
	}
	for _, demo := range orderDemos(p.Signature, p.Demos) {
		intro := ""
		if !demo.complete {
			intro = incompleteDemo
		}
		user, err := d.user(intro, d.inputs, demo.fields, "")
		if err != nil {
			return d, err
		}
		assistant, err := d.assistant(demo.fields, missingOutput)
		if err != nil {
			return d, err
		}
		d.prefix = append(d.prefix, user, assistant)
	}
	return d, nil
}

// user writes a user message: intro, the inputs that the record has, and outro,
// each unless it is empty.
func (d *dialogue) user(intro string, inputs []slot, r signature.Record, outro string) (lm.Message, error) {
	c := content{keep: d.read.keepMarkers}
	size := len(intro) + len(outro) + 2
	for i := range inputs {
		if v, ok := r.Get(inputs[i].Name); ok {
			s, _ := v.(string)
			size += len(inputs[i].header) + len(s) + 8
		}
	}
	c.text.Grow(size)
	c.text.WriteString(intro)
	for i := range inputs {
		f := &inputs[i]
		v, ok := r.Get(f.Name)
		if !ok {
			continue
		}
		if !c.empty() {
			c.text.WriteString("\n\n")
		}
		c.text.WriteString(f.header)
		c.keep = d.read.keepMarkers || f.Rendered
		if err := c.value(f.Type, v); err != nil {
			return lm.Message{}, &FormatError{d.adapter, f.Name, err.Error()}
		}
	}
	c.keep = d.read.keepMarkers
	if outro != "" {
		if !c.empty() {
			c.text.WriteString("\n\n")
		}
		c.text.WriteString(outro)
	}
	return c.message(lm.RoleUser), nil
}

// assistant writes an assistant message.
func (d *dialogue) assistant(r signature.Record, missing signature.Value) (lm.Message, error) {
	c := content{keep: d.read.keepMarkers, textOnly: true}
	if err := d.answer(&c, r, missing); err != nil {
		var fe *FormatError
		if errors.As(err, &fe) {
			fe.Adapter = d.adapter
		}
		return lm.Message{}, err
	}
	return lm.Assistant(c.text.String()), nil
}

// Request implements Template.
func (d *dialogue) Request(in signature.Record) (*lm.Request, error) {
	user, err := d.user("", d.asked, in, d.requirement)
	if err != nil {
		return nil, err
	}
	turns, err := d.earlier(in)
	if err != nil {
		return nil, err
	}
	messages := make([]lm.Message, len(d.prefix), len(d.prefix)+len(turns)+1)
	copy(messages, d.prefix)
	messages = append(append(messages, turns...), user)
	return &lm.Request{Messages: messages, Shape: d.shape, ResponseFormat: d.format}, nil
}
