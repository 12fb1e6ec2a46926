package gbnf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// A JSON value here is nil, a bool, a string, a number, a []any or an *object.

// number is a number as it is written.
type number string

// object is an object with its keys as they are written.
type object struct {
	keys   []string
	values map[string]any
}

func (o *object) get(key string) (any, bool) {
	v, ok := o.values[key]
	return v, ok
}

// maxDepth is how deep a schema may be nested.
const maxDepth = 256

// parseJSON reads one value. An object that has a key twice is refused: which of them
// counts is for each reader to say.
func parseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is text behind the value")
	}
	return v, nil
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	tok, err := dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Number:
		return number(tok), nil
	case json.Delim:
		if tok == '[' {
			return readArray(dec, depth)
		}
		return readObject(dec, depth)
	}
	return tok, nil
}

func readArray(dec *json.Decoder, depth int) (any, error) {
	out := []any{}
	for dec.More() {
		v, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := dec.Token()
	return out, err
}

func readObject(dec *json.Decoder, depth int) (any, error) {
	o := &object{values: map[string]any{}}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		if _, twice := o.values[key]; twice {
			return nil, fmt.Errorf("the key %q is there twice", key)
		}
		v, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		o.keys = append(o.keys, key)
		o.values[key] = v
	}
	_, err := dec.Token()
	return o, err
}

// plainValue is a value in the types of encoding/json.
func plainValue(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plainValue(item)
		}
		return out
	case *object:
		out := make(map[string]any, len(v.keys))
		for k, item := range v.values {
			out[k] = plainValue(item)
		}
		return out
	}
	return v
}

// rat is a number's value. It is not made of numbers whose digits would fill memory.
func (n number) rat() (*big.Rat, bool) {
	if !n.modest() {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// modest reports whether a number's exponent is one that a float64 can have.
func (n number) modest() bool {
	if len(n) > 400 {
		return false
	}
	if i := strings.IndexAny(string(n), "eE"); i >= 0 {
		digits := strings.TrimLeft(string(n[i+1:]), "+-0")
		return len(digits) < 3 || len(digits) == 3 && digits <= "400"
	}
	return true
}

// immodest finds a number in a value that is not modest.
func immodest(v any) (number, bool) {
	var items []any
	switch v := v.(type) {
	case number:
		return v, !v.modest()
	case []any:
		items = v
	case *object:
		for _, k := range v.keys {
			items = append(items, v.values[k])
		}
	}
	for _, item := range items {
		if n, ok := immodest(item); ok {
			return n, true
		}
	}
	return "", false
}

// plain writes a number without an exponent and without digits that say nothing, where
// that takes at most as many digits as a grammar of numbers has; else as it stands.
func (n number) plain() string {
	r, ok := n.rat()
	if !ok {
		return string(n)
	}
	if r.IsInt() {
		if s := r.Num().String(); len(strings.TrimPrefix(s, "-")) <= intDigits {
			return s
		}
		return string(n)
	}
	s := r.FloatString(fractionDigits)
	if back, _ := new(big.Rat).SetString(s); back.Cmp(r) != 0 || len(s) > intDigits+fractionDigits {
		return string(n)
	}
	return strings.TrimRight(s, "0")
}

// write writes a value in the one form that grammars accept.
func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, v)
	case number:
		b.WriteString(v.plain())
	case string:
		writeString(b, v)
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			write(b, item)
		}
		b.WriteByte(']')
	case *object:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			writeString(b, k)
			b.WriteString(": ")
			write(b, v.values[k])
		}
		b.WriteByte('}')
	}
}

func writeString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		b.WriteString(charText(r))
	}
	b.WriteByte('"')
}

// charText is a character inside of a JSON string: as it is where that may be.
func charText(r rune) string {
	switch r {
	case '"', '\\':
		return `\` + string(r)
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if r < ' ' {
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}

// written is a value in the one form that grammars accept.
func written(v any) string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

// keyed is an object's key and what stands behind it.
func keyed(name string) *expr {
	var b strings.Builder
	writeString(&b, name)
	return text(b.String() + ": ")
}
