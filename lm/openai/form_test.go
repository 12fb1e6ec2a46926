package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func shapeOf(segments ...lm.Segment) *lm.Shape { return &lm.Shape{Segments: segments} }

func literal(s string) lm.Segment { return lm.Segment{Literal: s} }

func hole(kind lm.HoleKind, name string) lm.Segment { return lm.Segment{Hole: kind, Name: name} }

func choice(name string, texts ...string) lm.Segment {
	s := lm.Segment{Hole: lm.HoleChoice, Name: name}
	for _, t := range texts {
		s.Choices = append(s.Choices, lm.Alternative{Text: t})
	}
	return s
}

func mustForm(t testing.TB, shape *lm.Shape) *form {
	t.Helper()
	f, err := newForm(shape)
	if err != nil || f == nil {
		t.Fatalf("newForm returned %v, %v", f, err)
	}
	return f
}

func TestMatch(t *testing.T) {
	t.Parallel()
	pattern := lm.Segment{Hole: lm.HolePattern, Name: "p", Pattern: "[a-z]+"}
	object := lm.Segment{Hole: lm.HoleJSON, Name: "j", Schema: []byte(`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"array","items":{"type":"string"}}},"required":["a","b"],"additionalProperties":false}`)}
	for name, tt := range map[string]struct {
		shape *lm.Shape
		text  string
		want  []string // the pieces, nil where it does not match
	}{
		"literals":               {shapeOf(literal("a"), literal("b"), choice("c", "x")), "abx", []string{"ab", "x"}},
		"other literal":          {shapeOf(literal("a"), choice("c", "x")), "bx", nil},
		"text":                   {shapeOf(hole(lm.HoleText, "t"), literal("\n")), "a b\n", []string{"a b", "\n"}},
		"text ends at once":      {shapeOf(hole(lm.HoleText, "t"), literal("\n")), "\n", []string{"", "\n"}},
		"text ends only once":    {shapeOf(hole(lm.HoleText, "t"), literal("\n")), "a\nb\n", nil},
		"text of two literals":   {shapeOf(hole(lm.HoleText, "t"), literal("."), literal("\n")), "a.b.\n", []string{"a.b", ".\n"}},
		"text at the end":        {shapeOf(literal("a"), hole(lm.HoleText, "t")), "a b\nc", []string{"a", " b\nc"}},
		"text without its end":   {shapeOf(hole(lm.HoleText, "t"), literal("\n")), "a b", nil},
		"choice":                 {shapeOf(choice("c", "red", "green"), literal(".")), "green.", []string{"green", "."}},
		"beginning of a choice":  {shapeOf(choice("c", "a", "ab"), literal("b")), "ab", []string{"a", "b"}},
		"longer choice":          {shapeOf(choice("c", "a", "ab"), literal("b")), "abb", []string{"ab", "b"}},
		"no choice":              {shapeOf(choice("c", "red", "green")), "blue", nil},
		"Boolean":                {shapeOf(hole(lm.HoleBool, "b"), literal(";")), "False;", []string{"False", ";"}},
		"Boolean in JSON":        {shapeOf(hole(lm.HoleBool, "b")), "false", nil},
		"numbers":                {shapeOf(hole(lm.HoleInt, "i"), literal(" "), hole(lm.HoleFloat, "f")), "-12 0.50", []string{"-12", " ", "0.50"}},
		"numbers side by side":   {shapeOf(hole(lm.HoleInt, "i"), hole(lm.HoleInt, "j")), "12", []string{"1", "2"}},
		"no number":              {shapeOf(hole(lm.HoleInt, "i")), "1.5", nil},
		"pattern":                {shapeOf(pattern, literal("z")), "abzz", []string{"abz", "z"}},
		"JSON":                   {shapeOf(literal("x: "), object), `x: {"a": 1, "b": ["c, d"]}`, []string{"x: ", `{"a": 1, "b": ["c, d"]}`}},
		"JSON with a tail":       {shapeOf(object), `{"a": 1, "b": []}x`, nil},
		"JSON in a server's way": {shapeOf(object), "{\n  \"a\":1,\n  \"b\":[\"<\"]\n}", []string{"{\n  \"a\":1,\n  \"b\":[\"<\"]\n}"}},
		"JSON of other schema":   {shapeOf(object), `{"a":"1","b":[]}`, nil},
		"cut":                    {shapeOf(object), `{"a": 1`, nil},
		"empty":                  {shapeOf(choice("c", "x")), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans, ok := mustForm(t, tt.shape).match(tt.text)
			var got []string
			for _, s := range spans {
				got = append(got, tt.text[s.from:s.to])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != nil) {
				t.Errorf("%q matches: %v; the pieces (-want +got):\n%s", tt.text, ok, diff)
			}
		})
	}
}

