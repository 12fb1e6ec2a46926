package adapter_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// goldenMessage is a message as DSPy writes it.
type goldenMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type goldenField struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Desc string `json:"desc"`
}

// golden is a file that the real DSPy wrote: a signature, demos, inputs and the
// messages that it made of them.
type golden struct {
	Signature struct {
		Instructions string        `json:"instructions"`
		Inputs       []goldenField `json:"inputs"`
		Outputs      []goldenField `json:"outputs"`
	} `json:"signature"`
	Demos    []json.RawMessage `json:"demos"`
	Inputs   json.RawMessage   `json:"inputs"`
	Messages struct {
		Chat []goldenMessage `json:"chat"`
		JSON []goldenMessage `json:"json"`
	} `json:"messages"`
}

func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// typed gives the values of an untyped record the types of the signature, where
// they fit.
func typed(t *testing.T, sig *signature.Signature, data []byte) signature.Record {
	t.Helper()
	r, err := signature.ParseRecord(data)
	require.NoError(t, err)
	for _, f := range sig.Fields() {
		if v, ok := r.Get(f.Name); ok {
			if c, err := signature.Coerce(f.Type, v); err == nil {
				r = r.With(f.Name, c)
			}
		}
	}
	return r
}

func messages(r *lm.Request) []goldenMessage {
	out := make([]goldenMessage, len(r.Messages))
	for i, m := range r.Messages {
		out[i] = goldenMessage{string(m.Role), m.Text()}
	}
	return out
}

// goldenType reads any type that the golden files hold.
func goldenType(t *testing.T, name string) *signature.Type {
	t.Helper()
	person := signature.ObjectOf("Person",
		signature.Field{Name: "name", Type: &signature.Type{Kind: signature.KindString}, Desc: "full name"},
		signature.Field{Name: "age", Type: &signature.Type{Kind: signature.KindInt, Optional: true}},
		signature.Field{Name: "tags", Type: signature.ListOf(&signature.Type{Kind: signature.KindString}), Default: []signature.Value{}, HasDefault: true},
	)
	person.Desc = "A person mentioned in text."
	sig, err := signature.Parse("x: "+strings.ReplaceAll(name, "NoneType", "None")+" -> y",
		signature.NamedType("Person", person),
		signature.NamedType("Sentiment", &signature.Type{Kind: signature.KindEnum, Name: "Sentiment", Choices: []string{"positive", "negative"}}),
		signature.NamedType("History", &signature.Type{Kind: signature.KindHistory}),
	)
	require.NoError(t, err)
	require.Equal(t, name, sig.Inputs()[0].Type.String())
	return sig.Inputs()[0].Type
}

// goldenProgram is the program of a golden file, with the inputs of its request.
func goldenProgram(t *testing.T, g *golden) (adapter.Program, signature.Record) {
	t.Helper()
	fields := func(in []goldenField) []signature.Field {
		out := make([]signature.Field, len(in))
		for i, f := range in {
			out[i] = signature.Field{Name: f.Name, Desc: f.Desc, Type: goldenType(t, f.Type)}
			if f.Name == "confidence" {
				out[i].Constraints = []signature.Constraint{{Op: signature.AtLeast, Bound: int64(0)}, {Op: signature.AtMost, Bound: int64(1)}}
			}
		}
		return out
	}
	sig, err := signature.New(g.Signature.Instructions, fields(g.Signature.Inputs), fields(g.Signature.Outputs))
	require.NoError(t, err)
	p := adapter.Program{Signature: sig}
	for _, d := range g.Demos {
		p.Demos = append(p.Demos, typed(t, sig, d))
	}
	return p, typed(t, sig, g.Inputs)
}

func TestMessagesEqualDSPy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"predict_literal", "cot_literal", "demos_mixed", "missing_input", "history", "pydantic_types",
		"str_field_given_list", "string_sig_default_instructions",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g golden
			readGolden(t, name+".json", &g)
			p, in := goldenProgram(t, &g)
			for _, c := range []struct {
				adapter adapter.Adapter
				want    []goldenMessage
			}{
				{adapter.Chat{}, g.Messages.Chat},
				{adapter.JSON{}, g.Messages.JSON},
				{adapter.Chat{KeepMarkers: true}, g.Messages.Chat},
				{adapter.JSON{KeepMarkers: true}, g.Messages.JSON},
			} {
				req, err := prepare(t, c.adapter, p).Request(in)
				require.NoError(t, err)
				require.NoError(t, req.Validate())
				require.NotEmpty(t, c.want)
				require.Empty(t, cmp.Diff(c.want, messages(req)), c.adapter.Name())
			}
		})
	}
}

