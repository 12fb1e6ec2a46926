package gbnf

import (
	"cmp"
	"strings"
)

// Shortest returns a text that completes what was read: a shortest one, but that the
// first of an enumeration and false are taken for the shortest of their kind. It is the
// same on each call, and made of plain characters where it may be: "x", "0", "a", "A", a
// space. "" where the text is complete, for the zero State, and at the start of a grammar
// that allows nothing.
func (s State) Shortest() string {
	if s.n == nil || s.n.complete || s.n.dead() {
		return ""
	}
	prog := s.n.cache.prog
	var best place
	least := int64(-1)
	for _, p := range s.n.kernel {
		c := prog.cost[p.at]
		if p.on != nil {
			c += p.on.cost
		}
		if least < 0 || c < least || c == least && compare(p, best) < 0 {
			best, least = p, c
		}
	}
	var b strings.Builder
	prog.complete(&b, best)
	return b.String()
}

// compare orders places by what they are, not by when they were reached.
func compare(p, q place) int {
	if o := cmp.Compare(p.at, q.at); o != 0 {
		return o
	}
	a, b := p.on, q.on
	for a != b {
		switch {
		case a == nil:
			return -1
		case b == nil:
			return 1
		}
		if o := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.count, b.count)); o != 0 {
			return o
		}
		a, b = a.up, b.up
	}
	return 0
}

// complete writes a shortest text from a place to the end.
func (p *program) complete(b *strings.Builder, at place) {
	p.finish(b, at.at)
	for f := at.on; f != nil; f = f.up {
		in := &p.code[f.at]
		if in.op == instLoop {
			for range in.min - f.count {
				p.finish(b, in.x)
			}
		}
		p.finish(b, in.y)
	}
}

// finish writes a shortest text from an instruction to the end of its rule.
func (p *program) finish(b *strings.Builder, at int32) {
	for {
		in := &p.code[at]
		switch in.op {
		case instEnd:
			return
		case instBytes:
			best := -1
			var char byte
			for i, a := range in.arms {
				plain := a.plainest()
				better := best < 0 || p.cost[a.next] < p.cost[in.arms[best].next]
				same := best >= 0 && p.cost[a.next] == p.cost[in.arms[best].next]
				if better || same && rank(plain) < rank(char) {
					best, char = i, plain
				}
			}
			b.WriteByte(char)
			at = in.arms[best].next
		case instSplit:
			at = in.x
			if !in.first && p.cost[in.y] < p.cost[in.x] {
				at = in.y
			}
		case instCall:
			p.finish(b, p.entries[in.x])
			at = in.y
		case instLoop:
			for range in.min {
				p.finish(b, in.x)
			}
			at = in.y
		}
	}
}

// plain are the bytes that are rather written than others.
const plain = "x0aA "

func rank(b byte) int {
	if i := strings.IndexByte(plain, b); i >= 0 {
		return i
	}
	if b > ' ' && b < 0x7F {
		return len(plain)
	}
	return len(plain) + 1
}

// plainest is the byte of a range that is rather written than the others, the least of
// those that are equal in that.
func (s byteSpan) plainest() byte {
	best := s.lo
	for c := int(s.lo); c <= int(s.hi); c++ {
		if rank(byte(c)) < rank(best) {
			best = byte(c)
		}
	}
	return best
}
