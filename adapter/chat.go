package adapter

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Chat speaks DSPy 3's chat format, byte for byte: a system message that lists
// the fields and shows their order, demos as turns, and fields under markers
// such as "[[ ## label ## ]]". Data that holds such a marker is made harmless
// before it is rendered (a zero width joiner behind its brackets, taken out again
// when a reply repeats it); all other data is rendered as DSPy does.
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
	for _, f := range p.Signature.Inputs() {
		t.headers = append(t.headers, marker(f.Name)+"\n")
	}
	for _, d := range orderDemos(p.Signature, p.Demos) {
		intro := ""
		if !d.complete {
			intro = incompleteDemo
		}
		user, err := t.userTurn(intro, d.fields, "")
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
		if strip(line) == "" {
			line = ""
		}
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
	return strip(strings.Join(lines, "\n"))
}

// description is what the field says about itself beyond DSPy's placeholder.
func description(f signature.Field) string {
	if f.Desc == "${"+f.Name+"}" {
		return ""
	}
	return f.Desc
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
	sig *signature.Signature
	// prefix is the system message and the demos.
	prefix []lm.Message
	// headers are the markers of the inputs, each with the line end behind it.
	headers     []string
	requirement string
	shape       *lm.Shape
}

// Request implements Template.
func (t *chatTemplate) Request(in signature.Record) (*lm.Request, error) {
	user, err := t.userTurn("", in, t.requirement)
	if err != nil {
		return nil, err
	}
	messages := make([]lm.Message, len(t.prefix), len(t.prefix)+1)
	copy(messages, t.prefix)
	return &lm.Request{Messages: append(messages, lm.User(user)), Shape: t.shape}, nil
}
