package adapter_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// kindCase is a program with fields of some kinds, and what testdata/kinds.py got
// for it from the real DSPy.
type kindCase struct {
	Name         string `json:"name"`
	Instructions string `json:"instructions"`
	Fields       []struct {
		Side        string          `json:"side"`
		Name        string          `json:"name"`
		Type        string          `json:"type"`
		Desc        string          `json:"desc"`
		Constraints json.RawMessage `json:"constraints"`
	} `json:"fields"`
	Demos  []json.RawMessage `json:"demos"`
	Inputs json.RawMessage   `json:"inputs"`
	Chat   []kindMessage     `json:"chat"`
	JSON   []kindMessage     `json:"json"`
	Schema json.RawMessage   `json:"schema"`
}

// kindMessage is a message whose content is a text or a list of blocks.
type kindMessage struct {
	Role    string `json:"role"`
	Content any    `json:"content"`
}

// kindTypes are the classes of testdata/kinds.py.
func kindTypes() []signature.ParseOption {
	scalar := func(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }
	color := &signature.Type{Kind: signature.KindEnum, Name: "Color", Choices: []string{"r", "b lue"}, Members: []string{"RED", "BLUE"}}
	return []signature.ParseOption{
		signature.NamedType("Color", color),
		signature.NamedType("Level", &signature.Type{Kind: signature.KindLiteral, Name: "Level", Values: []signature.Value{int64(1), int64(2)}}),
		signature.NamedType("Shot", signature.ObjectOf("Shot",
			signature.Field{Name: "name", Type: scalar(signature.KindString)},
			signature.Field{Name: "img", Type: signature.OptionalOf(scalar(signature.KindImage))})),
		signature.NamedType("Snippet", signature.ObjectOf("Snippet",
			signature.Field{Name: "code", Type: &signature.Type{Kind: signature.KindCode, Name: "go"}},
			signature.Field{Name: "color", Type: color},
			signature.Field{Name: "pair", Type: signature.TupleOf(scalar(signature.KindInt), scalar(signature.KindString))},
			signature.Field{Name: "either", Type: signature.UnionOf(scalar(signature.KindInt), scalar(signature.KindString))})),
	}
}

// kindConstraints reads the arguments of a Python field.
func kindConstraints(t *testing.T, data []byte) []signature.Constraint {
	t.Helper()
	ops := map[string]signature.ConstraintOp{
		"ge": signature.AtLeast, "le": signature.AtMost, "gt": signature.MoreThan, "lt": signature.LessThan,
		"min_length": signature.MinLength, "max_length": signature.MaxLength, "multiple_of": signature.MultipleOf,
	}
	r, err := signature.ParseRecord(data)
	require.NoError(t, err)
	var out []signature.Constraint
	for name, bound := range r.Without("default").All() {
		require.Contains(t, ops, name)
		out = append(out, signature.Constraint{Op: ops[name], Bound: bound})
	}
	return out
}

// program makes the case's program.
func (c *kindCase) program(t *testing.T) (adapter.Program, signature.Record) {
	t.Helper()
	var ins, outs []signature.Field
	for _, f := range c.Fields {
		sig, err := signature.Parse("x: "+f.Type+" -> y", kindTypes()...)
		require.NoError(t, err, f.Type)
		field := signature.Field{Name: f.Name, Desc: f.Desc, Type: sig.Inputs()[0].Type, Constraints: kindConstraints(t, f.Constraints)}
		more, err := signature.ParseRecord(f.Constraints)
		require.NoError(t, err)
		field.Default, field.HasDefault = more.Get("default")
		if f.Side == "in" {
			ins = append(ins, field)
		} else {
			outs = append(outs, field)
		}
	}
	sig, err := signature.New(c.Instructions, ins, outs)
	require.NoError(t, err)
	p := adapter.Program{Signature: sig}
	for _, d := range c.Demos {
		p.Demos = append(p.Demos, typed(t, sig, d))
	}
	return p, typed(t, sig, c.Inputs)
}

// blocks writes messages as DSPy sends them.
func blocks(r *lm.Request) []kindMessage {
	out := make([]kindMessage, len(r.Messages))
	for i, m := range r.Messages {
		out[i].Role = string(m.Role)
		if len(m.Parts) == 1 && m.Parts[0].Blob == nil {
			out[i].Content = m.Parts[0].Text
			continue
		}
		var list []any
		for _, p := range m.Parts {
			list = append(list, block(p))
		}
		out[i].Content = list
	}
	return out
}

