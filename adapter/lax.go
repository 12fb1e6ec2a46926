package adapter

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/whetgo/whet/signature"
)

// laxer makes values of a type out of values that were read without one, by the
// rules of pydantic's lax mode, which DSPy goes by: "7" is an integer where one is
// wanted, yes a truth value, but 5 no text.
type laxer struct {
	// lenient forgives more than pydantic: see choice.go and lenient.go.
	lenient bool
	// careful does not take what DSPy takes and is hardly meant: a bit of JSON within a
	// program for the program, and 2024 for seconds.
	careful bool
	// reveal restores the field markers in texts that were hidden in a prompt.
	reveal bool
	// repairs says what was forgiven.
	repairs []string
	// fit and fields judge how well the last value fitted its type, which decides
	// between the types of a union.
	fit    fit
	fields int
}

// fit says how near a value was to its type.
type fit int

const (
	converted fit = iota // from another type
	near                 // such as an integer for a number
	exact
)

// noFields is the number of fields of a value that is no object.
const noFields = -1

func (l *laxer) worse(f fit) { l.fit = min(l.fit, f) }

func (l *laxer) repaired(what string) { l.repairs = append(l.repairs, what) }

// value makes a value of type t; a nil type is any. The error says where inside of
// the value something else was found than wanted.
func (l *laxer) value(t *signature.Type, v signature.Value) (signature.Value, error) {
	if t == nil || t.Kind == signature.KindAny {
		l.worse(near)
		return l.revealed(v), nil
	}
	if v == nil {
		if t.Optional || t.Kind == signature.KindNone || t.Kind == signature.KindLiteral && literal(t, nil) {
			return nil, nil
		}
		return nil, unwanted(t, v)
	}
	switch t.Kind {
	case signature.KindString:
		if s, ok := v.(string); ok {
			return l.revealed(s), nil
		}
	case signature.KindBool:
		return l.bool(t, v)
	case signature.KindInt:
		return l.int(t, v)
	case signature.KindFloat:
		return l.float(t, v)
	case signature.KindEnum, signature.KindLiteral:
		return l.literal(t, v)
	case signature.KindTime:
		l.worse(converted)
		return l.time(t, v)
	case signature.KindUnion:
		return l.union(t, v)
	case signature.KindList, signature.KindSet, signature.KindTuple:
		if items, ok := v.([]signature.Value); ok {
			return l.items(t, items)
		}
	case signature.KindDict:
		if r, ok := v.(signature.Record); ok {
			return l.dict(t, r)
		}
	case signature.KindObject:
		if r, ok := v.(signature.Record); ok {
			return l.object(t, r)
		}
	case signature.KindNone:
	default:
		return l.builtin(t, v)
	}
	return nil, unwanted(t, v)
}

// unwanted is the error of a value that is none of a type.
func unwanted(t *signature.Type, v signature.Value) error { return &unwantedError{t, v} }

type unwantedError struct {
	typ   *signature.Type
	value signature.Value
}

func (e *unwantedError) Error() string {
	return fmt.Sprintf("want %s, got %s", expected(e.typ), shown(e.value))
}

// shown writes a value for an error message.
func shown(v signature.Value) string {
	if v == nil {
		return "nothing"
	}
	if s, ok := v.(string); ok {
		return excerpt(s)
	}
	data, err := signature.MarshalValue(v)
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	const most = 80
	if r := []rune(string(data)); len(r) > most {
		return string(r[:most]) + "..."
	}
	return string(data)
}

// revealed restores what was hidden in all texts of a value.
func (l *laxer) revealed(v signature.Value) signature.Value {
	if !l.reveal {
		return v
	}
	switch v := v.(type) {
	case string:
		return revealMarkers(v)
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = l.revealed(item)
		}
		return out
	case signature.Record:
		names, values := make([]string, v.Len()), make([]signature.Value, v.Len())
		for i := range names {
			name, item := v.At(i)
			names[i], values[i] = revealMarkers(name), l.revealed(item)
		}
		return signature.MakeRecord(names, values)
	}
	return v
}

