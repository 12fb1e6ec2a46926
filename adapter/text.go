package adapter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/whetgo/whet/signature"
)

// formatValue writes a value as DSPy's prompts do: Python's True, False and None,
// numbers as Python prints them, lists and objects as JSON, and a list given to a
// text field as numbered lines.
func formatValue(t *signature.Type, v signature.Value) (string, error) {
	switch v := v.(type) {
	case nil:
		return "None", nil
	case string:
		return v, nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return signature.FormatFloat(v), nil
	case time.Time:
		return signature.FormatTime(v), nil
	case []signature.Value:
		if t.Kind == signature.KindString && !t.Optional {
			return numbered(v)
		}
	}
	return signature.MarshalPython(v)
}

// strip drops the white space at both ends that Python's strip drops: what Unicode
// calls white space and four separators that it does not.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// numbered writes a list that was given to a text field.
func numbered(items []signature.Value) (string, error) {
	if len(items) == 0 {
		return "N/A", nil
	}
	lines := make([]string, len(items))
	for i, item := range items {
		s, err := formatValue(&signature.Type{Kind: signature.KindString}, item)
		if err != nil {
			return "", err
		}
		lines[i] = blob(s)
		if len(items) > 1 {
			lines[i] = fmt.Sprintf("[%d] %s", i+1, lines[i])
		}
	}
	return strings.Join(lines, "\n"), nil
}

// blob quotes a text in guillemets; one that holds a line end or a guillemet gets
// three of them and an indented block.
func blob(s string) string {
	if !strings.ContainsAny(s, "\n«»") {
		return "«" + s + "»"
	}
	return "«««\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n»»»"
}

// note tells the model what a field's value must look like, as DSPy does; empty
// for text.
func note(t *signature.Type) (string, error) {
	var must string
	switch {
	case t.Kind == signature.KindString && !t.Optional:
		return "", nil
	case t.Optional || t.Kind == signature.KindList || t.Kind == signature.KindObject || t.Kind == signature.KindTime:
		schema, err := signature.MarshalPython(t.Schema())
		if err != nil {
			return "", err
		}
		must = "must adhere to the JSON schema: " + schema
	case t.Kind == signature.KindBool:
		must = "must be True or False"
	case t.Kind == signature.KindInt || t.Kind == signature.KindFloat:
		must = "must be a single " + t.String() + " value"
	default:
		must = "must exactly match (no extra characters) one of: " + strings.Join(t.Choices, "; ")
	}
	return strings.Repeat(" ", 8) + "# note: the value you produce " + must, nil
}
