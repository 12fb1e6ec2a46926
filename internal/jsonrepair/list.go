package jsonrepair

import "github.com/whetgo/whet/signature"

// list reads items up to the closing rune. A brace closes a list too, being that
// of an object around it whose list was left open.
func (p *parser) list(closer rune) []signature.Value {
	items := []signature.Value{}
	if !p.descend() {
		return items
	}
	defer p.ascend()
	ofMember := p.here() == inValue
	p.enter(inList)
	defer p.leave()
	flat := true // no item is a list or an object
	for {
		if p.pos != p.split {
			p.skipIgnored()
		}
		c := p.peek()
		if c == eof || c == closer || c == '}' {
			break
		}
		if c == ',' {
			p.pos++
			continue
		}
		var item signature.Value
		switch keyed := isQuote(c) && p.after(p.find(p.pos+1, c)+1) == ':'; {
		case keyed && ofMember && flat && len(items) > 0:
			// The list was left open and this is the next member of the object.
			return items
		case keyed:
			item = p.object() // one without its opening brace
		case isQuote(c):
			item = p.str()
		default:
			item = p.value()
		}
		if isEmpty(item) && !oneOf(p.at(p.pos), closer, ',') {
			p.pos++
			continue
		}
		if item == "..." && p.at(p.pos-1) == '.' {
			continue // "and so on" without quotes
		}
		switch item.(type) {
		case signature.Record, []signature.Value:
			flat = false
		}
		items = append(items, item)
	}
	p.pos++
	return items
}

// continueList reads a list that stands where a key should, as more of the list
// in the field before: ["a"], ["b"] instead of ["a", "b"].
func (p *parser) continueList(obj *members) bool {
	field, items, ok := obj.lastList()
	if !ok {
		return false
	}
	p.pos++
	*field = p.joinRows(items, p.list(']'))
	p.skipIgnored()
	if p.at(p.pos) == ',' {
		p.pos++
	}
	p.skipIgnored()
	return true
}

// joinRows appends items to a list. Where the list holds rows, lists of one
// length, what comes is made rows too.
func (p *parser) joinRows(items, more []signature.Value) []signature.Value {
	p.looks += len(items)
	width := rowWidth(items)
	if width == 0 {
		if len(more) == 1 {
			if inner, ok := more[0].([]signature.Value); ok {
				more = inner
			}
		}
		return append(items, more...)
	}
	rows := len(items)
	for rows > 0 && !isRow(items[rows-1]) {
		rows--
	}
	if loose := append([]signature.Value{}, items[rows:]...); len(loose)%width == 0 {
		items = items[:rows]
		for ; len(loose) > 0; loose = loose[width:] {
			items = append(items, loose[:width:width])
		}
	}
	for _, v := range more {
		if !isRow(v) {
			return append(items, more)
		}
	}
	return append(items, more...)
}

func isRow(v signature.Value) bool {
	_, ok := v.([]signature.Value)
	return ok
}

// rowWidth is the length that all lists among the items have, or 0.
func rowWidth(items []signature.Value) int {
	width := -1
	for _, v := range items {
		switch row, ok := v.([]signature.Value); {
		case !ok:
		case width >= 0 && len(row) != width:
			return 0
		default:
			width = len(row)
		}
	}
	return max(width, 0)
}
