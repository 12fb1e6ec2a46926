package optimize_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"

	"github.com/whetgo/whet/lm"
)

// scoring is a model that enforces shapes: it scores the alternatives of every
// choice by logProbs and writes "thought" for free text.
type scoring struct {
	calls    atomic.Int64
	logProbs func(r *lm.Request, hole string, texts []string) []float64
}

func (s *scoring) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.calls.Add(1)
	if r.Shape == nil {
		return nil, errors.New("scoring: want a shape")
	}
	resp := &lm.Response{Shaped: true, Finish: lm.FinishStop, Model: "scoring", Usage: lm.Usage{Calls: 1, PromptTokens: 10}}
	var text strings.Builder
	for _, seg := range r.Shape.Segments {
		switch seg.Hole {
		case lm.HoleNone:
			text.WriteString(seg.Literal)
		case lm.HoleChoice:
			texts := make([]string, len(seg.Choices))
			for i, c := range seg.Choices {
				texts[i] = c.Text
			}
			choice := lm.Choice{Name: seg.Name}
			best := math.Inf(-1)
			for i, lp := range normalise(s.logProbs(r, seg.Name, texts)) {
				choice.Options = append(choice.Options, lm.Option{Text: texts[i], LogProb: lp})
				if v := lp + seg.Choices[i].Bias; v > best {
					best, choice.Picked = v, i
				}
			}
			resp.Choices = append(resp.Choices, choice)
			text.WriteString(texts[choice.Picked])
		default:
			text.WriteString("thought")
		}
	}
	resp.Text = text.String()
	return resp, nil
}

func normalise(lp []float64) []float64 {
	sum := 0.0
	for _, v := range lp {
		sum += math.Exp(v)
	}
	out := make([]float64, len(lp))
	for i, v := range lp {
		out[i] = v - math.Log(sum)
	}
	return out
}

// question is the last message's text, or the prompt.
func question(r *lm.Request) string {
	if n := len(r.Messages); n > 0 {
		return r.Messages[n-1].Text()
	}
	return r.Prompt
}
