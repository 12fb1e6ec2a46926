package adapter_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// TestCompactHints checks what stands behind the instructions.
func TestCompactHints(t *testing.T) {
	t.Parallel()
	person := signature.ObjectOf("Person",
		signature.Field{Name: "name", Type: &signature.Type{Kind: signature.KindString}},
		signature.Field{Name: "age", Type: signature.OptionalOf(&signature.Type{Kind: signature.KindInt})},
		signature.Field{Name: "sex", Type: signature.LiteralOf("f", "m")})
	for _, c := range []struct{ instructions, outputs, want string }{
		{"Ham or spam?", "label: Literal['ham', 'spam']", ""},
		{"Ham, I say.", "label: Literal['ham', 'spam']", "(Label: one of ham, spam)"},
		{"Do not answer with yesterday.", "label: Literal['yes', 'no']", "(Label: one of yes, no)"},
		{"A bad case.", "label: Literal['A', 'B']", "(Label: one of A, B)"},
		{"a bad case: b", "label: Literal['A', 'B']", "(Label: one of A, B)"},
		{"A, B?", "label: Literal['A', 'B']", ""},
		{"Rate it.", "label: Literal['C++', 'C']", "(Label: one of C++, C)"},
		{"C++ or C?", "label: Literal['C++', 'C']", ""},
		{"Rate it.", "stars: Literal[1, 2]", "(Stars: one of 1, 2)"},
		{"Yes or no, or None?", "a: Optional[Literal['yes', 'no']]", ""},
		{"Yes or no?", "a: Optional[Literal['yes', 'no']]", "(A: one of yes, no, None)"},
		{"Go.", "a", ""},
		{"Go.", "n: int, x: Optional[float], ok: bool", "(N: int) (X: float or None) (Ok: bool)"},
		{"Go.", "p: Person", `(P: {"name": str, "age": int or null, "sex": "f" or "m"})`},
		{"Go.", "ps: Optional[list[Person]]", `(Ps: [{"name": str, "age": int or null, "sex": "f" or "m"}, ...] or None)`},
		{"Go.", "d: dict[str, list[int]], t: tuple[int, str], u: Union[int, list]", `(D: {"...": [int, ...]}) (T: [int, str]) (U: int or [any, ...])`},
		{"Go.", "c: dspy.ToolCalls", `(C: {"tool_calls": [{"name": str, "args": {"...": any}}, ...]})`},
		{"Go.", "code: dspy.Code['go'], src: dspy.Code", "(Code: go code as a JSON string) (Src: python code as a JSON string)"},
	} {
		sig := signature.MustParse("q -> "+c.outputs, signature.NamedType("Person", person), signature.Instructions(c.instructions))
		req := request(t, prepare(t, adapter.Compact{}, adapter.Program{Signature: sig}), "q", "x")
		head, _, _ := strings.Cut(req.Prompt, "\n")
		require.Equal(t, strings.TrimSpace(c.instructions+" "+c.want), head, c.outputs)
	}

	described, err := signature.New("Classify.",
		[]signature.Field{
			{Name: "text", Desc: "an SMS\n  text", Type: &signature.Type{Kind: signature.KindString}},
			{Name: "sender", Desc: "${sender}", Type: &signature.Type{Kind: signature.KindString}},
		},
		[]signature.Field{
			{Name: "label", Desc: "ham unless it sells", Type: signature.LiteralOf("ham", "spam")},
			{Name: "score", Type: &signature.Type{Kind: signature.KindInt}, Constraints: []signature.Constraint{{Op: signature.AtMost, Bound: int64(9)}}},
		})
	require.NoError(t, err)
	req := request(t, prepare(t, adapter.Compact{}, adapter.Program{Signature: described}), "text", "x")
	require.True(t, strings.HasPrefix(req.Prompt,
		"Classify. (Text: an SMS text) (Label: ham unless it sells; one of ham, spam) (Score: int; less than or equal to: 9)\n\nText: x\nLabel:"), req.Prompt)
}

