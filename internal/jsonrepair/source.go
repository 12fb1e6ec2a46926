package jsonrepair

import "slices"

// source is the text and the answers to "where is the next ... from here?". The
// repairs ask that of the same stretch of text many times over, from ever new
// places, so each kind of answer is a table that is made once, in one pass, when
// it is first asked for. Without them a long text full of commas or quotes costs
// time by the square of its length.
type source struct {
	text []rune
	// looks counts the runes looked at and the tables' entries: the work done. At
	// the limit the text ends for every reader, so that no input, however built,
	// can cost more than a multiple of its length.
	looks, limit int

	pastSpace   []int32          // the next place that holds no white space
	pastSlashes []int32          // the next place that holds no backslash
	marks       map[rune][]int32 // the next place that holds the rune, unescaped
	odd         map[rune][]int32 // 1 where an odd number of the quote comes before the next ]
}

// looksPerRune is far above what texts of models need (about 20) and far below
// what would be felt.
const looksPerRune = 128

func newSource(text []rune) source {
	return source{
		text: text, limit: looksPerRune*len(text) + 1<<16,
		marks: map[rune][]int32{}, odd: map[rune][]int32{},
	}
}

// exhaust makes the text end here for good.
func (s *source) exhaust() { s.looks = s.limit + 1 }

func (s *source) exhausted() bool { return s.looks > s.limit }

// at returns the rune at a place, or eof beyond the text.
func (s *source) at(i int) rune {
	s.looks++
	if i < 0 || i >= len(s.text) || s.exhausted() {
		return eof
	}
	return s.text[i]
}

// has reports whether the word stands at a place.
func (s *source) has(i int, word string) bool {
	for _, r := range word {
		if s.at(i) != r {
			return false
		}
		i++
	}
	return true
}

// skipSpace returns the first place from i on that holds no white space.
func (s *source) skipSpace(i int) int {
	if s.pastSpace == nil {
		s.pastSpace = make([]int32, len(s.text)+1)
		s.fill(s.pastSpace, 0, len(s.text), notSpace)
	}
	return s.follow(s.pastSpace, i)
}

// skipSlashes returns the first place from i on that holds no backslash.
func (s *source) skipSlashes(i int) int {
	if s.pastSlashes == nil {
		s.pastSlashes = make([]int32, len(s.text)+1)
		s.fill(s.pastSlashes, 0, len(s.text), notSlash)
	}
	return s.follow(s.pastSlashes, i)
}

// after is the rune that follows once white space is skipped.
func (s *source) after(i int) rune { return s.at(s.skipSpace(i)) }

// find returns the first place from i on that holds one of the runes, or the end
// of the text. A rune behind an odd number of backslashes is passed over; only
// backslashes from i on count.
func (s *source) find(i int, runes ...rune) int {
	n := len(s.text)
	if i >= n {
		return n
	}
	if s.text[i] == '\\' || i > 0 && s.text[i-1] == '\\' {
		// The tables count backslashes before i too, so this run is done by hand.
		end := s.skipSlashes(i)
		if end < n && (end-i)%2 == 0 && slices.Contains(runes, s.text[end]) {
			return end
		}
		if i = end + 1; i >= n {
			return n
		}
	}
	best := n
	for _, r := range runes {
		best = min(best, s.follow(s.marksOf(r), i))
	}
	return best
}

func (s *source) marksOf(r rune) []int32 {
	t := s.marks[r]
	if t == nil {
		t = make([]int32, len(s.text)+1)
		s.fill(t, 0, len(s.text), isMark(r))
		s.marks[r] = t
	}
	return t
}

func notSpace(r rune, _ bool) bool { return !isSpace(r) }

func notSlash(r rune, _ bool) bool { return r != '\\' }

func isMark(want rune) func(rune, bool) bool {
	return func(r rune, escaped bool) bool { return r == want && !escaped }
}

// evenBeforeBracket reports whether an even number of the quote stands between i
// and the next closing bracket.
func (s *source) evenBeforeBracket(i int, quote rune) bool {
	t := s.odd[quote]
	if t == nil {
		t = make([]int32, len(s.text)+1)
		s.fillOdd(t, quote, 0, len(s.text))
		s.odd[quote] = t
	}
	return i >= len(s.text) || t[i] == 0
}

func (s *source) fillOdd(t []int32, quote rune, from, to int) {
	quotes, brackets := s.marksOf(quote), s.marksOf(']')
	for i := to - 1; i >= from; i-- {
		s.looks++
		switch {
		case int(brackets[i]) == i:
			t[i] = 0
		case int(quotes[i]) == i:
			t[i] = 1 - t[i+1]
		default:
			t[i] = t[i+1]
		}
	}
}

func (s *source) follow(t []int32, i int) int {
	s.looks++
	if i < 0 || i >= len(s.text) {
		return i
	}
	return int(t[i])
}

// fill writes the entries of a table from one place up to another; those behind
// it hold already, and the entry of the text's end is written here.
func (s *source) fill(t []int32, from, to int, hit func(r rune, escaped bool) bool) {
	t[len(s.text)] = int32(len(s.text))
	slashes := 0
	for i := from; i < to; i++ {
		s.looks++
		t[i] = -1
		if hit(s.text[i], slashes%2 == 1) {
			t[i] = int32(i)
		}
		if s.text[i] == '\\' {
			slashes++
		} else {
			slashes = 0
		}
	}
	for i := to - 1; i >= from; i-- {
		if t[i] < 0 {
			t[i] = t[i+1]
		}
	}
}

// unescapeQuotes takes the backslashes from the quotes between two places and
// returns where that stretch now begins: it keeps its end, as then the tables
// hold for all that follows.
func (s *source) unescapeQuotes(from, to int) int {
	to = min(to, len(s.text))
	begin, next := to, eof
	for i := to - 1; i >= from; i-- {
		s.looks++
		r := s.text[i]
		if r != '\\' || next != '"' && next != '\'' {
			begin--
			s.text[begin] = r
		}
		next = r
	}
	if s.pastSpace != nil {
		s.fill(s.pastSpace, begin, to, notSpace)
	}
	if s.pastSlashes != nil {
		s.fill(s.pastSlashes, begin, to, notSlash)
	}
	for mark, t := range s.marks {
		s.fill(t, begin, to, isMark(mark))
	}
	for quote, t := range s.odd {
		s.fillOdd(t, quote, begin, to)
	}
	return begin
}
