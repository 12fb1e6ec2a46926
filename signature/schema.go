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
		root = root.With("$defs", b.definitions())
	}
	return sortKeys(root)
}

// definitions returns the schemas of named types, sorted by name.
func (b *schemaBuilder) definitions() Record {
	slices.SortFunc(b.defs, func(x, y namedSchema) int { return strings.Compare(x.name, y.name) })
	var defs Record
	for _, d := range b.defs {
		defs = defs.With(d.name, d.schema)
	}
	return defs
}

type namedSchema struct {
	name   string
	typ    *Type
	schema Record
}

type schemaBuilder struct {
	defs []namedSchema
	held bool // for what a reply is held to, and not for what is shown: see Field.Schema
}

// of returns the schema of a type; at the root an object stands in place, deeper
// down it is a reference.
func (b *schemaBuilder) of(t *Type, root bool) Record {
	if t.Optional && t.Kind != KindUnion && t.Kind != KindNone {
		plain := *t
		plain.Optional = false
		return RecordOf("anyOf", []Value{b.of(&plain, false), RecordOf("type", "null")})
	}
	switch t.Kind {
	case KindAny:
		switch {
		case t.schema == nil:
			return Record{}
		case b.held && !root:
			return b.moved(t)
		}
		return t.schema.shown
	case KindNone:
		return RecordOf("type", "null")
	case KindUnion:
		var members []Value
		for _, item := range t.Items {
			if item.Kind != KindNone {
				members = append(members, b.of(item, false))
			}
		}
		if t.Optional { // last, wherever it stands in the type
			members = append(members, RecordOf("type", "null"))
		}
		return RecordOf("anyOf", members)
	case KindBool:
		return RecordOf("type", "boolean")
	case KindInt:
		return RecordOf("type", "integer")
	case KindFloat:
		return RecordOf("type", "number")
	case KindTime:
		r := RecordOf("type", "string", "format", "date-time")
		if b.held {
			return r.With("pattern", yearPattern)
		}
		return r
	case KindEnum, KindLiteral:
		if t.Name == "" {
			return literalSchema(t.Literals())
		}
		if root {
			return b.object(t)
		}
		return RecordOf("$ref", "#/$defs/"+b.define(t))
	case KindList:
		return RecordOf("type", "array", "items", b.item(t.Elem))
	case KindSet:
		r := RecordOf("type", "array", "items", b.item(t.Elem))
		if b.held {
			return r
		}
		return r.With("uniqueItems", true)
	case KindTuple:
		return b.tuple(t)
	case KindDict:
		return b.dict(t)
	case KindObject, KindToolCalls, KindHistory, KindCode, KindImage, KindAudio, KindFile:
		switch {
		case b.held && t.Kind == KindCode:
			return RecordOf("type", "string") // as demos show it
		case root:
			return b.object(t)
		}
		return RecordOf("$ref", "#/$defs/"+b.define(t))
	default:
		return RecordOf("type", "string")
	}
}

func (b *schemaBuilder) item(t *Type) Record {
	if t == nil {
		return Record{}
	}
	return b.of(t, false)
}

func (b *schemaBuilder) dict(t *Type) Record {
	r := RecordOf("type", "object", "additionalProperties", true)
	if t.Elem != nil && (t.Elem.Kind != KindAny || t.Elem.Optional) {
		r = r.With("additionalProperties", b.of(t.Elem, false))
	}
	if t.Key != nil && t.Key.Kind == KindEnum {
		names := b.of(t.Key, false)
		if t.Key.Name == "" {
			names = names.Without("type") // a name is a text anyway
		}
		r = r.With("propertyNames", names)
	} else if names := keyNames(t.Key); b.held && names.Len() > 0 {
		r = r.With("propertyNames", names)
	}
	return r
}

