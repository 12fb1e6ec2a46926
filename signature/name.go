package signature

import (
	"regexp"
	"strings"
	"unicode"
)

// String returns the type as DSPy shows it to the model: str, list[str],
// Literal['a', 'b'], Union[str, NoneType].
func (t *Type) String() string {
	s := t.base()
	if t.Optional {
		return "Union[" + s + ", NoneType]"
	}
	return s
}

func (t *Type) base() string {
	switch t.Kind {
	case KindString:
		return "str"
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindFloat:
		return "float"
	case KindTime:
		return "datetime"
	case KindList:
		return "list[" + t.Elem.String() + "]"
	case KindEnum:
		quoted := make([]string, len(t.Choices))
		for i, c := range t.Choices {
			quoted[i] = quotePython(c)
		}
		return "Literal[" + strings.Join(quoted, ", ") + "]"
	default:
		return t.Name
	}
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
