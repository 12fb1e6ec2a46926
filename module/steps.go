package module

import (
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
		steps = append(steps, step)
	}
	return steps
}