// walk reads a text by the rules of textUntil and reports after how many of its bytes the
// literal was complete, or -1.
func walk(t *testing.T, rules, prefix, text string) int {
	t.Helper()
	type step struct {
		chars  string
		except bool
		next   string
	}
	table := map[string][]step{}
	for line := range strings.Lines(rules) {
		name, body, ok := strings.Cut(strings.TrimSpace(line), " ::= ")
		if !ok {
			t.Fatalf("the line %q is no rule", line)
		}
		for alternative := range strings.SplitSeq(body, " | ") {
			class, next, _ := strings.Cut(alternative, " ")
			inner, except := strings.CutPrefix(strings.Trim(class, "[]"), "^")
			chars, err := strconv.Unquote(`"` + inner + `"`)
			if err != nil {
				t.Fatalf("the class %q of the rule %q: %v", class, line, err)
			}
			table[name] = append(table[name], step{chars, except, next})
		}
	}
	at := prefix + "0"
	for i, r := range text {
		var to []string
		for _, s := range table[at] {
			if strings.ContainsRune(s.chars, r) != s.except {
				to = append(to, s.next)
			}
		}
		if len(to) != 1 {
			t.Fatalf("the rule %s has %d ways on with %q:\n%s", at, len(to), r, rules)
		}
		if at = to[0]; at == "" {
			return i + len(string(r))
		}
	}
	return -1
}

// TestTextRules compares the rules of free text with a search for the literal.
func TestTextRules(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteRune([]rune("ab\nü😀")[random.IntN(5)])
		}
		return b.String()
	}
	found := 0
	for _, lit := range []string{"\n", "aab", "abab", "aaaa", "\n\n[[ ## b ## ]]\n", "ü😀ü", word(3), word(5), word(6)} {
		rules := textUntil(lit, "t0-")
		for range 300 {
			text := word(random.IntN(12)) + lit[:random.IntN(len(lit))] + word(3) + lit
			text = strings.ToValidUTF8(text, "?")
			want := strings.Index(text, lit)
			if want >= 0 {
				want += len(lit)
				found++
			}
			if got := walk(t, rules, "t0-", text); got != want {
				t.Fatalf("the rules of %q end %q after %d bytes, want %d:\n%s", lit, text, got, want, rules)
			}
		}
	}
	if found < 1000 {
		t.Errorf("the literal was found %d times only", found)
	}
}

func TestRenamed(t *testing.T) {
	t.Parallel()
	in := "root ::= \"a root \\\" b\" rule-1{2,3} | [^root\\]-x] (rule-1 \"\\\\\")*\nrule-1 ::= [0-9]+\n"
	want := "p0-root ::= \"a root \\\" b\" p0-rule-1{2,3} | [^root\\]-x] (p0-rule-1 \"\\\\\")*\np0-rule-1 ::= [0-9]+\n"
	if got := renamed(in, "p0-"); got != want {
		t.Errorf("renamed to\n%s\nwant\n%s", got, want)
	}
}

// TestGrammar shows a grammar of all kinds of pieces.
func TestGrammar(t *testing.T) {
	t.Parallel()
	f := mustForm(t, shapeOf(literal("Say: "), hole(lm.HoleText, "t"), literal("\n\n"), choice("c", "x", `y"`), literal(" "), hole(lm.HoleInt, "i"),
		literal(" "), lm.Segment{Hole: lm.HoleJSON, Name: "j", Schema: []byte(`{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"]}`)}, literal("\n"), hole(lm.HoleText, "rest")))
	golden(t, "testdata/grammar.gbnf", f.grammar)
	for _, rule := range []string{"root", "t1-0", "t1-1"} {
		if strings.Count("\n"+f.grammar, "\n"+rule+" ::=") != 1 {
			t.Errorf("the rule %s is not there once", rule)
		}
	}
}

func TestUnboundForms(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]*lm.Shape{
		"free text":        shapeOf(hole(lm.HoleText, "t")),
		"pattern":          shapeOf(literal("a"), lm.Segment{Hole: lm.HolePattern, Pattern: `a\b`}),
		"schema elsewhere": shapeOf(lm.Segment{Hole: lm.HoleJSON, Schema: []byte(`{"$ref":"https://example.invalid/schema"}`)}),
	} {
		if f, err := newForm(shape); f != nil || err != nil {
			t.Errorf("%s: %v, %v; want neither", name, f, err)
		}
	}
	if _, err := newForm(shapeOf(literal("a"), hole(77, "x"))); err == nil || !strings.Contains(err.Error(), "segment 1") {
		t.Errorf("a hole of no kind: %v, want an error that names its segment", err)
	}
}

