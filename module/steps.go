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
	// Raw is empty when no reply came, and Usage then what the error tells of it: see
	// lm.UsageOf.
	Usage lm.Usage
	Raw   string
	// Rejected are the replies before Raw that could not be read.
	Rejected []Rejected
	// Err is the call's error.
	Err error
	// Dropped says that the program's answer does not rest on this call: see
	// trace.Step. What it cost counts all the same.
	Dropped bool
	// Reused says that the answer is that of an earlier call, so that nothing was paid.
	Reused bool
}

// Steps returns the predictor calls of a trace, in order: what metrics and
// bootstrapping read. Those of which the answer does not rest are among them, with
// Dropped set.
func Steps(t *trace.Trace) []Step {
	var steps []Step
	for _, s := range t.Steps() {
		p, ok := s.Predictor.(*Predictor)
		if !ok {
			continue
		}
		step := Step{Predictor: p, Err: s.Err, Dropped: s.Dropped, Reused: s.Reused}
		step.Inputs, _ = s.Inputs.(signature.Record)
		step.Outputs, _ = s.Outputs.(signature.Record)
		step.Prediction, _ = s.Prediction.(*Prediction[signature.Record])
		if u, ok := s.Reply.(*spent); ok {
			step.Usage, step.Rejected = u.usage, u.rejected
			if u.last != nil {
				step.Raw = u.last.Text
			}
		}
		steps = append(steps, step)
	}
	return steps
}
