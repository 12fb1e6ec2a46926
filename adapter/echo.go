package adapter

import (
	"strings"

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
	// hashes says whether an input holds ##, as field markers do.
	hashes, asked bool
	// objects are what the inputs would be as replies in JSON, and within a text of
	// such a reply.
	objects     []signature.Record
	objectsDone bool
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

// marked reports whether an input holds something like a field marker.
func (e *echo) marked() bool {
	if !e.asked {
		e.asked, e.hashes = true, e.mentions("##") || e.mentions("＃")
	}
	return e.hashes
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
		text, _ := signature.PythonScalar(v)
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
	behind := words[end-1].last
	if end < len(words) {
		behind = words[end].gap
	}
	before := words[at].gap
	if strings.Contains(before, "##") || strings.Contains(behind, "##") {
		how |= hashed
	}
	if strings.ContainsAny(before, `"'{,`) && strings.Contains(behind, ":") {
		how |= keyed
	}
	e.after[name.field].add(words[end:], how)
	if end < len(words) && words[end].text == "is" {
		e.after[name.field].add(words[end+1:], how) // "the label is spam"
	}
}

func (f *following) add(words []word, how form) {
	key := ""
	n := min(3, len(words))
	for i := range n {
		key += " " + words[i].text
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

// repeatsMember is repeats for a value from a JSON object. An input may hold it with
// escapes, or broken, which the reading of the reply has mended.
func (e *echo) repeatsMember(f signature.Field, v signature.Value, how form, mended bool) bool {
	if (how != keyed || e.mentions(f.Name)) && e.repeats(f, jsonText(v), how) {
		return true
	}
	if !mended && !e.mentions(`\`) {
		return false
	}
	if !e.objectsDone {
		e.objectsDone = true
		e.prepare()
		for _, t := range e.texts {
			for _, text := range []string{t, `{"": "` + t + `"}`} {
				if !strings.ContainsAny(t, `"{`) {
					continue
				}
				if o, _, ok := jsonObject(text); ok {
					e.objects = append(e.objects, o)
				}
			}
		}
	}
	for _, o := range e.objects {
		if got, _, n := lenientKey(o, f); n > 0 && signature.EqualValues(got, v) {
			return true
		}
	}
	return false
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

// without cuts whole inputs out of a text, and reports whether there were any. Short
// plain ones go only with a line of their own, as a name that was asked about belongs
// into the answer. ok is false where an input stands in the text in another form, so
// that it cannot be cut.
func (e *echo) without(text string) (rest string, cut, ok bool) {
	e.prepare()
	rest = text
	var long []string
	short := map[string]bool{}
	for _, t := range e.texts {
		t = strip(t)
		if t == "" {
			continue
		}
		if len(wordsOf(t, 4)) < 4 && !strings.ContainsAny(foldMarks(t), "#[]{}<>:|\"*\n") {
			short[strings.ToLower(unmark(t))] = true
			continue
		}
		long = append(long, t)
		for _, form := range []string{t, hideMarkers(t)} {
			if strings.Contains(rest, form) {
				rest, cut = strings.ReplaceAll(rest, form, " "), true
			}
		}
	}
	words := joined(wordsOf(rest, -1))
	for _, t := range long {
		if w := wordsOf(t, -1); len(w) > 0 && strings.Contains(words, joined(w)) {
			return "", cut, false
		}
	}
	if len(short) > 0 {
		var kept []string
		for line := range strings.Lines(rest) {
			if word := strings.ToLower(unmark(line)); word != "" && short[word] {
				cut = true
				continue
			}
			kept = append(kept, line)
		}
		rest = strings.Join(kept, "")
	}
	return strip(rest), cut, true
}
