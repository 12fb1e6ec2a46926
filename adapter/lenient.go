package adapter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/whetgo/whet/signature"
)

// forgiving reads a field's text as DSPy does and, where that fails, once more
// without what small models put around an answer. Texts of free content are taken
// as they are: nothing about them can be wrong.
func (l *laxer) forgiving(f signature.Field, s string) (signature.Value, error) {
	before := len(l.repairs)
	v, err := l.text(f.Type, s)
	if err == nil {
		return v, nil
	}
	for _, peel := range []func(string) (string, string){
		withoutThoughts,
		withoutEndMarker,
		func(s string) (string, string) { return withoutLabel(f, s) },
		withoutFences,
	} {
		peeled, what := peel(s)
		if what == "" {
			continue
		}
		s = peeled
		l.repaired(what)
		if v, err := l.text(f.Type, s); err == nil {
			return v, nil
		}
	}
	peeled := slices.Clone(l.repairs)
	l.lenient = true
	defer func() { l.lenient = false }()
	for _, read := range []func(*signature.Type, string) (signature.Value, error){
		l.text, l.raw, l.none, l.bullets, l.firstLine,
	} {
		if v, err := read(f.Type, s); err == nil {
			return v, nil
		}
		l.repairs = slices.Clone(peeled)
	}
	l.repairs = l.repairs[:before]
	return nil, err
}

// raw is value for a text that is no JSON.
func (l *laxer) raw(t *signature.Type, s string) (signature.Value, error) {
	v, err := l.value(t, s)
	if err == nil && holdsText(t) {
		l.repaired("text taken as it stands")
	}
	return v, err
}

// none reads an empty text as an absent value.
func (l *laxer) none(t *signature.Type, s string) (signature.Value, error) {
	if t.Optional {
		switch strings.ToLower(unmark(s)) {
		case "", "none", "null":
			l.repaired("marks around None")
			return nil, nil
		}
	}
	return nil, errValue
}

// bullets reads a list of which each line is an item behind a bullet or a number.
func (l *laxer) bullets(t *signature.Type, s string) (signature.Value, error) {
	if t.Kind != signature.KindList || t.Elem == nil {
		return nil, errValue
	}
	var items []signature.Value
	for _, line := range splitLines(s) {
		if line = strip(line); line == "" {
			continue
		}
		item, ok := bullet(line)
		if !ok {
			return nil, errValue
		}
		v, err := l.text(t.Elem, item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", len(items), err)
		}
		items = append(items, v)
	}
	if len(items) == 0 {
		return nil, errValue
	}
	l.repaired("lines with bullets in place of a list")
	return items, nil
}

// bullet cuts "- ", "* " or "1. " off a line.
func bullet(line string) (string, bool) {
	for _, b := range []string{"- ", "* ", "• ", "+ "} {
		if item, ok := strings.CutPrefix(line, b); ok {
			return strip(item), true
		}
	}
	number := strings.TrimLeft(line, "0123456789")
	if len(number) == len(line) || len(line)-len(number) > 4 {
		return "", false
	}
	for _, b := range []string{". ", ") "} {
		if item, ok := strings.CutPrefix(number, b); ok {
			return strip(item), true
		}
	}
	return "", false
}

// firstLine reads a number, time or truth value with an explanation on the lines
// behind it, in which no other number may stand.
func (l *laxer) firstLine(t *signature.Type, s string) (signature.Value, error) {
	first, rest, more := strings.Cut(strip(s), "\n")
	if !more || !isClosed(t) || strings.ContainsAny(rest, "0123456789") {
		return nil, errValue
	}
	if t.Kind == signature.KindEnum || t.Kind == signature.KindLiteral || t.Kind == signature.KindBool {
		return nil, errValue // see choose
	}
	v, err := l.text(t, strip(first))
	if err != nil {
		v, err = l.value(t, strip(first))
	}
	if err == nil {
		l.repaired("text after the answer")
	}
	return v, err
}

// withoutFences takes the fences off a fenced text, also those that are not closed
// or not opened.
func withoutFences(s string) (string, string) {
	const fence, what = "```", "fences around the answer"
	if inner, ok := unfence(s); ok {
		return inner, what
	}
	if inner, ok := strings.CutSuffix(strip(s), fence); ok && !strings.Contains(inner, fence) {
		return strip(inner), what
	}
	return s, ""
}

