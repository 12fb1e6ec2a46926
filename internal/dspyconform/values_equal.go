package main

import (
	"time"

	"github.com/whetgo/whet/signature"
)

// sameValue reports whether a value of whet's is the one that the oracle wrote: see
// canon in testdata/oracle.py.
func sameValue(got, want signature.Value) bool {
	switch want := want.(type) {
	case []signature.Value:
		list, ok := got.([]signature.Value)
		return ok && len(list) == len(want) && !differ(list, want)
	case signature.Record:
		kind, arg := want.At(0)
		switch kind {
		case "$dict":
			r, ok := got.(signature.Record)
			pairs := arg.([]signature.Value)
			if !ok || r.Len() != len(pairs) {
				return false
			}
			for i, p := range pairs {
				name, v := r.At(i)
				if pair := p.([]signature.Value); pair[0] != name || !sameValue(v, pair[1]) {
					return false
				}
			}
			return true
		case "$set":
			return sameSet(got, arg.([]signature.Value))
		case "$time":
			naive, _ := want.Get("naive")
			return naive == false && sameTime(got, arg.(string))
		}
		return false // what whet has no value for
	default:
		return signature.EqualValues(got, want)
	}
}

func differ(got, want []signature.Value) bool {
	for i := range want {
		if !sameValue(got[i], want[i]) {
			return true
		}
	}
	return false
}

// sameSet compares without regard to the order.
func sameSet(got signature.Value, want []signature.Value) bool {
	list, ok := got.([]signature.Value)
	if !ok || len(list) != len(want) {
		return false
	}
	for _, w := range want {
		found := false
		for _, g := range list {
			found = found || sameValue(g, w)
		}
		if !found {
			return false
		}
	}
	return true
}

func sameTime(got signature.Value, want string) bool {
	t, ok := got.(time.Time)
	w, err := signature.ParseTime(want)
	return ok && err == nil && t.Equal(w)
}

// plainValue turns what the oracle wrote into a value of whet's as far as it can, to
// show it.
func plainValue(v signature.Value) signature.Value {
	r, ok := v.(signature.Record)
	if !ok {
		if list, ok := v.([]signature.Value); ok {
			out := make([]signature.Value, len(list))
			for i, item := range list {
				out[i] = plainValue(item)
			}
			return out
		}
		return v
	}
	kind, arg := r.At(0)
	pairs, ok := arg.([]signature.Value)
	if kind != "$dict" || !ok {
		return r
	}
	var out signature.Record
	for _, p := range pairs {
		pair := p.([]signature.Value)
		out = out.With(pair[0].(string), plainValue(pair[1]))
	}
	return out
}
