package signature

import (
	"fmt"
	"slices"
)

// Kind is the kind of a type.
type Kind int

// The kinds of types.
const (
	// KindString is text.
	KindString Kind = iota + 1
	// KindBool is True or False.
	KindBool
	// KindInt is a whole number.
	KindInt
	// KindFloat is any finite number.
	KindFloat
	// KindEnum is one of the Choices; with a Name and Members it is an enum class,
	// else a literal of texts.
	KindEnum
	// KindTime is a date and time, RFC 3339 in prompts.
	KindTime
	// KindList is a list of Elem, which may be nil for items of any type.
	KindList
	// KindObject is an object with Fields.
	KindObject
	// KindAny is any value.
	KindAny
	// KindNone is nothing: only a member of a union, or a literal, is that.
	KindNone
	// KindLiteral is one of Values, of which at least one is no text.
	KindLiteral
	// KindDict is an object whose keys are not known before: Key and Elem are the
	// types of its keys and values, nil for any.
	KindDict
	// KindTuple is a list of fixed length with a type for each item, in Items; with
	// Elem instead it is of any length.
	KindTuple
	// KindSet is a list of distinct Elem, which may be nil for items of any type.
	KindSet
	// KindUnion is a value of one of the Items.
	KindUnion
	// KindReasoning is text in which a model thinks.
	KindReasoning
	// KindCode is a program text; Name is the language.
	KindCode
	// KindHistory is the earlier turns of a conversation: [History].
	KindHistory
	// KindImage, KindAudio and KindFile are [Image], [Audio] and [File].
	KindImage
	KindAudio
	KindFile
	// KindTool is a function that a model may call: [Tool].
	KindTool
	// KindToolCalls is what a model wants to call: [ToolCalls].
	KindToolCalls
)

// Type describes the values of a field. It is immutable.
type Type struct {
	// Kind is the kind of value.
	Kind Kind
	// Name is the name of an object's or an enum's type, as the model sees it, or
	// the language of code.
	Name string
	// Desc describes an object's type in its schema; it may be empty.
	Desc string
	// Choices are the values of a KindEnum, in order, distinct, none empty.
	Choices []string
	// Members are the names of an enum class's choices, in the same order. A reply
	// may name a choice by either.
	Members []string
	// Values are the values of a KindLiteral.
	Values []Value
	// Elem is the type of a list's, set's or tuple's items, or of a dict's values.
	Elem *Type
	// Key is the type of a dict's keys.
	Key *Type
	// Items are the types of a tuple's items or of a union's members.
	Items []*Type
	// Fields are the fields of an object, in order.
	Fields []Field
	// Optional says that the value may be absent (nil, None).
	Optional bool

	schema *userSchema // of SchemaType
}

// ListOf, SetOf, TupleOf and DictOf make the types of Python's list, set, tuple
// and dict. A nil item type means that items may be anything.
func ListOf(elem *Type) *Type { return &Type{Kind: KindList, Elem: elem} }

// SetOf is described at [ListOf].
func SetOf(elem *Type) *Type { return &Type{Kind: KindSet, Elem: elem} }

// TupleOf is described at [ListOf].
func TupleOf(items ...*Type) *Type { return &Type{Kind: KindTuple, Items: items} }

// DictOf is described at [ListOf].
func DictOf(key, elem *Type) *Type { return &Type{Kind: KindDict, Key: key, Elem: elem} }

// ObjectOf makes the type of an object whose fields are known.
func ObjectOf(name string, fields ...Field) *Type {
	return &Type{Kind: KindObject, Name: name, Fields: fields}
}

// OptionalOf makes the type of what may be absent.
func OptionalOf(t *Type) *Type {
	c := *t
	c.Optional = true
	return &c
}

