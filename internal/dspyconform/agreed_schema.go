package main

import (
	"strings"

	"github.com/whetgo/whet/signature"
)

// holdsDict reports whether an output holds an object whose keys are not known
// before.
func holdsDict(sig *signature.Signature) bool {
	var holds func(t *signature.Type) bool
	holds = func(t *signature.Type) bool {
		if t == nil {
			return false
		}
		inside := append([]*signature.Type{t.Elem}, t.Items...)
		for _, f := range t.Fields {
			inside = append(inside, f.Type)
		}
		for _, in := range inside {
			if holds(in) {
				return true
			}
		}
		return t.Kind == signature.KindDict
	}
	for _, f := range sig.Outputs() {
		if holds(f.Type) {
			return true
		}
	}
	return false
}

// plainSchema is a schema without what DSPy says of its own types: the documentation
// of Code, and that a Reasoning is an object around a text.
func plainSchema(text string) string {
	schema, err := signature.ParseRecord([]byte(text))
	if err != nil {
		return text
	}
	v, _ := schema.Get("$defs")
	if defs, ok := v.(signature.Record); ok {
		for name, def := range defs.All() {
			if d, ok := def.(signature.Record); ok && strings.HasPrefix(name, "Code") {
				defs = defs.With(name, d.Without("description"))
			}
		}
		schema = schema.With("$defs", defs.Without("Reasoning"))
		if defs.Without("Reasoning").Len() == 0 {
			schema = schema.Without("$defs")
		}
	}
	v, _ = schema.Get("properties")
	if props, ok := v.(signature.Record); ok {
		for name, p := range props.All() {
			p, _ := p.(signature.Record)
			if ref, _ := p.Get("$ref"); ref == "#/$defs/Reasoning" {
				p = p.Without("$ref").With("type", "string")
			}
			props = props.With(name, p.Without("title"))
		}
		schema = schema.With("properties", props)
	}
	return show(sorted(schema))
}
