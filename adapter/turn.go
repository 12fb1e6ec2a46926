package adapter

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// incompleteDemo begins a demo that lacks some field, missingOutput stands for an
// output that it lacks.
const (
	incompleteDemo = "This is an example of the task, though some input or output fields are not supplied."
	missingOutput  = "Not supplied for this particular example. "
)

// userTurn writes intro, the inputs that the record has, and outro, each unless
// it is empty.
func (t *chatTemplate) userTurn(intro string, r signature.Record, outro string) (string, error) {
	var b strings.Builder
	size := len(intro) + len(outro) + 2
	for i, f := range t.sig.Inputs() {
		if v, ok := r.Get(f.Name); ok {
			s, _ := v.(string)
			size += len(t.headers[i]) + len(s) + 8
		}
	}
	b.Grow(size)
	b.WriteString(intro)
	for i, f := range t.sig.Inputs() {
		v, ok := r.Get(f.Name)
		if !ok {
			continue
		}
		text, err := formatValue(f.Type, v)
		if err != nil {
			return "", fmt.Errorf("adapter chat: field %q: %w", f.Name, err)
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(t.headers[i])
		b.WriteString(hideMarkers(text))
	}
	if outro != "" {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(outro)
	}
	return strip(b.String()), nil
}

// assistantTurn writes the outputs of a demo.
func assistantTurn(sig *signature.Signature, r signature.Record) (string, error) {
	blocks := make([]string, len(sig.Outputs()))
	for i, f := range sig.Outputs() {
		text := missingOutput
		if v, ok := r.Get(f.Name); ok {
			var err error
			if text, err = formatValue(f.Type, v); err != nil {
				return "", fmt.Errorf("adapter chat: field %q: %w", f.Name, err)
			}
		}
		blocks[i] = marker(f.Name) + "\n" + hideMarkers(text)
	}
	return strip(strings.Join(blocks, "\n\n")) + "\n\n" + marker(completed) + "\n", nil
}
