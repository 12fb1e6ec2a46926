package gbnf

import (
	"regexp/syntax"
	"unicode"
)

// FromPattern makes the grammar of the texts that a regular expression in Go's syntax
// matches as a whole. A ^ or \A at the beginning and a $ or \z at the end may be there
// and mean nothing; other conditions on what stands around, such as \b and (?m)^, are an
// [*UnsupportedError], a broken expression is a [*PatternError]. The texts are UTF-8.
func FromPattern(pattern string) (*Grammar, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, &PatternError{pattern, err}
	}
	c := regexConverter{chars: set, open: unlimited}
	e, ok := c.whole(re)
	if !ok {
		return nil, &UnsupportedError{Keyword: "pattern", Reason: c.problem(pattern)}
	}
	e = prune(e)
	if e.isNever() {
		return nil, &UnsupportedError{Keyword: "pattern", Reason: "no text matches " + pattern}
	}
	return grammar(e), nil
}

func (c *regexConverter) problem(pattern string) string {
	return "in " + pattern + " the condition " + c.refused + " is neither a ^ or \\A at the beginning nor a $ or \\z at the end"
}

// regexConverter makes expressions of regular expressions.
type regexConverter struct {
	chars   func(runeSet) *expr // one character of a set
	open    int                 // how often a part without a limit may be repeated
	refused string              // the condition for which a conversion failed
}

// whole is what a regular expression matches as a whole.
func (c *regexConverter) whole(re *syntax.Regexp) (*expr, bool) { return c.expr(re, true, true) }

// within is the texts in which a regular expression is found.
func (c *regexConverter) within(re *syntax.Regexp) (*expr, bool) {
	switch re.Op {
	case syntax.OpCapture:
		return c.within(re.Sub[0])
	case syntax.OpAlternate:
		var parts []*expr
		for _, sub := range re.Sub {
			e, ok := c.within(sub)
			if !ok {
				return nil, false
			}
			parts = append(parts, e)
		}
		return alt(parts...), true
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	around := repeat(c.chars(anyRune()), 0, c.open)
	before, behind := around, around
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		before, parts = text(""), parts[1:]
	}
	if n := len(parts); n > 0 && isEnd(parts[n-1]) {
		behind, parts = text(""), parts[:n-1]
	}
	e, ok := c.expr(&syntax.Regexp{Op: syntax.OpConcat, Sub: parts}, false, false)
	if !ok {
		return nil, false
	}
	return seq(before, e, behind), true
}

// isEnd reports whether something is the end of the text, which a $ is in Go, too.
func isEnd(re *syntax.Regexp) bool { return re.Op == syntax.OpEndText }

// expr converts what stands at the beginning or the end of the text, or inside.
func (c *regexConverter) expr(re *syntax.Regexp, begin, finish bool) (*expr, bool) {
	switch re.Op {
	case syntax.OpNoMatch:
		return never(), true
	case syntax.OpEmptyMatch:
		return text(""), true
	case syntax.OpLiteral:
		parts := make([]*expr, len(re.Rune))
		for i, r := range re.Rune {
			parts[i] = c.chars(folded(r, re.Flags))
		}
		return seq(parts...), true
	case syntax.OpCharClass:
		var spans []span
		for i := 0; i+1 < len(re.Rune); i += 2 {
			spans = append(spans, span{re.Rune[i], re.Rune[i+1]})
		}
		return c.chars(runes(spans...)), true
	case syntax.OpAnyChar:
		return c.chars(anyRune()), true
	case syntax.OpAnyCharNotNL:
		return c.chars(oneOf("\n").not()), true
	case syntax.OpBeginText:
		c.refused = "^"
		return text(""), begin
	case syntax.OpEndText:
		c.refused = "$"
		return text(""), finish
	case syntax.OpCapture:
		return c.expr(re.Sub[0], begin, finish)
	case syntax.OpStar:
		return c.repeat(re.Sub[0], 0, unlimited)
	case syntax.OpPlus:
		return c.repeat(re.Sub[0], 1, unlimited)
	case syntax.OpQuest:
		e, ok := c.expr(re.Sub[0], begin, finish)
		if !ok {
			return nil, false
		}
		return optional(e), true
	case syntax.OpRepeat:
		return c.repeat(re.Sub[0], re.Min, re.Max)
	case syntax.OpAlternate:
		parts := make([]*expr, len(re.Sub))
		for i, sub := range re.Sub {
			e, ok := c.expr(sub, begin, finish)
			if !ok {
				return nil, false
			}
			parts[i] = e
		}
		return alt(parts...), true
	case syntax.OpConcat:
		return c.concat(re.Sub, begin, finish)
	}
	c.refused = re.String()
	return nil, false
}

func (c *regexConverter) concat(subs []*syntax.Regexp, begin, finish bool) (*expr, bool) {
	parts := make([]*expr, len(subs))
	last := len(subs) - 1 // behind it there are only empty texts
	for last > 0 && isEnd(subs[last]) {
		last--
	}
	for i, sub := range subs {
		e, ok := c.expr(sub, begin, finish && i >= last)
		if !ok {
			return nil, false
		}
		begin = begin && e.isEmpty()
		parts[i] = e
	}
	return seq(parts...), true
}

func (c *regexConverter) repeat(re *syntax.Regexp, lo, hi int) (*expr, bool) {
	e, ok := c.expr(re, false, false)
	if !ok {
		return nil, false
	}
	if hi == unlimited && c.open != unlimited {
		hi = max(lo, c.open)
	}
	return repeat(e, lo, hi), true
}

// folded is the set of a character, with those that differ in case only where the flags
// say so.
func folded(r rune, flags syntax.Flags) runeSet {
	spans := []span{{r, r}}
	if flags&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			spans = append(spans, span{f, f})
		}
	}
	return runes(spans...)
}
