package signature

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
	// KindEnum is one of the Choices.
	KindEnum
	// KindTime is a date and time, RFC 3339 in prompts.
	KindTime
	// KindList is a list of Elem.
	KindList
	// KindObject is an object with Fields.
	KindObject
)

// Type describes the values of a field. It is immutable.
type Type struct {
	// Kind is the kind of value.
	Kind Kind
	// Name is the name of an object's type, as the model sees it.
	Name string
	// Choices are the values of a KindEnum, in order, distinct, none empty.
	Choices []string
	// Elem is the type of a list's items.
	Elem *Type
	// Fields are the fields of an object, in order.
	Fields []Field
	// Optional says that the value may be absent (nil, None).
	Optional bool
}
