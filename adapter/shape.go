package adapter

import (
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Choices returns the texts that a value of a type is one of, as Python writes
// them, in the order in which a Shape offers them: those of an enum, a literal or a
// truth value, and None behind them where the value may be absent. It returns nil
// for a type that is no choice, or whose texts would not tell its values apart.
func Choices(t *signature.Type) []string {
	var texts []string
	switch t.Kind {
	case signature.KindBool:
		texts = []string{"True", "False"}
	case signature.KindEnum, signature.KindLiteral:
		texts = literalTexts(t)
	default:
		return nil
	}
	const none = "None"
	if t.Optional && !slices.Contains(texts, none) {
		texts = append(texts[:len(texts):len(texts)], none)
	}
	for i, text := range texts {
		if text == "" || slices.Contains(texts[:i], text) {
			return nil
		}
	}
	return texts
}

// choiceHole makes a hole of alternatives. write makes of each what stands in the
// reply.
func choiceHole(name string, texts []string, biases map[string]float64, write func(i int, text string) string) lm.Segment {
	s := lm.Segment{Name: name, Hole: lm.HoleChoice}
	for i, text := range texts {
		s.Choices = append(s.Choices, lm.Alternative{Text: write(i, text), Bias: biases[text]})
	}
	return s
}

// hole returns the hole that a field's value fills. before is written in front of
// each alternative of a choice, for layouts in which a space belongs to it.
func hole(f signature.Field, biases map[string]float64, before string) (lm.Segment, error) {
	if texts := Choices(f.Type); texts != nil {
		return choiceHole(f.Name, texts, biases, func(_ int, text string) string { return before + text }), nil
	}
	return openHole(f)
}

// holes returns what a field's value consists of: one hole, or for an object whose
// fields are all choices its text with a hole for each, which a backend scores
// where it would have to generate JSON.
func holes(f signature.Field, biases map[string]float64, before string) ([]lm.Segment, error) {
	if unfolds(f.Type) {
		return unfold(f.Name, f.Type, before), nil
	}
	h, err := hole(f, biases, before)
	return []lm.Segment{h}, err
}

// unfolds reports whether nothing in an object is left open but choices.
func unfolds(t *signature.Type) bool {
	if t.Kind != signature.KindObject || t.Optional || len(t.Fields) == 0 {
		return false
	}
	return !slices.ContainsFunc(t.Fields, func(f signature.Field) bool {
		return Choices(f.Type) == nil && !unfolds(f.Type)
	})
}

// unfold writes an object as demos show it, with holes. Literals that meet are one.
func unfold(name string, t *signature.Type, before string) []lm.Segment {
	var out []lm.Segment
	literal := before + "{"
	for i, f := range t.Fields {
		if i > 0 {
			literal += ", "
		}
		literal += `"` + f.Name + `": `
		inner := signature.Field{Name: name + "." + f.Name, Type: f.Type}
		if unfolds(f.Type) {
			segments := unfold(inner.Name, f.Type, literal)
			last := len(segments) - 1
			out, literal = append(out, segments[:last]...), segments[last].Literal
			continue
		}
		h, quoted := choiceInJSON(inner, nil)
		if quoted {
			literal += `"`
		}
		out = append(out, lm.Segment{Literal: literal}, h)
		literal = ""
		if quoted {
			literal = `"`
		}
	}
	return append(out, lm.Segment{Literal: literal + "}"})
}

// chatShape is the reply that Chat asks for.
func chatShape(sig *signature.Signature, biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	before := ""
	for _, f := range sig.Outputs() {
		value, err := holes(f, biases[f.Name], "")
		if err != nil {
			return nil, err
		}
		shape.Segments = append(append(shape.Segments, lm.Segment{Literal: before + marker(f.Name) + "\n"}), value...)
		before = "\n\n"
	}
	shape.Segments = append(shape.Segments, lm.Segment{Literal: before + marker(completed)})
	return shape, nil
}

// jsonShape is the reply that JSON asks for. A choice of texts stands between
// quotes that are literal text, so that only the choice is scored.
func jsonShape(sig *signature.Signature, biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	literal := "{"
	for i, f := range sig.Outputs() {
		if i > 0 {
			literal += ","
		}
		literal += "\n  \"" + f.Name + "\": "
		h, quoted, err := jsonValueHole(f, biases[f.Name])
		if err != nil {
			return nil, err
		}
		if quoted {
			literal += `"`
		}
		shape.Segments = append(shape.Segments, lm.Segment{Literal: literal}, h)
		literal = ""
		if quoted {
			literal = `"`
		}
	}
	if len(sig.Outputs()) > 0 {
		literal += "\n"
	}
	shape.Segments = append(shape.Segments, lm.Segment{Literal: literal + "}"})
	return shape, nil
}

// jsonValueHole returns the hole of a field inside the object. quoted says that it
// stands between quotes.
func jsonValueHole(f signature.Field, biases map[string]float64) (h lm.Segment, quoted bool, err error) {
	if Choices(f.Type) != nil {
		h, quoted := choiceInJSON(f, biases)
		return h, quoted, nil
	}
	if isNumber(f.Type) {
		h, err = numberHole(f)
	} else {
		h, err = jsonHole(f)
	}
	return h, false, err
}

// choiceInJSON returns the hole of a choice. quoted says that it stands between
// quotes.
func choiceInJSON(f signature.Field, biases map[string]float64) (h lm.Segment, quoted bool) {
	texts := Choices(f.Type)
	values := jsonAlternatives(f.Type, len(texts))
	quoted = !slices.ContainsFunc(values, func(s string) bool { return s[0] != '"' })
	return choiceHole(f.Name, texts, biases, func(i int, _ string) string {
		if quoted {
			return strings.TrimSuffix(strings.TrimPrefix(values[i], `"`), `"`)
		}
		return values[i]
	}), quoted
}

// jsonAlternatives writes the n alternatives of a choice as JSON.
func jsonAlternatives(t *signature.Type, n int) []string {
	var values []signature.Value
	if t.Kind == signature.KindBool {
		values = []signature.Value{true, false}
	} else {
		values = append(values, t.Literals()...)
	}
	if len(values) < n {
		values = append(values, nil)
	}
	out := make([]string, n)
	for i := range out {
		data, _ := signature.MarshalValue(values[i]) // scalars never fail
		out[i] = string(data)
	}
	return out
}
