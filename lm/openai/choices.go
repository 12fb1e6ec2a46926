package openai

import (
	"math"
	"strings"

	"github.com/whetgo/whet/lm"
)

// choicesOf reads the choices of a form off from the reply's tokens. It returns nil where
// those of one cannot be known: no list is half true.
func (f *form) choicesOf(text string, spans []span, tokens []lm.TokenLogprob) []lm.Choice {
	if f.biased || f.choices == 0 {
		return nil
	}
	starts, ok := tokenStarts(text, tokens)
	if !ok {
		return nil
	}
	var out []lm.Choice
	for i, p := range f.pieces {
		if !p.report {
			continue
		}
		follows := ""
		if i+1 < len(f.pieces) {
			follows = f.pieces[i+1].literal
		}
		at, ok := starts[spans[i].from]
		if !ok {
			return nil
		}
		c, ok := choiceOf(p, follows, tokens[at])
		if !ok {
			return nil
		}
		c.Picked = -1
		for j, a := range p.choices {
			if text[spans[i].from:spans[i].to] == a.Text {
				c.Picked = j
				break
			}
		}
		if c.Picked < 0 {
			return nil
		}
		out = append(out, c)
	}
	return out
}

// tokenStarts returns which token begins at which place of the text. The tokens must be
// those of the text, and may be followed by one that ends it.
func tokenStarts(text string, tokens []lm.TokenLogprob) (map[int]int, bool) {
	starts := map[int]int{}
	at := 0
	for i, t := range tokens {
		if at == len(text) {
			break
		}
		if !strings.HasPrefix(text[at:], t.Token) {
			return nil, false
		}
		if t.Token != "" {
			starts[at] = i
		}
		at += len(t.Token)
	}
	return starts, at == len(text)
}

// choiceOf gives each alternative the probability of the tokens that can begin it, and
// fails where a token can begin two, or none is known that begins one.
func choiceOf(p piece, follows string, t lm.TokenLogprob) (lm.Choice, bool) {
	mass := make([]float64, len(p.choices))
	total := 0.0
	for _, candidate := range withItself(t) {
		owner := -1
		for j, a := range p.choices {
			if candidate.Token == "" || !strings.HasPrefix(a.Text+follows, candidate.Token) {
				continue
			}
			if owner >= 0 {
				return lm.Choice{}, false
			}
			owner = j
		}
		if owner >= 0 {
			mass[owner] += math.Exp(candidate.LogProb)
			total += math.Exp(candidate.LogProb)
		}
	}
	c := lm.Choice{Name: p.name}
	for j, a := range p.choices {
		if !(mass[j] > 0) {
			return lm.Choice{}, false
		}
		prob := mass[j] / total
		c.Options = append(c.Options, lm.Option{Text: a.Text, LogProb: math.Log(prob), Prob: prob})
	}
	return c, true
}

// withItself returns the likeliest tokens of a place and the one that stands there.
func withItself(t lm.TokenLogprob) []lm.TokenLogprob {
	for _, top := range t.Top {
		if top.Token == t.Token {
			return t.Top
		}
	}
	return append([]lm.TokenLogprob{{Token: t.Token, LogProb: t.LogProb}}, t.Top...)
}
