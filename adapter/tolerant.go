package adapter

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

var (
	errEcho      = errors.New("what was found stands in an input word for word, so the model may only have repeated it")
	errAmbiguous = errors.New("the reply gives different answers")
)

// wording says in repairs what should have stood in a reply.
type wording struct{ marker, bare string }

var (
	chatWords    = wording{"a marker", "a marker"}
	jsonWords    = wording{"JSON", "JSON"}
	compactWords = wording{"a label", "a label"}
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
// how sure a place is.
func (r *reading) search(text string, w wording) {
	isObject := strings.HasPrefix(withoutFence(strip(text)), "{")
	if isObject {
		r.inObject(text)
	}
	if r.lacking() {
		r.scan(text, w)
	}
	if r.lacking() && !isObject {
		r.inObject(text)
	}
	if r.lacking() {
		r.inline(text, w)
	}
	if r.lacking() {
		r.bare(text, w)
	}
}

// inObject takes outputs from a JSON object in the reply.
func (r *reading) inObject(text string) {
	if r.adapter == "json" || !strings.Contains(text, "{") {
		return
	}
	object, _, ok := jsonObject(text)
	if !ok {
		return
	}
	for i, f := range r.sig.Outputs() {
		v, _, ok := lenientKey(object, f)
		if !ok || r.found[i].ok {
			continue
		}
		if r.echo.repeats(f, jsonText(v), named) {
			r.found[i].err = errEcho
			continue
		}
		r.set(i, finding{value: v, typed: true, repairs: []string{"JSON in place of markers"}})
	}
}

// lenientKey returns what stands under an output's name, or under one that differs
// in letter case or marks; how says in which.
func lenientKey(r signature.Record, f signature.Field) (v signature.Value, how string, ok bool) {
	if v, ok := r.Get(f.Name); ok {
		return v, "", true
	}
	names := spellings(f)
	for key, item := range r.All() {
		key = asciiLower(strings.Trim(key, "*_ :"))
		for _, name := range names {
			if key != name {
				continue
			}
			if ok {
				return nil, "", false // two keys fit
			}
			v, how, ok = item, "spelling of a key", true
			break
		}
	}
	return v, how, ok
}

// inline looks for short answers behind the name within a line: "The label: spam".
func (r *reading) inline(text string, w wording) {
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
				rest, ok := afterName(text[from:min(len(text), from+most)])
				if !ok {
					continue
				}
				c.add(r, f, strings.ToValidUTF8(rest, ""), "name within a line in place of "+w.marker)
			}
		}
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
func (c *candidates) add(r *reading, f signature.Field, text, what string) bool {
	if r.echo.repeats(f, text, named) {
		c.echoed = true
		return false
	}
	l := r.laxer()
	v, err := l.forgiving(f, text)
	if err != nil {
		if c.unread == nil {
			c.unread = &finding{text: text, repairs: []string{what}}
		}
		return false
	}
	if c.best.read && !signature.EqualValues(c.best.value, v) {
		c.ambivalent = true
	}
	if !c.best.read {
		c.best = finding{text: text, value: v, read: true, repairs: append([]string{what}, l.repairs...)}
	}
	return true
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
func (r *reading) bare(text string, w wording) {
	if len(r.sig.Outputs()) != 1 || r.found[0].err != nil && !errors.Is(r.found[0].err, errEcho) {
		return
	}
	f := r.sig.Outputs()[0]
	what := "bare answer without " + w.bare
	text = strip(text)
	if r.found[0].ok || text == "" {
		return
	}
	if isText(f.Type.Kind) {
		rest, cut, ok := r.echo.without(text)
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
	if r.echo.holds(answerOf(f.Type, v, text)) {
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

// answerOf returns the part of a text that says its value: of a choice the choice,
// of what has an explanation behind it the first line.
func answerOf(t *signature.Type, v signature.Value, text string) string {
	var from []alternative
	switch t.Kind {
	case signature.KindEnum, signature.KindLiteral:
		from = alternatives(t)
	case signature.KindBool:
		from = truthValues
	case signature.KindInt, signature.KindFloat, signature.KindTime:
		first, _, _ := strings.Cut(text, "\n")
		return first
	default:
		return text
	}
	core := strings.TrimLeft(text, marksBefore)
	if a, ok := only(from, func(a alternative) bool {
		return signature.EqualValues(a.value, v) && len(core) >= len(a.text) && strings.EqualFold(core[:len(a.text)], a.text)
	}); ok {
		return a.text
	}
	return text
}