// TestFormsAreKept makes more forms than are remembered.
func TestFormsAreKept(t *testing.T) {
	t.Parallel()
	all := newForms()
	shape := shapeOf(choice("c", "x"))
	first, err := all.of(shape)
	if again, _ := all.of(shape); err != nil || again != first {
		t.Errorf("a form is made twice: %v", err)
	}
	for i := range 2 * maxForms {
		if _, err := all.of(shapeOf(choice("c", fmt.Sprint(i)))); err != nil {
			t.Fatal(err)
		}
	}
	if len(all.made) > maxForms {
		t.Errorf("%d forms are kept, want at most %d", len(all.made), maxForms)
	}
}

// TestShaped is what of a server's reply counts as enforced, and what the choices are.
func TestShaped(t *testing.T) {
	t.Parallel()
	colour := func(bias float64) *lm.Request {
		r := asks("What colour?")
		r.Shape = shapeOf(literal("It is"), choice("colour", " red", " green"), literal("."))
		r.Shape.Segments[1].Choices[0].Bias = bias
		return r
	}
	tokens := func(texts string, top string) string {
		var list []string
		for _, s := range strings.Split(texts, "|") {
			quoted, _ := json.Marshal(s)
			list = append(list, `{"token":`+string(quoted)+`,"logprob":-0.1,"top_logprobs":`+top+`}`)
		}
		return `"logprobs":{"content":[` + strings.Join(list, ",") + `]}`
	}
	const both = `[{"token":" green","logprob":-0.5},{"token":" r","logprob":-1.5},{"token":" red","logprob":-2.5},{"token":"x","logprob":-3}]`
	for name, tt := range map[string]struct {
		text, logprobs string
		finish         string
		bias           float64
		shaped         bool
		choices        bool
	}{
		"all is there":          {"It is green.", tokens("It| is| green|.", both), "stop", 0, true, true},
		"a token of the end":    {"It is green.", tokens("It| is| green|.|<end>", both), "stop", 0, true, true},
		"no logprobs":           {"It is green.", `"logprobs":null`, "stop", 0, true, false},
		"a bias":                {"It is green.", tokens("It| is| green|.", both), "stop", 1, true, false},
		"other tokens":          {"It is green.", tokens("It| was| green|.", both), "stop", 0, true, false},
		"inside of a token":     {"It is green.", tokens("It| is gr|een|.", both), "stop", 0, true, false},
		"one is too unlikely":   {"It is green.", tokens("It| is| green|.", `[{"token":" green","logprob":-0.5}]`), "stop", 0, true, false},
		"a token of both":       {"It is green.", tokens("It| is| green|.", `[{"token":" ","logprob":-0.5},{"token":" red","logprob":-0.5}]`), "stop", 0, true, false},
		"another text":          {"It is blue.", tokens("It| is| blue|.", both), "stop", 0, false, false},
		"cut by its length":     {"It is gr", tokens("It| is| gr", both), "length", 0, false, false},
		"more than was allowed": {"It is green. So", tokens("It| is| green|. So", both), "stop", 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, _ := json.Marshal(tt.text)
			m := open(t, says(t, jsonType, `{"choices":[{"message":{"content":`+string(content)+`},"finish_reason":"`+tt.finish+`",`+tt.logprobs+`}]}`), "llama-server/m")
			resp := generate(t, m, colour(tt.bias))
			if resp.Shaped != tt.shaped || (len(resp.Choices) > 0) != tt.choices || resp.Logprobs != nil {
				t.Fatalf("response = %+v; want Shaped %v, and choices: %v", resp, tt.shaped, tt.choices)
			}
			if !tt.choices {
				return
			}
			c := resp.Choices[0]
			sum := c.Options[0].Prob + c.Options[1].Prob
			if c.Name != "colour" || c.Picked != 1 || sum < 0.999 || sum > 1.001 || c.Options[1].Prob < 0.6 || c.Options[1].Prob > 0.7 || c.Options[1].LogProb >= 0 {
				t.Errorf("choice = %+v, want green picked with about 2/3", c)
			}
		})
	}
}

// TestShapeIsIgnored is a server that is not told of it.
func TestShapeIsIgnored(t *testing.T) {
	t.Parallel()
	r := asks("a")
	r.Shape = shapeOf(choice("c", "x"))
	if resp := generate(t, open(t, says(t, jsonType, chat("x")), "gpt-test"), r); resp.Shaped || resp.Text != "x" {
		t.Errorf("response = %+v, want the text and Shaped false", resp)
	}
	r.Shape = &lm.Shape{}
	if _, err := open(t, says(t, jsonType, chat("x")), "gpt-test").Generate(t.Context(), r); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("a shape without segments: %v, want an error of kind %q", err, lm.ErrInvalidRequest)
	}
}
