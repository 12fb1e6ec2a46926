package adapter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// echo knows what stands in the inputs of a call. A model that repeats its input
// has not answered: what a lenient reading finds there does not count. Texts are
// compared by their words, as models change letter case, spaces and marks when they
// repeat.
type echo struct {
	sig    *signature.Signature
	inputs signature.Record
	// texts are the texts of the inputs, words the same as words between spaces.
	texts []string
	words string
	// after holds, by output, what follows the output's name in the inputs.
	after map[string]*following
	done  bool
}

// following is what follows a name: up to three words, and every beginning of
// them. The bits say how the name stood there.
type following struct {
	begins, whole map[string]form
}

// form is a set of ways in which a name stands in a text.
type form int

const (
	named  form = 1 << iota // somehow
	hashed                  // beside ##, as in a field marker
	keyed                   // as a key of JSON, about
)

// prepare reads the inputs once.
func (e *echo) prepare() {
	if e.done {
		return
	}
	e.done = true
	for _, f := range e.sig.Inputs() {
		if v, ok := e.inputs.Get(f.Name); ok {
			e.collect(v)
		}
	}
	var b strings.Builder
	b.WriteByte(' ')
	e.after = map[string]*following{}
	for _, f := range e.sig.Outputs() {
		e.after[f.Name] = &following{map[string]form{}, map[string]form{}}
	}
	names := nameWords(e.sig)
	for _, text := range e.texts {
		words := wordsOf(text, -1)
		for i, w := range words {
			b.WriteString(w.text)
			b.WriteByte(' ')
			for _, name := range names[w.text] {
				e.follow(name, words, i)
			}
		}
		b.WriteString("\n ")
	}
	e.words = b.String()
}

// mentions reports whether a text stands in an input. It is quick, as it is asked of
// every reply.
func (e *echo) mentions(text string) bool {
	for _, f := range e.sig.Inputs() {
		if v, ok := e.inputs.Get(f.Name); ok && mentions(v, text) {
			return true
		}
	}
	return false
}

func mentions(v signature.Value, text string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, text)
	case []signature.Value:
		for _, item := range v {
			if mentions(item, text) {
				return true
			}
		}
	case signature.Record:
		for name, item := range v.All() {
			if strings.Contains(name, text) || mentions(item, text) {
				return true
			}
		}
	}
	return false
}

func (e *echo) collect(v signature.Value) {
	switch v := v.(type) {
	case nil:
	case string:
		e.texts = append(e.texts, v)
	case []signature.Value:
		for _, item := range v {
			e.collect(item)
		}
	case signature.Record:
		for name, item := range v.All() {
			e.texts = append(e.texts, name)
			e.collect(item)
		}
	default:
		text, _ := scalar(v)
		e.texts = append(e.texts, text)
	}
}

// outputName is the words of an output's name.
type outputName struct {
	field string
	words []word
}

// nameWords returns the outputs by the first word of their names.
func nameWords(sig *signature.Signature) map[string][]outputName {
	out := map[string][]outputName{}
	for _, f := range sig.Outputs() {
		for _, s := range spellings(f) {
			if w := wordsOf(s, -1); len(w) > 0 {
				out[w[0].text] = append(out[w[0].text], outputName{f.Name, w})
			}
		}
	}
	return out
}

// follow notes what follows a name that may begin at a word.
func (e *echo) follow(name outputName, words []word, at int) {
	end := at + len(name.words)
	if end > len(words) {
		return
	}
	for i, w := range name.words {
		if words[at+i].text != w.text {
			return
		}
	}
	how := named
	behind := ""
	if end < len(words) {
		behind = words[end].gap
	} else {
		behind = words[end-1].last
	}
	before := words[at].gap
	if strings.Contains(before, "##") || strings.Contains(behind, "##") {
		how |= hashed
	}
	if strings.ContainsAny(before, `"'{,`) && strings.Contains(behind, ":") {
		how |= keyed
	}
	key := ""
	f := e.after[name.field]
	n := min(3, len(words)-end)
	for i := range n {
		key += " " + words[end+i].text
		f.begins[key] |= how
	}
	if n > 0 && n < 3 {
		f.whole[key] |= how
	}
}

