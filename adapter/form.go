package adapter

import (
	"regexp/syntax"
	"slices"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// openHole returns the hole of a value that is no choice, as Chat and Compact write it.
func openHole(f signature.Field) (lm.Segment, error) {
	switch {
	case isText(f.Type.Kind) && !f.Type.Optional:
		return textHole(f), nil
	case isNumber(f.Type):
		return numberHole(f)
	case isBareText(f.Type) && !isBrought(f):
		return lm.Segment{Name: f.Name, Hole: lm.HoleText}, nil
	}
	return jsonHole(f)
}

// textHole returns the hole of a text: of a string that has a pattern for all of it,
// one of that pattern. Lengths are not enforced, as no text ends well where it must.
func textHole(f signature.Field) lm.Segment {
	if f.Type.Kind == signature.KindString {
		for _, c := range f.Constraints {
			if p, ok := c.Bound.(string); ok && c.Op == signature.Pattern && isWhole(p) {
				return lm.Segment{Name: f.Name, Hole: lm.HolePattern, Pattern: p}
			}
		}
	}
	return lm.Segment{Name: f.Name, Hole: lm.HoleText}
}

// isWhole reports whether a pattern begins and ends with the text, so that it describes
// all of what it is found in.
func isWhole(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	return err == nil && anchored(re, syntax.OpBeginText) && anchored(re, syntax.OpEndText)
}

// anchored reports whether an expression matches only where the text begins or ends.
func anchored(re *syntax.Regexp, at syntax.Op) bool {
	switch re.Op {
	case at:
		return true
	case syntax.OpCapture:
		return anchored(re.Sub[0], at)
	case syntax.OpConcat:
		if at == syntax.OpEndText {
			return anchored(re.Sub[len(re.Sub)-1], at)
		}
		return anchored(re.Sub[0], at)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !anchored(sub, at) })
	}
	return false
}

func isNumber(t *signature.Type) bool {
	return !t.Optional && (t.Kind == signature.KindInt || t.Kind == signature.KindFloat)
}

// numberHole returns the hole of a number, which is the same text in JSON.
func numberHole(f signature.Field) (lm.Segment, error) {
	switch {
	case len(f.Constraints) > 0:
		return jsonHole(f)
	case f.Type.Kind == signature.KindInt:
		return lm.Segment{Name: f.Name, Hole: lm.HoleInt}, nil
	}
	return lm.Segment{Name: f.Name, Hole: lm.HoleFloat}, nil
}

// jsonHole returns the hole of a value that is written as JSON: on one line, as in the
// demos of Chat and Compact; those of JSON, as in DSPy, spread values inside over lines.
func jsonHole(f signature.Field) (lm.Segment, error) {
	schema, err := signature.MarshalValue(f.Schema())
	return lm.Segment{Name: f.Name, Hole: lm.HoleJSON, Schema: schema}, err
}

// isBareText reports whether values may be written without JSON's quotes: texts,
// and scalars that may be None instead.
func isBareText(t *signature.Type) bool {
	switch t.Kind {
	case signature.KindInt, signature.KindFloat, signature.KindBool:
		return t.Optional
	case signature.KindList, signature.KindSet, signature.KindTuple, signature.KindDict, signature.KindObject,
		signature.KindToolCalls, signature.KindHistory, signature.KindImage, signature.KindAudio, signature.KindFile:
		return false
	case signature.KindUnion:
		return slices.ContainsFunc(t.Items, isBareText)
	}
	return true
}

// isBrought reports whether a schema that a program brought along has nothing but
// lists, or nothing but objects, which are written as JSON.
func isBrought(f signature.Field) bool {
	if f.Type.Kind != signature.KindAny || f.Type.Optional {
		return false
	}
	typ, _ := f.Schema().Get("type")
	return typ == "array" || typ == "object"
}
