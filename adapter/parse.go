package adapter

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// wordRune reports whether Python's \w matches a rune.
func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

const otherLineEnds = "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"

// splitLines cuts at every line end that Python's splitlines knows.
func splitLines(s string) []string { return cutLines(s).text }

// lines are those of a reply.
type lines struct {
	text []string
	// ends are the line ends as they were, nil where all are \n.
	ends []string
}

func cutLines(s string) lines {
	if !strings.ContainsAny(s, otherLineEnds) {
		return lines{text: strings.Split(s, "\n")}
	}
	var l lines
	from := 0
	for i, r := range s {
		if i < from || r != '\n' && !strings.ContainsRune(otherLineEnds, r) {
			continue
		}
		end := s[i : i+utf8.RuneLen(r)]
		if strings.HasPrefix(s[i:], "\r\n") {
			end = "\r\n"
		}
		l.text, l.ends = append(l.text, s[from:i]), append(l.ends, end)
		from = i + len(end)
	}
	l.text, l.ends = append(l.text, s[from:]), append(l.ends, "")
	return l
}

// join joins the lines from one to before another: as they were or, as Python does,
// with one kind of line end.
func (l lines) join(from, to int, asTheyWere bool) string {
	if l.ends == nil || !asTheyWere {
		return strings.Join(l.text[from:to], "\n")
	}
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(l.text[i] + l.ends[i])
	}
	return b.String()
}

// reading is the understanding of one reply.
type reading struct {
	adapter string
	sig     *signature.Signature
	reply   string
	opts    readOptions
	echo    echo
	// found holds what stands in the reply by output, by index.
	found []finding
	// names are the outputs that were found, in the order of the reply.
	names   []string
	repairs []Repair
	// understood says that the reply has the form that was asked for, whatever it
	// holds: an output that it lacks is then lacking on purpose.
	understood bool
	// work counts the bytes of the texts that were read, for tests: it may not grow
	// faster than the reply.
	work int
}

// finding is what a reply says of an output.
type finding struct {
	// text or, with typed, value is what stands there; ok says that something does.
	text  string
	value signature.Value
	typed bool
	ok    bool
	// read says that value is the output's value already, with repairs.
	read    bool
	repairs []string
	// err says why what was found does not count.
	err error
}

func newReading(adapter string, sig *signature.Signature, reply string, inputs signature.Record, opts readOptions) *reading {
	return &reading{
		adapter: adapter, sig: sig, reply: reply, opts: opts,
		echo: echo{sig: sig, inputs: inputs}, found: make([]finding, len(sig.Outputs())),
	}
}

// index returns the place of the output of that name, or -1.
func (r *reading) index(name string) int {
	return slices.IndexFunc(r.sig.Outputs(), func(f signature.Field) bool { return f.Name == name })
}

// set notes what was found for an output, unless there was something before.
func (r *reading) set(i int, f finding) {
	if r.found[i].ok {
		return
	}
	f.ok = true
	r.found[i] = f
	r.names = append(r.names, r.sig.Outputs()[i].Name)
}

// repaired notes a repair of the whole reply, or of one output.
func (r *reading) repaired(field, what string) {
	r.repairs = append(r.repairs, Repair{Field: field, What: what})
}

// required reports whether an output must be there.
func required(f signature.Field) bool { return !f.HasDefault && !f.Type.Optional }

// lacking reports whether a required output was not found, or none at all.
func (r *reading) lacking() bool {
	for i, f := range r.sig.Outputs() {
		if !r.found[i].ok && required(f) {
			return true
		}
	}
	return len(r.names) == 0
}

// laxer returns what reads the values of an output.
func (r *reading) laxer() *laxer {
	return &laxer{careful: !r.opts.strict, reveal: !r.opts.keepMarkers, fit: exact, fields: noFields}
}

// value reads what was found for an output.
func (r *reading) value(f signature.Field, found finding) (signature.Value, []string, error) {
	if found.read {
		return found.value, found.repairs, nil
	}
	l := r.laxer()
	r.work += len(found.text)
	var v signature.Value
	var err error
	text, isText := found.value.(string)
	switch {
	case found.typed && !isText:
		v, err = l.typed(f.Type, found.value)
		if err != nil && !r.opts.strict {
			l.lenient, l.repairs = true, nil
			v, err = l.typed(f.Type, found.value)
		}
	case !found.typed:
		text = found.text
		fallthrough
	default:
		if r.opts.strict {
			v, err = l.text(f.Type, text)
		} else {
			v, err = l.forgiving(f, text)
		}
	}
	return v, append(found.repairs[:len(found.repairs):len(found.repairs)], l.repairs...), err
}

