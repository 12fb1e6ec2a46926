package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

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

// UnmarshalJSON reads a JSON object as [ParseRecord] does.
func (r *Record) UnmarshalJSON(data []byte) error {
	read, err := ParseRecord(data)
	if err != nil {
		return err
	}
	*r = read
	return nil
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
		writeString(b, FormatTime(v))
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

// writeString writes a JSON string, escaping only what JSON must have escaped, as
// Python does with ensure_ascii off. encoding/json escapes two line separators
// more, for the sake of JavaScript.
func writeString(b *bytes.Buffer, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n != 1 {
				i += n - 1
				continue
			}
		} else if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(s[from:i])
		from = i + 1
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			if c >= utf8.RuneSelf { // no UTF-8: JSON cannot hold it
				b.WriteRune(utf8.RuneError)
				continue
			}
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	b.WriteString(s[from:])
	b.WriteByte('"')
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
