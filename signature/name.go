package signature

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// String returns the type as DSPy shows it to the model: str, list[str],
// Literal['a', 'b'], Union[str, NoneType].
func (t *Type) String() string {
	s := t.base()
	switch {
	case !t.Optional || t.Kind == KindNone:
		return s
	case t.Kind != KindUnion:
		return "Union[" + s + ", NoneType]"
	case containsType(t.Items, &Type{Kind: KindNone}):
		return s
	default:
		return s[:len(s)-1] + ", NoneType]"
	}
}

// name is that of a kind whose types are all called the same, else "".
func (k Kind) name() string {
	switch k {
	case KindString, KindReasoning:
		return "str"
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindFloat:
		return "float"
	case KindTime:
		return "datetime"
	case KindAny:
		return "Any"
	case KindNone:
		return "NoneType"
	case KindHistory:
		return "History"
	case KindImage:
		return "Image"
	case KindAudio:
		return "Audio"
	case KindFile:
		return "File"
	case KindTool:
		return "Tool"
	case KindToolCalls:
		return "ToolCalls"
	}
	return ""
}

func (t *Type) base() string {
	if t.schema != nil {
		return t.Name
	}
	if name := t.Kind.name(); name != "" {
		return name
	}
	switch t.Kind {
	case KindList:
		return generic("list", t.Elem)
	case KindSet:
		return generic("set", t.Elem)
	case KindDict:
		if t.Key == nil {
			return generic("dict", t.Elem)
		}
		return generic("dict", t.Key, t.Elem)
	case KindTuple:
		if t.Elem != nil {
			return "tuple[" + t.Elem.String() + ", Ellipsis]"
		}
		return generic("tuple", t.Items...)
	case KindUnion:
		return generic("Union", t.Items...)
	case KindEnum, KindLiteral:
		if t.Name != "" {
			return t.Name
		}
		values := t.Literals()
		quoted := make([]string, len(values))
		for i, v := range values {
			if s, ok := v.(string); ok {
				quoted[i] = quotePython(s)
			} else {
				quoted[i] = pythonString(v)
			}
		}
		return "Literal[" + strings.Join(quoted, ", ") + "]"
	case KindCode:
		if t.Name == "" {
			return "Code"
		}
		return "Code_" + t.Name
	default:
		return t.Name
	}
}

func generic(name string, args ...*Type) string {
	var shown []string
	for _, a := range args {
		if a != nil {
			shown = append(shown, a.String())
		}
	}
	if len(shown) == 0 {
		return name
	}
	return name + "[" + strings.Join(shown, ", ") + "]"
}

// plainType returns the type of a name without brackets.
func plainType(name string) *Type {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "typing."), "dspy.")
	switch name {
	case "datetime.datetime":
		return &Type{Kind: KindTime}
	case "list", "List":
		return ListOf(nil)
	case "set", "Set":
		return SetOf(nil)
	case "tuple", "Tuple":
		return TupleOf()
	case "dict", "Dict":
		return DictOf(nil, nil)
	case "None":
		return &Type{Kind: KindNone}
	case "Reasoning": // shown as str
		return &Type{Kind: KindReasoning}
	case "Code":
		return &Type{Kind: KindCode}
	}
	for k := KindString; k <= KindToolCalls; k++ {
		if k.name() == name && name != "" {
			return &Type{Kind: k}
		}
	}
	return nil
}

// Literals returns the values that a KindEnum or KindLiteral may have, nil for
// other kinds.
func (t *Type) Literals() []Value {
	if t.Kind == KindLiteral {
		return t.Values
	}
	if t.Kind != KindEnum {
		return nil
	}
	values := make([]Value, len(t.Choices))
	for i, c := range t.Choices {
		values[i] = c
	}
	return values
}

// PythonScalar writes a value that is no list and no object as Python's str does:
// None, True, 42.0; times as [FormatTime] does. ok is false for other values.
func PythonScalar(v Value) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "None", true
	case string:
		return v, true
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return FormatFloat(v), true
	case time.Time:
		return FormatTime(v), true
	}
	return "", false
}

// pythonString is PythonScalar for values that are known to be scalars.
func pythonString(v Value) string {
	if text, ok := PythonScalar(v); ok {
		return text
	}
	return fmt.Sprint(v)
}

// quotePython quotes a choice as DSPy does: in single quotes, in double ones when
// it holds only single ones, and else with the single ones escaped.
func quotePython(s string) string {
	switch {
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	case !strings.Contains(s, `"`):
		return `"` + s + `"`
	default:
		return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
	}
}

// Prefix returns the label that DSPy's files, and Compact's prompts, give the
// field: its name in words, with a colon.
func (f Field) Prefix() string { return InferPrefix(f.Name) + ":" }

// wordEdges are the places where DSPy breaks a name into words, tried in this
// order: before a capital followed by small letters, between small and capital,
// and between letters and digits.
var wordEdges = []*regexp.Regexp{
	regexp.MustCompile(`(.)([A-Z][a-z]+)`),
	regexp.MustCompile(`([a-z0-9])([A-Z])`),
	regexp.MustCompile(`([a-zA-Z])(\d)`),
	regexp.MustCompile(`(\d)([a-zA-Z])`),
}

// InferPrefix turns a field name into words as DSPy does: "next_query" is "Next
// Query", "text2number" is "Text 2 Number", "HTMLParser" is "HTML Parser".
func InferPrefix(name string) string {
	for _, edge := range wordEdges {
		name = edge.ReplaceAllString(name, "${1}_${2}")
	}
	words := strings.Split(name, "_")
	for i, w := range words {
		if w == "" || w == strings.ToUpper(w) && strings.ToLower(w) != w {
			continue // nothing, or an acronym
		}
		rs := []rune(strings.ToLower(w))
		rs[0] = unicode.ToUpper(rs[0])
		words[i] = string(rs)
	}
	return strings.Join(words, " ")
}
