package adapter

import (
	"encoding/json"
	"strings"

	"github.com/whetgo/whet/signature"
)

// Parse implements Template. The reply goes on behind the first output's label.
// An output without any text counts as missing. A reply in another form, under
// markers or as a JSON object, is read as Chat reads it.
func (t *compactTemplate) Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error) {
	r := newReading(t.adapter, t.sig, reply, inputs, readOptions{})
	text := r.cleaned(reply)
	t.labelled(r, text)
	out, repairs, err := r.record()
	if err == nil || !strings.Contains(text, markerOpen) && !strings.Contains(text, "{") {
		return out, repairs, err
	}
	other := newReading(t.adapter, t.sig, reply, inputs, readOptions{})
	text = other.cleaned(reply)
	other.sections(cutLines(text), "markers in place of labels")
	if other.lacking() {
		other.inObject(text)
	}
	if out, repairs, err := other.record(); err == nil {
		return out, repairs, nil
	}
	return out, repairs, err
}

// labelled takes the outputs from under their labels.
func (t *compactTemplate) labelled(r *reading, reply string) {
	outs := t.outs
	r.understood = true
	text := strings.TrimLeft(reply, " \t")
	said := false
	first, _, _ := strings.Cut(text, "\n")
	if strings.ContainsAny(first, ":=：#[*") && !isJSONValue(first) {
		// A model may say the label again.
		if h, ok := headAt(first, spellings(outs[0].Field)); ok {
			text, said = h.rest+text[len(first):], true
		}
	}
	for _, s := range t.lines(text) {
		f := finding{text: s.text}
		if s.field == 0 && said {
			f.repairs, said = []string{"label repeated"}, false
		}
		if isClosed(outs[s.field].Type) {
			// A choice is one line; a model that goes on has still answered.
			var cut bool
			if f.text, cut = firstLine(f.text); cut {
				f.repairs = append(f.repairs, "text after the answer")
			}
		}
		if f.text != "" {
			r.set(s.field, f)
		}
	}
}

// labelledText is the text of the output of that index.
type labelledText struct {
	field int
	text  string
}

// lines cuts a reply at the labels of the outputs. Once the last output has been
// reached, an empty line or an input's label ends the reply: what follows is the
// next example, which the model made up.
func (t *compactTemplate) lines(text string) []labelledText {
	outs := t.outs
	var all []labelledText
	field, lines, said := 0, []string(nil), false // said: some line of the field holds text
	end := func() {
		all = append(all, labelledText{field, strip(strings.Join(lines, "\n"))})
	}
	// Only at line feeds: other line ends, such as U+2028, may stand in a JSON text.
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if i > 0 {
			if next := labelAt(outs, line); next >= 0 {
				end()
				line = line[len(outs[next].label):]
				field, lines, said = next, []string{line}, strip(line) != ""
				continue
			}
			if field == len(outs)-1 && said &&
				(strip(line) == "" || labelAt(t.ins, line) >= 0) {
				break
			}
		}
		lines, said = append(lines, line), said || strip(line) != ""
	}
	end()
	return all
}

// labelAt returns the field whose label begins the line, or -1.
func labelAt(fields []compactField, line string) int {
	for i, f := range fields {
		if strings.HasPrefix(line, f.label) {
			return i
		}
	}
	return -1
}

// firstLine returns the first line of a text and whether there was more.
func firstLine(s string) (string, bool) {
	first, rest, _ := strings.Cut(s, "\n")
	return strip(first), strip(rest) != ""
}

// isJSONValue reports whether a line is a whole list or object, in which what looks
// like a label is none.
func isJSONValue(line string) bool {
	line = strings.TrimSpace(line)
	return (strings.HasPrefix(line, "[") || strings.HasPrefix(line, "{")) && json.Valid([]byte(line))
}
