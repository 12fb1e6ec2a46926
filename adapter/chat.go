package adapter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Chat speaks DSPy 3's chat format, byte for byte: a system message that lists
// the fields and shows their order, demos as turns, and fields under markers
// such as "[[ ## label ## ]]". Data that holds such a marker is made harmless
// before it is rendered; all other data is rendered as DSPy does.
//
// Replies are read as DSPy reads them, but for indented markers, which DSPy
// misreads. Where that fails for a choice, its letter case, the marks around it
// and a full stop behind it are forgiven, as is a bare answer for a signature
// whose only output is a choice; each such repair is reported.
type Chat struct{}

// Name returns "chat".
func (Chat) Name() string { return "chat" }

const completed = "completed"

// Prepare implements Adapter.
func (c Chat) Prepare(p Program) (Template, error) {
	system, err := chatSystem(p.Signature)
	if err != nil {
		return nil, err
	}
	t := &chatTemplate{sig: p.Signature, prefix: []lm.Message{lm.System(system)}}
	for _, d := range orderDemos(p.Signature, p.Demos) {
		user, err := userTurn(p.Signature, d.fields, d.complete)
		if err != nil {
			return nil, err
		}
		assistant, err := assistantTurn(p.Signature, d.fields)
		if err != nil {
			return nil, err
		}
		t.prefix = append(t.prefix, lm.User(user), lm.Assistant(assistant))
	}
	t.requirement = requirement(p.Signature)
	if t.shape, err = chatShape(p.Signature, p.Biases); err != nil {
		return nil, err
	}
	return t, nil
}

// chatSystem writes the system message.
func chatSystem(sig *signature.Signature) (string, error) {
	var b strings.Builder
	b.WriteString("Your input fields are:\n" + fieldList(sig.Inputs()))
	b.WriteString("\nYour output fields are:\n" + fieldList(sig.Outputs()))
	b.WriteString("\nAll interactions will be structured in the following way, with the appropriate values filled in.\n\n")
	for _, f := range sig.Inputs() {
		fmt.Fprintf(&b, "%s\n{%s}\n\n", marker(f.Name), f.Name)
	}
	for _, f := range sig.Outputs() {
		n, err := note(f.Type)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s\n{%s}%s\n\n", marker(f.Name), f.Name, n)
	}
	b.WriteString(marker(completed) + "\nIn adhering to this structure, your objective is: ")
	for _, line := range strings.Split(sig.Instructions(), "\n") {
		b.WriteString("\n        " + line)
	}
	return b.String(), nil
}

// fieldList numbers the fields. The list as a whole is stripped, so that only its
// last line loses the space behind the colon.
func fieldList(fields []signature.Field) string {
	lines := make([]string, len(fields))
	for i, f := range fields {
		lines[i] = fmt.Sprintf("%d. `%s` (%s): %s", i+1, f.Name, f.Type, description(f))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// description is what the field says about itself beyond DSPy's placeholder.
func description(f signature.Field) string {
	if f.Desc == "${"+f.Name+"}" {
		return ""
	}
	return f.Desc
}

// demo is a demo that can be shown.
type demo struct {
	fields   signature.Record
	complete bool
}

// orderDemos keeps the demos that have an input and an output, and puts those
// that lack some field before the others, as DSPy does.
func orderDemos(sig *signature.Signature, demos []signature.Record) []demo {
	var incomplete, complete []demo
	for _, d := range demos {
		has := func(fields []signature.Field) bool {
			return slices.ContainsFunc(fields, func(f signature.Field) bool { _, ok := d.Get(f.Name); return ok })
		}
		full := !slices.ContainsFunc(sig.Fields(), func(f signature.Field) bool { v, _ := d.Get(f.Name); return v == nil })
		switch {
		case full:
			complete = append(complete, demo{d, true})
		case has(sig.Inputs()) && has(sig.Outputs()):
			incomplete = append(incomplete, demo{d, false})
		}
	}
	return append(incomplete, complete...)
}

// userTurn writes the inputs that the record has.
func userTurn(sig *signature.Signature, r signature.Record, complete bool) (string, error) {
	var blocks []string
	if !complete {
		blocks = append(blocks, "This is an example of the task, though some input or output fields are not supplied.")
	}
	for _, f := range sig.Inputs() {
		v, ok := r.Get(f.Name)
		if !ok {
			continue
		}
		text, err := formatValue(f.Type, v)
		if err != nil {
			return "", fmt.Errorf("adapter chat: field %q: %w", f.Name, err)
		}
		blocks = append(blocks, marker(f.Name)+"\n"+hideMarkers(text))
	}
	return strings.TrimSpace(strings.Join(blocks, "\n\n")), nil
}

// assistantTurn writes the outputs of a demo.
func assistantTurn(sig *signature.Signature, r signature.Record) (string, error) {
	var blocks []string
	for _, f := range sig.Outputs() {
		text := "Not supplied for this particular example. "
		if v, ok := r.Get(f.Name); ok {
			var err error
			if text, err = formatValue(f.Type, v); err != nil {
				return "", fmt.Errorf("adapter chat: field %q: %w", f.Name, err)
			}
		}
		blocks = append(blocks, marker(f.Name)+"\n"+hideMarkers(text))
	}
	return strings.TrimSpace(strings.Join(blocks, "\n\n")) + "\n\n" + marker(completed) + "\n", nil
}

// requirement is the line that ends a request.
func requirement(sig *signature.Signature) string {
	var b strings.Builder
	b.WriteString("Respond with the corresponding output fields, starting with the field ")
	for i, f := range sig.Outputs() {
		if i > 0 {
			b.WriteString(", then ")
		}
		b.WriteString("`" + marker(f.Name) + "`")
		if f.Type.Kind != signature.KindString || f.Type.Optional {
			b.WriteString(" (must be formatted as a valid Python " + f.Type.String() + ")")
		}
	}
	b.WriteString(", and then ending with the marker for `" + marker(completed) + "`.")
	return b.String()
}

// chatTemplate is a prepared program. Everything but the last message is shared
// by all requests.
type chatTemplate struct {
	sig         *signature.Signature
	prefix      []lm.Message
	requirement string
	shape       *lm.Shape
}

// Request implements Template.
func (t *chatTemplate) Request(in signature.Record) (*lm.Request, error) {
	user, err := userTurn(t.sig, in, true)
	if err != nil {
		return nil, err
	}
	if user != "" {
		user += "\n\n"
	}
	messages := make([]lm.Message, len(t.prefix), len(t.prefix)+1)
	copy(messages, t.prefix)
	return &lm.Request{Messages: append(messages, lm.User(user+t.requirement)), Shape: t.shape}, nil
}
