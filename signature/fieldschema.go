package signature

import "strings"

// Schema returns the JSON Schema that a backend holds a reply to: whatever fulfils it
// is read as a value of the field, with its constraints and those of fields inside.
// It says what [Type.Schema] says, which is what a model is shown, with these changes:
//
//   - Properties are in the order in which they are declared, and there are no titles,
//     descriptions and defaults, which hold a reply to nothing.
//   - Fields without a default are required, also those whose value may be null.
//   - Code is a text, as in demos.
//   - A set may repeat an item, as it is the same set; no grammar can forbid it.
//   - A time is of the year 1 or later.
//   - The keys of a dict of numbers, truth values or times are such.
func (f Field) Schema() Record {
	b := schemaBuilder{held: true}
	root := b.value(f, true)
	if len(b.defs) > 0 {
		root = root.With("$defs", b.definitions())
	}
	return root
}

// value returns the schema of a field's value with its constraints.
func (b *schemaBuilder) value(f Field, root bool) Record {
	s := b.of(f.Type, root)
	for _, c := range f.Constraints {
		s = c.schema(s, f.Type)
	}
	return s
}

// yearPattern leaves out the year 0, which the format has and Python's dates have not.
const yearPattern = "^0{0,3}[1-9]"

// keyNames is the schema of a dict's keys that read as a type; empty where any text
// does, or where it is not known which.
func keyNames(t *Type) Record {
	const whole = "[1-9][0-9]{0,17}"
	switch {
	case t == nil || t.Optional:
	case t.Kind == KindInt:
		return RecordOf("pattern", "^(0|-?"+whole+")$")
	case t.Kind == KindFloat:
		return RecordOf("pattern", "^-?(0|"+whole+")(\\.[0-9]{1,17})?$")
	case t.Kind == KindBool:
		return RecordOf("enum", []Value{"true", "false"})
	case t.Kind == KindTime:
		return RecordOf("format", "date-time", "pattern", yearPattern)
	}
	return Record{}
}

// plainName makes a name that can stand in a reference as it is.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, name)
}

// moved returns a reference to a schema that a program brought along, which stands
// under "$defs" then with its own references changed. One that cannot be moved is left
// out: a reply is checked against it all the same, once it is there.
func (b *schemaBuilder) moved(t *Type) Record {
	if _, ok := moved(t.schema.shown, "", false); !ok {
		return Record{}
	}
	return RecordOf("$ref", "#/$defs/"+b.define(t))
}

// moved returns a schema, or a part of one, whose document stands at a place of another
// document. names says that the keys of an object are names, and not keywords. It
// reports false for a schema of another draft, or with addresses of its own.
func moved(v Value, at string, names bool) (Value, bool) {
	switch v := v.(type) {
	case []Value:
		out := make([]Value, len(v))
		for i, item := range v {
			var ok bool
			if out[i], ok = moved(item, at, false); !ok {
				return nil, false
			}
		}
		return out, true
	case Record:
		var out Record
		for key, item := range v.All() {
			item, ok := movedMember(key, item, at, names)
			if !ok {
				return nil, false
			}
			out = out.With(key, item)
		}
		return out, true
	}
	return v, true
}

func movedMember(key string, v Value, at string, names bool) (Value, bool) {
	if names {
		return moved(v, at, false)
	}
	switch key {
	case "$schema":
		return v, v == "https://json-schema.org/draft/2020-12/schema"
	case "$id", "$anchor", "$dynamicAnchor", "$dynamicRef":
		return nil, false
	case "$ref":
		s, _ := v.(string)
		within := s == "#" || strings.HasPrefix(s, "#/")
		return at + strings.TrimPrefix(s, "#"), within
	case "const", "enum", "default", "examples":
		return v, true
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
		return moved(v, at, true)
	}
	return moved(v, at, false)
}
