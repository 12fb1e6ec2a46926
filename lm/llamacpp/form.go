package llamacpp

import (
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/internal/gbnf"
)

const (
	// maxForced bounds the bytes that a form adds at once.
	maxForced = 512
	// closingTokens is what is set aside for the text that closes a form when the
	// budget ends. One that takes more finds room when it comes to that, or waits.
	closingTokens = 64
)

// openForm begins a hole that a grammar describes, with the text that it cannot but
// begin with, and reports whether that is all of it.
func (j *job) openForm() (filled bool) {
	j.form = j.segments[j.at].grammar.Start()
	j.jump()
	return j.finishForm()
}

// jump adds the text that the form leaves no choice about and reports whether there
// was any. It counts against the budget as text that is drawn does. Nothing is added in the middle of a character, which has no tokens yet.
func (j *job) jump() bool {
	drawn := j.drawn.String()
	if wholeRunes(drawn) != drawn {
		return false
	}
	forced := j.form.Forced(maxForced)
	if forced == "" || !utf8.ValidString(forced) {
		return false
	}
	next, ok := j.form.Advance(forced)
	if !ok {
		return false
	}
	j.budget -= len(j.vocab.tokenize(forced, false))
	j.drawn.WriteString(forced)
	j.form = next
	return true
}

// finishForm fills the hole if nothing can follow.
func (j *job) finishForm() bool {
	if !j.form.Final() {
		return false
	}
	j.tail += j.drawn.String()
	return true
}

// closeForm fills the hole with the shortest text that completes its form.
func (j *job) closeForm() { j.tail += j.drawn.String() + j.form.Shortest() }

// closeHole fills the hole with what it has, completed where it has a form.
func (j *job) closeHole() {
	j.cut()
	if j.segments[j.at].grammar == nil {
		j.fill(j.interrupted())
		return
	}
	j.closeForm()
	j.at++
}

// admits reports whether the hole's form lets the token come next. It may end the hole,
// and may then reach into the text that follows.
func (j *job) admits(token int32) bool {
	if j.segments[j.at].grammar == nil {
		return true
	}
	if j.vocab.isEnd(token) {
		return j.form.Complete()
	}
	piece := j.vocab.piece(token)
	if piece == "" { // a special token
		return false
	}
	_, _, ok := j.match(piece)
	return ok
}

// match reads on by a piece. While the value goes on end is -1; otherwise it is the
// length of the value in what was drawn and the piece together, as long as can be, and
// the rest belongs to the text that follows.
func (j *job) match(piece string) (state gbnf.State, end int, ok bool) {
	if state, ok = j.form.Advance(piece); ok {
		return state, -1, true
	}
	drawn := j.drawn.String()
	ends := j.ends()
	for n := len(piece) - 1; n >= 0; n-- {
		if !beginsAlike(piece[n:], ends) {
			continue
		}
		if state, ok = j.form.Advance(piece[:n]); ok && state.Complete() {
			return state, len(drawn) + n, true
		}
	}
	// The value may have let the beginning of that text pass for its own.
	for _, e := range ends {
		for n := min(len(e)-1, len(drawn)); n > 0; n-- {
			if strings.HasSuffix(drawn, e[:n]) && beginsAlike(piece, []string{e[n:]}) {
				value := drawn[:len(drawn)-n]
				if state, ok = j.segments[j.at].grammar.Start().Advance(value); ok && state.Complete() {
					return state, len(value), true
				}
			}
		}
	}
	return state, 0, false
}

// beginsAlike reports whether text is the beginning of one of the ends, or one of them
// that of text.
func beginsAlike(text string, ends []string) bool {
	for _, e := range ends {
		if strings.HasPrefix(e, text) || strings.HasPrefix(text, e) {
			return true
		}
	}
	return false
}

// takeFormed adds the piece of a token that admits has let pass. Text that must follow
// is added with it: it is not decoded, and the tokens of all are those that the model
// would see.
func (j *job) takeFormed(piece string) (filled, jumped bool) {
	state, end, _ := j.match(piece)
	from := j.drawn.Len()
	j.drawn.WriteString(piece)
	if end < 0 {
		j.form = state
		end = j.passedEnd(from)
	}
	if end >= 0 {
		j.fill(j.drawn.String()[:end])
		return true, false
	}
	jumped = j.jump()
	switch {
	case j.form.Final():
		j.fill(j.drawn.String())
		return true, false
	case j.budget <= 0:
		j.cut()
		j.closeForm()
		j.at++
		return true, false
	case jumped:
		j.setTarget(j.tokens(j.drawn.String()))
	}
	return false, jumped
}

// passedEnd finds, in a value that lets the text pass which follows it, where that
// text begins, if the value is complete there; otherwise it returns -1.
func (j *job) passedEnd(from int) int {
	end := j.endOfText(from)
	if end < 0 {
		return -1
	}
	if state, ok := j.segments[j.at].grammar.Start().Advance(j.drawn.String()[:end]); !ok || !state.Complete() {
		return -1
	}
	return end
}