func (b *schemaBuilder) tuple(t *Type) Record {
	if t.Elem != nil || len(t.Items) == 0 {
		return RecordOf("type", "array", "items", b.item(t.Elem))
	}
	items := make([]Value, len(t.Items))
	for i, item := range t.Items {
		items[i] = b.of(item, false)
	}
	n := int64(len(items))
	return RecordOf("type", "array", "prefixItems", items, "minItems", n, "maxItems", n)
}

// literalSchema describes one of some values; their type is named when they have
// one in common.
func literalSchema(values []Value) Record {
	var r Record
	typ := ""
	for i, v := range values {
		this := ""
		switch v.(type) {
		case string:
			this = "string"
		case int64:
			this = "integer"
		case bool:
			this = "boolean"
		case float64:
			this = "number"
		case nil:
			this = "null"
		}
		if i > 0 && this != typ {
			typ = ""
			break
		}
		typ = this
	}
	if typ != "" {
		r = r.With("type", typ)
	}
	if len(values) == 1 {
		return r.With("const", values[0])
	}
	return r.With("enum", values)
}

// defined reports whether the type's schema stands under "$defs".
func (t *Type) defined() bool {
	switch t.Kind {
	case KindEnum, KindLiteral:
		return t.Name != ""
	case KindObject, KindToolCalls, KindHistory, KindCode, KindImage, KindAudio, KindFile:
		return true
	}
	return false
}

// define returns the name under which the object's schema stands in "$defs", and
// puts it there when it is new. Two different types of one name get two names.
func (b *schemaBuilder) define(t *Type) string {
	base := t.base()
	if b.held {
		base = plainName(base)
	}
	name := base
	for n := 2; ; n++ {
		i := slices.IndexFunc(b.defs, func(d namedSchema) bool { return d.name == name })
		if i < 0 {
			break
		}
		if sameDefinition(b.defs[i].typ, t) {
			return name
		}
		name = base + strconv.Itoa(n)
	}
	i := len(b.defs)
	b.defs = append(b.defs, namedSchema{name: name, typ: t})
	if t.schema != nil {
		schema, _ := moved(t.schema.shown, "#/$defs/"+name, false)
		b.defs[i].schema, _ = schema.(Record)
	} else {
		b.defs[i].schema = b.object(t)
	}
	return name
}

func sameDefinition(a, b *Type) bool {
	return a.Kind == b.Kind && a.schema == b.schema && slices.Equal(a.Choices, b.Choices) && slices.EqualFunc(a.Values, b.Values, EqualValues) && reflect.DeepEqual(a.Fields, b.Fields)
}

// object returns the schema of a type that has a name.
func (b *schemaBuilder) object(t *Type) Record {
	switch t.Kind {
	case KindEnum, KindLiteral:
		r := literalSchema(t.Literals()).Without("const") // an enum class of one value is an enum, too
		if r = r.With("enum", t.Literals()); b.held {
			return r
		}
		return r.With("title", t.Name)
	case KindObject:
		return b.fields(t.Name, t.Fields, t.Desc)
	default:
		return b.builtin(t)
	}
}

// fields returns the schema of an object with these fields.
func (b *schemaBuilder) fields(name string, fields []Field, desc string) Record {
	var props Record
	var required []Value
	for _, f := range fields {
		if b.held {
			props = props.With(f.Name, b.value(f, false))
			if !f.HasDefault {
				required = append(required, f.Name)
			}
			continue
		}
		s := b.of(f.Type, false)
		if f.Desc != "" {
			s = s.With("description", f.Desc)
		}
		for _, c := range f.Constraints {
			s = c.schema(s, f.Type)
		}
		switch {
		case f.HasDefault:
			s = s.With("default", f.Default)
		case f.Type.Optional:
			s = s.With("default", nil)
		default:
			required = append(required, f.Name)
		}
		if !f.Type.defined() {
			s = s.With("title", title(f.Name))
		}
		props = props.With(f.Name, s)
	}
	r := RecordOf("type", "object", "properties", props)
	if !b.held {
		r = r.With("title", name)
	}
	if desc != "" && !b.held {
		r = r.With("description", desc)
	}
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
