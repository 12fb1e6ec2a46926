package adapter

import (
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// compactHints say, field by field, what the instructions do not. They stand behind
// the instructions and not on lines of their own, where they would look like
// answers.
func compactHints(sig *signature.Signature, ins, outs []compactField, terse bool) []string {
	described := func(f compactField) string {
		if terse {
			return ""
		}
		return description(f.Field)
	}
	var hints []string
	add := func(f compactField, parts ...string) {
		parts = append(parts, f.ConstraintText())
		var said []string
		for _, p := range parts {
			if p = oneLine(p); p != "" {
				said = append(said, p)
			}
		}
		if len(said) > 0 {
			hints = append(hints, "("+f.label+" "+strings.Join(said, "; ")+")")
		}
	}
	for _, f := range ins {
		add(f, described(f))
	}
	for _, f := range outs {
		desc := described(f)
		add(f, desc, typeHint(f.Type, sig.Instructions()+"\n"+desc))
	}
	return hints
}

// typeHint says what an answer of a type looks like, "" for text and for choices
// that stand in what was said already.
func typeHint(t *signature.Type, said string) string {
	if texts := Choices(t); texts != nil && t.Kind != signature.KindBool {
		for _, text := range texts {
			if !hasWord(said, text) {
				return "one of " + strings.Join(texts, ", ")
			}
		}
		return ""
	}
	if !t.Optional {
		switch t.Kind {
		case signature.KindString, signature.KindReasoning:
			return ""
		case signature.KindCode:
			language := t.Name
			if language == "" {
				language = "python"
			}
			return language + " code as a JSON string"
		}
	}
	return sketch(t, "None")
}

// hasWord reports whether a text holds another one as a whole: not inside a longer
// word. Letter case counts only for single letters, since "a" is a word of every
// text.
func hasWord(text, word string) bool {
	if utf8.RuneCountInString(word) > 1 {
		text, word = strings.ToLower(text), strings.ToLower(word)
	}
	return containsWord(text, word)
}

// sketch shows a type as an answer with types in the place of values:
// [{"name": str, "age": int or null}]. none is how absence is written.
func sketch(t *signature.Type, none string) string {
	if t == nil {
		return "any"
	}
	if t.Optional {
		plain := *t
		plain.Optional = false
		return sketch(&plain, none) + " or " + none
	}
	switch t.Kind {
	case signature.KindEnum, signature.KindLiteral:
		values := make([]string, len(t.Literals()))
		for i, v := range t.Literals() {
			data, _ := signature.MarshalValue(v) // scalars never fail
			values[i] = string(data)
		}
		return strings.Join(values, " or ")
	case signature.KindList, signature.KindSet:
		return "[" + sketch(t.Elem, "null") + ", ...]"
	case signature.KindTuple:
		if t.Elem != nil || len(t.Items) == 0 {
			return "[" + sketch(t.Elem, "null") + ", ...]"
		}
		items := make([]string, len(t.Items))
		for i, item := range t.Items {
			items[i] = sketch(item, "null")
		}
		return "[" + strings.Join(items, ", ") + "]"
	case signature.KindDict:
		return `{"...": ` + sketch(t.Elem, "null") + "}"
	case signature.KindObject:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = `"` + f.Name + `": ` + sketch(f.Type, "null")
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case signature.KindToolCalls:
		return `{"tool_calls": [{"name": str, "args": {"...": any}}, ...]}`
	case signature.KindUnion:
		items := make([]string, len(t.Items))
		for i, item := range t.Items {
			items[i] = sketch(item, none)
		}
		return strings.Join(items, " or ")
	case signature.KindAny:
		return "any"
	case signature.KindNone:
		return none
	case signature.KindCode:
		return "str"
	}
	return t.String()
}
