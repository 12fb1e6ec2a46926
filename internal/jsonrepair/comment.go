package jsonrepair

// skipIgnored passes over white space and comments.
func (p *parser) skipIgnored() {
	for {
		p.pos = p.skipSpace(p.pos)
		switch c := p.at(p.pos); {
		case c == '#':
		case c == '/' && oneOf(p.at(p.pos+1), '/', '*'):
		default:
			return
		}
		p.skipComment()
	}
}

// skipComment passes over one comment, or a slash that begins none. A comment
// behind # ends early where the value around it would: such a comment was often
// written on the line of a value that has since been folded into one line.
func (p *parser) skipComment() {
	hash := p.at(p.pos) == '#'
	switch {
	case hash || p.at(p.pos+1) == '/':
		for c := p.at(p.pos); c != eof && !isNewline(c); c = p.at(p.pos) {
			if hash && (c == ']' && p.inside(inList) || c == '}' && p.inside(inValue) || c == ':' && p.inside(inKey)) {
				return
			}
			p.pos++
		}
	case p.at(p.pos+1) == '*':
		p.pos += 2
		for c := p.at(p.pos); c != eof; c = p.at(p.pos) {
			p.pos++
			if c == '/' && p.at(p.pos-2) == '*' {
				return
			}
		}
	default:
		p.pos++
	}
}

// pastComments returns the first place from i on that holds neither white space
// nor a comment.
func (p *parser) pastComments(i int) int {
	for {
		i = p.skipSpace(i)
		switch {
		case p.at(i) == '#' || p.has(i, "//"):
			for c := p.at(i); c != eof && !isNewline(c); c = p.at(i) {
				i++
			}
		case p.has(i, "/*"):
			for i += 2; !p.has(i, "*/"); i++ {
				if p.at(i) == eof {
					return i
				}
			}
			i += 2
		default:
			return i
		}
	}
}
