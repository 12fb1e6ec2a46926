package adapter

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

var (
	errEcho      = errors.New("what was found stands in an input word for word, so the model may only have repeated it")
	errAmbiguous = errors.New("the reply gives different answers")
)

// cleaned drops what a reply has around it as a whole.
func (r *reading) cleaned(reply string) string {
	text, what := withoutThoughts(reply)
	if what != "" {
		r.repaired("", what)
	}
	const fence = "```"
	if s := strip(text); strings.HasPrefix(s, fence) && strings.HasSuffix(s, fence) && strings.Count(s, fence) == 2 && strings.Contains(s, markerOpen) {
		if _, inner, ok := strings.Cut(s, "\n"); ok {
			text = strings.TrimSuffix(inner, fence)
			r.repaired("", "fences around the reply")
		}
	}
	return text
}

// withoutThoughts drops blocks in which a model thinks before it answers, also one
// that the prompt opened and one that is not closed: then there is no answer.
func withoutThoughts(s string) (string, string) {
	if !strings.Contains(s, "think") {
		return s, ""
	}
	what := ""
	for _, tag := range []string{"think>", "thinking>"} {
		begin, end := "<"+tag, "</"+tag
		for {
			t := strip(s)
			i := strings.Index(t, end)
			switch {
			case strings.HasPrefix(t, begin) && i < 0:
				return "", "thoughts left out"
			case strings.HasPrefix(t, begin),
				i >= 0 && !strings.Contains(t[:i], markerOpen) && !strings.Contains(t[:i], "{") && !strings.Contains(t[:i], begin):
				s, what = strip(t[i+len(end):]), "thoughts left out"
				continue
			}
			break
		}
	}
	return s, what
}

// search looks for the outputs that do not stand where they should, in the order of
// how sure a place is. asked is what should have been there, for the repairs.
func (r *reading) search(text string, asked string) {
	isObject := strings.HasPrefix(withoutFence(strip(text)), "{")
	if isObject {
		r.inObject(text)
	}
	if r.lacking() {
		r.scan(text, asked)
	}
	if r.lacking() && !isObject {
		r.inObject(text)
	}
	if r.lacking() {
		r.inline(text, asked)
	}
	if r.lacking() {
		r.bare(text, asked)
	}
}

// inObject takes outputs from a JSON object in the reply.
func (r *reading) inObject(text string) {
	if r.adapter == "json" || !strings.Contains(text, "{") {
		return
	}
	object, repaired, ok := jsonObject(text)
	if !ok {
		return
	}
	r.lenientKeys(object, repaired != "", func(string) string { return "JSON in place of markers" })
}

// lenientKeys takes the outputs from under keys that may be spelled otherwise; what
// says what was mended, from how the key differs.
func (r *reading) lenientKeys(object signature.Record, mended bool, what func(how string) string) {
	for i, f := range r.sig.Outputs() {
		if r.found[i].ok || r.found[i].err != nil {
			continue
		}
		v, how, n := lenientKey(object, f)
		switch {
		case n == 0:
		case n > 1:
			r.found[i].err = errAmbiguous
		case r.echo.repeatsMember(f, v, named, mended):
			r.found[i].err = errEcho
		default:
			r.set(i, finding{value: v, typed: true, repairs: []string{what(how)}})
		}
	}
}

// lenientKey returns what stands under an output's name, or under keys that differ
// from it in letter case or marks; how says in which, n is how many there are.
func lenientKey(r signature.Record, f signature.Field) (v signature.Value, how string, n int) {
	if v, ok := r.Get(f.Name); ok {
		return v, "", 1
	}
	names := spellings(f)
	for key, item := range r.All() {
		if slices.Contains(names, asciiLower(strings.Trim(key, "*_ :"))) {
			v, how = item, "spelling of a key"
			n++
		}
	}
	return v, how, n
}

// inline looks for short answers behind the name within a line: "The label: spam".
func (r *reading) inline(text string, asked string) {
	const most = 300 // of the line, so that a long one costs no more than its length
	lower := asciiLower(text)
	for i, f := range r.sig.Outputs() {
		if r.found[i].ok || r.found[i].err != nil || !isClosed(f.Type) {
			continue
		}
		var c candidates
		for _, name := range spellings(f) {
			for from := 0; ; {
				at := strings.Index(lower[from:], name)
				if at < 0 {
					break
				}
				at += from
				from = at + len(name)
				before, _ := utf8.DecodeLastRuneInString(text[:at])
				if at > 0 && wordRune(before) || startsWord(text[from:]) {
					continue
				}
				end := min(len(text), from+most)
				for end < len(text) && end > from && !utf8.RuneStart(text[end]) {
					end--
				}
				rest, ok := afterName(text[from:end])
				if !ok {
					continue
				}
				c.add(r, f, rest, "name within a line in place of "+asked)
			}
		}
		// Within lines what cannot be read may be the better part of the answer.
		c.ambivalent = c.ambivalent || c.best.read && c.unread != nil
		c.settle(r, i)
	}
}

