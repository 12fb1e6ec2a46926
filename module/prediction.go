package module

import (
	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
)

// Prediction is an answer and how it came about. Where the token limit cut an
// output short there is none, but a [*TruncatedError]: see [MaxTokens].
type Prediction[Out any] struct {
	// Out is the answer.
	Out Out
	// Reasoning is what a ChainOfThought wrote before it answered; empty for other
	// modules.
	Reasoning string
	// Choices tell, for each field that is one of some texts, how likely each text
	// was, where the backend scored them. Empty otherwise. The texts are the field's
	// choices, True and False for a bool, however the adapter writes them.
	Choices []lm.Choice
	// Logprobs tell how likely each generated token was, in order, where [Logprobs] asks
	// for them and the backend has them. Empty otherwise.
	Logprobs []lm.TokenLogprob
	// Usage is what the call cost, rejected replies included.
	Usage lm.Usage
	// Rejected are the replies before this one that could not be read, in order; none
	// unless [Retry] or [JSONFallback] allow further calls.
	Rejected []Rejected
	// Repairs lists what had to be mended in the reply.
	Repairs []adapter.Repair
	// Raw is the reply as it came.
	Raw string
	// Model names the model that answered.
	Model string
	// Shaped reports whether the backend enforced the form of the reply.
	Shaped bool
	// Finish says why the reply ended. Under FinishLength the outputs are complete
	// all the same: only what does not belong to the answer was cut.
	Finish lm.FinishReason
	// Chosen is the index of the program whose answer this is, in an [Ensemble], a
	// [SelfConsistency], a [Cascade] or a [Router]; 0 elsewhere.
	Chosen int
	// Votes tell how an [Ensemble] or a [SelfConsistency] voted; nil elsewhere.
	Votes *Votes
}

// Confidence returns how likely the model found the text that it chose for a field of
// choices, after the state's biases: 0 to 1. It is false where the backend did not score
// the choice. It is calibrated as far as the biases are: see optimize.Calibrate.
func (p *Prediction[Out]) Confidence(field string) (float64, bool) {
	for _, c := range p.Choices {
		if c.Name == field && c.Picked >= 0 && c.Picked < len(c.Options) {
			return c.Options[c.Picked].Prob, true
		}
	}
	return 0, false
}
