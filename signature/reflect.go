package signature

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/whetgo/whet/internal/snake"
)

// plan is what is known of a Go struct type: its fields and where they are.
type plan struct {
	fields []planField
	names  []string
}

type planField struct {
	Field
	index []int
	codec *codec
}

// codec converts the values of one Go type.
type codec struct {
	typ *Type
	// elem converts what a pointer points to or what a slice, array or map holds,
	// key a map's keys.
	elem, key *codec
	// object is the plan of a struct.
	object *plan
	// ptr says that the Go type is a pointer.
	ptr bool
}

// plans memoises planOf, which is a pure function of the type.
var plans sync.Map // reflect.Type -> *plan

var timeType = reflect.TypeFor[time.Time]()

// Of makes a signature of two Go structs: the exported fields of In are the
// inputs and those of Out the outputs, in declaration order. A field is named by
// its json tag, else by the snake_case of its Go name; `json:"-"` leaves it out;
// `desc` describes it to the model. Fields of embedded structs count as the outer
// struct's.
//
// The types are string, bool, every integer and float, time.Time, slices, arrays
// (tuples), maps whose keys are texts or numbers (dicts), any, structs, pointers
// for what may be absent, and [Image], [Audio], [File], [History], [Reasoning],
// [Code], [Tool], [ToolCalls] and [Record] (an object of any fields). A string type
// is an enum when it has a method Enum() []string, a string or integer field when
// it has a tag `enum:"a,b"`; `dspy:"enum"` shows the former as DSPy shows an enum
// class. A struct type without a name takes that of its field; a method
// Description() string describes it in its schema.
//
// Tags constrain values: min, max, above, below, multiple (numbers), minlen,
// maxlen (texts, lists, maps), pattern (texts, Go's regular expressions); see
// [Constraint]. The tag default gives what a reply may lack a value, a text as it
// is, anything else in JSON; a nil pointer needs none.
//
// Empty instructions become DSPy's default, which lists the fields. A mistake is
// an *Error that names type, field and tag.
func Of[In, Out any](instructions string) (*Signature, error) {
	in, err := planOf(reflect.TypeFor[In]())
	if err != nil {
		return nil, err
	}
	out, err := planOf(reflect.TypeFor[Out]())
	if err != nil {
		return nil, err
	}
	fields := func(p *plan) []Field {
		fs := make([]Field, len(p.fields))
		for i, f := range p.fields {
			fs[i] = f.Field
		}
		return fs
	}
	sig, err := New(instructions, fields(in), fields(out))
	if e, ok := err.(*Error); ok && e.Type == "" { //nolint:errorlint // New returns it unwrapped
		e.Type = reflect.TypeFor[In]().String() + " -> " + reflect.TypeFor[Out]().String()
	}
	return sig, err
}

func planOf(t reflect.Type) (*plan, error) { return planIn(t, nil) }

// planIn makes the plan of a struct type; outer are the structs around it, so
// that a type that holds itself is found.
func planIn(t reflect.Type, outer []reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan).nonEmpty(t, outer)
	}
	if t.Kind() != reflect.Struct || t == timeType {
		return nil, &Error{Type: t.String(), Problem: "inputs and outputs must be structs whose exported fields are the signature's; wrap the value in a struct"}
	}
	if slices.Contains(outer, t) {
		return nil, &Error{Type: t.String(), Problem: "the type holds itself, which no schema of finite size describes; use another type for the inner one"}
	}
	p := &plan{}
	if err := p.collect(t, nil, append(slices.Clone(outer), t)); err != nil {
		return nil, err
	}
	for _, f := range p.fields {
		if slices.Contains(p.names, f.Name) {
			return nil, &Error{Type: t.String(), Field: f.Name, Problem: "two fields have this name; rename one of them with a json tag"}
		}
		p.names = append(p.names, f.Name)
	}
	stored, _ := plans.LoadOrStore(t, p)
	return stored.(*plan).nonEmpty(t, outer)
}

