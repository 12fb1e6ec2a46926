package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// drafted is what the prompt model is asked for by the optimizers that propose from
// instructions and their scores.
type drafted struct {
	ProposedInstruction string `json:"proposed_instruction" desc:"The new instruction, word for word as the model is to read it, and nothing else"`
}

// drafts are instructions that the prompt model wrote, in the order of their rollouts.
type drafts struct {
	texts  []string
	unread int   // replies that held none
	err    error // of the first of these
}

// add appends what another call brought.
func (d *drafts) add(more drafts) {
	d.texts = append(d.texts, more.texts...)
	if d.unread += more.unread; d.err == nil {
		d.err = more.err
	}
}

// lost says in words which replies held nothing, for the end of a sentence.
func (d *drafts) lost() string {
	if d.unread == 0 {
		return ""
	}
	return fmt.Sprintf("; %d calls of the prompt model brought no instruction, the first because of: %s", d.unread, brief(d.err))
}

var errNoInstruction = errors.New("the instruction is empty")

// draft asks the prompt model n times for an instruction, by as many rollouts from the given
// one on, one after the other, so that also a model that heeds their order answers a second
// search alike. A reply that cannot be read is left out; an error is the context's, or one
// that every further call would meet too.
func (s *session) draft(ctx context.Context, p *module.Dynamic, in any, rollout, n int, temperature float64) (drafts, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return drafts{}, err
	}
	var d drafts
	for i := range n {
		got, err := s.prompt(ctx, p, rec, rollout+i, temperature)
		if err != nil && (ctx.Err() != nil || hopeless(err)) {
			return drafts{}, fmt.Errorf("proposing an instruction: %w", err)
		}
		text := ""
		if err == nil {
			v, _ := got.Get("proposed_instruction")
			text, _ = v.(string)
			if text = bare(text); text == "" {
				err = errNoInstruction
			}
		}
		if err != nil {
			d.add(drafts{unread: 1, err: err})
			continue
		}
		d.texts = append(d.texts, text)
	}
	return d, nil
}

// bare takes off the quotation marks that models put around an instruction. DSPy takes off those
// at either end, also of a text that ends with a quotation.
func bare(text string) string {
	text = strings.TrimSpace(text)
	for len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if text == `"` {
		return ""
	}
	return text
}

// percent writes a score as prompts show it: "62.5".
func percent(score float64) string {
	return strconv.FormatFloat(math.Round(1e4*score)/100, 'f', -1, 64)
}

// summary says what a predictor is, without the instructions: "classify.predict, which reads
// text and writes label".
func (s *session) summary(i int) string {
	sig := s.named[i].Predictor.Signature()
	names := func(fields []signature.Field) string {
		out := make([]string, len(fields))
		for j, f := range fields {
			if out[j] = f.Name; f.Desc != "" {
				out[j] += " (" + f.Desc + ")"
			}
		}
		return strings.Join(out, ", ")
	}
	in := names(sig.Inputs())
	if in == "" {
		in = "nothing"
	}
	return fmt.Sprintf("%s, which reads %s and writes %s", s.named[i].Name, in, names(sig.Outputs()))
}
