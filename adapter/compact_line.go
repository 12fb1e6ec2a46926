package adapter

import (
	"strings"

	"github.com/whetgo/whet/signature"
)

// shown reports whether a record's line of the field is written: not where the
// value is absent, unless that is a value of its type.
func (f *compactField) shown(r signature.Record) bool {
	v, ok := r.Get(f.Name)
	return ok && (v != nil || allowsNone(f.Type))
}

func allowsNone(t *signature.Type) bool {
	if t.Optional || t.Kind == signature.KindNone {
		return true
	}
	for _, v := range t.Literals() {
		if v == nil {
			return true
		}
	}
	return false
}

// fieldLines writes the fields that the record has, each on its line.
func (t *compactTemplate) fieldLines(c *content, fields []compactField, r signature.Record) error {
	for i := range fields {
		f := &fields[i]
		if !f.shown(r) {
			continue
		}
		v, _ := r.Get(f.Name)
		c.text.WriteString(f.label)
		if err := c.line(f.Type, v); err != nil {
			return &FormatError{t.adapter, f.Name, err.Error()}
		}
		c.text.WriteByte('\n')
	}
	return nil
}

// line writes a space and a value without line ends: a text with its white space
// collapsed, code of several lines as a JSON string, the others as content.value
// does.
func (c *content) line(t *signature.Type, v signature.Value) error {
	if s, ok := v.(string); ok && !isMedia(t) {
		if t.Kind != signature.KindCode || !strings.ContainsAny(s, "\n\r") {
			c.words(s)
			return nil
		}
		code, err := signature.MarshalPython(s)
		c.text.WriteString(" " + escapeLineEnds(code))
		return err
	}
	whole := content{keep: true, textOnly: c.textOnly}
	if err := whole.value(t, v); err != nil {
		return err
	}
	if !isJSON(t, v) {
		if len(whole.parts) == 0 {
			c.words(whole.text.String())
			return nil
		}
	}
	c.text.WriteByte(' ')
	for _, p := range whole.parts {
		c.text.WriteString(escapeLineEnds(p.Text))
		if p.Blob != nil {
			c.blob(p.Blob)
		}
	}
	c.text.WriteString(escapeLineEnds(whole.text.String()))
	return nil
}

// isJSON reports whether content.value writes a value as JSON, in which the only
// line ends are within strings.
func isJSON(t *signature.Type, v signature.Value) bool {
	switch v.(type) {
	case []signature.Value:
		return t.Kind != signature.KindString || t.Optional
	case signature.Record:
		m := t.Member(v)
		return m == nil || m.Kind != signature.KindTool
	}
	return false
}

// words writes the words of a text, each with a space before it.
func (c *content) words(s string) {
	for word := range strings.FieldsSeq(s) {
		c.text.WriteByte(' ')
		c.text.WriteString(word)
	}
}

// escapeLineEnds escapes the line ends that JSON leaves in its strings.
func escapeLineEnds(json string) string {
	if !strings.ContainsAny(json, "\u0085\u2028\u2029") {
		return json
	}
	return strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`).Replace(json)
}

// oneLine collapses white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
