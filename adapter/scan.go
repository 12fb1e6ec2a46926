package adapter

import (
	"errors"
	"slices"
	"strings"

	"github.com/whetgo/whet/signature"
)

// spellings are the ways in which models write the name of a field, in lower case:
// is_spam, "is spam" and what the field's label in prompts is.
func spellings(f signature.Field) []string {
	out := []string{asciiLower(f.Name)}
	for _, s := range []string{strings.ReplaceAll(f.Name, "_", " "), signature.InferPrefix(f.Name)} {
		if s = asciiLower(strip(s)); s != "" && s != out[0] && s != out[len(out)-1] {
			out = append(out, s)
		}
	}
	return out
}

// head is a field's name at the begin of a line.
type head struct {
	// rest is what follows on the line.
	rest string
	// isMarker says that the name stands in brackets or hashes.
	isMarker bool
}

// headAt returns the head of a line that begins with one of the names: "label:",
// "**Label**:", "- label:", "## label ##", "[[label]]", or with a line of its own in
// bold.
func headAt(line string, names []string) (head, bool) {
	const before, behind = "*_`#>•-+[(\"' \t", "*_`\"')]# \t"
	line = strip(line)
	if item, ok := bullet(line); ok {
		line = item
	}
	start := strings.TrimLeft(line, before)
	open := line[:len(line)-len(start)]
	for _, name := range names {
		if len(start) < len(name) || asciiLower(start[:len(name)]) != name || startsWord(start[len(name):]) {
			continue
		}
		tail := start[len(name):]
		rest := strings.TrimLeft(tail, behind)
		closing := tail[:len(tail)-len(rest)]
		h := head{isMarker: strings.ContainsAny(open, "#[")}
		colon := false
		for _, mark := range []string{":", "：", "="} {
			if after, ok := strings.CutPrefix(rest, mark); ok {
				rest, colon = after, true
				break
			}
		}
		bold := strings.Contains(open, "**")
		switch {
		case colon:
		case h.isMarker && (rest == "" || strings.ContainsAny(closing, "]#")):
		case bold && rest == "" && strings.Contains(closing, "**"):
		default:
			continue
		}
		rest = strip(rest)
		if bold && !strings.Contains(closing, "*") {
			rest = strip(strings.TrimPrefix(rest, "**")) // of **label:** the end
		}
		if h.isMarker {
			rest = strings.TrimRight(rest, "#] \t")
		}
		h.rest = rest
		return h, true
	}
	return head{}, false
}

// scanner cuts a reply at everything that looks like the begin of an output.
type scanner struct {
	r     *reading
	asked string
	lines []scanned
	names [][]string // by output, nil for those that were found
	sure  []finding  // the outputs that stand where they should, cut anew
	found []candidates
}

// scanned is a line; inside says that it was cut out of one, before a marker.
type scanned struct {
	text   string
	inside bool
}

// scan looks for outputs under markers that are malformed or within a line, and
// under their names with a colon.
func (r *reading) scan(text string, asked string) {
	outs := r.sig.Outputs()
	s := scanner{r: r, asked: asked, names: make([][]string, len(outs)), sure: make([]finding, len(outs)), found: make([]candidates, len(outs))}
	for i, f := range outs {
		if !r.found[i].ok && !errors.Is(r.found[i].err, errAmbiguous) {
			s.names[i] = spellings(f)
		}
	}
	r.work += len(text)
	for _, line := range splitLines(text) {
		s.cut(line)
	}
	s.run()
	some := false
	for i := range outs {
		if s.names[i] != nil {
			s.found[i].settle(r, i)
			some = some || r.found[i].ok
		}
	}
	for i := range outs {
		// Where an output was found in the text of another, that text ends before it.
		if some && s.names[i] == nil && s.sure[i].ok && !r.found[i].typed && !r.found[i].read {
			r.found[i].text = s.sure[i].text
		}
	}
}

// cut parts a line before each marker within it.
func (s *scanner) cut(line string) {
	inside := false
	from := 0
	indent := len(line) - len(strings.TrimLeftFunc(line, isSpace))
	for {
		at := strings.Index(line[from:], markerOpen)
		if at < 0 {
			break
		}
		at += from
		from = at + len(markerOpen)
		name, _, ok := markerAt(line[at:])
		if at <= indent || !ok || name != completed && !s.wanted(name) {
			continue
		}
		s.lines = append(s.lines, scanned{line[:at], inside})
		line, from, inside, indent = line[at:], len(markerOpen), true, 0
	}
	s.lines = append(s.lines, scanned{line, inside})
}

// wanted reports whether a name is that of an output that is still lacking.
func (s *scanner) wanted(name string) bool {
	i := s.r.index(name)
	return i >= 0 && s.names[i] != nil
}

// run finds where outputs begin and takes what stands up to the next one.
func (s *scanner) run() {
	begin, field, rest, what := -1, -1, "", ""
	end := func(to int) {
		if field < 0 {
			return
		}
		var b strings.Builder
		b.WriteString(rest)
		for _, l := range s.lines[begin+1 : to] {
			b.WriteByte('\n')
			b.WriteString(l.text)
		}
		text := strip(b.String())
		if s.names[field] == nil {
			if !s.sure[field].ok {
				s.sure[field] = finding{text: text, ok: true}
			}
			return
		}
		s.found[field].add(s.r, s.r.sig.Outputs()[field], text, what)
	}
	for i, l := range s.lines {
		next, after, how, ok := s.begins(l, s.lines[i+1:])
		if !ok {
			continue
		}
		end(i)
		begin, field, rest, what = i, next, after, how
	}
	end(len(s.lines))
}

// begins reports whether an output, or the end of the reply (-1), begins with a line.
func (s *scanner) begins(l scanned, more []scanned) (field int, rest, what string, ok bool) {
	if name, after, ok := markerAt(l.text); ok {
		i := s.r.index(name)
		what = "markers in place of " + s.asked
		if i < 0 {
			i = slices.IndexFunc(s.names, func(names []string) bool { return slices.Contains(names, asciiLower(name)) })
			what = "malformed marker"
		}
		if i < 0 || s.names[i] == nil {
			return i, after, "", true
		}
		if l.inside {
			what = "marker within a line"
		}
		return i, after, what, s.counts(i, after, more)
	}
	if h, ok := headAt(l.text, []string{completed}); ok && h.isMarker {
		return -1, "", "", true
	}
	for i, names := range s.names {
		if names == nil {
			continue
		}
		h, ok := headAt(l.text, names)
		if !ok {
			continue
		}
		what = "name and colon in place of " + s.asked
		if h.isMarker {
			what = "malformed marker"
		}
		if s.counts(i, h.rest, more) {
			return i, h.rest, what, true
		}
	}
	return 0, "", "", false
}

// counts reports whether what follows a name may be its output: it is not copied
// from an input, and a short answer can be read.
func (s *scanner) counts(i int, rest string, more []scanned) bool {
	for n := 0; strip(rest) == "" && n < len(more); n++ {
		if _, _, ok := markerAt(more[n].text); ok {
			break
		}
		rest = more[n].text
	}
	f := s.r.sig.Outputs()[i]
	s.r.work += len(rest)
	if s.r.echo.repeats(f, rest, named) {
		s.found[i].echoed = true
		return false
	}
	if !isClosed(f.Type) {
		return true
	}
	if _, err := s.r.laxer().forgiving(f, rest); err != nil {
		if s.found[i].unread == nil {
			s.found[i].unread = &finding{text: strip(rest)}
		}
		return false
	}
	return true
}
