package signature

import "slices"

// StrictSchema returns the JSON Schema of an object that holds the outputs, in the
// form that providers of structured outputs ask for and DSPy sends: every property
// is required, no other is allowed, at any depth. Descriptions and constraints of
// the outputs themselves are left out, as DSPy leaves them out.
//
// Dicts whose keys are not known before have no such form: inside the schema they
// would be objects without any property.
func (s *Signature) StrictSchema(name string) Record {
	b := schemaBuilder{}
	var props Record
	for _, f := range s.outputs {
		p := b.of(f.Type, false)
		if f.HasDefault {
			p = p.With("default", f.Default)
		}
		if !f.Type.defined() {
			p = p.With("title", title(f.Name))
		}
		props = props.With(f.Name, p)
	}
	r := RecordOf("type", "object", "title", name, "properties", props, "additionalProperties", false)
	if len(b.defs) > 0 {
		r = r.With("$defs", b.definitions())
	}
	// The names of all properties come with the order, and so last.
	return strict(pydanticOrder(r.With("required", []Value{}), true).(Record))
}

// pydanticOrder sorts the keys of a schema as pydantic does: all but those of
// properties and defaults, whose order means something.
func pydanticOrder(v Value, sorted bool) Value {
	switch v := v.(type) {
	case Record:
		names := slices.Clone(v.names)
		if sorted {
			slices.Sort(names)
		}
		var out Record
		for _, n := range names {
			item, _ := v.Get(n)
			out = out.With(n, pydanticOrder(item, n != "properties" && n != "default"))
		}
		return out
	case []Value:
		out := make([]Value, len(v))
		for i, item := range v {
			out[i] = pydanticOrder(item, sorted)
		}
		return out
	}
	return v
}

// strict requires all properties of the objects that a schema describes, and
// allows no others.
func strict(s Record) Record {
	typ, _ := s.Get("type")
	if typ == "object" {
		old, _ := s.Get("properties")
		from, _ := old.(Record)
		var props Record
		required := []Value{}
		for name, p := range from.All() {
			if sub, ok := p.(Record); ok {
				p = strict(sub)
			}
			props = props.With(name, p)
			required = append(required, name)
		}
		s = s.With("properties", props).With("required", required).With("additionalProperties", false)
	}
	if items, ok := s.Get("items"); ok && typ == "array" {
		if sub, ok := items.(Record); ok {
			s = s.With("items", strict(sub))
		}
	}
	if defs, ok := s.Get("$defs"); ok {
		from, _ := defs.(Record)
		var out Record
		for name, d := range from.All() {
			if sub, ok := d.(Record); ok {
				d = strict(sub)
			}
			out = out.With(name, d)
		}
		s = s.With("$defs", out)
	}
	return s
}
