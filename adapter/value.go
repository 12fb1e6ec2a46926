package adapter

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/whetgo/whet/signature"
)

var errValue = errors.New("the text is no value of the type")

// readValue reads a field's text as its type, as DSPy does for well-formed text.
// repair says what had to be forgiven, empty for nothing.
func readValue(t *signature.Type, text string) (v signature.Value, repair string, err error) {
	if t.Optional {
		plain := *t
		plain.Optional = false
		if t.Kind != signature.KindString && isNone(text) {
			return nil, "", nil
		}
		return readValue(&plain, text)
	}
	switch t.Kind {
	case signature.KindString:
		return text, "", nil
	case signature.KindEnum:
		return readChoice(t.Choices, text)
	case signature.KindBool:
		return readBool(text)
	case signature.KindInt:
		return readInt(text)
	case signature.KindFloat:
		return readFloat(text)
	case signature.KindTime:
		tm, err := signature.ParseTime(unquote(text))
		if err != nil {
			return nil, "", err
		}
		return tm, "", nil
	default:
		return readJSON(t, text)
	}
}

func isNone(text string) bool {
	switch strings.TrimSpace(text) {
	case "None", "null", "":
		return true
	}
	return false
}

// readChoice finds the choice that a text means: itself, without the spaces,
// quotes or type name around it as in DSPy, and then without regard to letter
// case, Markdown and a mark at its end.
func readChoice(choices []string, text string) (signature.Value, string, error) {
	if slices.Contains(choices, text) {
		return text, "", nil
	}
	s := strings.TrimSpace(text)
	for _, wrapper := range []string{"Literal[", "str["} {
		if inner, ok := strings.CutPrefix(s, wrapper); ok && strings.HasSuffix(inner, "]") {
			s = inner[:len(inner)-1]
		}
	}
	if s = unquote(s); slices.Contains(choices, s) {
		return s, "", nil
	}
	bare := strings.Trim(s, "*_`\"' \t.,;:!")
	match := ""
	for _, c := range choices {
		if strings.EqualFold(c, bare) {
			if match != "" {
				return nil, "", errValue // two choices differ only in their letter case
			}
			match = c
		}
	}
	if match == "" {
		return nil, "", errValue
	}
	if match == bare {
		return match, "marks around a choice", nil
	}
	return match, "letter case of a choice", nil
}

// unquote drops one pair of equal quotes.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

func readBool(text string) (signature.Value, string, error) {
	switch strings.ToLower(unquote(text)) {
	case "true", "yes", "on", "t", "y", "1", "1.0":
		return true, "", nil
	case "false", "no", "off", "f", "n", "0", "0.0":
		return false, "", nil
	}
	switch strings.ToLower(strings.Trim(text, "*_`\"' \t\n.,;:!")) {
	case "true", "yes":
		return true, "marks around a truth value", nil
	case "false", "no":
		return false, "marks around a truth value", nil
	}
	return nil, "", errValue
}

func readInt(text string) (signature.Value, string, error) {
	s := unquote(text)
	switch s {
	case "true", "True":
		return int64(1), "", nil
	case "false", "False":
		return int64(0), "", nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, "", nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), "", nil
	}
	return nil, "", errValue
}

func readFloat(text string) (signature.Value, string, error) {
	s := unquote(text)
	switch s {
	case "true", "True":
		return 1.0, "", nil
	case "false", "False":
		return 0.0, "", nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
		return nil, "", errValue
	}
	return f, "", nil
}

// readJSON reads a list or an object, also from a fenced block.
func readJSON(t *signature.Type, text string) (signature.Value, string, error) {
	s, repair := strings.TrimSpace(text), ""
	if inner, ok := strings.CutPrefix(s, "```"); ok {
		if _, body, ok := strings.Cut(inner, "\n"); ok {
			s, repair = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(body), "```")), "fences around JSON"
		}
	}
	v, err := signature.ParseValue([]byte(s))
	if err != nil {
		return nil, "", err
	}
	if v, err = signature.Coerce(t, v); err != nil {
		return nil, "", err
	}
	return v, repair, nil
}
