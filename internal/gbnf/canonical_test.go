package gbnf

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// peerFunc asks llama.cpp whether a whole text is one of a grammar's; can is false where
// the model cannot write the text.
type peerFunc func(text string) (ok, can bool)

// accepts matches byte by byte, and again token-like in pieces, which must agree.
func (g *Grammar) accepts(t testing.TB, s string) bool {
	t.Helper()
	whole, ok := g.Start().Advance(s)
	state, pieces := g.Start(), true
	for i := 0; i < len(s) && pieces; {
		n := min(len(s)-i, 1+(i*7)%5)
		state, pieces = state.Advance(s[i : i+n])
		i += n
	}
	if pieces != ok || ok && state.Complete() != whole.Complete() {
		t.Fatalf("%q: as a whole %v, in pieces %v", s, ok, pieces)
	}
	return ok && whole.Complete()
}

// validator is the judge of what a schema allows.
func validator(t testing.TB, schema []byte) func(text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
}

// canonical writes a value that validates as the grammar of the schema should accept it:
// its keys in the schema's order. It returns false where it has keys besides those that
// the schema names, numbers with more digits than a grammar has, or another form than a
// format asks for.
func canonical(t testing.TB, schema []byte, value any) (string, bool) {
	t.Helper()
	c := newCompiler()
	doc, err := parseJSON(schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.open(doc); err != nil {
		t.Fatal(err)
	}
	v, ok := c.canonical(t, conjunction{c.node("", doc)}, value)
	return written(v), ok
}

// canonical takes the first branch of a conjunction that the value fulfils without other
// keys.
func (c *compiler) canonical(t testing.TB, all conjunction, v any) (any, bool) {
	t.Helper()
	branches, err := c.branches(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range branches {
		if b, err = c.exclude(b); err != nil {
			t.Fatal(err)
		}
		if ok, err := c.holds(b, v); err != nil {
			t.Fatal(err)
		} else if !ok {
			continue
		}
		if b.listed {
			i := slices.IndexFunc(b.values, func(w any) bool { return equal(v, w) })
			return b.values[i], true
		}
		if v, ok := c.canonicalIn(t, b, v); ok {
			return v, true
		}
	}
	return v, false
}

func (c *compiler) canonicalIn(t testing.TB, b *branch, v any) (any, bool) {
	t.Helper()
	switch v := v.(type) {
	case number:
		digits, fraction, _ := strings.Cut(strings.TrimPrefix(v.plain(), "-"), ".")
		return v, len(digits) <= intDigits && len(fraction) <= fractionDigits && !strings.ContainsAny(v.plain(), "eE")
	case string:
		if b.text.format != "" {
			asked := textConstraint{max: unlimited, patterns: []string{formats[b.text.format]}}
			return v, asked.holds(v)
		}
		return v, utf8.ValidString(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var ok bool
			if out[i], ok = c.canonical(t, b.array.item(i), item); !ok {
				return v, false
			}
		}
		return out, true
	case *object:
		keys, closed := b.object.keys()
		out := &object{values: map[string]any{}}
		for _, k := range v.keys {
			if closed && !slices.Contains(keys, k) {
				return v, false
			}
			if !closed {
				keys = append(keys, k)
			}
		}
		for _, k := range keys {
			item, has := v.get(k)
			if !has {
				continue
			}
			item, ok := c.canonical(t, b.object.under(k), item)
			if !ok {
				return v, false
			}
			out.keys = append(out.keys, k)
			out.values[k] = item
		}
		return out, true
	}
	return v, true
}
