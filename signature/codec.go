package signature

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Encode makes the record of a struct, or of a pointer to one. It returns an
// *Error for a value that its type does not allow: an enum value that is no
// choice, a number that is not finite or too large. The zero value of an enum
// ("") is written as nil: the field is not known.
//
// A Record, as programs of string signatures have it, is returned as it is.
func Encode(v any) (Record, error) {
	if r, ok := v.(Record); ok {
		return r, nil
	}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if !rv.IsValid() || rv.Kind() == reflect.Pointer {
		return Record{}, &Error{Type: fmt.Sprintf("%T", v), Problem: "want a struct, got nil"}
	}
	p, err := planOf(rv.Type())
	if err != nil {
		return Record{}, err
	}
	return p.encode(rv)
}

func (p *plan) encode(v reflect.Value) (Record, error) {
	values := make([]Value, len(p.fields))
	for i := range p.fields {
		f := &p.fields[i]
		val, err := f.codec.encode(v.FieldByIndex(f.index))
		if err != nil {
			return Record{}, within(err, v.Type(), f.Name)
		}
		values[i] = val
	}
	return Record{p.names, values}, nil
}

// within adds the place to an error of a nested value.
func within(err error, t reflect.Type, field string) error {
	e, ok := err.(*Error) //nolint:errorlint // made by this package a moment ago
	if !ok {
		return err
	}
	if e.Field != "" {
		field += "." + e.Field
	}
	return &Error{Type: t.String(), Field: field, Tag: e.Tag, Problem: e.Problem}
}

func (c *codec) encode(v reflect.Value) (Value, error) {
	if c.ptr {
		if v.IsNil() {
			return nil, nil
		}
		return c.elem.encode(v.Elem())
	}
	switch c.typ.Kind {
	case KindString, KindReasoning, KindCode:
		return v.String(), nil
	case KindAny:
		return anyValue(v.Interface())
	case KindLiteral:
		return encodeLiteral(c.typ, v)
	case KindEnum:
		s := v.String()
		if s == "" {
			return nil, nil
		}
		if !slices.Contains(c.typ.Choices, s) {
			return nil, &Error{Problem: fmt.Sprintf("the value %q is none of %s", s, strings.Join(c.typ.Choices, ", "))}
		}
		return s, nil
	case KindBool:
		return v.Bool(), nil
	case KindInt:
		if v.CanUint() {
			if v.Uint() > math.MaxInt64 {
				return nil, &Error{Problem: fmt.Sprintf("the value %d is larger than %d", v.Uint(), int64(math.MaxInt64))}
			}
			return int64(v.Uint()), nil
		}
		return v.Int(), nil
	case KindFloat:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, &Error{Problem: fmt.Sprintf("the value %v is not a finite number", f)}
		}
		return shortest(v), nil
	case KindTime:
		return v.Interface().(time.Time), nil
	case KindDict:
		if r, ok := v.Interface().(Record); ok {
			return r, nil
		}
		return c.encodeMap(v)
	case KindImage, KindAudio, KindFile, KindHistory, KindTool, KindToolCalls:
		val, err := encodeBuiltin(v.Interface())
		if err != nil {
			return nil, &Error{Problem: err.Error()}
		}
		return val, nil
	case KindList, KindTuple:
		out := make([]Value, v.Len())
		for i := range out {
			item, err := c.elem.encode(v.Index(i))
			if err != nil {
				return nil, within(err, v.Type(), "["+strconv.Itoa(i)+"]")
			}
			out[i] = item
		}
		return out, nil
	default:
		return c.object.encode(v)
	}
}

