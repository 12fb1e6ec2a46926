package jsonrepair

import "unicode"

// quote judges a closing quote within a string: the end, or a quote that should
// have been escaped. The string's place and what follows tell. Where no rule
// takes it for text it goes on to read, which ends the string with it, unless a
// low quotation is open.
func (t *text) quote(c rune) ending {
	if c != t.close || t.last() == '\\' {
		return goesOn
	}
	switch {
	case t.doubled && t.at(t.pos+1) == t.close:
		t.pos++
		return kept
	case t.bare && t.here() == inValue:
		return t.quoteBehindBare()
	case t.quoted: // the other quote of a quotation
		t.quoted = false
		return t.take(c)
	}
	i := t.quoteOrEnd()
	switch next := t.at(i); {
	case next == ',' && t.here() == inValue:
		if oneOf(t.after(t.find(i+1, t.close)+1), '}', ',') {
			return t.take(c)
		}
	case next == t.close && t.at(i-1) != '\\':
		return t.quoteBeforeQuote(c, i)
	}
	return goesOn
}

// quoteBehindBare: a bare value ends before a quote that begins the next key.
func (t *text) quoteBehindBare() ending {
	i := t.pos + 1
	for !oneOf(t.at(i), eof, t.open, t.close) {
		i++
	}
	if t.at(i) != eof && t.after(i+1) == ':' {
		t.pos--
		return cutOff
	}
	return goesOn
}

// quoteOrEnd returns where the next quote stands, or before it a mark that would
// come behind the string if it ended here.
func (t *text) quoteOrEnd() int {
	key, value, list := t.inside(inKey), t.inside(inValue), t.inside(inList)
	comma := t.here() == inValue // until a letter: then it is a comma in prose
	for i := t.pos + 1; ; i++ {
		c := t.at(i)
		switch {
		case c == eof || c == t.open || c == t.close,
			key && (c == ':' || c == '}'),
			value && c == '}',
			list && (c == ']' || c == ','),
			comma && c == ',':
			return i
		}
		comma = comma && !unicode.IsLetter(c)
	}
}

// quoteBeforeQuote judges a quote behind which, at i, another follows before
// anything that could end the string's place.
func (t *text) quoteBeforeQuote(c rune, i int) ending {
	value := t.here() == inValue
	member := value && t.memberBehindQuote(i)
	if t.blank(t.pos+1, i) && !member {
		return closed
	}
	switch {
	case member:
		return t.take(c)
	case value:
		// A quotation, unless the quotes to come are those of a key.
		i = t.find(i+1, t.close) + 1
		for !oneOf(t.at(i), eof, ':', ',', ']', '}') && (t.at(i) != t.close || t.at(i-1) == '\\') {
			i++
		}
		if t.at(i) == ':' {
			return goesOn
		}
	case t.here() == inList:
		if !t.evenBeforeBracket(i, t.close) {
			return closed
		}
	case t.here() == inKey:
		return t.take(c)
	default:
		return goesOn
	}
	t.quoted = !t.quoted
	return t.take(c)
}

// classQuote takes a quote within brackets without spaces, as regular expressions
// have it: [^"].
func (t *text) classQuote(c rune) ending {
	if c != t.close || t.here() != inValue || !t.inClass || t.classSpace || t.at(t.find(t.pos+1, ']')) == eof {
		return goesOn
	}
	return t.take(c)
}

// blank reports whether there is only white space between two places.
func (t *text) blank(from, to int) bool { return t.skipSpace(from) >= to }
