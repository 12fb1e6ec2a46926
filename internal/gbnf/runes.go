package gbnf

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// span is a range of code points, both ends included.
type span struct{ lo, hi rune }

// runeSet is a set of code points: sorted spans that neither meet nor overlap. The
// surrogates, which no text holds, are in none.
type runeSet []span

const (
	firstSurrogate = 0xD800
	lastSurrogate  = 0xDFFF
)

// anyRune is the set of all code points.
func anyRune() runeSet {
	return runeSet{{0, firstSurrogate - 1}, {lastSurrogate + 1, utf8.MaxRune}}
}

// runes makes a set of spans that may overlap and stand in any order.
func runes(spans ...span) runeSet {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var out runeSet
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.lo <= out[last].hi+1 {
			out[last].hi = max(out[last].hi, s.hi)
		} else if s.lo <= s.hi {
			out = append(out, s)
		}
	}
	return out.and(anyRune())
}

// oneOf is the set of the code points of a text.
func oneOf(chars string) runeSet {
	var spans []span
	for _, r := range chars {
		spans = append(spans, span{r, r})
	}
	return runes(spans...)
}

func (s runeSet) and(t runeSet) runeSet {
	var out runeSet
	for i, j := 0, 0; i < len(s) && j < len(t); {
		if lo, hi := max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (s runeSet) or(t runeSet) runeSet { return runes(append(slices.Clone(s), t...)...) }

// not is the complement.
func (s runeSet) not() runeSet {
	var out runeSet
	next := rune(0)
	for _, p := range s {
		if next < p.lo {
			out = append(out, span{next, p.lo - 1})
		}
		next = p.hi + 1
	}
	if next <= utf8.MaxRune {
		out = append(out, span{next, utf8.MaxRune})
	}
	return out.and(anyRune())
}

func (s runeSet) has(r rune) bool {
	_, found := slices.BinarySearchFunc(s, r, func(p span, r rune) int {
		switch {
		case p.hi < r:
			return -1
		case p.lo > r:
			return 1
		}
		return 0
	})
	return found
}

// byteSpan is a range of bytes, both ends included.
type byteSpan struct{ lo, hi byte }

// utf8Spans writes a set as sequences of byte ranges: a text is the UTF-8 of one of its
// code points where its bytes lie in the ranges of one sequence.
func (s runeSet) utf8Spans() [][]byteSpan {
	var out [][]byteSpan
	for _, p := range s {
		lo := p.lo
		for _, most := range []rune{0x7F, 0x7FF, 0xFFFF, utf8.MaxRune} {
			if hi := min(p.hi, most); lo <= hi {
				out = sameLength(out, lo, hi)
				lo = hi + 1
			}
		}
	}
	return out
}

// sameLength adds the sequences of a range whose code points have as many bytes each.
func sameLength(out [][]byteSpan, lo, hi rune) [][]byteSpan {
	// A range is one sequence where all but the first differing byte run from the
	// least to the greatest continuation byte; else it is cut where they do not.
	for shift := 6; shift <= 18; shift += 6 {
		tail := rune(1)<<shift - 1
		if lo&^tail == hi&^tail {
			break
		}
		if lo&tail != 0 {
			return sameLength(sameLength(out, lo, lo|tail), (lo|tail)+1, hi)
		}
		if hi&tail != tail {
			return sameLength(sameLength(out, lo, hi&^tail-1), hi&^tail, hi)
		}
	}
	from, to := utf8.AppendRune(nil, lo), utf8.AppendRune(nil, hi)
	seq := make([]byteSpan, len(from))
	for i := range from {
		seq[i] = byteSpan{from[i], to[i]}
	}
	return append(out, seq)
}
