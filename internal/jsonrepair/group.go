package jsonrepair

import "github.com/whetgo/whet/signature"

// parens is what a look ahead found in a pair of parentheses.
type parens struct {
	end   int // the closing parenthesis, or eof where there is none
	tuple bool
}

// group reads what stands in parentheses: a Python tuple as a list, one value
// alone as that value.
func (p *parser) group() signature.Value {
	tuple := p.lookIntoParens().tuple
	p.pos++
	items := p.list(')')
	if tuple || len(items) != 1 {
		return items
	}
	return items[0]
}

// groupStandsAlone reports whether the parenthesis at hand begins a value and not
// an aside in prose: it has its lines to itself and begins as a value does.
func (p *parser) groupStandsAlone() bool {
	for i := p.pos - 1; i >= 0 && !isNewline(p.at(i)); i-- {
		if !isSpace(p.at(i)) {
			return false
		}
	}
	first := p.skipSpace(p.pos + 1)
	switch c := p.at(first); {
	case c == eof:
		return false
	case isQuote(c) || isDigit(c) || oneOf(c, ')', '{', '[', '(', '-', '.'):
	case p.hasFold(first, "true") || p.hasFold(first, "false") || p.hasFold(first, "null") || p.hasFold(first, "none"):
	default:
		return false
	}
	end := p.lookIntoParens().end
	if end < 0 {
		return true
	}
	for i := end + 1; !oneOf(p.at(i), eof, '\n', '\r'); i++ {
		if !isSpace(p.at(i)) {
			return false
		}
	}
	return true
}

// lookIntoParens looks from the parenthesis at hand to the one that closes it. A
// tuple has a comma of its own, or nothing at all.
func (p *parser) lookIntoParens() parens {
	var round, square, curly int
	comma, content := false, false
	for i := p.pos + 1; p.at(i) != eof; i++ {
		c := p.at(i)
		own := round == 0 && square == 0 && curly == 0
		if own && !isSpace(c) && !oneOf(c, ',', ')', '\\') {
			content = true
		}
		switch {
		case c == '\\': // an escaped quote begins no string
			end := p.skipSlashes(i)
			escaped := (end-i)%2 == 1 && isQuote(p.at(end))
			if i = end - 1; escaped {
				i, content = end, content || own
			}
		case isQuote(c):
			i = p.find(i+1, c)
		case c == '(':
			round++
		case c == ')' && own:
			return parens{end: i, tuple: comma || !content}
		case c == ')' && round > 0:
			round--
		case c == '[':
			square++
		case c == ']' && square > 0:
			square--
		case c == '{':
			curly++
		case c == '}' && curly > 0:
			curly--
		case c == ',' && own:
			comma = true
		}
	}
	return parens{end: -1, tuple: comma || !content}
}
