package adapter

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/whetgo/whet/internal/jsonrepair"
	"github.com/whetgo/whet/signature"
)

var errValue = errors.New("the text is no value of the type")

// text reads a field's text as its type, as DSPy does: text as it is, a choice by
// its rules, everything else by repairing it as JSON and then validating it.
func (l *laxer) text(t *signature.Type, s string) (signature.Value, error) {
	plain := !t.Optional
	switch {
	case plain && t.Kind == signature.KindString:
		return l.revealed(s), nil
	case plain && isEnumClass(t):
		return l.member(t, s)
	case plain && (t.Kind == signature.KindEnum || t.Kind == signature.KindLiteral):
		if literal(t, s) {
			return s, nil
		}
		if s = unwrap(s); literal(t, s) {
			return s, nil
		}
	case t.Optional && holdsText(t):
		return l.value(t, s)
	}
	if v, ok := plainScalar(s); ok {
		if got, err := l.value(t, v); err == nil || !plain || !isText(t.Kind) {
			return got, err
		}
		return l.value(t, s)
	}
	candidate, repaired := guess(s)
	if repaired != "" && l.careful && isText(t.Kind) {
		candidate, repaired = s, "" // a program may hold JSON without being it
	}
	before := len(l.repairs)
	v, err := l.value(t, candidate)
	if err == nil {
		if _, isScalar := v.(string); repaired != "" && !isScalar {
			l.repaired(repaired)
		}
		return v, nil
	}
	l.repairs = l.repairs[:before]
	if plain && isBuiltin(t.Kind) { // of those some read the text itself
		if v, err := l.value(t, s); err == nil {
			return v, nil
		}
	}
	return nil, err
}

// member reads a choice of an enum class: a value or else a member's name.
func (l *laxer) member(t *signature.Type, s string) (signature.Value, error) {
	if literal(t, s) {
		return s, nil
	}
	for i, v := range t.Literals() {
		if i < len(t.Members) && t.Members[i] == s {
			return v, nil
		}
	}
	if l.lenient {
		return l.literal(t, s)
	}
	return nil, unwanted(t, s)
}

// isEnumClass reports whether a type is a class of named members, which DSPy reads
// otherwise than a literal.
func isEnumClass(t *signature.Type) bool {
	return t.Name != "" && (t.Kind == signature.KindEnum || t.Kind == signature.KindLiteral)
}

// unwrap drops what DSPy drops around a choice: spaces, a type's name and brackets,
// one pair of quotes.
func unwrap(s string) string {
	s = strip(s)
	for _, wrapper := range []string{"Literal[", "str["} {
		if inner, ok := strings.CutPrefix(s, wrapper); ok && strings.HasSuffix(inner, "]") {
			s = inner[:len(inner)-1]
			break
		}
	}
	return unquote(s)
}

// holdsText reports whether plain text is one of the type's values.
func holdsText(t *signature.Type) bool {
	if t.Kind == signature.KindUnion {
		for _, item := range t.Items {
			if item.Kind == signature.KindString {
				return true
			}
		}
	}
	return t.Kind == signature.KindString
}

// isText reports whether a kind's values are texts of any content.
func isText(k signature.Kind) bool {
	return k == signature.KindString || k == signature.KindReasoning || k == signature.KindCode
}

func isBuiltin(k signature.Kind) bool { return k >= signature.KindReasoning }

// isClosed reports whether a kind's values are short and of one form: choices,
// truth values, numbers, times.
func isClosed(t *signature.Type) bool {
	switch t.Kind {
	case signature.KindBool, signature.KindInt, signature.KindFloat, signature.KindEnum, signature.KindLiteral, signature.KindTime:
		return true
	}
	return false
}

// plainScalar reads the most frequent texts without the repair of JSON, and to the
// same values.
func plainScalar(s string) (signature.Value, bool) {
	switch s {
	case "true", "True":
		return true, true
	case "false", "False":
		return false, true
	case "null", "None":
		return nil, true
	}
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 18 || digits[0] == '0' && digits != "0" || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// guess reads a text without knowing its type: by repairing it as JSON, else as a
// Python literal, else it is itself. repaired says what was mended, "" for nothing.
func guess(s string) (v signature.Value, repaired string) {
	v, mended, _ := jsonrepair.Repaired(s)
	if v == "" {
		if lit, ok := pythonLiteral(s); ok {
			v, mended = lit, true
		} else {
			return s, ""
		}
	}
	switch v.(type) {
	case []signature.Value, signature.Record:
		if mended {
			return v, mending(s)
		}
	}
	return v, ""
}

// mending names what was done to a text that is no JSON.
func mending(s string) string {
	if inner, ok := unfence(s); ok && json.Valid([]byte(inner)) {
		return "fences around JSON"
	}
	return "JSON mended"
}

// unfence takes the fences off a text that is one fenced block.
func unfence(s string) (string, bool) {
	const fence = "```"
	s = strip(s)
	inner, ok := strings.CutPrefix(s, fence)
	if !ok {
		return s, false
	}
	inner = strip(strings.TrimSuffix(inner, fence))
	if first, rest, ok := strings.Cut(inner, "\n"); ok && !strings.ContainsAny(strip(first), " \t{[\"'") {
		inner = strip(rest) // the first line names the language
	}
	return inner, !strings.Contains(inner, fence)
}

// typed reads a value that came with a type of its own, as in a JSON object.
func (l *laxer) typed(t *signature.Type, v signature.Value) (signature.Value, error) {
	if s, ok := v.(string); ok {
		return l.text(t, s)
	}
	if !t.Optional && t.Kind == signature.KindString {
		return l.revealed(pythonText(v)), nil
	}
	return l.value(t, v)
}

// pythonText writes a value as Python's str does.
func pythonText(v signature.Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return signature.PythonRepr(v)
}
