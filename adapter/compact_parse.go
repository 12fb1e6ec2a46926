package adapter

import (
	"strings"

	"github.com/whetgo/whet/signature"
)

// Parse implements Template. The reply goes on behind the first output's label.
// An output without any text counts as missing.
func (t *compactTemplate) Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error) {
	outs := t.outs
	var repairs []Repair
	text := strings.TrimLeft(reply, " \t")
	if rest, ok := strings.CutPrefix(text, outs[0].label); ok {
		// A model may say the label again.
		text = rest
		repairs = append(repairs, Repair{Field: outs[0].Name, What: "label repeated"})
	}
	found := map[string]string{}
	var names []string
	for _, s := range t.lines(text) {
		f := outs[s.field]
		text, cut := s.text, false
		if isChoice(f.Type) {
			// A choice is one line; a model that goes on has still answered.
			text, cut = firstLine(text)
		}
		if _, twice := found[f.Name]; twice || text == "" {
			continue
		}
		found[f.Name] = text
		names = append(names, f.Name)
		if cut {
			repairs = append(repairs, Repair{Field: f.Name, What: "text after the answer"})
		}
	}
	return readFields("compact", t.sig, reply, found, names, repairs)
}

// labelled is the text of the output of that index.
type labelled struct {
	field int
	text  string
}

// lines cuts a reply at the labels of the outputs. Once the last output has been
// reached, an empty line or an input's label ends the reply: what follows is the
// next example, which the model made up.
func (t *compactTemplate) lines(text string) []labelled {
	outs := t.outs
	var all []labelled
	field, lines, said := 0, []string(nil), false // said: some line of the field holds text
	end := func() {
		all = append(all, labelled{field, strip(strings.Join(lines, "\n"))})
	}
	for i, line := range splitLines(text) {
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