// repeats reports whether a value that was found under an output's name stands
// under that name in an input, too; how says in which forms that counts. Of a short
// answer its first word counts, of free text three.
func (e *echo) repeats(f signature.Field, value string, how form) bool {
	e.prepare()
	after := e.after[f.Name]
	if after == nil || len(after.begins) == 0 {
		return false
	}
	most := 3
	if isClosed(f.Type) {
		most = 1
	}
	words := wordsOf(firstText(value), most)
	key := ""
	for i, w := range words {
		key += " " + w.text
		if after.whole[key]&how != 0 || i == len(words)-1 && after.begins[key]&how != 0 {
			return true
		}
	}
	return len(words) == 0 && strip(value) != "" && e.holds(value)
}

// holds reports whether a text stands in an input word for word.
func (e *echo) holds(text string) bool {
	e.prepare()
	words := wordsOf(text, -1)
	if len(words) == 0 {
		text = strip(text)
		for _, t := range e.texts {
			if strings.Contains(t, text) {
				return true
			}
		}
		return false
	}
	return strings.Contains(e.words, joined(words))
}

func joined(words []word) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, w := range words {
		b.WriteString(w.text)
		b.WriteByte(' ')
	}
	return b.String()
}

// without cuts whole inputs out of a text, and reports whether there were any.
// Short plain ones stay, as a name that was asked about belongs into the answer. ok
// is false where an input stands in the text in another form, so that it cannot be
// cut.
func (e *echo) without(text string) (rest string, cut, ok bool) {
	e.prepare()
	rest = text
	var whole []string
	for _, t := range e.texts {
		t = strip(t)
		if t == "" || len(wordsOf(t, 4)) < 4 && !strings.ContainsAny(t, "#[]{}<>:|\"*\n") {
			continue
		}
		whole = append(whole, t)
		for _, form := range []string{t, hideMarkers(t)} {
			if strings.Contains(rest, form) {
				rest, cut = strings.ReplaceAll(rest, form, " "), true
			}
		}
	}
	words := joined(wordsOf(rest, -1))
	for _, t := range whole {
		if w := wordsOf(t, -1); len(w) > 0 && strings.Contains(words, joined(w)) {
			return "", cut, false
		}
	}
	return strip(rest), cut, true
}

// word is a run of letters and digits, in lower case, with what stands before it
// and, for the last, what stands behind it.
type word struct{ text, gap, last string }

// wordsOf returns the first words of a text, all for a negative number.
// Underscores part words, points and commas between digits do not. Characters
// without width are left out, and full-width letters are those they look like.
func wordsOf(s string, most int) []word {
	var out []word
	var b strings.Builder
	gapFrom := 0
	begin := 0
	flush := func(end int) {
		if b.Len() > 0 {
			out = append(out, word{text: b.String(), gap: foldMarks(s[gapFrom:begin])})
			b.Reset()
			gapFrom = end
		}
	}
	for i, r := range s {
		if most >= 0 && len(out) >= most {
			return out
		}
		r = foldWidth(r)
		switch {
		case unicode.Is(unicode.Cf, r):
			continue
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) && b.Len() > 0:
			if b.Len() == 0 {
				begin = i
			}
			b.WriteRune(unicode.ToLower(r))
		case (r == '.' || r == ',') && b.Len() > 0 && isDigit(b.String()[b.Len()-1]) && nextIsDigit(s[i:]):
			b.WriteRune(r)
		default:
			flush(i)
		}
	}
	flush(len(s))
	if len(out) > 0 {
		out[len(out)-1].last = foldMarks(s[min(gapFrom, len(s)):])
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func nextIsDigit(s string) bool {
	_, size := utf8.DecodeRuneInString(s)
	return len(s) > size && isDigit(s[size])
}

// foldWidth writes a full-width character as the one it looks like.
func foldWidth(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		return r - 0xff01 + '!'
	}
	return r
}

// foldMarks returns the marks between two words as they look.
func foldMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if r = foldWidth(r); unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// firstText returns the first line that holds a word.
func firstText(s string) string {
	for line := range strings.Lines(s) {
		if len(wordsOf(line, 1)) > 0 {
			return line
		}
	}
	return s
}
