package jsonrepair

// Reading the inside of a string. Each rune is put to a row of rules, each about
// one way in which the string may end or a mark in it mean something; the first
// that decides holds, and a rune on which none does is text.

// read takes runes until the string ends.
func (t *text) read() ending {
	before := [...]func(*text, rune) ending{
		(*text).bareEnd, (*text).lowQuote, (*text).wholeContainer, (*text).comma,
		(*text).nesting, (*text).brace, (*text).bracket, (*text).fence,
	}
	after := [...]func(*text, rune) ending{
		(*text).escape, (*text).keyColon, (*text).lowQuoteEnd, (*text).classQuote, (*text).quote,
	}
	for {
		c := t.at(t.pos)
		if c == eof {
			return cutOff
		}
		if c == t.close && t.low == 0 {
			return closed
		}
		end := judge(t, before[:], c)
		if end == goesOn {
			t.take(c)
			// Only behind a rune that was taken without a second thought may the
			// next be more than it seems.
			if c = t.at(t.pos); c == eof {
				return cutOff
			}
			end = judge(t, after[:], c)
		}
		if end == closed || end == cutOff {
			return end
		}
	}
}

func judge(t *text, rules []func(*text, rune) ending, c rune) ending {
	for _, rule := range rules {
		if end := rule(t, c); end != goesOn {
			return end
		}
	}
	return goesOn
}

// put appends a rune to the string.
func (t *text) put(c rune) {
	t.buf = append(t.buf, c)
	switch c {
	case '{':
		t.openBraces++
	case '}':
		t.openBraces = max(t.openBraces-1, 0)
	case '[':
		t.inClass, t.classSpace = true, false
	case ']':
		t.inClass = false
	}
	if isSpace(c) {
		t.classSpace = true
	}
}

// take puts the rune at hand and steps on.
func (t *text) take(c rune) ending {
	t.put(c)
	t.pos++
	return kept
}

// last is the last rune of the string so far.
func (t *text) last() rune {
	if len(t.buf) == 0 {
		return eof
	}
	return t.buf[len(t.buf)-1]
}

// bareEnd ends a string without quotes where its place does.
func (t *text) bareEnd(c rune) ending {
	switch {
	case !t.bare:
	case t.here() == inKey && (c == ':' || isSpace(c)),
		t.here() == inList && (c == ']' || c == ','):
		return cutOff
	}
	return goesOn
}

// lowQuote follows quotations in low quotes, in which other quotes are text.
func (t *text) lowQuote(c rune) ending {
	switch {
	case c == '„' && t.last() != '\\':
		t.low++
	case c == '”' && t.low > 0:
		t.low--
	default:
		return goesOn
	}
	return t.take(c)
}

// lowQuoteEnd ends such a quotation at a straight quote.
func (t *text) lowQuoteEnd(c rune) ending {
	if t.low == 0 || c != '"' {
		return goesOn
	}
	t.low--
	return t.take(c)
}

// wholeContainer takes a balanced list or object in the string as one.
func (t *text) wholeContainer(c rune) ending {
	if c != '{' && c != '[' && c != '(' || t.last() == '\\' {
		return goesOn
	}
	object := t.here() == inValue && c == '{' && t.at(t.pos-1) != '\\' && t.bareKeyAt(t.skipSpace(t.pos+1))
	if !t.containerNext && !object {
		return goesOn
	}
	end, ok := t.containerEnd(t.pos)
	if !ok {
		return goesOn
	}
	t.containerNext, t.nested = false, nil
	for t.pos < end {
		t.take(t.at(t.pos))
	}
	return kept
}

// nesting follows brackets that a comma in the string came before.
func (t *text) nesting(c rune) ending {
	switch c {
	case '{', '[':
		if t.containerNext || len(t.nested) > 0 {
			t.nested = append(t.nested, containerCloser(c))
			t.containerNext = false
		}
	case '}', ']':
		if n := len(t.nested); n > 0 && t.nested[n-1] == c {
			t.nested = t.nested[:n-1]
			return t.take(c)
		}
	}
	return goesOn
}

// brace ends a value at a brace that closes the object, when the value's closing
// quote seems to be missing.
func (t *text) brace(c rune) ending {
	if c != '}' || t.here() != inValue || t.last() == t.close {
		return goesOn
	}
	if t.openBraces > 0 {
		return t.take(c)
	}
	if t.quoteMissing() {
		return cutOff
	}
	return goesOn
}

// quoteMissing reports whether the next quote behind a brace is not the end of
// this string: either there is none, or what it ends is the next key.
func (t *text) quoteMissing() bool {
	next := t.find(t.pos+1, t.close)
	if t.at(next) == eof {
		if t.at(t.find(t.pos+1, ':')) != eof {
			return true
		}
		i := t.skipSpace(t.pos + 1)
		return t.at(t.pos+1) != '\\' && t.find(i, '}')-i <= 1
	}
	if t.at(t.pos+1) == '\\' {
		return false
	}
	i := t.skipSpace(next + 1)
	if oneOf(t.at(i), eof, ',', '}') {
		return false
	}
	if i = t.find(i, t.open); t.at(i) == eof {
		return false
	}
	return oneOf(t.after(i+1), eof, ':')
}

// bracket ends an item at the list's bracket when no quote is to come.
func (t *text) bracket(c rune) ending {
	if c == ']' && t.inside(inList) && t.last() != t.close && t.at(t.find(t.pos, t.close)) == eof {
		return cutOff
	}
	return goesOn
}

// fence ends a value at a brace behind which the text, or its fenced block, ends.
func (t *text) fence(c rune) ending {
	if c != '}' || t.here() != inValue {
		return goesOn
	}
	i := t.skipSpace(t.pos + 1)
	switch {
	case t.at(i) == eof:
		return cutOff
	case !t.has(i, "```"):
		return goesOn
	case t.fenceInString(i):
		return t.take(c)
	}
	return cutOff
}

// keyColon ends a key at a colon when its closing quote seems to be missing.
func (t *text) keyColon(c rune) ending {
	if c != ':' || t.bare || t.here() != inKey {
		return goesOn
	}
	opened := t.find(t.pos+1, t.open)
	if t.at(opened) == eof {
		return cutOff
	}
	shut := t.find(opened+1, t.close)
	if t.at(shut) != eof && oneOf(t.after(shut+1), ',', '}') {
		return cutOff
	}
	return goesOn
}
