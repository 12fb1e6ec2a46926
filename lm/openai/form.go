package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/whetgo/whet/internal/gbnf"
	"github.com/whetgo/whet/lm"
)

// form is a shape made ready: for the server, and to be found again in its reply.
type form struct {
	pieces []piece
	// grammar is all of it in GBNF.
	grammar string
	// choices is how many there are to be reported, and biased whether any has a bias.
	choices int
	biased  bool
}

// piece is a segment: literals that meet are one, and a Boolean is a choice of two.
type piece struct {
	literal string
	hole    lm.HoleKind
	name    string
	choices []lm.Alternative
	report  bool
	grammar *gbnf.Grammar // of every piece but free text
	source  string        // the schema or the pattern
}

// newForm makes a shape ready. It returns nil for one that no grammar can hold a reply to,
// and for free text, which needs none.
func newForm(shape *lm.Shape) (*form, error) {
	f := &form{}
	bound := false
	for i, s := range shape.Segments {
		if last := len(f.pieces) - 1; s.Hole == lm.HoleNone && last >= 0 && f.pieces[last].hole == lm.HoleNone {
			f.pieces[last].literal += s.Literal
			f.pieces[last].grammar = gbnf.Literal(f.pieces[last].literal)
			continue
		}
		p, err := newPiece(s)
		if unsupported := (*gbnf.UnsupportedError)(nil); errors.As(err, &unsupported) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("segment %d of the Shape (%s): %w", i, s.Name, err)
		}
		if p.report {
			f.choices++
			for _, a := range p.choices {
				f.biased = f.biased || a.Bias != 0
			}
		}
		bound = bound || p.hole != lm.HoleText
		f.pieces = append(f.pieces, p)
	}
	if !bound {
		return nil, nil
	}
	f.grammar = writeGrammar(f.pieces)
	return f, nil
}

func newPiece(s lm.Segment) (p piece, err error) {
	p = piece{literal: s.Literal, hole: s.Hole, name: s.Name, choices: s.Choices}
	switch s.Hole {
	case lm.HoleNone:
		p.grammar = gbnf.Literal(s.Literal)
	case lm.HoleText:
	case lm.HoleChoice:
		p.report = true
	case lm.HoleBool:
		p.hole, p.choices = lm.HoleChoice, []lm.Alternative{{Text: "True"}, {Text: "False"}}
	case lm.HoleInt:
		p.grammar = gbnf.Int()
	case lm.HoleFloat:
		p.grammar = gbnf.Float()
	case lm.HoleJSON:
		p.source = string(s.Schema)
		p.grammar, err = gbnf.FromSchema(s.Schema)
	case lm.HolePattern:
		p.source = s.Pattern
		p.grammar, err = gbnf.FromPattern(s.Pattern)
	default:
		return p, fmt.Errorf("the hole is of the kind %d, which is not known", s.Hole)
	}
	if p.hole == lm.HoleChoice {
		of := make([]*gbnf.Grammar, len(p.choices))
		for i, a := range p.choices {
			of[i] = gbnf.Literal(a.Text)
		}
		p.grammar = gbnf.Choice(of...)
	}
	return p, err
}

// write puts the form into a body, in the way the server wants it.
func (f *form) write(body map[string]any, field ShapeField) {
	if field == ShapesGrammar {
		body["grammar"] = f.grammar
		return
	}
	kind, value := "grammar", any(f.grammar)
	if len(f.pieces) == 1 {
		switch p := f.pieces[0]; {
		case p.hole == lm.HoleChoice:
			texts := make([]string, len(p.choices))
			for i, a := range p.choices {
				texts[i] = a.Text
			}
			kind, value = "choice", texts
		case p.hole == lm.HolePattern && commonPattern(p.source):
			kind, value = "regex", p.source
		case p.hole == lm.HoleJSON:
			kind, value = "json", json.RawMessage(p.source)
		}
	}
	if field == ShapesGuided {
		body["guided_"+kind] = value
	} else {
		body["structured_outputs"] = map[string]any{kind: value}
	}
}

// commonPattern reports whether a pattern in Go's syntax means the same to others.
func commonPattern(pattern string) bool {
	for _, own := range []string{"(?", `\z`, `\A`, `\Q`, `\p`, `\P`, `\C`, "[[:"} {
		if strings.Contains(pattern, own) {
			return false
		}
	}
	return true
}

// writeGrammar joins the grammars of the pieces. Free text is written here, as its grammar
// depends on the literal that ends it.
func writeGrammar(pieces []piece) string {
	var root, rules strings.Builder
	var run []*gbnf.Grammar
	alone := true
	part := 0
	flush := func() {
		if len(run) == 0 {
			return
		}
		prefix := "p" + strconv.Itoa(part) + "-"
		part++
		root.WriteString(" " + prefix + "root")
		rules.WriteString(renamed(gbnf.Sequence(run...).String(), prefix))
		run = nil
	}
	for i := 0; i < len(pieces); i++ {
		if pieces[i].hole != lm.HoleText {
			run = append(run, pieces[i].grammar)
			continue
		}
		alone = false
		flush()
		prefix := "t" + strconv.Itoa(part) + "-"
		part++
		root.WriteString(" " + prefix + "0")
		if i+1 < len(pieces) {
			rules.WriteString(textUntil(pieces[i+1].literal, prefix))
			i++ // the literal is part of the rules
		} else {
			rules.WriteString(prefix + "0 ::= " + anything + "*\n")
		}
	}
	if alone {
		return gbnf.Sequence(run...).String()
	}
	flush()
	return "root ::=" + root.String() + "\n" + rules.String()
}

// maxForms is how many forms a model remembers: a program has one for each predictor.
const maxForms = 256

// forms makes the form of each shape once. A shape is known by where it is, as it does not
// change.
type forms struct {
	mu   sync.Mutex
	made map[*lm.Shape]*form
}

func newForms() *forms { return &forms{made: map[*lm.Shape]*form{}} }

func (f *forms) of(shape *lm.Shape) (*form, error) {
	f.mu.Lock()
	known, ok := f.made[shape]
	f.mu.Unlock()
	if ok {
		return known, nil
	}
	made, err := newForm(shape)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.made) >= maxForms {
		clear(f.made)
	}
	f.made[shape] = made
	return made, nil
}
