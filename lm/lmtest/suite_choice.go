package lmtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// choiceShape asks for a label and a closing text.
func choiceShape() *lm.Shape {
	return &lm.Shape{Segments: []lm.Segment{
		{Literal: "Label:"},
		{Hole: lm.HoleChoice, Name: "label", Choices: []lm.Alternative{{Text: " red"}, {Text: " green"}, {Text: " greenish"}}},
		{Literal: "\nDone."},
	}}
}

func (s suite) choice(t *testing.T) {
	r := s.request("What colour is grass?")
	r.MaxTokens = 32 // a backend without Scores decodes literals, too
	r.Shape = choiceShape()
	resp := s.generate(t, r)
	if resp.Shaped != s.c.Forms {
		t.Fatalf("Shaped = %v, want %v; the reply is %q", resp.Shaped, s.c.Forms, resp.Text)
	}
	if !s.c.Forms {
		if len(resp.Choices) > 0 {
			t.Errorf("Choices = %+v of a reply that has no shape", resp.Choices)
		}
		return
	}
	s.chosen(t, r.Shape, resp)
	if n := resp.Usage.CompletionTokens; s.c.Scores && n != 0 {
		t.Errorf("%d tokens were decoded for a reply of literals and a choice, want none", n)
	}
	biased := r.Clone()
	biased.Shape = choiceShape()
	biased.Shape.Segments[1].Choices[0].Bias = 1000
	resp = s.generate(t, biased)
	s.chosen(t, biased.Shape, resp)
	// Who cannot heed a bias must not report probabilities that are without it.
	for _, c := range resp.Choices {
		if c.Picked != 0 || c.Options[0].Prob < 0.999 {
			t.Errorf("under a bias of 1000 for the first option the choice is %+v", c)
		}
	}
}

// chosen checks a greedy reply to a choiceShape.
func (s suite) chosen(t *testing.T, shape *lm.Shape, resp *lm.Response) {
	t.Helper()
	alternatives := shape.Segments[1].Choices
	picked := slices.IndexFunc(alternatives, func(a lm.Alternative) bool { return resp.Text == "Label:"+a.Text+"\nDone." })
	if picked < 0 {
		t.Fatalf("Text = %q, which is not of the shape", resp.Text)
	}
	if len(resp.Choices) == 0 && !s.c.Scores {
		return
	}
	if len(resp.Choices) != 1 || len(resp.Choices[0].Options) != len(alternatives) {
		t.Fatalf("Choices = %+v, want one of three options", resp.Choices)
	}
	c := resp.Choices[0]
	sum, best := 0.0, 0
	for i, o := range c.Options {
		sum += o.Prob
		if o.Prob > c.Options[best].Prob {
			best = i
		}
		if o.Text != alternatives[i].Text {
			t.Errorf("option %d is %q, want %q", i, o.Text, alternatives[i].Text)
		}
	}
	if c.Name != "label" || sum < 0.999 || sum > 1.001 || c.Picked != best || c.Picked != picked {
		t.Errorf("choice = %+v of %q: want the name label, probabilities that add up to 1 and the likeliest picked", c, strings.TrimSpace(resp.Text))
	}
}
