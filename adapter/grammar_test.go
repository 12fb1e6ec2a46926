package adapter_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/internal/gbnf"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// grammarOf is the grammar that a hole is enforced by, nil for one of free text and for
// one that no grammar can be held to.
func grammarOf(t *testing.T, s lm.Segment) *gbnf.Grammar {
	t.Helper()
	var g *gbnf.Grammar
	var err error
	switch s.Hole {
	case lm.HoleInt:
		g = gbnf.Int()
	case lm.HoleFloat:
		g = gbnf.Float()
	case lm.HoleJSON:
		g, err = gbnf.FromSchema(s.Schema)
	case lm.HolePattern:
		g, err = gbnf.FromPattern(s.Pattern)
	default:
		return nil
	}
	var unsupported *gbnf.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil
	}
	if err != nil {
		t.Fatalf("%s%s: %v", s.Schema, s.Pattern, err)
	}
	return g
}

// drawn is what a careless model writes under a grammar. Compact takes a label at the
// begin of a reply for its own, also within brackets, so it is spared those.
func drawn(g *gbnf.Grammar, rng *rand.Rand, labels bool) string {
	scraps := []string{
		"0", "1", "7", "25", "-", ".", "T", "Z", ":", "+", "a", "w ", " so", "ä", "日本", `\"`, `\\`, `\n`, `\t`, `\u00e9`, `\/`, `"`, "'", "{", "}", "[", "]", ", ", ": ",
		"true", "null", "ham", "x: y", "**", "None", "%", "#", "<|im_end|>", "<think>", "|", "b lue", "x.", "A",
	}
	if labels {
		scraps = append(scraps, "[[ ## o0 ## ]]", "O0: x", "o0")
	}
	state := g.Start()
	var b strings.Builder
	for range 40 {
		text := state.Forced(64)
		if text == "" {
			if state.Complete() && rng.IntN(4) == 0 {
				break
			}
			text = scraps[rng.IntN(len(scraps))]
		}
		if next, ok := state.Advance(text); ok {
			state = next
			b.WriteString(text)
		}
	}
	return b.String() + state.Shortest()
}

// longNumber finds numbers that take an exponent, or more digits than grammars have.
var longNumber = regexp.MustCompile(`[0-9]e[+-]|[0-9]{19}`)

// Whatever a grammar lets pass is read as what it says, and demos are written in the
// form that the grammar has.
func TestGrammarsOfHoles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 9))
	texts := map[lm.HoleKind]int{}
	demos := 0
	for range 150 {
		data := make([]byte, 20+rng.IntN(150))
		for i := range data {
			data[i] = byte(rng.IntN(256))
		}
		src := source{data: data, tame: true}
		f := signature.Field{Name: "o0", Type: src.typ(2)}
		v := src.value(f.Type)
		bound(&f, v, rng)
		sig, err := signature.New("", []signature.Field{{Name: "text", Type: plainType("str")}}, []signature.Field{f})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []adapter.Adapter{adapter.Chat{}, adapter.Chat{Strict: true}, adapter.JSON{}, adapter.Compact{}} {
			tmpl, err := a.Prepare(adapter.Program{Signature: sig})
			if err != nil {
				continue // TestFilledShapes says which
			}
			shape := shapeOf(t, tmpl)
			var hole lm.Segment
			before, after := "", ""
			for _, s := range shape.Segments {
				switch {
				case s.Hole != lm.HoleNone:
					hole = s
				case hole.Hole == lm.HoleNone:
					before += s.Literal
				default:
					after += s.Literal
				}
			}
			g := grammarOf(t, hole)
			if g == nil || len(shape.Segments) > 3 {
				continue
			}
			if k := f.Type.Kind; k == signature.KindReasoning || k == signature.KindCode {
				continue // a text that is all JSON is read as such, as in DSPy
			}
			for range 4 {
				text := drawn(g, rng, a.Name() != "compact")
				read, err := signature.ParseValue([]byte(text))
				if hole.Hole == lm.HolePattern {
					read, err = text, nil
				}
				if err != nil && strings.Contains(err.Error(), "stands twice") {
					continue
				}
				if err == nil {
					read, err = signature.Coerce(f.Type, read)
				}
				if err == nil {
					err = f.Check(read)
				}
				if err != nil {
					t.Fatalf("%s: the grammar of %s%s lets %s pass: %v", f.Type, hole.Schema, hole.Pattern, text, err)
				}
				texts[hole.Hole]++
				checkReply(t, a, tmpl, sig, signature.RecordOf("o0", read), before+text+after)
			}
			if s, err := signature.MarshalPython(v); err == nil && hole.Hole == lm.HoleJSON {
				if end, ok := g.Start().Advance(s); ok && end.Complete() {
					demos++
				} else if !longNumber.MatchString(s) {
					t.Errorf("%s: the grammar of %s does not have %s", f.Type, hole.Schema, s)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, k := range []lm.HoleKind{lm.HoleInt, lm.HoleFloat, lm.HoleJSON, lm.HolePattern} {
		if texts[k] < 5 {
			t.Errorf("only %d texts of holes of kind %d were drawn", texts[k], k)
		}
	}
	if demos < 100 {
		t.Errorf("only %d demos were found in their grammars", demos)
	}
}
