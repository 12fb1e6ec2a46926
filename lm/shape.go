package lm

import (
	"fmt"
	"math"
	"regexp"
)

// Shape is the form of a reply: literal text and holes, in order. It is
// immutable once it is part of a request.
//
// A backend that enforces it spends no decoding step on literals, scores the
// alternatives of a [HoleChoice] instead of generating one, and returns the
// whole reply, literals included, as Response.Text.
type Shape struct {
	Segments []Segment
}

// Segment is a literal text (Hole == HoleNone) or a hole to be filled.
type Segment struct {
	// Literal is the text of a segment that is not a hole.
	Literal string
	// Hole says what may stand here.
	Hole HoleKind
	// Name is the output field that the hole belongs to.
	Name string
	// Choices are the alternatives of a HoleChoice, at least one.
	Choices []Alternative
	// Schema is the JSON Schema of a HoleJSON.
	Schema []byte
	// Pattern is the regular expression of a HolePattern, in the syntax of package
	// regexp; it describes the whole text.
	Pattern string
}

// HoleKind is the kind of a hole.
type HoleKind int

// The kinds of holes.
const (
	// HoleNone marks literal text.
	HoleNone HoleKind = iota
	// HoleText is free text; it ends where the literal that follows it begins, or,
	// as the last segment, where the model or Request.Stop ends it.
	HoleText
	// HoleChoice is one of some texts.
	HoleChoice
	// HoleInt is a whole number, HoleFloat any number, HoleBool True or False.
	HoleInt
	HoleFloat
	HoleBool
	// HoleJSON is a JSON value that the Schema describes.
	HoleJSON
	// HolePattern is a text that the Pattern matches as a whole.
	HolePattern
)

// Alternative is one text that a HoleChoice may be filled with.
type Alternative struct {
	Text string
	// Bias is added to the alternative's log-probability before the choice; it
	// calibrates a model that prefers a text whatever the question.
	Bias float64
}

// Choice reports how a HoleChoice was filled.
type Choice struct {
	// Name is the hole's.
	Name string
	// Options are the alternatives in the order of the shape.
	Options []Option
	// Picked is the index of the chosen option: the one of the largest Prob or, with a
	// Temperature, one that was drawn.
	Picked int
}

// Option is one alternative of a Choice.
type Option struct {
	Text string
	// LogProb is the log-probability of the text together with the literal that
	// follows it, normalised over the alternatives, before any bias.
	LogProb float64
	// Prob is the probability after the bias, normalised over the alternatives.
	Prob float64
}

func (s *Shape) validate() error {
	if s == nil {
		return nil
	}
	if len(s.Segments) == 0 {
		return &Error{Kind: ErrInvalidRequest, Message: "the Shape has no segments; leave it nil for free text"}
	}
	for i, seg := range s.Segments {
		switch {
		case seg.Hole == HoleNone && seg.Literal == "":
			return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("segment %d of the Shape is empty", i)}
		case seg.Hole == HoleChoice && len(seg.Choices) == 0:
			return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("segment %d of the Shape (%s) is a choice without alternatives", i, seg.Name)}
		}
		if seg.Hole == HolePattern {
			if _, err := regexp.Compile(seg.Pattern); err != nil || seg.Pattern == "" {
				return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("segment %d of the Shape (%s) has the pattern %q, which is no regular expression", i, seg.Name, seg.Pattern), Err: err}
			}
		}
		for j, c := range seg.Choices {
			if c.Text == "" {
				return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("alternative %d of segment %d of the Shape (%s) is empty", j, i, seg.Name)}
			}
			if math.IsNaN(c.Bias) || math.IsInf(c.Bias, 0) {
				return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("alternative %d of segment %d of the Shape (%s) has the bias %v, which is no finite number", j, i, seg.Name, c.Bias)}
			}
		}
		if seg.Hole == HoleText && i+1 < len(s.Segments) && s.Segments[i+1].Hole != HoleNone {
			return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("segment %d of the Shape (%s) is free text, so a literal must follow it", i, seg.Name)}
		}
	}
	return nil
}