// nonEmpty refuses a struct inside another one that holds nothing: its value
// could only be {}. A signature itself may be without inputs.
func (p *plan) nonEmpty(t reflect.Type, outer []reflect.Type) (*plan, error) {
	if len(p.fields) == 0 && len(outer) > 0 {
		return nil, &Error{Type: t.String(), Problem: "the struct has no exported field, so it could hold nothing; add one or drop the struct"}
	}
	return p, nil
}

func (p *plan) collect(t reflect.Type, index []int, outer []reflect.Type) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(slices.Clone(index), i)
		if problem := checkTag(sf.Tag); problem != "" && (sf.IsExported() || sf.Anonymous) {
			return &Error{Type: t.String(), Field: sf.Name, Tag: string(sf.Tag), Problem: problem}
		}
		tag := sf.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if sf.Anonymous && tag == "-" {
			continue
		}
		if sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct && sf.Type != reflect.PointerTo(timeType) {
			return &Error{Type: t.String(), Field: sf.Name, Problem: "an embedded pointer may be nil, so its fields may be missing; embed the struct itself or give the field a json name"}
		}
		if sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct && sf.Type != timeType {
			if err := p.collect(sf.Type, at, outer); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = snake.Case(sf.Name)
		}
		if problem := checkName(name); problem != "" {
			return &Error{Type: t.String(), Field: sf.Name, Tag: "json:" + tag, Problem: problem}
		}
		c, err := codecOf(t, sf, outer)
		if err != nil {
			return err
		}
		field := Field{Name: name, Desc: sf.Tag.Get("desc"), Type: c.typ}
		if tag, problem := field.readTags(sf.Tag); problem != "" {
			return &Error{Type: t.String(), Field: sf.Name, Tag: tag, Problem: problem}
		}
		p.fields = append(p.fields, planField{Field: field, index: at, codec: c})
	}
	return nil
}

func codecOf(owner reflect.Type, sf reflect.StructField, outer []reflect.Type) (*codec, error) {
	fail := func(tag, problem string) error {
		return &Error{Type: owner.String(), Field: sf.Name, Tag: tag, Problem: problem}
	}
	c, err := codecOfType(sf.Type, sf.Name, outer, fail)
	if err != nil {
		return nil, err
	}
	if lang, ok := sf.Tag.Lookup("code"); ok {
		if c.typ.Kind != KindCode {
			return nil, fail(`code:"`+lang+`"`, "only a field of type Code has a language, and this one is a "+sf.Type.String())
		}
		c = withType(c, func(t *Type) { t.Name = lang })
	}
	if sf.Tag.Get("dspy") == "enum" {
		if c.typ.Kind != KindEnum || c.typ.Members == nil {
			return nil, fail(`dspy:"enum"`, "only a type with a method Enum can be shown as an enum class")
		}
		goType := sf.Type
		for goType.Kind() == reflect.Pointer {
			goType = goType.Elem()
		}
		c = withType(c, func(t *Type) { t.Name = goType.Name() })
	}
	list, ok := sf.Tag.Lookup("enum")
	if !ok {
		return c, nil
	}
	inner := c
	for inner.ptr {
		inner = inner.elem
	}
	choices := strings.Split(list, ",")
	for i := range choices {
		choices[i] = strings.TrimSpace(choices[i])
	}
	tag := `enum:"` + list + `"`
	switch inner.typ.Kind {
	case KindEnum:
		return nil, fail(tag, "the type "+sf.Type.String()+" has a method Enum already; drop the tag or the method")
	case KindInt:
		values := make([]Value, len(choices))
		for i, c := range choices {
			n, err := strconv.ParseInt(c, 10, 64)
			if err != nil {
				return nil, fail(tag, "the choice "+strconv.Quote(c)+" is no whole number, as the field is")
			}
			if containsValue(values[:i], n) {
				return nil, fail(tag, "the choice "+c+" stands twice")
			}
			values[i] = n
		}
		return withType(c, func(t *Type) { t.Kind, t.Values = KindLiteral, values }), nil
	case KindString:
	default:
		return nil, fail(tag, "only a string or a whole number can be an enum, and this field is a "+sf.Type.String())
	}
	if problem := checkChoices(choices); problem != "" {
		return nil, fail(tag, problem)
	}
	return withType(c, func(t *Type) { t.Kind, t.Choices = KindEnum, choices }), nil
}

