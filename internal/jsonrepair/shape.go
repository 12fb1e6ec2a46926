package jsonrepair

import "github.com/whetgo/whet/signature"

// sameShape reports whether two values differ in their scalars alone: the same
// keys, lists of the same lengths, scalars of the same kinds. A model that
// corrects itself repeats an object in the same shape.
func sameShape(a, b signature.Value) bool {
	switch a := a.(type) {
	case signature.Record:
		b, ok := b.(signature.Record)
		if !ok || a.Len() != b.Len() {
			return false
		}
		theirs := map[string]signature.Value{}
		for name, v := range b.All() {
			theirs[name] = v
		}
		for name, v := range a.All() {
			if w, ok := theirs[name]; !ok || !sameShape(v, w) {
				return false
			}
		}
		return true
	case []signature.Value:
		b, ok := b.([]signature.Value)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameShape(a[i], b[i]) {
				return false
			}
		}
		return true
	case nil:
		return b == nil
	case string:
		_, ok := b.(string)
		return ok
	case bool:
		_, ok := b.(bool)
		return ok
	case int64:
		_, ok := b.(int64)
		return ok
	case float64:
		_, ok := b.(float64)
		return ok
	}
	return false
}

// isEmpty reports whether a value is a text, list or object with nothing in it.
func isEmpty(v signature.Value) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []signature.Value:
		return len(v) == 0
	case signature.Record:
		return v.Len() == 0
	}
	return false
}

// isFalsy is Python's idea of a value that counts for nothing.
func isFalsy(v signature.Value) bool {
	return v == nil || isEmpty(v) || isZero(v)
}

func isZero(v signature.Value) bool {
	switch v := v.(type) {
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	}
	return false
}
