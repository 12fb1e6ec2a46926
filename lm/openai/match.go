package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/whetgo/whet/lm"
)

// span is where a piece stands in a reply.
type span struct{ from, to int }

// match finds the pieces of the form in a reply, or false where the reply is not of it.
func (f *form) match(text string) ([]span, bool) {
	m := matcher{pieces: f.pieces, text: text, spans: make([]span, len(f.pieces)), failed: map[[2]int]bool{}}
	if m.from(0, 0) {
		return m.spans, true
	}
	if len(f.pieces) == 1 && f.pieces[0].hole == lm.HoleJSON {
		// A server that was given the schema sets spaces where it likes.
		if spaced, ok := respaced(text); ok && spaced != text {
			if _, ok := f.match(spaced); ok {
				return []span{{0, len(text)}}, true
			}
		}
	}
	return nil, false
}

type matcher struct {
	pieces []piece
	text   string
	spans  []span
	failed map[[2]int]bool
}

// from matches the pieces from one on with the text from a place on.
func (m *matcher) from(at, begin int) bool {
	if at == len(m.pieces) {
		return begin == len(m.text)
	}
	if m.failed[[2]int{at, begin}] {
		return false
	}
	for end := range m.ends(at, begin) {
		if m.from(at+1, end) {
			m.spans[at] = span{begin, end}
			return true
		}
	}
	m.failed[[2]int{at, begin}] = true
	return false
}

// ends yields where a piece may end that begins at a place.
func (m *matcher) ends(at, begin int) func(func(int) bool) {
	p, rest := m.pieces[at], m.text[begin:]
	return func(yield func(int) bool) {
		switch p.hole {
		case lm.HoleNone:
			if strings.HasPrefix(rest, p.literal) {
				yield(begin + len(p.literal))
			}
		case lm.HoleText:
			if at+1 == len(m.pieces) {
				yield(len(m.text))
			} else if n := strings.Index(rest, m.pieces[at+1].literal); n >= 0 {
				yield(begin + n)
			}
		case lm.HoleChoice:
			for _, a := range p.choices {
				if strings.HasPrefix(rest, a.Text) && !yield(begin+len(a.Text)) {
					return
				}
			}
		default:
			complete := formEnds(p, rest)
			for i := len(complete) - 1; i >= 0; i-- { // the longest first
				if !yield(begin + complete[i]) {
					return
				}
			}
		}
	}
}

// formEnds returns the lengths of the beginnings of a text that are of a piece's form.
func formEnds(p piece, text string) []int {
	var out []int
	state := p.grammar.Start()
	for i := 0; ; i++ {
		if state.Complete() {
			out = append(out, i)
		}
		if i == len(text) {
			return out
		}
		next, ok := state.Advance(text[i : i+1])
		if !ok {
			return out
		}
		state = next
	}
}

// respaced writes JSON with the spaces that grammars have: one behind commas and colons.
func respaced(text string) (string, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var b strings.Builder
	if respace(d, &b) != nil {
		return "", false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", false
	}
	return b.String(), true
}

func respace(d *json.Decoder, b *strings.Builder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return writeScalar(b, t)
	}
	b.WriteString(open.String())
	for i := 0; d.More(); i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if err := writeScalar(b, key); err != nil {
				return err
			}
			b.WriteString(": ")
		}
		if err := respace(d, b); err != nil {
			return err
		}
	}
	end, err := d.Token()
	if err != nil {
		return err
	}
	if end, ok := end.(json.Delim); ok {
		b.WriteString(end.String())
	}
	return nil
}

func writeScalar(b *strings.Builder, t json.Token) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(t); err != nil {
		return err
	}
	b.WriteString(strings.TrimSuffix(out.String(), "\n"))
	return nil
}
