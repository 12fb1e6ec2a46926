package jsonrepair

import (
	"strings"
	"unicode/utf16"

	"github.com/whetgo/whet/signature"
)

// strict reads well-formed JSON and nothing else. It is not encoding/json's
// decoder since it must read a value that stands within other text, keep the
// order of keys, let a key stand twice, and take NaN and its like as Python does.
type strict struct {
	text []rune
	// twice is set where a key stands twice; deep where the nesting passes maxDepth.
	twice, deep bool
}

// whole reads a text that is one JSON value.
func (s *strict) whole() (signature.Value, bool) {
	v, i, ok := s.value(s.space(0), 0)
	return v, ok && s.space(i) == len(s.text)
}

func (s *strict) at(i int) rune {
	if i >= len(s.text) {
		return eof
	}
	return s.text[i]
}

func (s *strict) space(i int) int {
	for oneOf(s.at(i), ' ', '\t', '\n', '\r') {
		i++
	}
	return i
}

// value reads the value at i and returns where it ends.
func (s *strict) value(i, depth int) (signature.Value, int, bool) {
	if depth > maxDepth {
		s.deep = true
		return nil, i, false
	}
	switch c := s.at(i); {
	case c == '{':
		return s.object(i+1, depth)
	case c == '[':
		return s.list(i+1, depth)
	case c == '"':
		return s.string(i + 1)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	}
	for _, w := range []struct {
		word  string
		value signature.Value
	}{{"true", true}, {"false", false}, {"null", nil}, {"NaN", "NaN"}, {"Infinity", "Infinity"}} {
		if s.has(i, w.word) {
			return w.value, i + len(w.word), true
		}
	}
	return nil, i, false
}

func (s *strict) has(i int, word string) bool {
	return i+len(word) <= len(s.text) && string(s.text[i:i+len(word)]) == word
}

// object reads what follows an opening brace.
func (s *strict) object(i, depth int) (signature.Value, int, bool) {
	var m members
	if i = s.space(i); s.at(i) == '}' {
		return m.record(), i + 1, true
	}
	for {
		if s.at(i) != '"' {
			return nil, i, false
		}
		key, end, ok := s.string(i + 1)
		if end = s.space(end); !ok || s.at(end) != ':' {
			return nil, end, false
		}
		v, end, ok := s.value(s.space(end+1), depth+1)
		if !ok {
			return nil, end, false
		}
		name, _ := key.(string)
		s.twice = s.twice || m.has(name)
		m.set(name, v)
		switch end = s.space(end); s.at(end) {
		case '}':
			return m.record(), end + 1, true
		case ',':
			i = s.space(end + 1)
		default:
			return nil, end, false
		}
	}
}

// list reads what follows an opening bracket.
func (s *strict) list(i, depth int) (signature.Value, int, bool) {
	items := []signature.Value{}
	if i = s.space(i); s.at(i) == ']' {
		return items, i + 1, true
	}
	for {
		v, end, ok := s.value(i, depth+1)
		if !ok {
			return nil, end, false
		}
		items = append(items, v)
		switch end = s.space(end); s.at(end) {
		case ']':
			return items, end + 1, true
		case ',':
			i = s.space(end + 1)
		default:
			return nil, end, false
		}
	}
}

// number reads the longest number at i.
func (s *strict) number(i int) (signature.Value, int, bool) {
	from := i
	if s.at(i) == '-' {
		i++
		if s.has(i, "Infinity") {
			return "-Infinity", i + len("Infinity"), true
		}
	}
	first := i
	if i = s.digits(i); i == first {
		return nil, i, false
	}
	if s.text[first] == '0' {
		i = first + 1
	}
	if end := s.digits(i + 1); s.at(i) == '.' && end > i+1 {
		i = end
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		sign := i + 1
		if c := s.at(sign); c == '+' || c == '-' {
			sign++
		}
		if end := s.digits(sign); end > sign {
			i = end
		}
	}
	return numberValue(string(s.text[from:i])), i, true
}

func (s *strict) digits(i int) int {
	for c := s.at(i); c >= '0' && c <= '9'; c = s.at(i) {
		i++
	}
	return i
}

// string reads what follows an opening quote.
func (s *strict) string(i int) (signature.Value, int, bool) {
	var b strings.Builder
	for {
		c := s.at(i)
		i++
		switch {
		case c == '"':
			return b.String(), i, true
		case c < ' ': // eof too
			return nil, i, false
		case c != '\\':
			b.WriteRune(c)
			continue
		}
		c = s.at(i)
		i++
		switch c {
		case '"', '\\', '/':
			b.WriteRune(c)
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			r, ok := hexRune(s.text, i, 4)
			if !ok {
				return nil, i, false
			}
			i += 4
			if s.at(i) == '\\' && s.at(i+1) == 'u' {
				low, _ := hexRune(s.text, i+2, 4)
				if pair := utf16.DecodeRune(r, low); pair != '\uFFFD' {
					r = pair
					i += 6
				}
			}
			b.WriteRune(r) // half of a pair alone becomes the replacement character
		default:
			return nil, i, false
		}
	}
}

// hexRune reads a rune written as that many hexadecimal digits.
func hexRune(text []rune, i, digits int) (rune, bool) {
	if i+digits > len(text) {
		return 0, false
	}
	var r rune
	for _, c := range text[i : i+digits] {
		switch {
		case !isHex(c):
			return 0, false
		case c <= '9':
			r = r<<4 | (c - '0')
		default:
			r = r<<4 | (c | 0x20 - 'a' + 10)
		}
	}
	return r, true
}
