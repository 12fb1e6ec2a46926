package adapter

import (
	"errors"
	"math"
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
	switch strip(text) {
	case "None", "null", "":
		return true
	}
	return false
}

func readBool(text string) (signature.Value, string, error) {
	switch strings.ToLower(unquote(text)) {
	case "true", "yes", "on", "t", "y", "1", "1.0":
		return true, "", nil
	case "false", "no", "off", "f", "n", "0", "0.0":
		return false, "", nil
	}
	switch strings.ToLower(unmark(text)) {
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
	if f, err := parseDecimal(s); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
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
	f, err := parseDecimal(s)
	if err != nil {
		return nil, "", err
	}
	return f, "", nil
}

// parseDecimal reads a finite decimal number. Go's other forms, such as 0x1p4 and
// Inf, are none here.
func parseDecimal(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
		return 0, errValue
	}
	return f, nil
}

// readJSON reads a list or an object, also from a fenced block.
func readJSON(t *signature.Type, text string) (signature.Value, string, error) {
	s, repair := strip(text), ""
	if inner, ok := strings.CutPrefix(s, "```"); ok {
		if _, body, ok := strings.Cut(inner, "\n"); ok {
			s, repair = strip(strings.TrimSuffix(strip(body), "```")), "fences around JSON"
		}
	}
	v, err := signature.ParseValue([]byte(s))
	if err != nil {
		return nil, "", err
	}
	if v, err = signature.Coerce(t, relax(t, v)); err != nil {
		return nil, "", err
	}
	return v, repair, nil
}

// relax turns scalars inside lists and objects into what their types want where
// pydantic's lax mode would: "7" into 7, "yes" into true, true into 1. What it
// does not know it leaves for Coerce to refuse.
func relax(t *signature.Type, v signature.Value) signature.Value {
	switch v := v.(type) {
	case string:
		if t.Kind == signature.KindString {
			return v
		}
		plain := *t
		plain.Optional = false
		if t.Kind != signature.KindList && t.Kind != signature.KindObject {
			if read, repair, err := readValue(&plain, v); err == nil && repair == "" {
				return read
			}
		}
	case bool:
		switch {
		case t.Kind == signature.KindInt && v:
			return int64(1)
		case t.Kind == signature.KindInt:
			return int64(0)
		}
	case int64:
		if t.Kind == signature.KindBool && (v == 0 || v == 1) {
			return v == 1
		}
	case []signature.Value:
		if t.Kind == signature.KindList {
			out := make([]signature.Value, len(v))
			for i, item := range v {
				out[i] = relax(t.Elem, item)
			}
			return out
		}
	case signature.Record:
		if t.Kind == signature.KindObject {
			names, values := make([]string, 0, v.Len()), make([]signature.Value, 0, v.Len())
			for _, f := range t.Fields {
				if item, ok := v.Get(f.Name); ok {
					names, values = append(names, f.Name), append(values, relax(f.Type, item))
				}
			}
			return signature.MakeRecord(names, values)
		}
	}
	return v
}
