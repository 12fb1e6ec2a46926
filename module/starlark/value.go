package starlark

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	star "go.starlark.net/starlark"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// readValue makes a Starlark value of an input.
func readValue(v signature.Value) star.Value {
	switch v := v.(type) {
	case bool:
		return star.Bool(v)
	case string:
		return star.String(v)
	case int64:
		return star.MakeInt64(v)
	case float64:
		return star.Float(v)
	case time.Time: // none comes out of JSON
		return star.String(signature.FormatTime(v))
	case []signature.Value:
		items := make([]star.Value, len(v))
		for i := range v {
			items[i] = readValue(v[i])
		}
		return star.NewList(items)
	case signature.Record:
		d := star.NewDict(v.Len())
		for name, item := range v.All() {
			_ = d.SetKey(star.String(name), readValue(item)) // a string is a key
		}
		return d
	}
	return star.None
}

// maxNesting is how deep a result may be nested: less than what the parent reads.
const maxNesting = 100

// limitError is a limit that was met outside the interpreter's loop.
type limitError module.CodeLimit

func (e limitError) Error() string { return "the limit of " + string(e) }

// writeValue writes a result as JSON of at most so many bytes.
func writeValue(v star.Value, limit int) ([]byte, error) {
	w := writer{left: limit}
	value, err := w.value(v, 0)
	if err != nil {
		return nil, err
	}
	text, err := signature.MarshalValue(value)
	if err == nil && len(text) > limit {
		err = limitError(module.LimitOutput)
	}
	return text, err
}

// writer makes values; left is how many more bytes there may be, at least.
type writer struct{ left int }

func (w *writer) value(v star.Value, depth int) (signature.Value, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("SUBMIT: the value is nested deeper than %d levels, or holds itself", maxNesting)
	}
	size := 1
	if s, ok := v.(star.String); ok {
		size = len(s)
	}
	if w.left -= size; w.left < 0 {
		return nil, limitError(module.LimitOutput)
	}
	switch v := v.(type) {
	case star.NoneType:
		return nil, nil
	case star.Bool:
		return bool(v), nil
	case star.String:
		return strings.ToValidUTF8(string(v), "\uFFFD"), nil
	case star.Int:
		if i, ok := v.Int64(); ok {
			return i, nil
		}
		if v.BigInt().BitLen() > 4*w.left { // digits take more than 3 bits each
			return nil, limitError(module.LimitOutput)
		}
		return v.String(), nil
	case star.Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("SUBMIT: %s is no finite number", v)
		}
		return float64(v), nil
	case *star.Dict:
		return w.dict(v, depth)
	case star.Iterable:
		if _, ok := v.(star.Sequence); !ok {
			break
		}
		out := []signature.Value{}
		for item := range star.Elements(v) {
			x, err := w.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	}
	return nil, fmt.Errorf("SUBMIT: a %s is no result; want numbers, strings, booleans, None, lists and dictionaries", v.Type())
}

func (w *writer) dict(d *star.Dict, depth int) (signature.Value, error) {
	names, values := make([]string, 0, d.Len()), make([]signature.Value, 0, d.Len())
	seen := map[string]bool{}
	for k, v := range star.Entries(d) {
		name, err := keyText(k)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, fmt.Errorf("SUBMIT: two keys of the dictionary are both %q as text", name)
		}
		seen[name] = true
		if w.left -= len(name); w.left < 0 {
			return nil, limitError(module.LimitOutput)
		}
		x, err := w.value(v, depth+1)
		if err != nil {
			return nil, err
		}
		names, values = append(names, name), append(values, x)
	}
	return signature.MakeRecord(names, values), nil
}

// keyText writes a key as Python's json.dumps does.
func keyText(k star.Value) (string, error) {
	switch k := k.(type) {
	case star.String:
		return strings.ToValidUTF8(string(k), "\uFFFD"), nil
	case star.Int, star.Float:
		return k.String(), nil
	case star.Bool:
		if k {
			return "true", nil
		}
		return "false", nil
	case star.NoneType:
		return "null", nil
	}
	return "", errors.New("SUBMIT: a " + k.Type() + " is no key of a result; want strings and numbers")
}