// Decode fills the struct that out points to from a record. Fields of the record
// that the struct does not have are ignored. It returns an *Error for a field
// that the record lacks and for a value that the Go type cannot hold; a nil value
// is allowed for a pointer only. On error the struct is unchanged. A *Record becomes
// the record.
func Decode(r Record, out any) error {
	if to, ok := out.(*Record); ok && to != nil {
		*to = r
		return nil
	}
	rv := reflect.ValueOf(out)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return &Error{Type: fmt.Sprintf("%T", out), Problem: "want a pointer to a struct"}
	}
	p, err := planOf(rv.Type().Elem())
	if err != nil {
		return err
	}
	fresh := reflect.New(rv.Type().Elem()).Elem()
	fresh.Set(rv.Elem())
	if err := p.decode(r, fresh); err != nil {
		return err
	}
	rv.Elem().Set(fresh)
	return nil
}

func (p *plan) decode(r Record, v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		val, ok := r.Get(f.Name)
		if !ok && !f.codec.ptr {
			return &Error{Type: v.Type().String(), Field: f.Name, Problem: "the record lacks the field"}
		}
		if err := f.codec.decode(val, v.FieldByIndex(f.index)); err != nil {
			return within(err, v.Type(), f.Name)
		}
	}
	return nil
}

func (c *codec) decode(val Value, v reflect.Value) error {
	if c.ptr {
		if val == nil {
			v.SetZero()
			return nil
		}
		fresh := reflect.New(v.Type().Elem())
		if err := c.elem.decode(val, fresh.Elem()); err != nil {
			return err
		}
		v.Set(fresh)
		return nil
	}
	val, err := Coerce(c.typ, val)
	if err != nil {
		return &Error{Problem: err.Error()}
	}
	switch c.typ.Kind {
	case KindString, KindEnum, KindReasoning, KindCode:
		v.SetString(val.(string))
	case KindAny:
		if val == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.ValueOf(val))
	case KindDict:
		if v.Type() == reflect.TypeFor[Record]() {
			v.Set(reflect.ValueOf(val))
			return nil
		}
		return c.decodeMap(val.(Record), v)
	case KindImage, KindAudio, KindFile, KindHistory, KindTool, KindToolCalls:
		decodeBuiltin(val.(Record), v)
	case KindTuple:
		for i, item := range val.([]Value) {
			if err := c.elem.decode(item, v.Index(i)); err != nil {
				return within(err, v.Type(), "["+strconv.Itoa(i)+"]")
			}
		}
	case KindBool:
		v.SetBool(val.(bool))
	case KindInt, KindLiteral: // in Go a literal that is no enum is a whole number
		return setInt(v, val.(int64))
	case KindFloat:
		f := val.(float64)
		if v.OverflowFloat(f) {
			return &Error{Problem: fmt.Sprintf("the value %v does not fit a %s", f, v.Type())}
		}
		v.SetFloat(f)
	case KindTime:
		v.Set(reflect.ValueOf(val))
	case KindList:
		items := val.([]Value)
		s := reflect.MakeSlice(v.Type(), len(items), len(items))
		for i, item := range items {
			if err := c.elem.decode(item, s.Index(i)); err != nil {
				return within(err, v.Type(), "["+strconv.Itoa(i)+"]")
			}
		}
		v.Set(s)
	default:
		return c.object.decode(val.(Record), v)
	}
	return nil
}

func setInt(v reflect.Value, n int64) error {
	if v.CanUint() {
		if n < 0 || v.OverflowUint(uint64(n)) {
			return &Error{Problem: fmt.Sprintf("the value %d does not fit a %s", n, v.Type())}
		}
		v.SetUint(uint64(n))
		return nil
	}
	if v.OverflowInt(n) {
		return &Error{Problem: fmt.Sprintf("the value %d does not fit a %s", n, v.Type())}
	}
	v.SetInt(n)
	return nil
}

// shortest returns a number as it was written: a float32 of 0.1 is 0.1 and not the
// nearest float64.
func shortest(v reflect.Value) float64 {
	f := v.Float()
	if v.Kind() == reflect.Float32 {
		if short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64); err == nil {
			return short
		}
	}
	return f
}