// LiteralOf makes the type of one of some values: texts, whole numbers, truth
// values, nil.
func LiteralOf(values ...Value) *Type {
	var distinct []Value
	texts := make([]string, 0, len(values))
	for _, v := range values {
		v = normalize(v)
		if containsValue(distinct, v) {
			continue
		}
		distinct = append(distinct, v)
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	if len(texts) == len(distinct) {
		return &Type{Kind: KindEnum, Choices: texts}
	}
	return &Type{Kind: KindLiteral, Values: distinct}
}

func containsValue(values []Value, v Value) bool {
	for _, o := range values {
		if EqualValues(o, v) {
			return true
		}
	}
	return false
}

// UnionOf makes the type of what has one of some types. Unions inside are taken
// apart, equal types count once, and with one type left it is that one. None
// behind all others makes the rest optional.
func UnionOf(items ...*Type) *Type {
	var flat []*Type
	for _, t := range items {
		members := []*Type{t}
		if t.Kind == KindUnion {
			members = t.Items
		}
		if t.Optional {
			plain := *t
			plain.Optional = false
			if t.Kind != KindUnion {
				members = []*Type{&plain}
			}
			members = append(members[:len(members):len(members)], &Type{Kind: KindNone})
		}
		for _, m := range members {
			if !containsType(flat, m) {
				flat = append(flat, m)
			}
		}
	}
	n := len(flat)
	switch {
	case n == 1:
		return flat[0]
	case n == 2 && flat[1].Kind == KindNone:
		return OptionalOf(flat[0])
	case n > 2 && flat[n-1].Kind == KindNone:
		return &Type{Kind: KindUnion, Items: flat[:n-1], Optional: true}
	}
	return &Type{Kind: KindUnion, Items: flat, Optional: containsType(flat, &Type{Kind: KindNone})}
}

// Member returns the type that a value has: of a union the one that the value fits as
// it is, nil where none does, and otherwise the type itself, which may be nil.
func (t *Type) Member(v Value) *Type {
	if t == nil || t.Kind != KindUnion {
		return t
	}
	for _, item := range t.Items {
		if got, err := Coerce(item, v); err == nil && EqualValues(got, v) {
			return item
		}
	}
	return nil
}

func containsType(types []*Type, t *Type) bool {
	for _, o := range types {
		if o.Kind == t.Kind && o.String() == t.String() && sameDefinition(o, t) {
			return true
		}
	}
	return false
}

// problem says what is wrong with a type that a program put together, "" for
// nothing.
func (t *Type) problem(depth int) string {
	if depth > maxDepth {
		return fmt.Sprintf("the type is nested deeper than %d levels, or holds itself", maxDepth)
	}
	inside := t.Items
	switch t.Kind {
	case KindEnum:
		if t.Name != "" && t.Members != nil && len(t.Members) != len(t.Choices) {
			return fmt.Sprintf("the enum %s has %d choices and %d names of them", t.Name, len(t.Choices), len(t.Members))
		}
		return checkChoices(t.Choices)
	case KindLiteral:
		if len(t.Values) == 0 {
			return "a literal needs at least one value"
		}
	case KindUnion:
		if len(t.Items) < 2 {
			return "a union needs at least two types; make it with UnionOf"
		}
	case KindObject:
		for i, f := range t.Fields {
			switch {
			case f.Type == nil:
				return fmt.Sprintf("the field %q of %s has no type", f.Name, t.Name)
			case slices.ContainsFunc(t.Fields[:i], func(o Field) bool { return o.Name == f.Name }):
				return fmt.Sprintf("two fields of %s are named %q", t.Name, f.Name)
			}
			if problem := f.problem(); problem != "" {
				return fmt.Sprintf("the field %q of %s: %s", f.Name, t.Name, problem)
			}
			inside = append(inside[:len(inside):len(inside)], f.Type)
		}
	}
	if t.Kind < KindString || t.Kind > KindToolCalls {
		return fmt.Sprintf("there is no kind of type %d", t.Kind)
	}
	for _, in := range append([]*Type{t.Elem, t.Key}, inside...) {
		if in == nil {
			continue
		}
		if problem := in.problem(depth + 1); problem != "" {
			return problem
		}
	}
	return ""
}
