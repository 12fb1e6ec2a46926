package gbnf

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"unicode/utf8"
)

// textConstraint is what texts must fulfil.
type textConstraint struct {
	min, max int // characters; max may be unlimited
	patterns []string
	format   string // one of formats, "" for none
}

func (t *textConstraint) and(u *textConstraint) *textConstraint {
	out := &textConstraint{min: max(t.min, u.min), max: least(t.max, u.max), format: t.format}
	out.patterns = slices.Clone(t.patterns)
	for _, p := range u.patterns {
		if !slices.Contains(out.patterns, p) {
			out.patterns = append(out.patterns, p)
		}
	}
	if out.format == "" {
		out.format = u.format // of two, which demand nothing, the first will do
	}
	return out
}

// least is the lower of two limits, which may be unlimited.
func least(a, b int) int {
	if a == unlimited || b != unlimited && b < a {
		return b
	}
	return a
}

func (t *textConstraint) free() bool {
	return t.min == 0 && t.max == unlimited && len(t.patterns) == 0
}

func (t *textConstraint) holds(s string) bool {
	n := utf8.RuneCountInString(s)
	if n < t.min || t.max != unlimited && n > t.max {
		return false
	}
	for _, p := range t.patterns {
		if re, err := regexp.Compile(p); err != nil || !re.MatchString(s) {
			return false
		}
	}
	return true
}

// empty reports whether it is certain that no text fulfils it.
func (t *textConstraint) empty(depth int) bool {
	if t.max != unlimited && t.max < t.min {
		return true
	}
	if len(t.patterns) == 0 || depth == 0 {
		return false
	}
	e, ok := automaton(t.patterns, t.min, t.max)
	return ok && prune(e).isNever()
}

func tooLong(n *schemaNode, keyword string) error {
	return &UnsupportedError{Path: n.path, Keyword: keyword, Reason: "it is above " + strconv.Itoa(maxCount)}
}

func parsePattern(p string) (*syntax.Regexp, error) { return syntax.Parse(p, syntax.Perl) }

func (c *compiler) textKeywords(b *branch, n *schemaNode, o *object) error {
	if b.text == nil {
		return nil
	}
	t := &textConstraint{min: integer(o, "minLength", 0), max: integer(o, "maxLength", unlimited)}
	if p, ok := o.values["pattern"].(string); ok {
		if _, err := parsePattern(p); err != nil {
			return &UnsupportedError{Path: n.path, Keyword: "pattern", Reason: err.Error()}
		}
		t.patterns = []string{p}
	}
	if f, ok := o.values["format"].(string); ok && formats[f] != "" {
		t.format = f
	}
	if t.min > maxCount {
		return tooLong(n, "minLength")
	}
	b.text = b.text.and(t)
	return nil
}

// quote stands around texts.
func quote(inside *expr) *expr { return seq(text(`"`), inside, text(`"`)) }

// textValue makes the expression of the texts that fulfil a constraint.
func (c *compiler) textValue(n string, t *textConstraint) (*expr, error) {
	limit := t.max
	if limit == unlimited && c.text != unlimited {
		limit = max(t.min, c.text)
	}
	patterns := t.patterns
	if t.format != "" {
		patterns = append([]string{formats[t.format]}, patterns...)
	}
	if len(patterns) == 0 {
		return quote(repeat(ref(c.char()), t.min, limit)), nil
	}
	if len(patterns) == 1 && t.min == 0 && t.max == unlimited {
		if re, err := parsePattern(patterns[0]); err == nil {
			r := regexConverter{chars: textChars, open: c.text}
			if e, ok := r.within(re); ok {
				return quote(e), nil
			}
		}
	}
	for _, most := range []int{limit, t.max} { // the latter where no text is so short, or in too many states
		if e, ok := automaton(patterns, t.min, most); ok && !prune(e).isNever() {
			return quote(e), nil
		}
	}
	if t.format != "" {
		plain := *t
		plain.format = ""
		return c.textValue(n, &plain)
	}
	if e, ok := automaton(patterns, t.min, t.max); ok {
		return quote(e), nil // which is never
	}
	return nil, &UnsupportedError{Path: n, Keyword: "pattern", Reason: "together with other patterns or lengths, or with what it demands in the middle, it comes to too many states"}
}

// textChars is one character of a set inside of a JSON text, in the form of writeString.
func textChars(s runeSet) *expr {
	special := oneOf("\"\\").or(runes(span{0, ' ' - 1}))
	// The characters behind a backslash, and the last digits behind u000 and u001.
	var short, low, high string
	for _, p := range s.and(special) {
		for r := p.lo; r <= p.hi; r++ {
			switch e := charText(r); {
			case len(e) == 2:
				short += e[1:]
			case r < 0x10:
				low += e[5:]
			default:
				high += e[5:]
			}
		}
	}
	numbers := alt(seq(text("0"), set(oneOf(low))), seq(text("1"), set(oneOf(high))))
	return alt(set(s.and(special.not())), seq(text(`\`), alt(set(oneOf(short)), seq(text("u00"), numbers))))
}

// anyChar is one character inside of a JSON text, in any form but that of a surrogate's
// number, of which only pairs are characters.
func anyChar() *expr {
	hex := set(runes(span{'0', '9'}, span{'a', 'f'}, span{'A', 'F'}))
	low := set(runes(span{'0', '7'}))
	notD := set(runes(span{'0', '9'}, span{'a', 'c'}, span{'A', 'C'}, span{'e', 'f'}, span{'E', 'F'}))
	number := alt(seq(notD, hex, hex, hex), seq(set(oneOf("dD")), low, hex, hex))
	return alt(
		set(oneOf("\"\\").or(runes(span{0, ' ' - 1})).not()),
		seq(text(`\`), alt(set(oneOf(`"\/bfnrt`)), seq(text("u"), number))),
	)
}
