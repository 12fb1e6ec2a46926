package gbnf

import (
	"strings"
	"unicode/utf8"
)

// State is a position in a text: what was read up to it decides what may follow. It is
// immutable, two words long, and keeps what it needs alive. The zero State allows
// nothing.
type State struct{ n *node }

// Advance reads a text, which may begin and end in the middle of a character's UTF-8.
// It returns false, and the state as it was, when no text of the grammar continues so.
// A text that was read before, from this state or one like it, needs no memory.
func (s State) Advance(text string) (State, bool) {
	n := s.n
	if n == nil || n.dead() {
		return s, text == ""
	}
	for i := range len(text) {
		c := n.cache.prog.class[text[i]]
		next := n.next[c].Load()
		if next == nil {
			next = n.step(text[i], c)
		}
		if next.dead() {
			return s, false
		}
		n = next
	}
	return State{n}, true
}

// Complete reports whether what was read is a whole text of the grammar.
func (s State) Complete() bool { return s.n != nil && s.n.complete }

// Final reports whether what was read is a whole text of the grammar that no other
// continues.
func (s State) Final() bool { return s.Complete() && len(s.n.ready) == 0 }

// Forced returns the longest text of at most limit bytes that every continuation begins
// with: "" where several bytes may follow, and where the text may end. It consists of
// whole characters, so it is "" in the middle of one.
func (s State) Forced(limit int) string {
	var b strings.Builder
	for n := s.n; n != nil && !n.complete && n.only >= 0 && b.Len() < limit; {
		c := byte(n.only)
		if b.Len() == 0 && !utf8.RuneStart(c) {
			return ""
		}
		b.WriteByte(c)
		next, _ := State{n}.Advance(string([]byte{c}))
		n = next.n
	}
	return wholeRunes(b.String())
}

// wholeRunes cuts off what a text has of its last character if it does not have all.
func wholeRunes(s string) string {
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				return s[:i]
			}
			break
		}
	}
	return s
}
