package signature

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Coerce turns a value that was read without knowing its type (from JSON, mostly)
// into a value of the type: 42.0 becomes the integer 42, a text in RFC 3339 a
// time, an object's fields come into the type's order. It does not guess: a text
// is no number here. The error says what was wanted and what was there.
func Coerce(t *Type, v Value) (Value, error) {
	if t != nil && t.schema != nil && (v != nil || !t.Optional) {
		return v, t.schema.validate(v)
	}
	if t == nil || t.Kind == KindAny {
		return v, nil
	}
	if v == nil {
		if t.Optional || t.Kind == KindNone || t.Kind == KindLiteral && containsValue(t.Values, nil) {
			return nil, nil
		}
		return nil, fmt.Errorf("want %s, got nothing", t)
	}
	switch t.Kind {
	case KindString, KindReasoning, KindCode:
		if s, ok := v.(string); ok {
			return s, nil
		}
	case KindEnum:
		if s, ok := v.(string); ok && slices.Contains(t.Choices, s) {
			return s, nil
		}
		return nil, fmt.Errorf("want one of %s, got %s", strings.Join(t.Choices, ", "), show(v))
	case KindLiteral:
		if containsValue(t.Values, v) {
			return v, nil
		}
		return nil, fmt.Errorf("want %s, got %s", t, show(v))
	case KindUnion:
		return coerceUnion(t, v)
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
	case KindList, KindSet, KindTuple:
		if items, ok := v.([]Value); ok {
			return coerceList(t, items)
		}
	case KindDict:
		if r, ok := v.(Record); ok {
			return coerceDict(t, r)
		}
	case KindObject:
		if r, ok := v.(Record); ok {
			return coerceObject(t, r)
		}
	case KindNone:
	default: // of this package
		if r, ok := v.(Record); ok {
			return r, checkBuiltin(t.Kind, r)
		}
	}
	return nil, fmt.Errorf("want %s, got %s", t, show(v))
}

func coerceList(t *Type, items []Value) (Value, error) {
	fixed := t.Kind == KindTuple && t.Elem == nil && t.Items != nil
	if fixed && len(items) != len(t.Items) {
		return nil, fmt.Errorf("want %d items for %s, got %d", len(t.Items), t, len(items))
	}
	out := make([]Value, 0, len(items))
	for i, item := range items {
		elem := t.Elem
		if fixed {
			elem = t.Items[i]
		}
		v, err := Coerce(elem, item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		if t.Kind != KindSet || !containsValue(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// coerceUnion prefers the type that holds the value as it is to one that it must
// be changed for, and of equals the first.
func coerceUnion(t *Type, v Value) (Value, error) {
	var first Value
	found := false
	for _, item := range t.Items {
		got, err := Coerce(item, v)
		if err != nil {
			continue
		}
		if EqualValues(got, v) {
			return got, nil
		}
		if !found {
			first, found = got, true
		}
	}
	if !found {
		return nil, fmt.Errorf("want %s, got %s", t, show(v))
	}
	return first, nil
}

func coerceDict(t *Type, r Record) (Value, error) {
	values := make([]Value, r.Len())
	for i, v := range r.values {
		if _, err := dictKey(t.Key, r.names[i]); err != nil {
			return nil, fmt.Errorf("key %q: %w", r.names[i], err)
		}
		var err error
		if values[i], err = Coerce(t.Elem, v); err != nil {
			return nil, fmt.Errorf("key %q: %w", r.names[i], err)
		}
	}
	return Record{r.names, values}, nil
}

// dictKey reads a dict's key, which a record holds as text, as its type.
func dictKey(t *Type, name string) (Value, error) {
	if t == nil || t.Kind != KindInt && t.Kind != KindFloat && t.Kind != KindBool {
		return Coerce(t, name)
	}
	v, err := ParseValue([]byte(name))
	if err != nil {
		return nil, fmt.Errorf("want %s, got %q", t, name)
	}
	return Coerce(t, v)
}

func coerceObject(t *Type, r Record) (Value, error) {
	names, values := make([]string, 0, len(t.Fields)), make([]Value, 0, len(t.Fields))
	for _, f := range t.Fields {
		v, ok := r.Get(f.Name)
		if !ok && f.HasDefault {
			names, values = append(names, f.Name), append(values, normalize(f.Default))
			continue
		}
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

// FormatTime writes a time as Python's pydantic does, and so DSPy: RFC 3339, with
// no fraction or six digits of it, or as many more as the time needs.
func FormatTime(t time.Time) string {
	switch ns := t.Nanosecond(); {
	case ns == 0:
		return t.Format(time.RFC3339)
	case ns%1000 == 0:
		return t.Format("2006-01-02T15:04:05.000000Z07:00")
	default:
		return t.Format(time.RFC3339Nano)
	}
}
