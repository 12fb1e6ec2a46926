package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Coerce turns a value that was read without knowing its type (from JSON, mostly)
// into a value of the type: 42.0 becomes the integer 42, a text in RFC 3339 a
// time, an object's fields come into the type's order. It does not guess: a text
// is no number here. The error says what was wanted and what was there.
func Coerce(t *Type, v Value) (Value, error) {
	if v == nil {
		if t.Optional {
			return nil, nil
		}
		return nil, fmt.Errorf("want %s, got nothing", t)
	}
	switch t.Kind {
	case KindString:
		if s, ok := v.(string); ok {
			return s, nil
		}
	case KindEnum:
		if s, ok := v.(string); ok && slices.Contains(t.Choices, s) {
			return s, nil
		}
		return nil, fmt.Errorf("want one of %s, got %s", strings.Join(t.Choices, ", "), show(v))
	case KindBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case KindInt:
		switch n := v.(type) {
		case int64:
			return n, nil
		case float64:
			if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
				return int64(n), nil
			}
		}
	case KindFloat:
		switch n := v.(type) {
		case float64:
			if !math.IsNaN(n) && !math.IsInf(n, 0) {
				return n, nil
			}
		case int64:
			return float64(n), nil
		}
	case KindTime:
		switch s := v.(type) {
		case time.Time:
			return s, nil
		case string:
			if tm, err := ParseTime(s); err == nil {
				return tm, nil
			}
		}
	case KindList:
		if items, ok := v.([]Value); ok {
			return coerceList(t, items)
		}
	case KindObject:
		if r, ok := v.(Record); ok {
			return coerceObject(t, r)
		}
	}
	return nil, fmt.Errorf("want %s, got %s", t, show(v))
}

func coerceList(t *Type, items []Value) (Value, error) {
	out := make([]Value, len(items))
	for i, item := range items {
		var err error
		if out[i], err = Coerce(t.Elem, item); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	return out, nil
}

func coerceObject(t *Type, r Record) (Value, error) {
	names, values := make([]string, 0, len(t.Fields)), make([]Value, 0, len(t.Fields))
	for _, f := range t.Fields {
		v, _ := r.Get(f.Name)
		v, err := Coerce(f.Type, v)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		names, values = append(names, f.Name), append(values, v)
	}
	return Record{names, values}, nil
}

// show writes a value for an error message, cut to a length that fits a line.
func show(v Value) string {
	data, err := MarshalValue(v)
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	if r := []rune(string(data)); len(r) > 80 {
		return string(r[:80]) + "..."
	}
	return string(data)
}

// ParseTime reads a date and time: RFC 3339, or ISO 8601 without a zone (taken as
// UTC), or a date alone.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("want a date and time such as 2006-01-02T15:04:05Z, got %q", s)
}

// ParseValue reads a JSON value without a type: objects become Records in the
// order of the text, whole numbers int64, other numbers float64. A key that
// stands twice in an object, and text after the value, are errors.
func ParseValue(data []byte) (Value, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err == nil {
		return nil, errors.New("there is more text after the JSON value")
	}
	if rest := bytes.TrimSpace(data[min(int(dec.InputOffset()), len(data)):]); len(rest) > 0 {
		return nil, errors.New("there is more text after the JSON value")
	}
	return v, nil
}

// ParseRecord is [ParseValue] for an object.
func ParseRecord(data []byte) (Record, error) {
	v, err := ParseValue(data)
	if err != nil {
		return Record{}, err
	}
	r, ok := v.(Record)
	if !ok {
		return Record{}, fmt.Errorf("want a JSON object, got %s", show(v))
	}
	return r, nil
}

// maxDepth bounds the nesting of values that are read.
const maxDepth = 200

func parseValue(dec *json.Decoder, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the value is nested deeper than %d levels", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '[' {
			return parseList(dec, depth)
		}
		return parseObject(dec, depth)
	case json.Number:
		return parseNumber(tok)
	default: // nil, bool, string
		return tok, nil
	}
}

func parseNumber(n json.Number) (Value, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("the number %s is out of range", n)
	}
	return f, nil
}

func parseList(dec *json.Decoder, depth int) (Value, error) {
	out := []Value{}
	for dec.More() {
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return out, nil
}

func parseObject(dec *json.Decoder, depth int) (Value, error) {
	var r Record
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		key, _ := tok.(string)
		if seen[key] {
			return nil, fmt.Errorf("the key %q stands twice", key)
		}
		seen[key] = true
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		r.names, r.values = append(r.names, key), append(r.values, v)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return r, nil
}

// MarshalJSON writes the record as an object, fields in order.
func (r Record) MarshalJSON() ([]byte, error) { return MarshalValue(r) }

// MarshalValue writes a value as compact JSON: fields in order, no escaping of
// characters that JSON allows, times in RFC 3339.
func MarshalValue(v Value) ([]byte, error) {
	var b bytes.Buffer
	err := writeValue(&b, v, jsonStyle{item: ",", key: ":"})
	return b.Bytes(), err
}

// MarshalPython writes a value as Python's json.dumps does by default but for
// non-ASCII characters, which it leaves: with a space after commas and colons.
// DSPy's prompts show lists and objects so.
func MarshalPython(v Value) (string, error) {
	var b bytes.Buffer
	err := writeValue(&b, v, jsonStyle{item: ", ", key: ": "})
	return b.String(), err
}

type jsonStyle struct{ item, key string }

func writeValue(b *bytes.Buffer, v Value, style jsonStyle) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		writeString(b, v)
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the number %v cannot be written as JSON", v)
		}
		b.WriteString(FormatFloat(v))
	case time.Time:
		writeString(b, v.Format(time.RFC3339Nano))
	case []Value:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(style.item)
			}
			if err := writeValue(b, item, style); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case Record:
		b.WriteByte('{')
		for i, name := range v.names {
			if i > 0 {
				b.WriteString(style.item)
			}
			writeString(b, name)
			b.WriteString(style.key)
			if err := writeValue(b, v.values[i], style); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		return fmt.Errorf("a %T is no value of a record", v)
	}
	return nil
}

// writeString writes a JSON string, escaping only what JSON must have escaped.
func writeString(b *bytes.Buffer, s string) {
	var tmp bytes.Buffer
	enc := json.NewEncoder(&tmp)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	out := bytes.TrimSuffix(tmp.Bytes(), []byte("\n"))
	// encoding/json escapes the two line separators for the sake of JavaScript.
	out = bytes.ReplaceAll(out, []byte(`\u2028`), []byte("\u2028"))
	out = bytes.ReplaceAll(out, []byte(`\u2029`), []byte("\u2029"))
	b.Write(out)
}

// FormatFloat writes a number as Python does: 42.0 keeps its point.
func FormatFloat(f float64) string {
	abs := math.Abs(f)
	if abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return s
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.ContainsRune(s, '.') {
		s += ".0"
	}
	return s
}
