package jsonrepair

// escape reads an escape: the backslash was taken for text before it was known
// what follows. An escape that JSON does not have keeps its backslash.
func (t *text) escape(c rune) ending {
	if t.last() != '\\' {
		return goesOn
	}
	shut := t.close
	if t.low > 0 {
		shut = eof // within a quotation no quote is the string's own
	}
	switch {
	case t.low > 0 && c == '"':
		t.low--
		return t.replace(c)
	case c == '\\':
		if t.slashes(shut) {
			return kept
		}
		return t.replaceRun(c, shut)
	case c == shut:
		return t.replaceRun(c, shut)
	case c == 'n':
		return t.replaceRun('\n', shut)
	case c == 't':
		return t.replaceRun('\t', shut)
	case c == 'r':
		return t.replaceRun('\r', shut)
	case c == 'b':
		return t.replaceRun('\b', shut)
	case c == 'u':
		return t.code(4)
	case c == 'x':
		return t.code(2)
	case isQuote(c) || c == '„':
		return t.replace(c)
	}
	return goesOn
}

// slashes halves a run of backslashes that come in pairs. With a quote behind
// them the pairs are believed only if the string may end there; otherwise it was
// rather escaped twice.
func (t *text) slashes(shut rune) bool {
	from, end := t.pos-1, t.skipSlashes(t.pos)
	if (end-from)%2 != 0 {
		return false
	}
	if t.at(end) == shut && !oneOf(t.after(end+1), ',', ':', '}', ']', eof) {
		return false
	}
	for range (end-from)/2 - 1 {
		t.put('\\')
	}
	t.pos = end
	return true
}

// replace puts a rune in place of the backslash and steps on.
func (t *text) replace(c rune) ending {
	t.buf = t.buf[:len(t.buf)-1]
	return t.take(c)
}

// replaceRun is replace, and goes on while what it put escapes once more.
func (t *text) replaceRun(c, shut rune) ending {
	t.replace(c)
	for c = t.at(t.pos); c != eof && t.last() == '\\' && (c == shut || c == '\\'); c = t.at(t.pos) {
		t.replace(c)
	}
	return kept
}

// code reads the digits of an escaped code point.
func (t *text) code(digits int) ending {
	r, ok := hexRune(t.text, t.pos+1, digits)
	if !ok || t.exhausted() {
		return goesOn
	}
	t.replace(r)
	t.pos += digits
	return kept
}
