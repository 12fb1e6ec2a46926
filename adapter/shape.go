package adapter

import (
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// hole returns the hole that a field's value fills. before is written in front of
// each alternative of a choice, for layouts in which a space belongs to it.
func hole(f signature.Field, biases map[string]float64, before string) (lm.Segment, error) {
	s := lm.Segment{Name: f.Name, Hole: lm.HoleText}
	if f.Type.Optional {
		return s, nil
	}
	switch f.Type.Kind {
	case signature.KindEnum:
		s.Hole = lm.HoleChoice
		for _, c := range f.Type.Choices {
			s.Choices = append(s.Choices, lm.Alternative{Text: before + c, Bias: biases[c]})
		}
	case signature.KindBool:
		s.Hole = lm.HoleChoice
		for _, c := range []string{"True", "False"} {
			s.Choices = append(s.Choices, lm.Alternative{Text: before + c, Bias: biases[c]})
		}
	case signature.KindInt:
		s.Hole = lm.HoleInt
	case signature.KindFloat:
		s.Hole = lm.HoleFloat
	case signature.KindList, signature.KindObject:
		schema, err := signature.MarshalValue(f.Type.Schema())
		if err != nil {
			return s, err
		}
		s.Hole, s.Schema = lm.HoleJSON, schema
	}
	return s, nil
}

// chatShape is the reply that Chat asks for.
func chatShape(sig *signature.Signature, biases map[string]map[string]float64) (*lm.Shape, error) {
	shape := &lm.Shape{}
	before := ""
	for _, f := range sig.Outputs() {
		h, err := hole(f, biases[f.Name], "")
		if err != nil {
			return nil, err
		}
		shape.Segments = append(shape.Segments, lm.Segment{Literal: before + marker(f.Name) + "\n"}, h)
		before = "\n\n"
	}
	shape.Segments = append(shape.Segments, lm.Segment{Literal: "\n\n" + marker(completed)})
	return shape, nil
}
