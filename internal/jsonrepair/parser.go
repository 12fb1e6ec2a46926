package jsonrepair

import (
	"slices"
	"unicode"

	"github.com/whetgo/whet/signature"
)

// maxDepth bounds the nesting, as signature.ParseValue does.
const maxDepth = 200

// place is what a value or key is part of. How a text is taken depends on it: a
// colon ends a key, but not an item.
type place int8

const (
	atTop place = iota
	inKey
	inValue
	inList
	numPlaces
)

// parser reads values from a text that need not be JSON. It never fails: what it
// cannot read as part of a value it passes over.
type parser struct {
	source
	pos int

	// places are those that the current one lies in, outermost first; within says
	// how many of each there are.
	places []place
	within [numPlaces]int
	depth  int

	// split is where an object begins though no brace stands there, or -1: a key
	// that comes a second time begins the next object of a list.
	split int
	// heldKeys is how many key places the next value is read within. What was
	// written as a set leaves one: the value behind it is read as a key would be.
	heldKeys int
	// triedStrict is set once a value at the top was tried as well-formed JSON.
	triedStrict bool
}

func newParser(text []rune) *parser { return &parser{source: newSource(text), split: -1} }

func (p *parser) enter(w place) {
	p.places = append(p.places, w)
	p.within[w]++
}

func (p *parser) leave() {
	last := len(p.places) - 1
	p.within[p.places[last]]--
	p.places = p.places[:last]
}

// here is the place that the parser is at.
func (p *parser) here() place {
	if len(p.places) == 0 {
		return atTop
	}
	return p.places[len(p.places)-1]
}

// inside reports whether the place is anywhere around.
func (p *parser) inside(w place) bool { return p.within[w] > 0 }

// descend enters a list or object. Beyond maxDepth it ends the text, and with it
// the parsing: the result is then no result.
func (p *parser) descend() bool {
	if p.depth > maxDepth {
		p.exhaust()
		return false
	}
	p.depth++
	return true
}

func (p *parser) ascend() { p.depth-- }

// peek is the rune at hand, or the brace that should have stood before it.
func (p *parser) peek() rune {
	if p.pos == p.split {
		return '{'
	}
	return p.at(p.pos)
}

// opens reads past a brace or bracket, if it is there.
func (p *parser) opens() {
	if p.pos == p.split {
		p.split = -1
		return
	}
	p.pos++
}

// value reads the next value. At the top only lists, objects and what stands in
// parentheses count as values, and all else is prose; an empty text says that
// there was nothing.
func (p *parser) value() signature.Value {
	if held := p.heldKeys; held > 0 {
		p.heldKeys = 0
		for range held {
			p.enter(inKey)
		}
		defer func() {
			for range held {
				p.leave()
			}
		}()
	}
	top := p.here() == atTop
	start := top && p.pos == 0
	for {
		c := p.peek()
		if top && (c == '{' || c == '[') {
			if v, ok := p.wellFormed(); ok {
				return v
			}
		}
		switch {
		case c == eof:
			return ""
		case c == '{':
			p.opens()
			return p.object()
		case c == '[':
			p.opens()
			return p.list(']')
		case c == '(' && (!top || p.groupStandsAlone()):
			return p.group()
		case !top && (isQuote(c) || unicode.IsLetter(c)):
			return p.str()
		case !top && (isDigit(c) || c == '-' || c == '.'):
			return p.number()
		case c == '#' || c == '/':
			p.skipComment()
			if !top {
				return ""
			}
		case c == '"' && start:
			start = false
			if v, ok := p.withoutBrace(); ok {
				return v
			}
			p.pos++
		default:
			p.pos++
		}
	}
}

// wellFormed reads the value at hand as JSON proper. It is tried once: on the
// first value that has text around it, since models put whole JSON amid prose
// more often than broken JSON, and the repairs might take the prose for its part.
func (p *parser) wellFormed() (signature.Value, bool) {
	if p.triedStrict || p.pos == 0 && !p.textFollows() {
		return nil, false
	}
	p.triedStrict = true
	s := strict{text: p.text}
	v, end, ok := s.value(p.pos, 0)
	if s.deep {
		p.exhaust()
	}
	if ok {
		p.pos = end
	}
	return v, ok
}

// textFollows reports whether the brackets of the value that the text begins with
// match and something other than a comma stands behind.
func (p *parser) textFollows() bool {
	var open []rune
	for i := 0; p.at(i) != eof; i++ {
		switch c := p.at(i); c {
		case '"':
			i = p.find(i+1, '"')
		case '{':
			open = append(open, '}')
		case '[':
			open = append(open, ']')
		case '}', ']':
			last := len(open) - 1
			if last < 0 || open[last] != c {
				return false
			}
			if open = open[:last]; last == 0 {
				next := p.after(i + 1)
				return next != eof && next != ','
			}
		}
	}
	return false
}

// withoutBrace reads a text that is an object but for its opening brace.
func (p *parser) withoutBrace() (signature.Value, bool) {
	s := strict{text: p.text}
	if s.space(0) != p.pos {
		return nil, false
	}
	v, end, ok := s.object(p.pos, 0)
	if !ok || s.space(end) != len(p.text) {
		return nil, false
	}
	p.pos = len(p.text)
	return v, true
}

// all reads every value of the text: the only one as it is, several as a list. A
// value in the shape of the one before replaces it, as a correction does, unless
// a comma lists them.
func (p *parser) all() signature.Value {
	v := p.value()
	if p.pos >= len(p.text) {
		return v
	}
	found := []signature.Value{v}
	for p.pos < len(p.text) && !p.exhausted() {
		p.heldKeys = 0
		listed := p.after(p.pos) == ',' || p.before(p.pos) == ','
		v := p.value()
		if isFalsy(v) {
			p.pos++
			continue
		}
		last := len(found) - 1
		if isFalsy(found[last]) || !listed && sameShape(found[last], v) {
			found = found[:last]
		}
		found = append(found, v)
	}
	if len(found) == 1 {
		return found[0]
	}
	return slices.Clip(found)
}

// before is the last rune before a place that is no white space.
func (p *parser) before(i int) rune {
	i--
	for isSpace(p.at(i)) {
		i--
	}
	return p.at(i)
}