func TestResponseFormatEqualsDSPy(t *testing.T) {
	t.Parallel()
	var want struct {
		Schema  json.RawMessage `json:"schema"`
		Literal json.RawMessage `json:"schema_literal"`
	}
	readGolden(t, "json_response_format.json", &want)
	for name, schema := range map[string]json.RawMessage{"pydantic_types": want.Schema, "predict_literal": want.Literal} {
		var g golden
		readGolden(t, name+".json", &g)
		p, in := goldenProgram(t, &g)
		if name == "pydantic_types" {
			// A dict has no strict schema: with it any object is asked for.
			req, err := prepare(t, adapter.JSON{}, p).Request(in)
			require.NoError(t, err)
			require.Equal(t, &lm.ResponseFormat{Name: "DSPyProgramOutputs"}, req.ResponseFormat)
			outs := p.Signature.Outputs()
			require.Equal(t, "meta", outs[len(outs)-1].Name)
			p.Signature, err = signature.New("x", p.Signature.Inputs(), outs[:len(outs)-1])
			require.NoError(t, err)
		}
		req, err := prepare(t, adapter.JSON{}, p).Request(in)
		require.NoError(t, err)
		require.Equal(t, compactJSON(t, schema), string(req.ResponseFormat.Schema), name)
		require.Equal(t, "DSPyProgramOutputs", req.ResponseFormat.Name)
	}
}

// compactJSON drops the white space of a JSON text and keeps its order.
func compactJSON(t *testing.T, data []byte) string {
	t.Helper()
	v, err := signature.ParseValue(data)
	require.NoError(t, err)
	out, err := signature.MarshalValue(v)
	require.NoError(t, err)
	return string(out)
}

// TestMiscEqualsDSPy checks the parts of DSPy's own tables that concern prompts.
func TestMiscEqualsDSPy(t *testing.T) {
	t.Parallel()
	var g struct {
		Quoting      map[string]string `json:"literal_quoting"`
		Blobs        map[string]string `json:"format_blob"`
		Instructions map[string]string `json:"default_instructions"`
		Inspect      string            `json:"inspect_history_text"`
	}
	readGolden(t, "misc.json", &g)
	for choice, quoted := range g.Quoting {
		require.Equal(t, "Literal["+quoted+"]", signature.LiteralOf(choice).String())
	}
	sig := signature.MustParse("context -> answer")
	for text, want := range g.Blobs {
		req := request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: sig}), "context", []string{text})
		require.Contains(t, req.Messages[1].Text(), "[[ ## context ## ]]\n"+want+"\n\nRespond")
	}
	for text, want := range g.Instructions {
		system := request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: signature.MustParse(text)})).Messages[0].Text()
		require.True(t, strings.HasSuffix(system, "\n        "+want), system)
	}
	req := request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: signature.MustParse("question -> answer")}), "question", "What color is the sky?")
	require.Contains(t, g.Inspect, "System message:\n\n"+req.Messages[0].Text()+"\n\n\nUser message:\n\n"+req.Messages[1].Text()+"\n\n\nResponse:")
}

// The types of testdata/typed.py.
type address struct {
	StreetName string `desc:"street and number"`
	Zip2Code   *int   `json:"zip2code"`
}

type goldenPerson struct {
	Name   string
	Age    *int `desc:"in years"`
	Home   address
	Office *address
	Born   time.Time
	Kind   string `enum:"a,b's"`
	Tags   []string
}

type extractIn struct {
	Doc   string `desc:"the document"`
	Hints []string
	When  time.Time
	Maybe *string
	N     int
}

type extractOut struct {
	People []goldenPerson `desc:"people found"`
	Main   goldenPerson
	OK     bool `json:"ok"`
	Score  float64
	At     time.Time
	Opt    *string
	Pick   *string `enum:"x,y"`
	Nums   []float64
	Grid   [][]int
}

// rename gives the objects of a type the names that Python's classes have.
func rename(t *signature.Type) *signature.Type {
	if t == nil {
		return nil
	}
	c := *t
	switch t.Name {
	case "goldenPerson":
		c.Name = "Person"
	case "address":
		c.Name = "Address"
	}
	c.Elem = rename(t.Elem)
	c.Fields = nil
	for _, f := range t.Fields {
		f.Type = rename(f.Type)
		c.Fields = append(c.Fields, f)
	}
	return &c
}

// TestChatEqualsDSPyTyped compares every type that this package has with what
// testdata/typed.py got from the real DSPy.
func TestChatEqualsDSPyTyped(t *testing.T) {
	t.Parallel()
	var g struct {
		Demos    []json.RawMessage `json:"demos"`
		Inputs   json.RawMessage   `json:"inputs"`
		Messages [][]goldenMessage `json:"messages"`
	}
	readGolden(t, "typed.json", &g)
	of, err := signature.Of[extractIn, extractOut]("Extract people.\n   \t\n    Be careful:\n    \tnothing invented.")
	require.NoError(t, err)
	fields := func(fs []signature.Field) (out []signature.Field) {
		for _, f := range fs {
			f.Type = rename(f.Type)
			out = append(out, f)
		}
		return out
	}
	sig, err := signature.New(of.Instructions(), fields(of.Inputs()), fields(of.Outputs()))
	require.NoError(t, err)
	var demos []signature.Record
	for _, d := range g.Demos {
		demos = append(demos, typed(t, sig, d))
	}
	tmpl, err := adapter.Chat{}.Prepare(adapter.Program{Signature: sig, Demos: demos})
	require.NoError(t, err)
	in := typed(t, sig, g.Inputs)
	for i, r := range []signature.Record{in, in.Without("n"), {}} {
		req, err := tmpl.Request(r)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(g.Messages[i], messages(req)), "request %d", i)
	}
}
