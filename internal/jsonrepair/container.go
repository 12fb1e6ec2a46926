package jsonrepair

// Looking ahead for what is written in a string: lists, objects, code.

func containerCloser(c rune) rune {
	switch c {
	case '{':
		return '}'
	case '[':
		return ']'
	case '(':
		return ')'
	}
	return eof
}

// containerEnd returns where the bracket at i is balanced.
func (t *text) containerEnd(i int) (int, bool) {
	open := []rune{containerCloser(t.at(i))}
	for i++; ; i++ {
		c := t.at(i)
		switch {
		case c == eof:
			return 0, false
		case isQuote(c):
			if i = t.find(i+1, closingQuote(c)); t.at(i) == eof {
				return 0, false
			}
		case containerCloser(c) != eof:
			if t.opensNested(c, i) {
				open = append(open, containerCloser(c))
			}
		case c == open[len(open)-1]:
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1, true
			}
		}
	}
}

// opensNested reports whether the bracket at i opens something within the one
// around it, by what stands before and behind it.
func (t *text) opensNested(c rune, i int) bool {
	before := t.before(i)
	switch {
	case containerCloser(before) != eof:
		return true
	case before != ',' && before != ':':
		return false
	}
	next := t.skipSpace(i + 1)
	r := t.at(next)
	if c == '{' {
		return r == '}' || isQuote(r) || before == ':' && t.bareKeyAt(next)
	}
	return isQuote(r) || isDigit(r) || containerCloser(r) != eof || oneOf(r, ']', ')', '-', 't', 'f', 'n')
}

// fenceInString reports whether the code fence at i, behind a brace, is part of
// the string: it is if a quote comes that could end the string.
func (t *text) fenceInString(i int) bool {
	from := i + len("```")
	first := t.pastComments(from)
	container := false
	if containerCloser(t.at(first)) != eof {
		if end, ok := t.containerEnd(first); ok {
			if t.memberBehindFence(end) {
				return false
			}
			container = true
			from = end
		}
	}
	for quote := t.find(from, t.close); t.at(quote) == t.close; quote = t.find(quote+1, t.close) {
		if oneOf(t.after(quote+1), ',', '}', ']', eof) {
			t.containerNext = t.containerNext || container
			return true
		}
	}
	return false
}

// memberBehindFence reports whether the object goes on, or ends, behind a list or
// object that ends at i.
func (t *text) memberBehindFence(i int) bool {
	i = t.skipSpace(i)
	switch t.at(i) {
	case eof, '}':
		return true
	case ',':
		i = t.pastComments(i + 1)
		return oneOf(t.at(i), eof, '}') || t.memberAt(i)
	}
	return false
}

// memberBehindQuote reports whether a comma and then a member follow the quote.
func (t *text) memberBehindQuote(i int) bool {
	i = t.skipSpace(i + 1)
	return t.at(i) == ',' && t.memberAt(t.pastComments(i+1))
}

// memberAt reports whether a key and its colon stand at i.
func (t *text) memberAt(i int) bool {
	c := t.at(i)
	if !isQuote(c) {
		return t.bareKeyAt(i)
	}
	end := t.find(i+1, closingQuote(c))
	return t.at(end) != eof && t.after(end+1) == ':'
}
