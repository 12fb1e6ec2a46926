package jsonrepair

import "github.com/whetgo/whet/signature"

// object reads members up to the closing brace. What turns out to be no object,
// such as a set, comes back as a list.
func (p *parser) object() signature.Value {
	if !p.descend() {
		return ""
	}
	defer p.ascend()
	start := p.pos
	ofMember := p.here() == inValue
	var obj members
	for {
		p.skipIgnored()
		c := p.at(p.pos)
		if c == ',' {
			p.pos++
			continue
		}
		if c == eof || c == '}' {
			p.pos++
			break
		}
		if c == ':' {
			p.pos++
		}
		key, keyStart := p.key(&obj)
		if !ofMember && p.inside(inList) && obj.has(key) && p.beginsSibling(keyStart) {
			p.pos, p.split = keyStart, keyStart
			return obj.record()
		}
		p.skipIgnored()
		if oneOf(p.at(p.pos), eof, '}') {
			continue // a key and no more
		}
		p.pos++ // the colon, or what stands in its place
		obj.set(key, p.memberValue())
		if oneOf(p.at(p.pos), ',', '\'', '"') {
			p.pos++
		}
		if p.at(p.pos) == ']' && p.inside(inList) {
			break // the list around ends: the brace is missing
		}
	}
	if len(obj.names) == 0 {
		if v, ok := p.notEmptyAfterAll(start); ok {
			return v
		}
	}
	return p.behindObject(&obj)
}

// key reads a key and says where the attempt that found it began.
func (p *parser) key(obj *members) (key string, start int) {
	p.enter(inKey)
	defer p.leave()
	for start = p.pos; p.at(p.pos) != eof; {
		start = p.pos
		if p.at(p.pos) == '[' && p.continueList(obj) {
			continue
		}
		if key, _ = p.str().(string); key != "" {
			break
		}
		p.skipIgnored()
		if oneOf(p.at(p.pos), ':', '}') {
			break
		}
	}
	return key, start
}

// beginsSibling reports whether a key that the object has already begins the next
// object of the list. Written properly, in quotes between a comma and a colon, it
// is a repetition instead, and the later value holds.
func (p *parser) beginsSibling(keyStart int) bool {
	return !isQuote(p.at(keyStart)) || p.before(keyStart) != ',' || p.after(p.pos) != ':'
}

func (p *parser) memberValue() signature.Value {
	p.enter(inValue)
	defer p.leave()
	p.skipIgnored()
	if oneOf(p.at(p.pos), ',', '}') {
		return "" // no value
	}
	return p.value()
}

// behindObject looks at what follows an object: braces too many within a list,
// and at the top members that come after the brace closed too early.
func (p *parser) behindObject(obj *members) signature.Value {
	switch p.here() {
	case inKey, inValue:
	case inList:
		if p.at(p.pos) == '}' {
			p.pos++
		}
	default:
		p.pos = p.skipSpace(p.pos)
		if p.at(p.pos) != ',' {
			break
		}
		p.pos = p.skipSpace(p.pos + 1)
		if !isQuote(p.at(p.pos)) {
			break
		}
		if more, ok := p.object().(signature.Record); ok {
			for name, v := range more.All() {
				obj.set(name, v)
			}
		}
	}
	return obj.record()
}
