package module

import (
	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
)

// Prediction is an answer and how it came about.
type Prediction[Out any] struct {
	// Out is the answer.
	Out Out
	// Reasoning is what a ChainOfThought wrote before it answered; empty for other
	// modules.
	Reasoning string
	// Choices tell, for each field that is one of some texts, how likely each text
	// was, where the backend scored them. Empty otherwise.
	Choices []lm.Choice
	// Usage is what the call cost.
	Usage lm.Usage
	// Repairs lists what had to be mended in the reply.
	Repairs []adapter.Repair
	// Raw is the reply as it came.
	Raw string
	// Model names the model that answered.
	Model string
	// Shaped reports whether the backend enforced the form of the reply.
	Shaped bool
}
