package adapter

import (
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// content is a message that is being written: text, and images, sounds and files
// between it.
type content struct {
	text  strings.Builder
	parts []lm.Part // what stands before text
	// keep leaves field markers in data as they are.
	keep bool
	// textOnly writes images, sounds and files as text: only user messages can hold
	// them as they are.
	textOnly bool
}

// data writes text that came from data.
func (c *content) data(s string) {
	if !c.keep {
		s = hideMarkers(s)
	}
	c.text.WriteString(s)
}

// blob puts an image, a sound or a file between the text.
func (c *content) blob(b *lm.Blob) {
	if c.text.Len() > 0 {
		c.parts = append(c.parts, lm.Part{Text: c.text.String()})
		c.text.Reset()
	}
	c.parts = append(c.parts, lm.Part{Blob: b})
}

// empty reports whether nothing was written.
func (c *content) empty() bool { return c.text.Len() == 0 && len(c.parts) == 0 }

// message returns the message, without white space at its ends.
func (c *content) message(role lm.Role) lm.Message {
	if len(c.parts) == 0 {
		return lm.Message{Role: role, Parts: []lm.Part{{Text: strip(c.text.String())}}}
	}
	parts := c.parts
	if rest := stripRight(c.text.String()); rest != "" {
		parts = append(parts, lm.Part{Text: rest})
	}
	return lm.Message{Role: role, Parts: parts}
}

// value writes the value of a field as DSPy's prompts do: Python's True, False and
// None, numbers as Python prints them, lists and objects as JSON, and a list given
// to a text field as numbered lines.
func (c *content) value(t *signature.Type, v signature.Value) error {
	if text, ok := signature.PythonScalar(v); ok {
		if !isMedia(t) {
			c.data(text)
			return nil
		}
	}
	if items, ok := v.([]signature.Value); ok && t != nil && t.Kind == signature.KindString && !t.Optional {
		text, err := numbered(items)
		c.data(text)
		return err
	}
	t = t.Member(v)
	v, blob, err := c.plain(t, v)
	if err != nil {
		return err
	}
	if blob != nil {
		c.blob(blob)
		return nil
	}
	if text, ok := signature.PythonScalar(v); ok {
		c.data(text)
		return nil
	}
	if !isRich(t) {
		text, err := signature.MarshalPython(v)
		c.data(text)
		return err
	}
	return (&jsonWriter{c: c}).write(t, v, 0)
}

// plain returns what a value of one of signature's own types is in JSON: a text for
// a tool, or a blob, which stands between quotes there. Other values stay.
func (c *content) plain(t *signature.Type, v signature.Value) (signature.Value, *lm.Blob, error) {
	if t == nil {
		return v, nil, nil
	}
	if s, ok := v.(string); ok && isMedia(t) {
		r, ok := readMediaText(t.Kind, s)
		if !ok {
			return v, nil, nil
		}
		v = r
	}
	r, ok := v.(signature.Record)
	if !ok {
		return v, nil, nil
	}
	switch {
	case t.Kind == signature.KindTool:
		return toolText(r), nil, nil
	case t.Kind == signature.KindToolCalls:
		return shownCalls(r), nil, nil
	case isMedia(t) && c.textOnly:
		text, err := mediaText(t.Kind, r)
		return text, nil, err
	case isMedia(t):
		b, err := blobOf(t.Kind, r)
		return nil, b, err
	}
	return v, nil, nil
}

// isMedia reports whether values of a type are images, sounds or files.
func isMedia(t *signature.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind {
	case signature.KindImage, signature.KindAudio, signature.KindFile:
		return true
	}
	return false
}

// isRich reports whether a type holds others than JSON's.
func isRich(t *signature.Type) bool {
	return holds(t, func(t *signature.Type) bool {
		return isMedia(t) || t.Kind == signature.KindTool || t.Kind == signature.KindToolCalls
	})
}

// holds reports whether a type, or one inside it, is such.
func holds(t *signature.Type, such func(*signature.Type) bool) bool {
	if t == nil {
		return false
	}
	if such(t) || holds(t.Elem, such) || holds(t.Key, such) {
		return true
	}
	for _, item := range t.Items {
		if holds(item, such) {
			return true
		}
	}
	for _, f := range t.Fields {
		if holds(f.Type, such) {
			return true
		}
	}
	return false
}

// toolText is a tool as DSPy describes it.
func toolText(r signature.Record) string {
	get := func(name string) string {
		v, _ := r.Get(name)
		s, _ := v.(string)
		return s
	}
	args, _ := r.Get("args")
	schema, _ := args.(signature.Record)
	return signature.Tool{Name: get("name"), Desc: get("desc"), Args: schema}.String()
}

// shownCalls keeps of calls what DSPy shows of them.
func shownCalls(r signature.Record) signature.Record {
	v, _ := r.Get("tool_calls")
	list, ok := v.([]signature.Value)
	if !ok {
		return r
	}
	calls := make([]signature.Value, len(list))
	for i, item := range list {
		calls[i] = item
		if call, ok := item.(signature.Record); ok {
			name, _ := call.Get("name")
			args, _ := call.Get("args")
			calls[i] = signature.RecordOf("name", name, "args", args)
		}
	}
	out := signature.RecordOf("tool_calls", calls)
	if results, _ := r.Get(toolCallResults); results != nil {
		out = out.With(toolCallResults, results)
	}
	return out
}
