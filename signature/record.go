package signature

import (
	"iter"
	"reflect"
	"slices"
	"time"
)

// Value is what a field holds: nil (absent, None), string, bool, int64, float64,
// time.Time, []Value, or a Record (an object). Nothing else; the codec makes
// these from Go values and back.
type Value any

// Record is an ordered list of named values: the inputs or outputs of one call,
// a demo, or a nested object. It is immutable: every change returns a new
// Record, so that records can be shared by goroutines and candidates. The zero
// Record is empty.
type Record struct {
	names  []string
	values []Value
}

// RecordOf makes a record of name, value pairs. It panics when a name is missing
// or not a string, as this is a mistake in the program and not in its data.
func RecordOf(pairs ...any) Record {
	var r Record
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok || i+1 == len(pairs) {
			panic("signature.RecordOf: want pairs of a name and a value")
		}
		r = r.With(name, normalize(pairs[i+1]))
	}
	return r
}

// MakeRecord makes a record of parallel slices, which it takes over; the caller
// must not change them afterwards.
func MakeRecord(names []string, values []Value) Record { return Record{names, values} }

// normalize writes the Go values that come easily to hand as those that a record
// holds.
func normalize(v any) Value {
	switch v := v.(type) {
	case int:
		return int64(v)
	case float32:
		return float64(v)
	case []Record:
		out := make([]Value, len(v))
		for i, r := range v {
			out[i] = r
		}
		return out
	case []string:
		out := make([]Value, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	default:
		return v
	}
}

// Len returns the number of fields.
func (r Record) Len() int { return len(r.names) }

// Get returns the value of a field and whether the record has it. A field that
// is there may hold nil.
func (r Record) Get(name string) (Value, bool) {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.values[i], true
	}
	return nil, false
}

// At returns the i-th name and value.
func (r Record) At(i int) (string, Value) { return r.names[i], r.values[i] }

// All yields names and values in order.
func (r Record) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i, n := range r.names {
			if !yield(n, r.values[i]) {
				return
			}
		}
	}
}

// With returns a record in which the field holds v: in its place, or at the end.
func (r Record) With(name string, v Value) Record {
	v = normalize(v)
	names, values := slices.Clone(r.names), slices.Clone(r.values)
	if i := slices.Index(names, name); i >= 0 {
		values[i] = v
		return Record{names, values}
	}
	return Record{append(names, name), append(values, v)}
}

// Without returns a record that lacks the field.
func (r Record) Without(name string) Record {
	i := slices.Index(r.names, name)
	if i < 0 {
		return r
	}
	return Record{slices.Delete(slices.Clone(r.names), i, i+1), slices.Delete(slices.Clone(r.values), i, i+1)}
}

// Merge returns a record that holds the fields of r and then those of o; where
// both have a field, o's value stands in r's place.
func (r Record) Merge(o Record) Record {
	for n, v := range o.All() {
		r = r.With(n, v)
	}
	return r
}

// Equal reports whether both records hold the same fields with equal values in
// the same order.
func (r Record) Equal(o Record) bool {
	return slices.Equal(r.names, o.names) && slices.EqualFunc(r.values, o.values, EqualValues)
}

// EqualValues reports whether two values are equal.
func EqualValues(a, b Value) bool {
	switch a := a.(type) {
	case Record:
		b, ok := b.(Record)
		return ok && a.Equal(b)
	case []Value:
		b, ok := b.([]Value)
		return ok && slices.EqualFunc(a, b, EqualValues)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	default:
		switch b.(type) {
		case Record, []Value, time.Time:
			return false
		}
		if a != nil && !reflect.TypeOf(a).Comparable() {
			return false // no value of a record
		}
		return a == b
	}
}
