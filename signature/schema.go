package signature

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Schema returns the type's JSON Schema in the form and order in which DSPy shows
// it: "type" first, the other keys sorted. Objects inside other types stand
// under "$defs".
func (t *Type) Schema() Record {
	b := schemaBuilder{}
	root := b.of(t, true)
	if len(b.defs) > 0 {
		var defs Record
		slices.SortFunc(b.defs, func(x, y namedSchema) int { return strings.Compare(x.name, y.name) })
		for _, d := range b.defs {
			defs = defs.With(d.name, d.schema)
		}
		root = root.With("$defs", defs)
	}
	return sortKeys(root)
}

type namedSchema struct {
	name   string
	typ    *Type
	schema Record
}

type schemaBuilder struct{ defs []namedSchema }

// of returns the schema of a type; at the root an object stands in place, deeper
// down it is a reference.
func (b *schemaBuilder) of(t *Type, root bool) Record {
	if t.Optional {
		plain := *t
		plain.Optional = false
		return RecordOf("anyOf", []Value{b.of(&plain, false), RecordOf("type", "null")})
	}
	switch t.Kind {
	case KindBool:
		return RecordOf("type", "boolean")
	case KindInt:
		return RecordOf("type", "integer")
	case KindFloat:
		return RecordOf("type", "number")
	case KindTime:
		return RecordOf("type", "string", "format", "date-time")
	case KindEnum:
		return RecordOf("type", "string", "enum", t.Choices)
	case KindList:
		return RecordOf("type", "array", "items", b.of(t.Elem, false))
	case KindObject:
		if root {
			return b.object(t)
		}
		return RecordOf("$ref", "#/$defs/"+b.define(t))
	default:
		return RecordOf("type", "string")
	}
}

// define returns the name under which the object's schema stands in "$defs", and
// puts it there when it is new. Two different types of one name get two names.
func (b *schemaBuilder) define(t *Type) string {
	name := t.Name
	for n := 2; ; n++ {
		i := slices.IndexFunc(b.defs, func(d namedSchema) bool { return d.name == name })
		if i < 0 {
			break
		}
		if reflect.DeepEqual(b.defs[i].typ.Fields, t.Fields) {
			return name
		}
		name = t.Name + strconv.Itoa(n)
	}
	i := len(b.defs)
	b.defs = append(b.defs, namedSchema{name: name, typ: t})
	b.defs[i].schema = b.object(t)
	return name
}

func (b *schemaBuilder) object(t *Type) Record {
	var props Record
	var required []Value
	for _, f := range t.Fields {
		s := b.of(f.Type, false)
		if f.Desc != "" {
			s = s.With("description", f.Desc)
		}
		if f.Type.Optional {
			s = s.With("default", nil)
		} else {
			required = append(required, f.Name)
		}
		if f.Type.Kind != KindObject {
			s = s.With("title", title(f.Name))
		}
		props = props.With(f.Name, s)
	}
	r := RecordOf("type", "object", "properties", props, "title", t.Name)
	if len(required) > 0 {
		r = r.With("required", required)
	}
	return r
}

// title is the title that pydantic gives a field: underscores become spaces, and
// each letter that follows no letter is a capital.
func title(name string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		letter := unicode.IsLetter(r)
		defer func() { inWord = letter }()
		switch {
		case r == '_':
			return ' '
		case letter && !inWord:
			return unicode.ToTitle(r)
		default:
			return unicode.ToLower(r)
		}
	}, name)
}

// sortKeys sorts the keys of a schema at every level, "type" first.
func sortKeys(r Record) Record {
	names := slices.Clone(r.names)
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "type":
			return -1
		case b == "type":
			return 1
		default:
			return strings.Compare(a, b)
		}
	})
	var out Record
	for _, n := range names {
		v, _ := r.Get(n)
		switch x := v.(type) {
		case Record:
			v = sortKeys(x)
		case []Value:
			items := make([]Value, len(x))
			for i, item := range x {
				if o, ok := item.(Record); ok {
					item = sortKeys(o)
				}
				items[i] = item
			}
			v = items
		}
		out = out.With(n, v)
	}
	return out
}
