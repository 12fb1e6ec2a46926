package llamacpp

import (
	"errors"
	"fmt"
	"sync"

	"github.com/whetgo/whet/internal/gbnf"
	"github.com/whetgo/whet/lm"
)

// segment is a segment of a shape, made ready: literals are joined, a Boolean is a
// choice of two, and what has a form has its grammar.
type segment struct {
	literal string
	hole    lm.HoleKind
	name    string
	choices []lm.Alternative
	grammar *gbnf.Grammar
	loose   bool // the form cannot be enforced, and the hole is free text
	report  bool // in Response.Choices
}

// anyObject is the schema of a ResponseFormat without one.
const anyObject = `{"type": "object"}`

// segments makes the segments of the request's shape ready. A request without one has a
// hole for its text, or for the JSON that its ResponseFormat asks for.
func (m *Model) segments(r *lm.Request) ([]segment, error) {
	shape := r.Shape
	switch {
	case shape != nil:
	case r.ResponseFormat == nil:
		return []segment{{hole: lm.HoleText}}, nil
	default:
		schema := r.ResponseFormat.Schema
		if len(schema) == 0 {
			schema = []byte(anyObject)
		}
		shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Name: r.ResponseFormat.Name, Schema: schema}}}
	}
	var out []segment
	for i, s := range shape.Segments {
		if s.Hole == lm.HoleNone {
			if n := len(out); n > 0 && out[n-1].hole == lm.HoleNone {
				out[n-1].literal += s.Literal
				continue
			}
		}
		seg := segment{literal: s.Literal, hole: s.Hole, name: s.Name, choices: s.Choices, report: s.Hole == lm.HoleChoice}
		var err error
		switch s.Hole {
		case lm.HoleBool:
			seg.hole, seg.choices = lm.HoleChoice, []lm.Alternative{{Text: "True"}, {Text: "False"}}
		case lm.HoleInt:
			seg.grammar = m.grammars.whole
		case lm.HoleFloat:
			seg.grammar = m.grammars.number
		case lm.HoleJSON:
			seg.grammar, err = m.grammars.of("schema", string(s.Schema), func(b []byte) (*gbnf.Grammar, error) { return gbnf.FromSchema(b) })
		case lm.HolePattern:
			seg.grammar, err = m.grammars.of("pattern", s.Pattern, func(p []byte) (*gbnf.Grammar, error) { return gbnf.FromPattern(string(p)) })
		}
		if unsupported := (*gbnf.UnsupportedError)(nil); errors.As(err, &unsupported) {
			seg.loose = true // as a backend that cannot enforce shapes at all
		} else if err != nil {
			return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Provider: provider, Model: m.name, Message: fmt.Sprintf("segment %d of the Shape (%s)", i, s.Name), Err: err}
		}
		out = append(out, seg)
	}
	return out, nil
}

// maxGrammars is how many grammars a model remembers: a program has one for each of
// its fields.
const maxGrammars = 256

// grammars makes the grammar of each schema and pattern once.
type grammars struct {
	whole, number *gbnf.Grammar

	mu   sync.Mutex
	made map[[2]string]made
}

type made struct {
	grammar *gbnf.Grammar
	err     error
}

func newGrammars() *grammars {
	return &grammars{whole: gbnf.Int(), number: gbnf.Float(), made: map[[2]string]made{}}
}

func (g *grammars) of(kind, source string, build func([]byte) (*gbnf.Grammar, error)) (*gbnf.Grammar, error) {
	key := [2]string{kind, source}
	g.mu.Lock()
	m, ok := g.made[key]
	g.mu.Unlock()
	if ok {
		return m.grammar, m.err
	}
	m.grammar, m.err = build([]byte(source))
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.made) >= maxGrammars {
		clear(g.made)
	}
	g.made[key] = m
	return m.grammar, m.err
}
