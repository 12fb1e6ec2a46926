package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// restored checks that a reply that repeats what an adapter made of markers in data
// gives the data back, up to what becomes of a text in a reply: alone, and inside
// JSON.
func (k *checker) restored(a adapter.Adapter, outside, inside func(string) string) {
	where := a.Name() + " markers restored"
	for _, d := range k.c.demos {
		if !k.shown(d) || !holdsMarker(only(d, k.sig.Fields())) {
			continue
		}
		messages, _, err := render(a, k.sig, []signature.Record{d}, k.c.in)
		if err != nil || len(messages) < 4 {
			continue // an incomplete demo without inputs or outputs
		}
		reply := strings.TrimPrefix(messages[2], "assistant\ntext: ")
		t, err := a.Prepare(adapter.Program{Signature: k.sig})
		if err != nil {
			continue
		}
		got, _, err := parse(t, reply, signature.Record{})
		if err != nil {
			continue // the demo lacks an output, or a value of it cannot be read back
		}
		for _, f := range k.sig.Outputs() {
			v, _ := d.Get(f.Name)
			if !holdsMarker(v) {
				continue
			}
			text, isText := v.(string)
			switch f.Type.Kind {
			case signature.KindString:
				if !isText {
					continue // a list, which is shown as lines
				}
				v = outside(text)
			case signature.KindList, signature.KindDict:
				if !signature.EqualValues(v, mapTexts(v, inside)) {
					continue // a line end in it breaks the JSON, which is mended somehow
				}
			default:
				continue // what it is read as may be another value
			}
			k.report.count(where)
			if read, _ := got.Get(f.Name); !signature.EqualValues(read, v) {
				k.differ(where, show(read), show(v))
			}
		}
	}
}

// exact is a text as JSON gives it back.
func exact(s string) string { return s }

// alone is a text as Chat gives it back: without the white space at its ends, and
// with one kind of line end.
func alone(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\x1c", "\n", "\x1d", "\n", "\x1e", "\n").Replace(inJSON(s))
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// inJSON is a text inside JSON as Chat gives it back: the line ends that JSON does not
// escape become one.
func inJSON(s string) string {
	return strings.NewReplacer("\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
}

// mapTexts changes the texts inside a value, keys included.
func mapTexts(v signature.Value, change func(string) string) signature.Value {
	switch v := v.(type) {
	case string:
		return change(v)
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = mapTexts(item, change)
		}
		return out
	case signature.Record:
		var out signature.Record
		for name, item := range v.All() {
			out = out.With(change(name), mapTexts(item, change))
		}
		return out
	}
	return v
}

var hiddenMarker = regexp.MustCompile("\\[\\[(\u200d*)\u200d ##")

// unhide undoes what Chat and JSON do to markers in data.
func unhide(s string) string { return hiddenMarker.ReplaceAllString(s, "[[$1 ##") }

// hidden compares what is sent where markers in data are made harmless, as they are
// by default: that must be another text than DSPy's, and nothing else be other.
func (k *checker) hidden(name string, a adapter.Adapter, want outcome) {
	where := name + " messages by default"
	k.report.count(where)
	got, _, err := render(a, k.sig, k.c.demos, k.c.in)
	if k.compareMessages(where, got, err, want) && err == nil && !want.failed() && k.holdsMarker() {
		k.differ(where, "no marker in the data was hidden", "")
	}
}

// holdsMarker reports whether data that is shown hold the beginning of a field
// marker.
func (k *checker) holdsMarker() bool {
	for _, d := range k.c.demos {
		if k.shown(d) && holdsMarker(only(d, k.sig.Fields())) {
			return true
		}
	}
	in := only(k.c.in, k.sig.Inputs())
	for _, f := range k.sig.Inputs() {
		if f.Type.Kind != signature.KindHistory {
			continue
		}
		v, _ := in.Get(f.Name)
		in = in.Without(f.Name)
		r, _ := v.(signature.Record)
		turns, _ := r.Get("messages")
		list, _ := turns.([]signature.Value)
		for _, turn := range list {
			if holdsMarker(only(turn.(signature.Record), k.sig.Fields())) {
				return true
			}
		}
	}
	return holdsMarker(in)
}

// shown reports whether a demo is shown: others are left out.
func (k *checker) shown(demo signature.Record) bool {
	has := func(fields []signature.Field) bool {
		return slices.ContainsFunc(fields, func(f signature.Field) bool { _, ok := demo.Get(f.Name); return ok })
	}
	return has(k.sig.Inputs()) && has(k.sig.Outputs())
}

// only returns a record without what are no fields.
func only(r signature.Record, fields []signature.Field) signature.Record {
	for name := range r.All() {
		if !slices.ContainsFunc(fields, func(f signature.Field) bool { return f.Name == name }) {
			r = r.Without(name)
		}
	}
	return r
}

func holdsMarker(v signature.Value) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "[[ ##")
	case []signature.Value:
		return slices.ContainsFunc(v, holdsMarker)
	case signature.Record:
		for name, item := range v.All() {
			if holdsMarker(name) || holdsMarker(item) {
				return true
			}
		}
	}
	return false
}
