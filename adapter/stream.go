package adapter

import (
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// StreamTemplate is a [Template] that can show the outputs of a reply while it grows. All
// of this package's are.
type StreamTemplate interface {
	Template
	// Stream returns a reader for one reply.
	Stream() FieldStream
}

// FieldStream reads a reply while it grows. What it shows is a preview, for people who
// wait: it knows the form that the prompt asks for, and none of the liberties that Parse
// forgives; what counts is Parse of the whole reply. It is not safe for concurrent use.
type FieldStream interface {
	// Write takes what has been added to the reply, cut anywhere, and returns what that
	// adds to the outputs.
	Write(text string) []FieldText
	// Close returns what was held back until the end of the reply.
	Close() []FieldText
}

// FieldText is a piece of an output's text.
type FieldText struct {
	// Field is the output.
	Field string
	// Text is what is added: text as it is, and other values in the form that the
	// adapter asks for. White space at the ends of a value is left out.
	Text string
	// Done says that the output is complete; Text may be empty then.
	Done bool
}

// Stream implements StreamTemplate.
func (t *chatTemplate) Stream() FieldStream {
	names := map[string]int{}
	s := &lineStream{field: -1}
	for i, f := range t.sig.Outputs() {
		names[f.Name] = i
		s.names = append(s.names, f.Name)
	}
	s.head = func(line string) (int, string, lineHead) {
		name, rest, head := markerBegins(line)
		if head != isHead {
			return -1, "", head
		}
		if i, ok := names[name]; ok {
			return i, rest, isHead
		}
		return -1, rest, isHead
	}
	return s
}

// Stream implements StreamTemplate.
func (t *compactTemplate) Stream() FieldStream {
	s := &lineStream{field: 0}
	for _, f := range t.outs {
		s.names = append(s.names, f.Name)
		s.oneLine = append(s.oneLine, isClosed(f.Type))
	}
	s.head = func(line string) (int, string, lineHead) {
		head := noHead
		for i, f := range t.outs {
			if rest, ok := strings.CutPrefix(line, f.label); ok {
				return i, rest, isHead
			}
			if strings.HasPrefix(f.label, line) {
				head = maybeHead
			}
		}
		for _, f := range t.ins { // the next example, which the model makes up
			if strings.HasPrefix(line, f.label) {
				return -1, "", isHead
			}
			if strings.HasPrefix(f.label, line) {
				head = maybeHead
			}
		}
		return -1, "", head
	}
	return s
}

// lineHead says whether a line begins an output.
type lineHead int

const (
	noHead lineHead = iota
	maybeHead
	isHead
)

// longestName is how long what may be a marker is waited for; in bytes.
const longestName = 256

// markerBegins reads the beginning of a line as a field marker.
func markerBegins(line string) (name, rest string, head lineHead) {
	line = strings.TrimLeftFunc(line, isSpace)
	open := markerOpen + " "
	after, ok := strings.CutPrefix(line, open)
	if !ok {
		if strings.HasPrefix(open, line) {
			return "", "", maybeHead
		}
		return "", "", noHead
	}
	end := strings.IndexFunc(after, func(r rune) bool { return !wordRune(r) })
	switch {
	case end < 0 && len(after) > longestName:
		return "", "", noHead
	case end < 0:
		return "", "", maybeHead
	}
	name, after = after[:end], after[end:]
	if rest, ok = strings.CutPrefix(after, " "+markerClose); ok && name != "" {
		return name, rest, isHead
	}
	if name != "" && strings.HasPrefix(" "+markerClose, after) {
		return "", "", maybeHead
	}
	return "", "", noHead
}

// lineStream is the stream of a form in which lines begin the outputs.
type lineStream struct {
	names   []string
	oneLine []bool // outputs that end with their line; may be shorter than names
	// head reads the beginning of a line: the output that it begins, or -1 for none of
	// them, and what follows on the line.
	head func(line string) (field int, rest string, is lineHead)

	field   int             // the output that is read; -1 for none
	done    map[int]bool    // outputs that have ended
	line    strings.Builder // a line that may yet turn out to begin an output
	midLine bool            // the line has turned out to be text
	said    bool            // something of the output was shown
	space   []byte          // white space that is shown when text follows
	cut     string          // bytes of a character that is not complete
	out     pieces
}

// pieces collects what is shown.
type pieces struct {
	all   []FieldText
	field string // the output that text is for
	text  []byte
}

func (p *pieces) show(field string, text ...string) {
	if field != p.field {
		p.flush()
		p.field = field
	}
	for _, t := range text {
		p.text = append(p.text, t...)
	}
}

func (p *pieces) done(field string) {
	p.flush()
	p.all = append(p.all, FieldText{Field: field, Done: true})
}

func (p *pieces) flush() {
	if len(p.text) > 0 {
		p.all = append(p.all, FieldText{Field: p.field, Text: string(p.text)})
		p.text = p.text[:0]
	}
}

func (p *pieces) take() []FieldText {
	p.flush()
	all := p.all
	p.all = nil
	return all
}

// Write implements FieldStream.
func (s *lineStream) Write(text string) []FieldText {
	text = s.cut + text
	n := len(text)
	for n > 0 && len(text)-n < utf8.UTFMax && !utf8.RuneStart(text[n-1]) {
		n--
	}
	if n > 0 && utf8.FullRuneInString(text[n-1:]) {
		n = len(text)
	} else if n > 0 {
		n--
	}
	text, s.cut = text[:n], text[n:]
	s.write(text)
	return s.out.take()
}

func (s *lineStream) write(text string) {
	for text != "" {
		part, rest, whole := strings.Cut(text, "\n")
		text = rest
		if s.midLine {
			s.show(part)
		} else {
			s.line.WriteString(part)
			s.begin(whole)
		}
		if whole {
			s.endLine()
		}
	}
}

// begin looks at the line so far; whole says that no more of it comes.
func (s *lineStream) begin(whole bool) {
	line := s.line.String()
	field, rest, is := s.head(line)
	switch {
	case is == isHead:
		s.open(field)
		s.line.Reset()
		s.midLine = true
		s.show(rest)
	case is == noHead || whole:
		s.line.Reset()
		s.midLine = true
		s.show(line)
	}
}

func (s *lineStream) endLine() {
	if s.field >= 0 && s.said && s.field < len(s.oneLine) && s.oneLine[s.field] {
		s.open(-1)
	}
	s.midLine = false
	s.space = append(s.space, '\n')
}

// open ends the output that is read and begins another.
func (s *lineStream) open(field int) {
	if s.field >= 0 && (field != s.field || s.said) {
		s.out.done(s.names[s.field])
		if s.done == nil {
			s.done = map[int]bool{}
		}
		s.done[s.field] = true
	}
	if field >= 0 && s.done[field] {
		field = -1 // said again
	}
	s.field, s.said, s.space = field, false, s.space[:0]
}

// show adds text to the output that is read, but for the white space at its ends.
func (s *lineStream) show(text string) {
	if s.field < 0 {
		return
	}
	if !s.said {
		text = strings.TrimLeftFunc(text, isSpace)
		s.space = s.space[:0]
	}
	end := stripRight(text)
	if end != "" {
		s.out.show(s.names[s.field], string(s.space), end)
		s.space, s.said = s.space[:0], true
	}
	if s.said {
		s.space = append(s.space, text[len(end):]...)
	}
}

// Close implements FieldStream.
func (s *lineStream) Close() []FieldText {
	s.write(s.cut)
	s.cut = ""
	if !s.midLine {
		s.begin(true)
	}
	s.open(-1)
	return s.out.take()
}

// outputNames returns the names of the outputs.
func outputNames(sig *signature.Signature) map[string]bool {
	names := map[string]bool{}
	for _, f := range sig.Outputs() {
		names[f.Name] = true
	}
	return names
}
