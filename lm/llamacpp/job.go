package llamacpp

import (
	"context"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/internal/gbnf"
	"github.com/whetgo/whet/lm"
)

// outcome is how a job ended.
type outcome struct {
	resp *lm.Response
	err  error
}

// job is a request on its way through the scheduler. Its segments are worked off
// one after the other: literals become part of the text, and at each hole the job
// names the tokens that must be evaluated before the hole can be filled.
type job struct {
	ctx   context.Context
	vocab vocabulary
	done  chan outcome // holds one, so that the scheduler never waits for a caller

	stream *stream // of a reply that is shown while it grows, or nil

	// What was asked.
	segments     []segment
	shaped       bool
	stop         []string
	sampling     sampling
	rng          *rand.Rand
	logprobs     bool
	topLogprobs  int
	budget       int   // tokens that may still be decoded
	bos          int32 // the token that a text begins with, or -1
	endOfTurn    int32 // the token that ends the reply, or -1 where there is none
	promptTokens int
	reserve      int // tokens that the reply and its branches may take

	// The text: head and the tokens of tail, in which the reply begins at replyAt. The
	// last text that was tokenised is a beginning of tail, or tail is one of it.
	head    []int32
	tail    string
	replyAt int
	known   tokenized

	// Where the job is.
	at      int     // index of the segment
	target  []int32 // tokens to be evaluated for the hole at hand
	tree    *tree   // of the choice at hand, or nil where text is generated
	along   *reading
	drawn   strings.Builder
	form    gbnf.State // of the hole at hand after what was drawn, where the segment has a grammar
	cutOff  []string   // the holes that the budget ended
	length  bool       // there are any
	choices []lm.Choice
	usage   lm.Usage

	logProbs []lm.TokenLogprob
	drafting drafting

	// What the scheduler has given it.
	seq     *sequence
	counted int // tokens of target that usage has counted as forced or prompt
}

// finished reports whether there is nothing left to compute.
func (j *job) finished() bool { return j.at >= len(j.segments) }

// advance takes in literals up to the next hole and prepares for it.
func (j *job) advance() error {
	for ; !j.finished(); j.at++ {
		s := j.segments[j.at]
		switch {
		case s.hole == lm.HoleNone:
			j.tail += s.literal
			continue
		case s.hole == lm.HoleChoice && len(s.choices) == 1:
			j.pick(0, []float64{0})
			continue
		case s.hole == lm.HoleChoice:
			return j.prepareChoice()
		}
		j.tree = nil
		j.drawn.Reset()
		if s.grammar != nil && j.openForm() {
			continue // its form left no choice
		}
		if j.budget <= 0 {
			j.cut()
			if s.grammar != nil {
				j.closeForm()
			}
			continue // the form is kept although nothing is decoded for this hole
		}
		j.setTarget(j.tokens(j.drawn.String()))
		return nil
	}
	return nil
}

// tokens returns those of the whole text so far and of more behind it.
func (j *job) tokens(more string) []int32 {
	text := j.tail + more
	if known := j.known.text; strings.HasPrefix(text, known) {
		j.known = j.known.extend(j.vocab, text[len(known):])
	} else {
		j.known = tokenized{text, j.vocab.tokenize(text, false)}
	}
	return append(j.head[:len(j.head):len(j.head)], j.known.tokens...)
}

// setTarget names the tokens to be evaluated next. Those that were generated may
// come back in another division, so what is common with the last target stays.
func (j *job) setTarget(tokens []int32) {
	j.counted = min(j.counted, common(j.target, tokens))
	j.target = tokens
}

// following returns the literal text after the hole at hand, or "".
func (j *job) following() string {
	if j.at+1 < len(j.segments) {
		return j.segments[j.at+1].literal
	}
	return ""
}

// take adds a drawn token to the reply and reports whether its hole is filled, and
// whether the target is another than before and the token.
func (j *job) take(token int32) (filled, jumped bool) {
	if j.vocab.isEnd(token) {
		if j.segments[j.at].grammar != nil { // admits has seen that it is complete
			j.fill(j.drawn.String())
		} else {
			j.fill(j.interrupted())
		}
		return true, false
	}
	j.budget--
	j.usage.CompletionTokens++
	j.target = append(j.target, token)
	j.counted = len(j.target)
	piece := j.vocab.piece(token)
	if j.segments[j.at].grammar != nil {
		return j.takeFormed(piece)
	}
	from := j.drawn.Len()
	j.drawn.WriteString(piece)
	if end := j.endOfText(from); end >= 0 {
		j.fill(j.drawn.String()[:end])
		return true, false
	}
	if j.budget <= 0 {
		j.cut()
		j.fill(j.interrupted())
		return true, false
	}
	return false, false
}

// endOfText finds where the text of the hole ends, if it does, in what was drawn:
// where the following literal begins or, in the last segment, a stop text. Only what
// the bytes from from on may have completed is searched.
func (j *job) endOfText(from int) int {
	all, best := j.drawn.String(), -1
	for _, e := range j.ends() {
		start := max(0, from-len(e)+1)
		if i := strings.Index(all[start:], e); i >= 0 && (best < 0 || start+i < best) {
			best = start + i
		}
	}
	return best
}

// cut notes that the hole at hand ends before its time.
func (j *job) cut() {
	j.length = true
	if j.shaped {
		j.cutOff = append(j.cutOff, j.segments[j.at].name)
	}
}

// ends are the texts that may follow the hole at hand.
func (j *job) ends() []string {
	switch f := j.following(); {
	case f != "":
		return []string{f}
	case j.at+1 < len(j.segments):
		return nil
	}
	return j.stop
}

func (j *job) fill(text string) {
	j.tail += text
	j.at++
}

// interrupted is the text of a hole that ends before the literal that follows is there
// in full. What was drawn of that literal's beginning is cut off, since the whole of
// it is put behind the text.
func (j *job) interrupted() string {
	text, next := wholeRunes(j.drawn.String()), j.following()
	for n := min(len(text), len(next)); n > 0; n-- {
		if strings.HasSuffix(text, next[:n]) {
			return text[:len(text)-n]
		}
	}
	return text
}

// wholeRunes cuts a character that is not complete off the end.
func wholeRunes(s string) string {
	for i := 1; i <= utf8.UTFMax && i <= len(s); i++ {
		if utf8.RuneStart(s[len(s)-i]) {
			if !utf8.FullRuneInString(s[len(s)-i:]) {
				return s[:len(s)-i]
			}
			break
		}
	}
	return s
}

// count adds the evaluated tokens of target up to n to the usage.
func (j *job) count(n int) {
	if forced := n - max(j.counted, j.promptTokens); forced > 0 {
		j.usage.ForcedTokens += forced
	}
	j.counted = max(j.counted, n)
}

// response is the reply once the job is finished.
func (j *job) response() *lm.Response {
	r := &lm.Response{
		Text: j.tail[j.replyAt:], Choices: j.choices, Shaped: j.shaped,
		Finish: lm.FinishStop, Usage: j.usage, Logprobs: j.logProbs, Cut: j.cutOff,
	}
	if j.length {
		r.Finish = lm.FinishLength
	}
	r.Usage.Calls, r.Usage.PricedCalls = 1, 1
	r.Usage.PromptTokens = j.promptTokens
	return r
}