// record reads the values of all outputs from what was found.
func (r *reading) record() (signature.Record, []Repair, error) {
	outs := r.sig.Outputs()
	keys, values := make([]string, len(outs)), make([]signature.Value, len(outs))
	for i, f := range outs {
		keys[i] = f.Name
		found := r.found[i]
		switch {
		case found.ok:
		case found.err != nil || required(f) || !r.understood:
			return signature.Record{}, nil, r.missing(f, found)
		case f.HasDefault:
			values[i] = f.Default
			continue
		default:
			continue
		}
		v, repairs, err := r.value(f, found)
		if err == nil {
			err = f.Check(v)
		}
		if err != nil {
			return signature.Record{}, nil, r.refused(f, found, err)
		}
		for _, what := range repairs {
			r.repaired(f.Name, what)
		}
		values[i] = v
	}
	return signature.MakeRecord(keys, values), r.repairs, nil
}

// missing is the error of an output that the reply lacks, or that only stands where
// it does not count.
func (r *reading) missing(f signature.Field, found finding) error {
	return &ParseError{
		Adapter: r.adapter, Field: f.Name, Expected: expected(f.Type), Missing: true, Got: found.text,
		Found: slices.Clone(r.names), Raw: r.reply, Err: found.err,
	}
}

// refused is the error of an output that was found and is none.
func (r *reading) refused(f signature.Field, found finding, err error) error {
	got := found.text
	if found.typed {
		got = jsonText(found.value)
	}
	if _, whole := err.(*unwantedError); whole { //nolint:errorlint // a wrapped one says where
		err = nil // Expected and Got say it
	}
	return &ParseError{
		Adapter: r.adapter, Field: f.Name, Expected: expected(f.Type), Got: got,
		Found: slices.Clone(r.names), Raw: r.reply, Err: err,
	}
}

func jsonText(v signature.Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := signature.MarshalValue(v)
	if err != nil {
		return pythonText(v)
	}
	return string(data)
}

// Parse implements Template.
func (t *chatTemplate) Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error) {
	return newReading(t.adapter, t.sig, reply, inputs, t.read).chat()
}

// chat reads a reply to Chat.
func (r *reading) chat() (signature.Record, []Repair, error) {
	if r.opts.strict {
		r.understood = true // as DSPy sees it
		r.sections(cutLines(r.reply), "")
		return r.record()
	}
	text := r.cleaned(r.reply)
	r.sections(cutLines(text), "")
	if r.lacking() {
		r.search(text, "a marker")
	}
	return r.record()
}

// sections takes the outputs from under their markers, as DSPy does: a marker
// begins a line, what follows up to the next marker is the text, of markers for the
// same output the first counts, and text before the first one does not. A marker
// that was copied from an input, with what follows it, is text. Line ends become
// one kind, but not those within JSON, where they belong to texts; DSPy changes and
// loses them.
func (r *reading) sections(l lines, repair string) {
	begin, field := -1, -1 // of the section, and its output
	rest := ""
	end := func(to int) {
		if field < 0 || r.found[field].ok {
			return
		}
		text := rest
		if to > begin+1 {
			t := r.sig.Outputs()[field].Type
			text += "\n" + l.join(begin+1, to, !r.opts.strict && !isText(t.Kind) && !holdsText(t))
		}
		f := finding{text: strip(text)}
		if repair != "" {
			f.repairs = []string{repair}
		}
		r.set(field, f)
	}
	for i, line := range l.text {
		if !strings.Contains(line, markerOpen) {
			continue
		}
		name, after, ok := markerAt(line)
		if !ok {
			continue
		}
		next := r.index(name)
		if next >= 0 && !r.opts.strict && r.copied(next, after, l.text[i+1:]) {
			continue
		}
		end(i)
		r.understood = r.understood || next >= 0 || !r.echo.marked()
		begin, field, rest = i, next, after
	}
	end(len(l.text))
}

// copied reports whether a marker and what follows it stand in an input, which can
// only be where an input holds something like a marker.
func (r *reading) copied(field int, after string, lines []string) bool {
	if !r.echo.marked() {
		return false
	}
	for i := 0; strip(after) == "" && i < len(lines); i++ {
		if _, _, ok := markerAt(lines[i]); ok {
			break
		}
		after = lines[i]
	}
	if !r.echo.repeats(r.sig.Outputs()[field], after, hashed) {
		return false
	}
	r.found[field].err = errEcho
	return true
}

// expected describes a type for an error message.
func expected(t *signature.Type) string {
	if t.Optional {
		return t.String()
	}
	switch t.Kind {
	case signature.KindEnum:
		return "one of " + strings.Join(t.Choices, ", ")
	case signature.KindLiteral:
		texts := make([]string, len(t.Values))
		for i, v := range t.Values {
			texts[i] = pythonText(v)
		}
		return "one of " + strings.Join(texts, ", ")
	}
	return t.String()
}