func (l *laxer) bool(t *signature.Type, v signature.Value) (signature.Value, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case int64:
		l.worse(converted)
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case float64:
		l.worse(converted)
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		l.worse(converted)
		switch strings.ToLower(v) {
		case "true", "yes", "on", "t", "y", "1":
			return true, nil
		case "false", "no", "off", "f", "n", "0":
			return false, nil
		}
		if l.lenient {
			if b, what, err := lenientBool(v); err == nil {
				l.repaired(what)
				return b, nil
			}
		}
	}
	return nil, unwanted(t, v)
}

func (l *laxer) int(t *signature.Type, v signature.Value) (signature.Value, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case bool:
		l.worse(converted)
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		l.worse(converted)
		if n, ok := whole(v); ok {
			return n, nil
		}
	case string:
		l.worse(converted)
		if n, ok := intText(v); ok {
			return n, nil
		}
		if l.lenient {
			if n, what, err := lenientInt(v); err == nil {
				l.repaired(what)
				return n, nil
			}
		}
	}
	return nil, unwanted(t, v)
}

// whole returns a number without a fraction as an integer, unless it is too large.
func whole(f float64) (int64, bool) {
	if f != math.Trunc(f) || f < -(1<<63) || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// intText reads "7", " +7 ", "1_000" and "7.00".
func intText(s string) (int64, bool) {
	s = strip(s)
	if whole, zeros, ok := strings.Cut(s, "."); ok {
		if zeros == "" || strings.Trim(zeros, "0") != "" || whole == "" || whole == "+" || whole == "-" {
			return 0, false
		}
		s = whole
	}
	s, ok := withoutUnderscores(s)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// withoutUnderscores drops the underscores between digits, and reports whether
// there are no others.
func withoutUnderscores(s string) (string, bool) {
	if !strings.Contains(s, "_") {
		return s, true
	}
	if strings.Contains(s, "__") || strings.HasSuffix(s, "_") || strings.HasPrefix(strings.TrimLeft(s, "+-"), "_") {
		return "", false
	}
	return strings.ReplaceAll(s, "_", ""), true
}

func (l *laxer) float(t *signature.Type, v signature.Value) (signature.Value, error) {
	switch v := v.(type) {
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	case int64:
		l.worse(near)
		return float64(v), nil
	case bool:
		l.worse(converted)
		if v {
			return 1.0, nil
		}
		return 0.0, nil
	case string:
		l.worse(converted)
		if f, err := floatText(v); err == nil {
			return f, nil
		}
		if l.lenient {
			if f, what, err := lenientFloat(v); err == nil {
				l.repaired(what)
				return f, nil
			}
		}
	}
	return nil, unwanted(t, v)
}

var errNumber = errors.New("the text is no finite number")

// floatText reads a finite decimal number. Go's other forms, such as 0x1p4 and
// Inf, are none here.
func floatText(s string) (float64, error) {
	s, ok := withoutUnderscores(strip(s))
	if !ok || strings.ContainsAny(s, "xXpPnN") {
		return 0, errNumber
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, errNumber
	}
	return f, nil
}

// literal makes one of the values of an enum or a literal, which are compared as
// Python compares them: 1, 1.0 and True are equal.
func (l *laxer) literal(t *signature.Type, v signature.Value) (signature.Value, error) {
	if t.Name != "" {
		l.worse(converted) // the text is not the member of the enum class
	}
	for _, want := range t.Literals() {
		if signature.EqualValues(want, v) {
			return want, nil
		}
	}
	if _, ok := v.(string); !ok {
		for _, want := range t.Literals() {
			if equalNumbers(want, v) {
				l.worse(near)
				return want, nil
			}
		}
	}
	if s, ok := v.(string); ok && l.lenient {
		if c, what, err := lenientChoice(t, s); err == nil {
			l.repaired(what)
			return c, nil
		}
	}
	return nil, unwanted(t, v)
}

// literal reports whether a value is one of a literal's.
func literal(t *signature.Type, v signature.Value) bool {
	for _, want := range t.Literals() {
		if signature.EqualValues(want, v) {
			return true
		}
	}
	return false
}

// equalNumbers compares numbers and truth values as Python does.
func equalNumbers(a, b signature.Value) bool {
	x, ok := asNumber(a)
	y, too := asNumber(b)
	return ok && too && x == y
}

func asNumber(v signature.Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}
