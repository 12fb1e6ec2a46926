package jsonrepair

import "github.com/whetgo/whet/signature"

// notEmptyAfterAll reads once more what was read as an object and gave no member,
// from where it began: as an object whose quotes are escaped, as JSON within a
// string is, or as a list, for {1, 2} is a set in Python.
func (p *parser) notEmptyAfterAll(start int) (signature.Value, bool) {
	if p.pos-start <= 2 {
		return nil, false
	}
	if p.at(p.pos-1) == '}' {
		if content, _ := p.survey(start, p.pos-1); !content {
			return nil, false
		}
	}
	end := min(p.pos+1, len(p.text))
	inner := end
	if p.at(end-1) == '}' {
		inner--
	}
	first := p.skipSpace(start)
	if first >= inner {
		return nil, false
	}
	var again func() signature.Value
	if p.escapedKey(first, inner) {
		p.pos = p.unescapeQuotes(start, end)
		again = p.object
	} else {
		content, colon := p.survey(first, inner)
		if !content || colon {
			return nil, false
		}
		p.pos = start
		again = func() signature.Value { return p.list(']') }
	}
	p.enter(inKey)
	v := again()
	p.leave()
	p.heldKeys++
	return v, true
}

// escapedKey reports whether a key in escaped quotes stands at i.
func (p *parser) escapedKey(i, end int) bool {
	quote := p.at(i + 1)
	if p.at(i) != '\\' || quote != '"' && quote != '\'' {
		return false
	}
	for ; i+2 < end; i++ {
		if p.at(i) == '\\' && p.at(i+1) == quote && p.at(i+2) == ':' {
			return true
		}
	}
	return false
}

// survey reports whether there is anything but white space and comments between
// two places, and whether a colon stands there outside of quotes.
func (p *parser) survey(from, to int) (content, colon bool) {
	quote, escaped := eof, false
	for i := from; i < to; i++ {
		c := p.at(i)
		if c == eof {
			break
		}
		if c == '\\' {
			content, escaped = true, !escaped
			continue
		}
		switch {
		case quote != eof:
			if c == quote && !escaped {
				quote = eof
			}
		case isQuote(c) && !escaped:
			quote, content = c, true
		case c == '#' || c == '/' && oneOf(p.at(i+1), '/', '*'):
			i = p.commentEnd(i, to)
		case !isSpace(c):
			content = true
			colon = colon || c == ':' && !escaped
		}
		escaped = false
	}
	return content, colon
}

// commentEnd returns the last place of the comment at i.
func (p *parser) commentEnd(i, to int) int {
	if p.has(i, "/*") {
		for i += 2; i+1 < to && !p.has(i, "*/"); i++ {
			if p.exhausted() {
				return to
			}
		}
		return i + 1
	}
	for i+1 < to && !isNewline(p.at(i+1)) && !p.exhausted() {
		i++
	}
	return i
}