// afterName returns what stands behind a name and ":", "=" or "is", up to the end of
// the line.
func afterName(s string) (string, bool) {
	s, _, _ = strings.Cut(s, "\n")
	s = strings.TrimLeft(s, "*_`\"')] \t")
	for _, mark := range []string{":", "=", "：", "is ", "is: "} {
		if rest, ok := strings.CutPrefix(s, mark); ok {
			return strip(rest), true
		}
	}
	return "", false
}

// candidates are the places in which an answer may stand.
type candidates struct {
	best       finding
	unread     *finding
	echoed     bool
	ambivalent bool
}

// add reads a text that may be an output's.
func (c *candidates) add(r *reading, f signature.Field, text, what string) {
	if r.echo.repeats(f, text, named) {
		c.echoed = true
		return
	}
	l := r.laxer()
	r.work += len(text)
	v, err := l.forgiving(f, text)
	if err != nil {
		if c.unread == nil {
			c.unread = &finding{text: text, repairs: []string{what}}
		}
		return
	}
	if c.best.read && !signature.EqualValues(c.best.value, v) {
		c.ambivalent = true
	}
	if !c.best.read {
		c.best = finding{text: text, value: v, read: true, repairs: append([]string{what}, l.repairs...)}
	}
}

// settle sets the output if there is one answer.
func (c *candidates) settle(r *reading, i int) {
	switch {
	case c.ambivalent:
		r.found[i].text, r.found[i].err = c.best.text, errAmbiguous
	case c.best.read:
		r.set(i, c.best)
	case c.echoed:
		r.found[i].err = errEcho
	case c.unread != nil:
		r.set(i, *c.unread)
	}
}

// bare takes the whole reply for the answer, where there is but one output.
func (r *reading) bare(text string, asked string) {
	if len(r.sig.Outputs()) != 1 || r.found[0].err != nil && !errors.Is(r.found[0].err, errEcho) {
		return
	}
	f := r.sig.Outputs()[0]
	what := "bare answer without " + asked
	text = strip(text)
	if r.found[0].ok || text == "" {
		return
	}
	r.work += len(text)
	if isText(f.Type.Kind) {
		rest, cut, ok := r.echo.without(text)
		if all, some, _ := r.echo.without(r.reply); some && !cut {
			// The reply held an input before it was cleaned.
			rest, _ = withoutThoughts(all)
			cut = true
		}
		switch {
		case strings.Contains(rest, markerOpen):
			return
		case !ok || len(wordsOf(rest, 1)) == 0 || r.echo.holds(rest):
			r.found[0].err = errEcho
			return
		case cut:
			what += ", and repeated input left out"
		}
		r.set(0, finding{text: rest, repairs: []string{what}})
		return
	}
	if strings.Contains(text, markerOpen) || !isClosed(f.Type) && !strings.ContainsAny(withoutFence(text)[:1], "[{") {
		return
	}
	l := r.laxer()
	v, err := l.forgiving(f, text)
	if err != nil || v == nil {
		return
	}
	if r.echo.repeatsAnswer(f.Type, v, text) {
		r.found[0].err = errEcho
		return
	}
	r.set(0, finding{text: text, value: v, read: true, repairs: append([]string{what}, l.repairs...)})
}

// withoutFence is a text without its fences, and never empty.
func withoutFence(s string) string {
	if inner, ok := unfence(s); ok && inner != "" {
		return inner
	}
	return s
}

// repeatsAnswer reports whether an input holds what a bare reply says: of a choice
// any way to write it that the reply has, else the reply's first line.
func (e *echo) repeatsAnswer(t *signature.Type, v signature.Value, text string) bool {
	var from []alternative
	switch t.Kind {
	case signature.KindEnum, signature.KindLiteral:
		from = alternatives(t)
	case signature.KindBool:
		from = truthValues
	case signature.KindInt, signature.KindFloat, signature.KindTime:
		return e.holds(firstText(text))
	default:
		return e.holds(text)
	}
	lower := asciiLower(text)
	for _, a := range from {
		if signature.EqualValues(a.value, v) && containsWord(lower, asciiLower(a.text)) && e.holds(a.text) {
			return true
		}
	}
	return e.holds(text)
}
