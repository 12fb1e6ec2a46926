package adapter

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/whetgo/whet/signature"
)

// items makes a list, a set or a tuple.
func (l *laxer) items(t *signature.Type, items []signature.Value) (signature.Value, error) {
	if t.Kind != signature.KindList {
		l.worse(converted) // JSON has lists only
	}
	fixed := t.Kind == signature.KindTuple && t.Elem == nil && t.Items != nil
	if fixed && len(items) != len(t.Items) {
		return nil, fmt.Errorf("want %d items for %s, got %d", len(t.Items), t, len(items))
	}
	out := make([]signature.Value, 0, len(items))
	var seen map[string]bool
	if t.Kind == signature.KindSet {
		seen = make(map[string]bool, len(items))
	}
	for i, item := range items {
		elem := t.Elem
		if fixed {
			elem = t.Items[i]
		}
		v, err := l.value(elem, item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		if seen != nil {
			key, err := setKey(elem, v)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", i, err)
			}
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		out = append(out, v)
	}
	return out, nil
}

// setKey tells the items of a set apart. Python's sets hold nothing that can be
// changed, so no lists and dicts; tuples they do hold.
func setKey(t *signature.Type, v signature.Value) (string, error) {
	switch x := v.(type) {
	case string:
		return "s" + x, nil
	case time.Time:
		return "t" + strconv.FormatInt(x.UnixNano(), 10), nil
	case []signature.Value:
		if t == nil || t.Kind != signature.KindTuple {
			return "", fmt.Errorf("a set cannot hold the list %s", shown(v))
		}
	case signature.Record:
		if t == nil || t.Kind == signature.KindDict || t.Kind == signature.KindAny {
			return "", fmt.Errorf("a set cannot hold the object %s", shown(v))
		}
	}
	if f, ok := asNumber(v); ok {
		if n, isInt := v.(int64); isInt && math.Abs(f) >= 1<<53 {
			return "n" + strconv.FormatInt(n, 10), nil
		}
		return "n" + signature.FormatFloat(f), nil
	}
	data, err := signature.MarshalValue(v)
	return "v" + string(data), err
}

// dict makes an object whose keys are not known before. Keys become texts that
// read as their type.
func (l *laxer) dict(t *signature.Type, r signature.Record) (signature.Value, error) {
	names, values := make([]string, 0, r.Len()), make([]signature.Value, 0, r.Len())
	var at map[string]int // made once a key has changed, as only then two may be equal
	for name, v := range r.All() {
		key, err := l.key(t.Key, name)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", name, err)
		}
		v, err := l.value(t.Elem, v)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", name, err)
		}
		if at == nil && key != name {
			at = make(map[string]int, r.Len())
			for i, n := range names {
				at[n] = i
			}
		}
		if i, twice := at[key]; twice {
			values[i] = v
			continue
		}
		if at != nil {
			at[key] = len(names)
		}
		names, values = append(names, key), append(values, v)
	}
	return signature.MakeRecord(names, values), nil
}

func (l *laxer) key(t *signature.Type, name string) (string, error) {
	v, err := l.value(t, name)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case time.Time:
		return signature.FormatTime(v), nil
	}
	data, err := signature.MarshalValue(v)
	return string(data), err
}

// object makes an object of known fields. What the type does not have is left out.
func (l *laxer) object(t *signature.Type, r signature.Record) (signature.Value, error) {
	l.worse(near)
	names, values := make([]string, 0, len(t.Fields)), make([]signature.Value, 0, len(t.Fields))
	given := 0
	for _, f := range t.Fields {
		v, ok := r.Get(f.Name)
		switch {
		case ok:
			given++
			var err error
			if v, err = l.value(f.Type, v); err != nil {
				return nil, fmt.Errorf("field %q: %w", f.Name, err)
			}
		case f.HasDefault:
			v = f.Default
		case l.lenient && f.Type.Optional:
			l.repaired(fmt.Sprintf("the absent field %q taken as none", f.Name))
		default:
			return nil, fmt.Errorf("field %q: want %s, and the object lacks it", f.Name, expected(f.Type))
		}
		names, values = append(names, f.Name), append(values, v)
	}
	l.fields = max(l.fields, 0) + given
	return signature.MakeRecord(names, values), nil
}

// union makes a value of the type that it fits best: the one that has most of an
// object's fields, then the one that it need not be converted for, then the first.
func (l *laxer) union(t *signature.Type, v signature.Value) (signature.Value, error) {
	fitBefore, fieldsBefore, repairsBefore := l.fit, l.fields, len(l.repairs)
	var best struct {
		value   signature.Value
		found   bool
		fit     fit
		fields  int
		repairs []string
	}
	lenient := l.lenient
	var errs []error
	// What is forgiven must not decide between the types, so that is tried last.
	for _, l.lenient = range []bool{false, true} {
		if best.found || l.lenient && !lenient {
			break
		}
		for _, item := range t.Items {
			l.fit, l.fields, l.repairs = exact, noFields, l.repairs[:repairsBefore]
			got, err := l.value(item, v)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			better := !best.found || l.fit > best.fit
			if best.found && best.fields != noFields && l.fields != noFields && best.fields != l.fields {
				better = l.fields > best.fields
			}
			if better {
				best.value, best.found, best.fit, best.fields = got, true, l.fit, l.fields
				best.repairs = slices.Clone(l.repairs)
			}
			if l.fit == exact && l.fields == noFields {
				break
			}
		}
	}
	l.lenient = lenient
	if !best.found {
		l.fit, l.fields, l.repairs = fitBefore, fieldsBefore, l.repairs[:repairsBefore]
		switch v.(type) {
		case []signature.Value, signature.Record:
			return nil, fmt.Errorf("%w (%w)", unwanted(t, v), errs[0])
		}
		return nil, unwanted(t, v)
	}
	l.repairs = best.repairs
	l.fit = min(fitBefore, best.fit)
	l.fields = fieldsBefore
	if best.fields != noFields {
		l.fields = max(l.fields, 0) + best.fields
	}
	return best.value, nil
}
