package adapter

import (
	"slices"
	"strings"
	"unicode"

	"github.com/whetgo/whet/signature"
)

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// section is the text under one marker.
type section struct {
	name, text string
}

// sections cuts a reply at its markers. Text before the first one is dropped.
func sections(reply string) []section {
	var out []section
	var lines []string
	end := func() {
		if len(out) > 0 {
			out[len(out)-1].text = strip(strings.Join(lines, "\n"))
		}
	}
	for _, line := range splitLines(reply) {
		name, rest, ok := markerAt(line)
		if !ok {
			lines = append(lines, line)
			continue
		}
		end()
		out = append(out, section{name: name})
		lines = []string{rest}
	}
	end()
	return out
}

const otherLineEnds = "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"

// splitLines cuts at every line end that Python's splitlines knows.
func splitLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if strings.ContainsAny(s, otherLineEnds) {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(otherLineEnds, r) {
				return '\n'
			}
			return r
		}, s)
	}
	return strings.Split(s, "\n")
}

// Parse implements Template.
func (t *chatTemplate) Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error) {
	found := map[string]string{}
	var names []string
	for _, s := range sections(reply) {
		if _, ok := t.sig.Output(s.name); !ok {
			continue
		}
		if _, twice := found[s.name]; !twice {
			found[s.name] = s.text
			names = append(names, s.name)
		}
	}
	var repairs []Repair
	if len(names) == 0 && !strings.Contains(reply, markerOpen) {
		if field, ok := t.bareAnswer(reply); ok {
			found[field] = reply
			repairs = append(repairs, Repair{Field: field, What: "bare answer without a marker"})
		}
	}
	return readFields("chat", t.sig, reply, found, names, repairs)
}

// bareAnswer names the field that a reply without any marker answers: the only
// output, when it is a choice and the reply is one of its values. A model that
// knows only the answer says only the answer.
func (t *chatTemplate) bareAnswer(reply string) (string, bool) {
	outs := t.sig.Outputs()
	if len(outs) != 1 || !isChoice(outs[0].Type) {
		return "", false
	}
	v, _, err := readValue(outs[0].Type, strip(reply))
	return outs[0].Name, err == nil && v != nil
}

func isChoice(t *signature.Type) bool {
	return t.Kind == signature.KindEnum || t.Kind == signature.KindBool
}

// readFields reads the values of all outputs from their texts; names are the
// outputs that were found, for the error.
func readFields(adapter string, sig *signature.Signature, reply string, found map[string]string, names []string, repairs []Repair) (signature.Record, []Repair, error) {
	outs := sig.Outputs()
	keys, values := make([]string, len(outs)), make([]signature.Value, len(outs))
	for i, f := range outs {
		keys[i] = f.Name
		text, ok := found[f.Name]
		if !ok {
			if f.Type.Optional {
				continue
			}
			return signature.Record{}, nil, &ParseError{
				Adapter: adapter, Field: f.Name, Expected: expected(f.Type), Missing: true, Found: slices.Clone(names), Raw: reply,
			}
		}
		v, repair, err := readValue(f.Type, strip(revealMarkers(text)))
		if err != nil {
			return signature.Record{}, nil, &ParseError{
				Adapter: adapter, Field: f.Name, Expected: expected(f.Type), Got: text, Found: slices.Clone(names), Raw: reply,
			}
		}
		if repair != "" {
			repairs = append(repairs, Repair{Field: f.Name, What: repair})
		}
		values[i] = v
	}
	return signature.MakeRecord(keys, values), repairs, nil
}

// expected describes a type for an error message.
func expected(t *signature.Type) string {
	if t.Kind == signature.KindEnum && !t.Optional {
		return "one of " + strings.Join(t.Choices, ", ")
	}
	return t.String()
}
