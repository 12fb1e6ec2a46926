package jsonrepair

// comma judges a comma in a value: text, or the end of a value whose closing
// quote is missing.
func (t *text) comma(c rune) ending {
	if c != ',' || t.here() != inValue || t.containerNext || len(t.nested) > 0 {
		return goesOn
	}
	if !t.noQuoteAhead && t.memberBehindComma() {
		return cutOff
	}
	return t.take(c)
}

// memberBehindComma reports whether the next member of the object begins behind
// the comma at hand; on the way it notes what else follows.
func (t *text) memberBehindComma() bool {
	i := t.skipSpace(t.pos + 1)
	switch c := t.at(i); {
	case c == eof || c == '}':
		return true
	case isQuote(c):
		return t.keyAt(i)
	case c == '`':
		return t.after(t.bareEndAt(i+1)) == ':'
	case c == '{' || c == '[':
		t.containerNext = true
		return false
	case isAlnum(c) || c == '_':
		if colon := t.skipSpace(t.bareEndAt(i)); t.at(colon) == ':' && t.valueAt(colon+1) {
			return true
		}
	}
	i = t.find(i, '"', '\'', '“', '”', '{', '[')
	switch c := t.at(i); {
	case c == eof:
		t.noQuoteAhead = true
		return false
	case c == '{' || c == '[':
		return false
	}
	return t.keyAt(i)
}

// keyAt reports whether a key in quotes stands at i. Both of its quotes are the
// same rune here: that a text so quoted ends a string is rare enough to be sure.
func (t *text) keyAt(i int) bool {
	end := t.find(i+1, t.at(i))
	return t.at(end) != eof && t.after(end+1) == ':'
}

// bareEndAt returns where a key without quotes that stands at i ends.
func (p *parser) bareEndAt(i int) int {
	for isBare(p.at(i)) {
		i++
	}
	return i
}

// bareKeyAt reports whether a key without quotes and its colon stand at i.
func (p *parser) bareKeyAt(i int) bool {
	c := p.at(i)
	return (isAlnum(c) || c == '_') && p.after(p.bareEndAt(i)) == ':'
}

// valueAt reports whether a value follows that a key without quotes can be
// believed to have; prose has colons too.
func (t *text) valueAt(i int) bool {
	i = t.skipSpace(i)
	c := t.at(i)
	if isQuote(c) || isDigit(c) || oneOf(c, '{', '[', '-') {
		return true
	}
	for _, word := range []string{"true", "false", "null"} {
		if !t.has(i, word) {
			continue
		}
		if end := t.at(i + len(word)); isSpace(end) || oneOf(end, eof, ',', '}', ']') {
			return true
		}
	}
	// A bare word, if the object ends before any string does.
	return t.at(t.find(i, '"', '\'', '“', '”', '}')) == '}'
}
