package adapter

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Stream implements StreamTemplate.
func (t *jsonTemplate) Stream() FieldStream {
	return &objectStream{outputs: outputNames(t.sig), seen: map[string]bool{}, state: beforeObject}
}

// objectStream is the stream of a form in which the reply is an object: it shows the
// values of the members that are outputs.
type objectStream struct {
	outputs, seen map[string]bool

	state   objectState
	key     strings.Builder // of the member
	field   string          // the output whose value is read; "" for a member that is none
	escape  string          // an escape that is not complete, with its backslash
	high    rune            // the first half of a surrogate pair; 0 for none
	depth   int             // of a value that is no text
	quoted  bool            // within a text of such a value
	skip    bool            // the next byte of such a text is escaped
	space   []byte          // white space that is shown when more of such a value follows
	pending []byte          // bytes of a character that is not complete
	out     pieces
}

// objectState is what is read next.
type objectState int

const (
	beforeObject objectState = iota
	beforeKey
	inKey
	afterKey
	beforeValue
	inText
	inValue
	afterValue
	afterObject
)

// Write implements FieldStream.
func (s *objectStream) Write(text string) []FieldText {
	for i := range len(text) { // JSON's own marks are single bytes
		s.step(text[i])
	}
	return s.out.take()
}

// Close implements FieldStream.
func (s *objectStream) Close() []FieldText {
	if s.state == inText || s.state == inValue {
		s.end()
	}
	s.state = afterObject
	return s.out.take()
}

func (s *objectStream) step(c byte) {
	space := c == ' ' || c == '\t' || c == '\n' || c == '\r'
	switch s.state {
	case beforeObject:
		if c == '{' {
			s.state = beforeKey
		}
	case beforeKey:
		switch c {
		case '"':
			s.key.Reset()
			s.state = inKey
		case '}':
			s.state = afterObject
		}
	case inKey: // names of outputs need no escapes
		if c == '"' {
			s.state = afterKey
		} else {
			s.key.WriteByte(c)
		}
	case afterKey:
		if c == ':' {
			s.state = beforeValue
		}
	case beforeValue:
		if space {
			return
		}
		s.field = ""
		if k := s.key.String(); s.outputs[k] && !s.seen[k] {
			s.field, s.seen[k] = k, true
		}
		if c == '"' {
			s.state = inText
			return
		}
		s.state, s.depth, s.quoted, s.skip, s.space = inValue, 0, false, false, s.space[:0]
		s.value(c, space)
	case inText:
		s.text(c)
	case inValue:
		s.value(c, space)
	case afterValue:
		switch c {
		case ',':
			s.state = beforeKey
		case '}':
			s.state = afterObject
		}
	case afterObject:
	}
}

// text reads a byte of a text.
func (s *objectStream) text(c byte) {
	switch {
	case s.escape != "":
		s.escape += string(rune(c))
		s.unescape()
	case c == '\\':
		s.escape = `\`
	case c == '"':
		s.end()
		s.state = afterValue
	default:
		s.lone()
		s.pending = append(s.pending, c)
		if utf8.FullRune(s.pending) {
			s.show(string(s.pending))
			s.pending = s.pending[:0]
		}
	}
}

// unescape shows the escape when it is complete.
func (s *objectStream) unescape() {
	if s.escape[1] != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, s.escape[1])
		s.lone()
		if i >= 0 {
			s.show("\"\\/\b\f\n\r\t"[i : i+1])
		} else {
			s.show(s.escape) // none of JSON's
		}
		s.escape = ""
		return
	}
	if len(s.escape) < 6 {
		return
	}
	n, err := strconv.ParseUint(s.escape[2:], 16, 16)
	r := rune(n)
	if err != nil {
		r = utf8.RuneError
	}
	s.escape = ""
	switch {
	case s.high != 0 && r >= 0xDC00 && r < 0xE000:
		r, s.high = utf16.DecodeRune(s.high, r), 0
		s.show(string(r))
	case r >= 0xD800 && r < 0xDC00:
		s.lone()
		s.high = r
	default:
		s.lone()
		s.show(string(r)) // a second half alone is no character
	}
}

// lone shows the first half of a pair that has no second.
func (s *objectStream) lone() {
	if s.high != 0 {
		s.high = 0
		s.show(string(utf8.RuneError))
	}
}

// value reads a byte of a value that is no text.
func (s *objectStream) value(c byte, space bool) {
	switch {
	case s.skip:
		s.skip = false
	case s.quoted && c == '\\':
		s.skip = true
	case c == '"':
		s.quoted = !s.quoted
	case s.quoted:
	case c == '{' || c == '[':
		s.depth++
	case s.depth == 0 && (c == ',' || c == '}' || c == ']'):
		s.end()
		s.state = beforeKey
		if c != ',' {
			s.state = afterObject
		}
		return
	case c == '}' || c == ']':
		s.depth--
	}
	if space && !s.quoted {
		s.space = append(s.space, c)
		return
	}
	s.pending = append(s.pending, c)
	if utf8.FullRune(s.pending) {
		s.show(string(s.space), string(s.pending))
		s.space, s.pending = s.space[:0], s.pending[:0]
	}
}

// end ends a value.
func (s *objectStream) end() {
	s.lone()
	if len(s.pending) > 0 {
		s.show(strings.ToValidUTF8(string(s.pending), string(utf8.RuneError)))
		s.pending = s.pending[:0]
	}
	if s.field != "" {
		s.out.done(s.field)
	}
	s.field, s.escape = "", ""
}

func (s *objectStream) show(text ...string) {
	if s.field != "" {
		s.out.show(s.field, text...)
	}
}
