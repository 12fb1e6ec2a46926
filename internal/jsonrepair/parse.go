package jsonrepair

import (
	"encoding/json"

	"github.com/whetgo/whet/signature"
)

// Parse reads the value that a text means. ok is false when nothing in a text
// that is not empty looks like one, and when it is nested too deeply or takes too
// much work; the value is then the empty string.
func Parse(text string) (v signature.Value, ok bool) {
	v, _, ok = Repaired(text)
	return v, ok
}

// Repaired is [Parse], and says whether the text had to be repaired: it is not
// JSON, or has a key that stands twice.
func Repaired(text string) (v signature.Value, repaired, ok bool) {
	runes := []rune(text)
	s := strict{text: runes}
	if v, ok := s.whole(); ok {
		return v, s.twice || !json.Valid([]byte(text)), true
	}
	if s.deep {
		return "", true, false
	}
	p := newParser(runes)
	v = p.all()
	if p.exhausted() {
		return "", true, false
	}
	return v, true, text == "" || v != ""
}
