package module_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// scorer fills every choice with its first alternative.
func scorer(resp *lm.Response) lm.LM {
	return lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		resp.Shaped = true
		for _, s := range r.Shape.Segments {
			if s.Hole != lm.HoleChoice {
				resp.Text += s.Literal
				continue
			}
			c := lm.Choice{Name: s.Name}
			for i, a := range s.Choices {
				c.Options = append(c.Options, lm.Option{Text: a.Text, Prob: float64(1 - i)})
			}
			resp.Text += s.Choices[0].Text
			resp.Choices = append(resp.Choices, c)
		}
		return resp, nil
	})
}

// However an adapter writes the alternatives, a prediction has the field's choices.
func TestChoicesHaveTheFieldsTexts(t *testing.T) {
	t.Parallel()
	type out struct {
		Label string `enum:"ham,spam"`
		Sure  bool
	}
	for _, a := range []adapter.Adapter{adapter.Chat{}, adapter.Compact{}} {
		t.Run(a.Name(), func(t *testing.T) {
			t.Parallel()
			var resp lm.Response
			p := module.MustPredict[sms, out]("", module.WithAdapter(a), module.WithLM(scorer(&resp)))
			pred, err := p.Call(context.Background(), sms{"hello"})
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, c := range pred.Choices {
				var texts []string
				for _, o := range c.Options {
					texts = append(texts, o.Text)
				}
				got = append(got, texts)
			}
			if diff := cmp.Diff([][]string{{"ham", "spam"}, {"True", "False"}}, got); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			if a.Name() == "compact" && resp.Choices[0].Options[0].Text != " ham" {
				t.Errorf("the model's reply was changed: %+v", resp.Choices)
			}
		})
	}
}

// So it is for what may be absent, and for values that are no texts.
func TestChoicesOfOtherTypes(t *testing.T) {
	t.Parallel()
	optional := signature.OptionalOf(&signature.Type{Kind: signature.KindEnum, Choices: []string{"ham", "spam"}})
	for _, tt := range []struct {
		typ         *signature.Type
		texts, want []string
	}{
		{optional, []string{" ham", " spam", " None"}, []string{"ham", "spam", "None"}},
		{signature.LiteralOf(1, "one", true), []string{`"1"`, `"one"`, `"True"`}, []string{"1", "one", "True"}},
		{optional, []string{" spam", " ham"}, []string{" spam", " ham"}}, // not all of them, so who knows which
		{&signature.Type{Kind: signature.KindString}, []string{" x"}, []string{" x"}},
	} {
		sig, err := signature.New("", nil, []signature.Field{{Name: "out", Type: tt.typ}})
		if err != nil {
			t.Fatal(err)
		}
		scored := lm.Choice{Name: "out"}
		for _, text := range tt.texts {
			scored.Options = append(scored.Options, lm.Option{Text: text})
		}
		model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			return &lm.Response{Text: reply("out", strings.TrimSpace(tt.want[0])), Shaped: true, Choices: []lm.Choice{scored}}, nil
		})
		p, err := module.NewPredictor(sig, module.WithLM(model))
		if err != nil {
			t.Fatal(err)
		}
		pred, err := p.Call(context.Background(), signature.Record{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range pred.Choices[0].Options {
			got = append(got, o.Text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: texts (-want +got):\n%s", tt.typ, diff)
		}
	}
}
