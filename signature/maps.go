package signature

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// encodeMap writes a map as a record whose keys are in order, since Go's maps have
// none and prompts must not change from call to call.
func (c *codec) encodeMap(v reflect.Value) (Value, error) {
	if v.IsNil() {
		return Record{}, nil
	}
	keys := v.MapKeys()
	numeric := c.key.typ.Kind == KindInt
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch {
		case !numeric:
			return strings.Compare(a.String(), b.String())
		case a.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		default:
			return cmp.Compare(a.Int(), b.Int())
		}
	})
	r := Record{make([]string, len(keys)), make([]Value, len(keys))}
	for i, k := range keys {
		name, err := c.key.encode(k)
		if err != nil {
			return nil, err
		}
		r.names[i] = pythonString(name)
		if r.values[i], err = c.elem.encode(v.MapIndex(k)); err != nil {
			return nil, within(err, v.Type(), "["+r.names[i]+"]")
		}
	}
	return r, nil
}

func (c *codec) decodeMap(r Record, v reflect.Value) error {
	m := reflect.MakeMapWithSize(v.Type(), r.Len())
	for name, item := range r.All() {
		key := reflect.New(v.Type().Key()).Elem()
		raw, err := dictKey(c.key.typ, name)
		if err != nil {
			return &Error{Problem: err.Error()}
		}
		if err := c.key.decode(raw, key); err != nil {
			return within(err, v.Type(), "["+name+"]")
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := c.elem.decode(item, elem); err != nil {
			return within(err, v.Type(), "["+name+"]")
		}
		m.SetMapIndex(key, elem)
	}
	v.Set(m)
	return nil
}

// encodeLiteral writes a whole number that is one of some. Zero that is none of
// them is not known, as "" is for an enum of texts.
func encodeLiteral(t *Type, v reflect.Value) (Value, error) {
	var n int64
	if v.CanUint() {
		n = int64(min(v.Uint(), 1<<62))
	} else {
		n = v.Int()
	}
	if containsValue(t.Values, n) {
		return n, nil
	}
	if n == 0 {
		return nil, nil
	}
	choices := make([]string, len(t.Values))
	for i, c := range t.Values {
		choices[i] = pythonString(c)
	}
	return nil, &Error{Problem: fmt.Sprintf("the value %s is none of %s", strconv.FormatInt(n, 10), strings.Join(choices, ", "))}
}