// withType returns the codec with the type at the end of its pointers changed.
func withType(c *codec, change func(*Type)) *codec {
	n, t := *c, *c.typ
	change(&t)
	n.typ = &t
	if c.ptr {
		n.elem = withType(c.elem, change)
	}
	return &n
}

// codecOfType makes the codec of a field's type or of what it holds; name is the
// Go name of the field.
func codecOfType(t reflect.Type, name string, outer []reflect.Type, fail func(tag, problem string) error) (*codec, error) {
	if choices, ok := enumOf(t); ok && t.Kind() != reflect.Pointer {
		if t.Kind() != reflect.String {
			return nil, fail("", "the type "+t.String()+" has a method Enum but is no string type; only a string can be an enum")
		}
		if problem := checkChoices(choices); problem != "" {
			return nil, fail("", "the method Enum of "+t.String()+": "+problem)
		}
		members := slices.Clone(choices)
		return &codec{typ: &Type{Kind: KindEnum, Choices: slices.Clone(choices), Members: members}}, nil
	}
	if typ := builtinType(t); typ != nil {
		return &codec{typ: typ}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return &codec{typ: &Type{Kind: KindString}}, nil
	case reflect.Bool:
		return &codec{typ: &Type{Kind: KindBool}}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &codec{typ: &Type{Kind: KindInt}}, nil
	case reflect.Float32, reflect.Float64:
		return &codec{typ: &Type{Kind: KindFloat}}, nil
	case reflect.Pointer:
		elem, err := codecOfType(t.Elem(), name, outer, fail)
		if err != nil {
			return nil, err
		}
		typ := *elem.typ
		typ.Optional = true
		return &codec{typ: &typ, elem: elem, ptr: true}, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil, fail("", "the Go type "+t.String()+" would be shown as a list of numbers; use string for text")
		}
		elem, err := codecOfType(t.Elem(), name, outer, fail)
		if err != nil {
			return nil, err
		}
		return &codec{typ: &Type{Kind: KindList, Elem: elem.typ}, elem: elem}, nil
	case reflect.Array:
		elem, err := codecOfType(t.Elem(), name, outer, fail)
		if err != nil {
			return nil, err
		}
		items := make([]*Type, t.Len())
		for i := range items {
			items[i] = elem.typ
		}
		return &codec{typ: TupleOf(items...), elem: elem}, nil
	case reflect.Map:
		key, err := codecOfType(t.Key(), name, outer, fail)
		if err != nil {
			return nil, err
		}
		if k := key.typ.Kind; key.ptr || k != KindString && k != KindEnum && k != KindInt {
			return nil, fail("", "the keys of a map must be texts or whole numbers, and this is a "+t.String())
		}
		elem, err := codecOfType(t.Elem(), name, outer, fail)
		if err != nil {
			return nil, err
		}
		return &codec{typ: DictOf(key.typ, elem.typ), elem: elem, key: key}, nil
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return nil, fail("", "the Go type "+t.String()+" has methods, so nothing tells which type a value read for it should have; use any or a struct")
		}
		return &codec{typ: &Type{Kind: KindAny}}, nil
	case reflect.Struct:
		if t == timeType {
			return &codec{typ: &Type{Kind: KindTime}}, nil
		}
		p, err := planIn(t, outer)
		if err != nil {
			return nil, err
		}
		obj := &Type{Kind: KindObject, Name: objectName(t, name), Desc: objectDesc(t)}
		for _, f := range p.fields {
			obj.Fields = append(obj.Fields, f.Field)
		}
		return &codec{typ: obj, object: p}, nil
	default:
		return nil, fail("", "the Go type "+t.String()+" cannot be a field; use string, bool, a number, time.Time, a slice, an array, a map, any, a struct, or a pointer to one of them")
	}
}

// objectName is the name that the model sees for a struct type: its Go name, in
// which a generic type's brackets and package paths become underscores, or the
// field's for a type without one.
func objectName(t reflect.Type, field string) string {
	name := t.Name()
	if name == "" {
		return field
	}
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 {
			return r
		}
		return '_'
	}, name), "_")
}
