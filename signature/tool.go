package signature

import (
	"fmt"
	"strings"
	"unicode"
)

// Tool describes a function that a model may call. It says nothing of how the
// function is run.
type Tool struct {
	Name string `json:"name"`
	// Desc says what it does.
	Desc string `json:"desc"`
	// Args holds the JSON Schema of each argument, in order.
	Args Record `json:"args"`
}

// ToolCalls is what a model wants to call.
type ToolCalls struct {
	Calls []ToolCall `json:"tool_calls"`
}

// ToolCall is one call.
type ToolCall struct {
	Name string `json:"name"`
	Args Record `json:"args"`
}

func (t Tool) record() Record { return RecordOf("name", t.Name, "desc", t.Desc, "args", t.Args) }

func (c ToolCalls) record() Record {
	calls := make([]Value, len(c.Calls))
	for i, call := range c.Calls {
		calls[i] = RecordOf("name", call.Name, "args", call.Args)
	}
	return RecordOf("tool_calls", calls)
}

// String writes the tool as DSPy shows it to a model.
func (t Tool) String() string {
	desc := "."
	if t.Desc != "" {
		desc = ", whose description is <desc>" + t.Desc + "</desc>."
	}
	return t.Name + strings.ReplaceAll(desc, "\n", "  ") + " It takes arguments " + PythonRepr(t.Args) + "."
}

// PythonRepr writes a value as Python's repr does: {'a': [1, True, None]}.
func PythonRepr(v Value) string {
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

func writeRepr(b *strings.Builder, v Value) {
	switch v := v.(type) {
	case string:
		b.WriteString(reprString(v))
	case []Value:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, item)
		}
		b.WriteByte(']')
	case Record:
		b.WriteByte('{')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			name, item := v.At(i)
			b.WriteString(reprString(name) + ": ")
			writeRepr(b, item)
		}
		b.WriteByte('}')
	default:
		b.WriteString(pythonString(v))
	}
}

// reprString quotes a text as Python does: in single quotes unless it holds only
// single ones.
func reprString(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}