// TestCompactValues checks that every value stands on one line.
func TestCompactValues(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("s, l: list[str], d: dict[str, Any], code: dspy.Code, calls: dspy.ToolCalls, tool: dspy.Tool, h: dspy.History, docs -> a: Optional[str], n: int",
		signature.Instructions("Go."))
	turn := signature.RecordOf("s", "early", "a", nil, "n", 1)
	in := signature.RecordOf("s", " two\n\n lines\u2028x", "l", []string{"a  b", "c\nd\u2028\u0085"}, "d", signature.RecordOf("k\u2029", []signature.Value{1.5, nil}),
		"code", "if x:\n    y", "calls", signature.RecordOf("tool_calls", []signature.Record{signature.RecordOf("id", "1", "name", "f", "args", signature.Record{})}),
		"tool", signature.RecordOf("name", "f", "desc", "does\nit", "args", signature.RecordOf("x", signature.RecordOf("type", "string"))),
		"docs", []string{"one", "two"},
		"h", signature.RecordOf("messages", []signature.Record{turn, signature.RecordOf("s", "no output")}))
	req := request(t, prepare(t, adapter.Compact{}, adapter.Program{Signature: sig, Demos: []signature.Record{signature.RecordOf("s", "demo", "n", 2)}}), all(in)...)
	require.Equal(t, strings.Join([]string{
		"Go. (A: str or None) (N: int)", "",
		"S: demo", "N: 2", "",
		"S: early", "A: None", "N: 1", "",
		"S: two lines x", `L: ["a  b", "c\nd\u2028\u0085"]`, `D: {"k\u2029": [1.5, null]}`, `Code: "if x:\n    y"`,
		`Calls: {"tool_calls": [{"name": "f", "args": {}}]}`, "Tool: f, whose description is <desc>does it</desc>. It takes arguments {'x': {'type': 'string'}}.",
		"Docs: [1] «one» [2] «two»", "A:",
	}, "\n"), req.Prompt)
}

func TestCompactTurns(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("q, img: Optional[dspy.Image], h: dspy.History -> why, label: Literal['ham', 'spam']", signature.Instructions("Ham or spam?"))
	png := signature.RecordOf("url", "https://x.test/a.png")
	p := adapter.Program{Signature: sig, Demos: []signature.Record{
		signature.RecordOf("q", "a", "img", png, "why", "w", "label", "ham"),
		signature.RecordOf("q", "b", "label", "spam"),
		signature.RecordOf("q", "dropped"),
	}}
	history := signature.RecordOf("messages", []signature.Record{signature.RecordOf("q", "c", "why", "v", "label", "ham")})
	tmpl := prepare(t, adapter.Compact{Turns: true}, p)
	req := request(t, tmpl, "q", "d", "h", history)
	require.Empty(t, req.Prompt)
	require.Empty(t, req.Stop)
	require.Equal(t, []lm.Message{
		lm.System("Ham or spam?"),
		{Role: lm.RoleUser, Parts: []lm.Part{{Text: "Q: a\nImg: "}, {Blob: &lm.Blob{Kind: lm.BlobImage, URL: "https://x.test/a.png"}}, {Text: "\nWhy:"}}},
		lm.Assistant("w\nLabel: ham"),
		lm.User("Q: b\nLabel:"),
		lm.Assistant("spam"),
		lm.User("Q: c\nWhy:"),
		lm.Assistant("v\nLabel: ham"),
		lm.User("Q: d\nWhy:"),
	}, req.Messages)
	require.Equal(t, []lm.Segment{
		{Name: "why", Hole: lm.HoleText},
		{Literal: "\nLabel:"},
		{Name: "label", Hole: lm.HoleChoice, Choices: []lm.Alternative{{Text: " ham"}, {Text: " spam"}}},
	}, req.Shape.Segments)
	got, repairs, err := tmpl.Parse("because\nLabel: spam", signature.Record{})
	require.NoError(t, err)
	require.Empty(t, repairs)
	require.True(t, got.Equal(signature.RecordOf("why", "because", "label", "spam")), got)

	one := prepare(t, adapter.Compact{Turns: true}, adapter.Program{Signature: signature.MustParse("q -> n: int")})
	require.Equal(t, []lm.Segment{{Name: "n", Hole: lm.HoleInt}}, request(t, one, "q", "x").Shape.Segments)

	_, err = adapter.Compact{}.Prepare(p)
	var fe *adapter.FormatError
	require.ErrorAs(t, err, &fe)
	require.Equal(t, "img", fe.Field)
	require.ErrorContains(t, err, "adapter.Compact{Turns: true}")
	_, err = adapter.Compact{Turns: true}.Prepare(adapter.Program{Signature: signature.MustParse("q -> img: dspy.Image")})
	require.ErrorAs(t, err, &fe)
	_, err = tmpl.Request(signature.RecordOf("q", "x", "h", "no history"))
	require.ErrorAs(t, err, &fe)
	require.Equal(t, "h", fe.Field)
}
