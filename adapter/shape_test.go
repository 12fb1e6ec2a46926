package adapter_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

func TestShapes(t *testing.T) {
	t.Parallel()
	biases := map[string]map[string]float64{"label": {"spam": -0.5}, "ok": {"True": 2}}
	sig := outputsSig(t, "reasoning str", "label "+choiceOf, "ok bool", "n int", "x float", "xs list int", "maybe int?")
	schema := []byte(`{"type":"array","items":{"type":"integer"}}`)
	choices := func(before string) []lm.Alternative {
		return []lm.Alternative{{Text: before + "ham"}, {Text: before + "spam", Bias: -0.5}, {Text: before + "smishing"}}
	}
	truth := func(before string) []lm.Alternative {
		return []lm.Alternative{{Text: before + "True", Bias: 2}, {Text: before + "False"}}
	}
	for _, tt := range []struct {
		adapter adapter.Adapter
		want    []lm.Segment
	}{
		{adapter.Chat{}, []lm.Segment{
			{Literal: "[[ ## reasoning ## ]]\n"},
			{Name: "reasoning", Hole: lm.HoleText},
			{Literal: "\n\n[[ ## label ## ]]\n"},
			{Name: "label", Hole: lm.HoleChoice, Choices: choices("")},
			{Literal: "\n\n[[ ## ok ## ]]\n"},
			{Name: "ok", Hole: lm.HoleChoice, Choices: truth("")},
			{Literal: "\n\n[[ ## n ## ]]\n"},
			{Name: "n", Hole: lm.HoleInt},
			{Literal: "\n\n[[ ## x ## ]]\n"},
			{Name: "x", Hole: lm.HoleFloat},
			{Literal: "\n\n[[ ## xs ## ]]\n"},
			{Name: "xs", Hole: lm.HoleJSON, Schema: schema},
			{Literal: "\n\n[[ ## maybe ## ]]\n"},
			{Name: "maybe", Hole: lm.HoleText},
			{Literal: "\n\n[[ ## completed ## ]]"},
		}},
		{adapter.Compact{}, []lm.Segment{
			{Name: "reasoning", Hole: lm.HoleText},
			{Literal: "\nLabel:"},
			{Name: "label", Hole: lm.HoleChoice, Choices: choices(" ")},
			{Literal: "\nOk:"},
			{Name: "ok", Hole: lm.HoleChoice, Choices: truth(" ")},
			{Literal: "\nN: "},
			{Name: "n", Hole: lm.HoleInt},
			{Literal: "\nX: "},
			{Name: "x", Hole: lm.HoleFloat},
			{Literal: "\nXs: "},
			{Name: "xs", Hole: lm.HoleJSON, Schema: schema},
			{Literal: "\nMaybe:"},
			{Name: "maybe", Hole: lm.HoleText},
			{Literal: "\n"},
		}},
	} {
		t.Run(tt.adapter.Name(), func(t *testing.T) {
			t.Parallel()
			tmpl, err := tt.adapter.Prepare(adapter.Program{Signature: sig, Biases: biases})
			if err != nil {
				t.Fatal(err)
			}
			req, err := tmpl.Request(signature.RecordOf("text", "hi"))
			if err != nil {
				t.Fatal(err)
			}
			if err := req.Validate(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, req.Shape.Segments); diff != "" {
				t.Errorf("shape differs (-want +got):\n%s", diff)
			}
		})
	}
}
