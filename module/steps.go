package module

import (
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// Step is one predictor call of a trace, with its records.
type Step struct {
	Predictor *Predictor
	// Inputs and Outputs are the fields; Outputs is empty when the call failed.
	Inputs, Outputs signature.Record
	// Prediction is the untyped prediction; nil when the call failed.
	Prediction *Prediction[signature.Record]
	// Usage is what the call cost and Raw the reply, also when it could not be read.
	// Both are zero when no reply came.
	Usage lm.Usage
	Raw   string
	// Rejected are the replies before Raw that could not be read.
	Rejected []Rejected
	// Err is the call's error.
	Err error
}

// Steps returns the predictor calls of a trace, in order: what metrics and
// bootstrapping read.
func Steps(t *trace.Trace) []Step {
	var steps []Step
	for _, s := range t.Steps() {
		p, ok := s.Predictor.(*Predictor)
		if !ok {
			continue
		}
		step := Step{Predictor: p, Err: s.Err}
		step.Inputs, _ = s.Inputs.(signature.Record)
		step.Outputs, _ = s.Outputs.(signature.Record)
		step.Prediction, _ = s.Prediction.(*Prediction[signature.Record])
		if u, ok := s.Reply.(*spent); ok {
			step.Usage, step.Raw, step.Rejected = u.usage, u.last.Text, u.rejected
		}
		steps = append(steps, step)
	}
	return steps
}
