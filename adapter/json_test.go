package adapter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

func TestJSONShape(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse(`q -> why: dspy.Reasoning, label: Literal['ham', 'a "b"'], ok: bool, opt: Optional[Literal['x']], mix: Literal[1, 'y'], n: int, x: Optional[float], xs: list[int], free: Any`)
	biases := map[string]map[string]float64{"label": {`a "b"`: -0.5}, "ok": {"True": 2}, "opt": {"None": 1}, "mix": {"1": 3}}
	want := []lm.Segment{
		{Literal: "{\n  \"why\": "},
		{Name: "why", Hole: lm.HoleJSON, Schema: []byte(`{"type":"string"}`)},
		{Literal: ",\n  \"label\": \""},
		{Name: "label", Hole: lm.HoleChoice, Choices: []lm.Alternative{{Text: "ham"}, {Text: `a \"b\"`, Bias: -0.5}}},
		{Literal: "\",\n  \"ok\": "},
		{Name: "ok", Hole: lm.HoleChoice, Choices: []lm.Alternative{{Text: "true", Bias: 2}, {Text: "false"}}},
		{Literal: ",\n  \"opt\": "},
		{Name: "opt", Hole: lm.HoleChoice, Choices: []lm.Alternative{{Text: `"x"`}, {Text: "null", Bias: 1}}},
		{Literal: ",\n  \"mix\": "},
		{Name: "mix", Hole: lm.HoleChoice, Choices: []lm.Alternative{{Text: "1", Bias: 3}, {Text: `"y"`}}},
		{Literal: ",\n  \"n\": "},
		{Name: "n", Hole: lm.HoleInt},
		{Literal: ",\n  \"x\": "},
		{Name: "x", Hole: lm.HoleJSON, Schema: []byte(`{"anyOf":[{"type":"number"},{"type":"null"}]}`)},
		{Literal: ",\n  \"xs\": "},
		{Name: "xs", Hole: lm.HoleJSON, Schema: []byte(`{"type":"array","items":{"type":"integer"}}`)},
		{Literal: ",\n  \"free\": "},
		{Name: "free", Hole: lm.HoleJSON, Schema: []byte(`{}`)},
		{Literal: "\n}"},
	}
	tmpl := prepare(t, adapter.JSON{}, adapter.Program{Signature: sig, Biases: biases})
	req := request(t, tmpl, "q", "hi")
	if diff := cmp.Diff(want, req.Shape.Segments); diff != "" {
		t.Errorf("shape differs (-want +got):\n%s", diff)
	}
	for i := range 2 { // any filling is JSON, and has the form that demos have
		var reply strings.Builder
		for _, s := range req.Shape.Segments {
			switch s.Hole {
			case lm.HoleNone:
				reply.WriteString(s.Literal)
			case lm.HoleChoice:
				reply.WriteString(s.Choices[i].Text)
			default:
				reply.WriteString(map[string]string{"why": `"w"`, "n": "7", "x": "null", "xs": "[]", "free": `{}`}[s.Name])
			}
		}
		require.True(t, json.Valid([]byte(reply.String())), reply.String())
		demo := signature.RecordOf("q", "x", "why", "w", "n", 7, "x", nil, "xs", []signature.Value{}, "free", signature.Record{})
		demo = demo.Merge([]signature.Record{
			signature.RecordOf("label", "ham", "ok", true, "opt", "x", "mix", 1),
			signature.RecordOf("label", `a "b"`, "ok", false, "opt", nil, "mix", "y"),
		}[i])
		shown := request(t, prepare(t, adapter.JSON{}, adapter.Program{Signature: sig, Demos: []signature.Record{demo}}), "q", "hi")
		require.Equal(t, shown.Messages[2].Text(), reply.String())
	}
}

func TestChatShapeOfChoices(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse(`q -> opt: Optional[Literal['x', 'y']], lit: Literal[1, True, None], maybe: Optional[bool], clash: Literal['1', 1], none: Optional[Literal['None']], u: Union[int, str], lu: Union[int, list[int]]`)
	biases := map[string]map[string]float64{"opt": {"None": -1}}
	req := request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: sig, Biases: biases}), "q", "hi")
	var got []string
	for _, s := range req.Shape.Segments {
		if s.Hole == lm.HoleNone {
			continue
		}
		text := s.Name
		for _, c := range s.Choices {
			text += " " + c.Text
			if c.Bias != 0 {
				text += "!"
			}
		}
		got = append(got, text)
	}
	require.Equal(t, []string{"opt x y None!", "lit 1 True None", "maybe True False None", "clash", "none None", "u", "lu"}, got)
}

func TestJSONResponseFormat(t *testing.T) {
	t.Parallel()
	for text, open := range map[string]bool{
		"q -> a":                          false,
		"q -> a: Any":                     false,
		"q -> a: dict[str, int]":          true,
		"q -> a, b: list[Optional[dict]]": true,
		"q -> a: dspy.ToolCalls":          true,
	} {
		req := request(t, prepare(t, adapter.JSON{}, adapter.Program{Signature: signature.MustParse(text)}), "q", "x")
		require.NotNil(t, req.ResponseFormat, text)
		require.Equal(t, open, req.ResponseFormat.Schema == nil, text)
		require.Nil(t, request(t, prepare(t, adapter.Chat{}, adapter.Program{Signature: signature.MustParse(text)}), "q", "x").ResponseFormat)
	}
}
