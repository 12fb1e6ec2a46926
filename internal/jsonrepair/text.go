package jsonrepair

import (
	"slices"
	"unicode"
	"unicode/utf16"

	"github.com/whetgo/whet/signature"
)

// text is one string while it is read, quoted or bare.
type text struct {
	*parser
	open, close rune // the quotes around it; straight ones stand for none
	bare        bool // it began without a quote
	doubled     bool // it began with two: ""so""
	// quoted is set within a quotation in the string whose quotes are not escaped.
	quoted bool
	// low counts the open quotations that begin with a low quote, „so“.
	low int

	buf []rune
	// openBraces counts the braces in buf that are not closed; inClass is set behind
	// an open bracket, classSpace once white space came since.
	openBraces int
	inClass    bool
	classSpace bool

	// containerNext is set where a comma in the string comes before a bracket or
	// brace; nested holds those that were then opened and not yet closed.
	containerNext bool
	nested        []rune
	// noQuoteAhead is set once no comma can end the string, there being no quote
	// and no bracket behind it.
	noQuoteAhead bool
}

// ending says how a string ended.
type ending int8

const (
	goesOn  ending = iota
	closed         // at its closing quote
	cutOff         // before what belongs to it no more, or at the end of the text
	kept           // not: the rune was taken for text after all
	nothing        // it was no string but two quotes that mean nothing
)

// str reads a string from where a key or value is expected: the next quote,
// letter or digit. A bare true, false, null or None is what it says, and a fenced
// block within quotes the value in it.
func (p *parser) str() signature.Value {
	if oneOf(p.at(p.pos), '#', '/') {
		p.skipComment()
		return ""
	}
	c := p.at(p.pos)
	for c != eof && !isQuote(c) && !isAlnum(c) {
		p.pos++
		c = p.at(p.pos)
	}
	if c == eof {
		return ""
	}
	if s, ok := p.plain(); ok {
		return s
	}
	t := text{parser: p, open: '"', close: '"'}
	switch {
	case c == '\'' || c == '“':
		t.open, t.close = c, closingQuote(c)
	case !isQuote(c):
		if p.here() != inKey {
			if v, ok := p.literal(); ok {
				return v
			}
		}
		t.bare = true
	}
	if !t.bare {
		p.pos++
	}
	if v, ok := p.fenced(); ok {
		return v
	}
	if p.at(p.pos) == t.open {
		if t.twoQuotes() == nothing {
			return ""
		}
	}
	return t.finish(t.read())
}

// plain reads a string that leaves no doubt: no escapes, no newlines, and behind
// the quote that which follows a key or a value.
func (p *parser) plain() (string, bool) {
	if p.at(p.pos) != '"' {
		return "", false
	}
	end := p.pos + 1
	for c := p.at(end); c != '"'; c = p.at(end) {
		if c == eof || c == '\\' || isNewline(c) {
			return "", false
		}
		end++
	}
	next := p.after(end + 1)
	switch p.here() {
	case inKey:
		if next != ':' {
			return "", false
		}
	case inValue:
		if !oneOf(next, ',', '}', eof) {
			return "", false
		}
	case inList:
		if !oneOf(next, ',', ']', eof) {
			return "", false
		}
	}
	s := string(p.text[p.pos+1 : end])
	p.pos = end + 1
	return s, true
}

// fenced reads a value in a fenced block of JSON.
func (p *parser) fenced() (signature.Value, bool) {
	const fence = "```json"
	if !p.has(p.pos, fence) || !p.has(p.find(p.pos+len(fence), '`'), "```") || !p.descend() {
		return nil, false
	}
	defer p.ascend()
	p.pos += len(fence)
	return p.value(), true
}

// twoQuotes judges a second quote right behind the first: an empty string, a
// doubled quote, a quotation that the string begins with, or a slip.
func (t *text) twoQuotes() ending {
	next := t.at(t.pos + 1)
	switch {
	case t.here() == inKey && next == ':',
		t.here() == inValue && oneOf(next, ',', '}'),
		t.here() == inList && oneOf(next, ',', ']'):
		t.pos++
		return nothing
	case next == t.open:
		return nothing
	}
	second := t.find(t.pos+1, t.close)
	if t.at(second+1) == t.close {
		t.doubled = true
		t.pos++
		return goesOn
	}
	if t.here() == inValue && t.at(second) == t.close && !t.blank(t.pos+1, second) {
		third := t.find(second+1, t.close)
		if t.at(third) == t.close && oneOf(t.after(third+1), ',', '}', eof) {
			t.put(t.open)
			t.quoted = true
			t.pos++
			return goesOn
		}
	}
	switch next := t.after(t.pos + 1); {
	case isQuote(next) || next == '{' || next == '[':
		t.pos++
		return nothing
	case !oneOf(next, ',', ']', '}'):
		t.pos++
	}
	return goesOn
}

// finish gives the string that was read.
func (t *text) finish(end ending) string {
	if end == cutOff && t.bare && t.here() == inKey && isSpace(t.at(t.pos)) {
		// Words where a key should be are a remark, unless one is the key.
		t.pos = t.skipSpace(t.pos)
		if !oneOf(t.at(t.pos), ':', ',') {
			return ""
		}
	}
	if end == closed {
		t.pos++
	}
	if n := len(t.buf); end != closed || t.bare || n > 0 && t.buf[n-1] == '\n' {
		for n > 0 && isSpace(t.buf[n-1]) {
			n--
		}
		t.buf = t.buf[:n]
	}
	return joinPairs(t.buf)
}

// joinPairs makes a string of runes; two that are the halves of one, escaped each
// by itself, become that one.
func joinPairs(runes []rune) string {
	if !slices.ContainsFunc(runes, utf16.IsSurrogate) {
		return string(runes)
	}
	return string(utf16.Decode(utf16Of(runes)))
}

func utf16Of(runes []rune) []uint16 {
	var units []uint16
	for _, r := range runes {
		if utf16.IsSurrogate(r) {
			units = append(units, uint16(r))
			continue
		}
		units = utf16.AppendRune(units, r)
	}
	return units
}

// literal reads a bare word that is a value: JSON's and Python's, in any case.
func (p *parser) literal() (signature.Value, bool) {
	for _, l := range []struct {
		name  string
		value signature.Value
	}{{"true", true}, {"false", false}, {"null", nil}, {"none", nil}} {
		if !p.hasFold(p.pos, l.name) {
			continue
		}
		if next := p.at(p.pos + len(l.name)); isSpace(next) || oneOf(next, eof, ',', ')', ']', '}') {
			p.pos += len(l.name)
			return l.value, true
		}
	}
	return nil, false
}

// hasFold reports whether a word in lower case stands at a place, in any case.
func (p *parser) hasFold(i int, word string) bool {
	for _, r := range word {
		if unicode.ToLower(p.at(i)) != r {
			return false
		}
		i++
	}
	return true
}