func block(p lm.Part) map[string]any {
	b := p.Blob
	switch {
	case b == nil:
		return map[string]any{"type": "text", "text": p.Text}
	case b.Kind == lm.BlobImage:
		return map[string]any{"type": "image_url", "image_url": map[string]any{"url": b.URI()}}
	case b.Kind == lm.BlobAudio:
		_, data, _ := strings.Cut(b.URI(), ";base64,")
		return map[string]any{"type": "input_audio", "input_audio": map[string]any{"data": data, "format": strings.TrimPrefix(b.MIME, "audio/")}}
	}
	file := map[string]any{}
	for name, v := range map[string]string{"file_data": b.URI(), "file_id": b.ID, "filename": b.Name} {
		if v != "" {
			file[name] = v
		}
	}
	return map[string]any{"type": "file", "file": file}
}

// otherFormat are cases in which DSPy sends another response format: its schemas
// hold the documentation of its own classes, or it asks for any object.
var otherFormat = map[string]bool{"code and reasoning": true, "tools": true, "tool history": true, "dicts": true}

// TestEveryKindEqualsDSPy compares messages with fields of every kind, for both
// adapters, with those of the real DSPy.
func TestEveryKindEqualsDSPy(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []*kindCase `json:"cases"`
	}
	readGolden(t, "kinds.json", &file)
	require.NotEmpty(t, file.Cases)
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			p, in := c.program(t)
			for _, tt := range []struct {
				adapter adapter.Adapter
				want    []kindMessage
			}{{adapter.Chat{}, c.Chat}, {adapter.JSON{}, c.JSON}} {
				req, err := prepare(t, tt.adapter, p).Request(in)
				require.NoError(t, err)
				require.NoError(t, req.Validate())
				require.Empty(t, cmp.Diff(tt.want, blocks(req)), tt.adapter.Name())
				if tt.adapter.Name() == "json" && string(c.Schema) != "null" && !otherFormat[c.Name] {
					require.Equal(t, compactJSON(t, c.Schema), string(req.ResponseFormat.Schema))
				}
			}
		})
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("img: dspy.Image, snd: dspy.Audio, doc: dspy.File -> answer")
	in := signature.RecordOf(
		"img", signature.RecordOf("url", signature.DataURI("image/png", []byte("png"))),
		"snd", signature.RecordOf("data", base64.StdEncoding.EncodeToString([]byte("wav")), "audio_format", "wav"),
		"doc", signature.RecordOf("file_data", "data:text/plain,as%20is", "filename", "a.txt"),
	)
	tmpl := prepare(t, adapter.Chat{}, adapter.Program{Signature: sig})
	req, err := tmpl.Request(in)
	require.NoError(t, err)
	var got []*lm.Blob
	for _, p := range req.Messages[1].Parts {
		if p.Blob != nil {
			got = append(got, p.Blob)
		}
	}
	require.Equal(t, []*lm.Blob{
		{Kind: lm.BlobImage, MIME: "image/png", Data: []byte("png")},
		{Kind: lm.BlobAudio, MIME: "audio/wav", Data: []byte("wav")},
		{Kind: lm.BlobFile, MIME: "text/plain", URL: "data:text/plain,as%20is", Name: "a.txt"},
	}, got)

	// DSPy's files hold images as text; identifiers in other data are only text.
	text := `<<CUSTOM-TYPE-START-IDENTIFIER>>[{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]<<CUSTOM-TYPE-END-IDENTIFIER>>`
	req, err = tmpl.Request(signature.RecordOf("img", text))
	require.NoError(t, err)
	require.Equal(t, &lm.Blob{Kind: lm.BlobImage, URL: "https://x.test/a.png"}, req.Messages[1].Parts[1].Blob)
	req = request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: signature.MustParse("q -> a")}), "q", text)
	require.Len(t, req.Messages[1].Parts, 1)

	_, err = tmpl.Request(signature.RecordOf("img", signature.RecordOf("url", "/etc/passwd")))
	var fe *adapter.FormatError
	require.ErrorAs(t, err, &fe)
	require.Equal(t, "img", fe.Field)
	require.ErrorContains(t, err, `adapter chat: field "img": an image is a data URI or an http, https or gs address`)
}