// withoutEndMarker cuts the marker that ends a reply off a line of the text.
func withoutEndMarker(s string) (string, string) {
	if rest, ok := strings.CutSuffix(strip(s), marker(completed)); ok {
		return strip(rest), "marker within a line"
	}
	return s, ""
}

// withoutLabel cuts the field's own name off the text: "Label: ham".
func withoutLabel(f signature.Field, s string) (string, string) {
	first, rest, _ := strings.Cut(strip(s), "\n")
	if h, ok := headAt(first, spellings(f)); ok {
		return strip(h.rest + "\n" + rest), "name repeated before the answer"
	}
	return s, ""
}

// trimNumber drops the marks around a number.
func trimNumber(s string) string {
	s = strings.Trim(strip(s), "*_`\"'“”‘’ \t\r\n")
	s = strings.TrimRight(s, ".!;*_`\"'“”‘’ ")
	return strings.Replace(s, "\u2212", "-", 1)
}

// lenientInt reads a whole number with marks around it or commas between thousands.
func lenientInt(s string) (int64, string, error) {
	t := trimNumber(s)
	if n, ok := intText(t); ok {
		return n, "marks around a number", nil
	}
	for _, mark := range []string{",", ".", "'", "\u00a0", "\u202f"} {
		whole := t
		if mark == "," {
			whole = strings.TrimSuffix(t, ".00")
		}
		digits, groups := grouped(whole, mark)
		// 1.234 may be a fraction, 1.234.567 is none.
		if groups == 0 || mark == "." && groups < 2 {
			continue
		}
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return n, "marks between thousands", nil
		}
	}
	return 0, "", errNumber
}

// lenientFloat reads a number with marks around it, a decimal comma or marks between
// thousands. What could be either, 1,234, is no number; nor is 95%, which may mean
// 95 or 0.95.
func lenientFloat(s string) (float64, string, error) {
	t := trimNumber(s)
	if f, err := floatText(t); err == nil {
		return f, "marks around a number", nil
	}
	commas, points := strings.Count(t, ","), strings.Count(t, ".")
	what, plain := "", ""
	switch {
	case commas == 1 && points == 0:
		whole, fraction, _ := strings.Cut(t, ",")
		if digits := strings.TrimLeft(whole, "+-"); len(fraction) == 3 && len(digits) <= 3 && digits != "0" && digits != "" {
			return 0, "", errNumber
		}
		what, plain = "decimal comma", whole+"."+fraction
	case commas == 0 && points > 1:
		plain, _ = grouped(t, ".")
		what = "marks between thousands"
	case commas > 1 && points == 0:
		plain, _ = grouped(t, ",")
		what = "marks between thousands"
	case commas >= 1 && points == 1 && strings.LastIndex(t, ",") < strings.LastIndex(t, "."):
		whole, fraction, _ := strings.Cut(t, ".")
		if digits, n := grouped(whole, ","); n > 0 {
			what, plain = "marks between thousands", digits+"."+fraction
		}
	case points >= 1 && commas == 1:
		whole, fraction, _ := strings.Cut(t, ",")
		if digits, n := grouped(whole, "."); n > 0 {
			what, plain = "decimal comma", digits+"."+fraction
		}
	}
	if plain == "" || strings.Trim(plain, "+-.0123456789") != "" {
		return 0, "", errNumber
	}
	f, err := floatText(plain)
	return f, what, err
}

// grouped joins digits in groups of three and returns the number of groups behind
// the first, 0 if they are none.
func grouped(s, mark string) (string, int) {
	parts := strings.Split(s, mark)
	for i, p := range parts {
		digits := p
		if i == 0 {
			digits = strings.TrimLeft(p, "+-")
		}
		if digits == "" || strings.Trim(digits, "0123456789") != "" || len(digits) > 3 || i > 0 && len(digits) != 3 || i == 0 && digits[0] == '0' {
			return "", 0
		}
	}
	return strings.Join(parts, ""), len(parts) - 1
}
