package assert

import (
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// Failure is an assertion or a suggestion that did not hold, as a trace has it: the Note
// of a step.
type Failure struct {
	// Message, Hard, Target, Try and Err are those of [Error].
	Message string
	Hard    bool
	Target  string
	Try     int
	Err     error
	// Predictor is the one that is responsible; nil where none had answered, and outside
	// of a [Wrapped] unless it was given.
	Predictor *module.Predictor
	// Past is what the predictor had answered, under the names of the retry prompt:
	// past_answer for the output answer.
	Past signature.Record
	// Ignored says that the program went on.
	Ignored bool
	// Dropped says that another try took the place of this one, so that the answer does
	// not rest on it. [Failures] fills it in.
	Dropped bool
}

func (e *Error) failure(ignored bool) Failure {
	f := Failure{
		Message: e.Message, Hard: e.Hard, Target: e.Target, Try: e.Try, Err: e.Err, Predictor: e.predictor, Ignored: ignored,
	}
	if e.call != nil {
		for _, x := range e.call.past {
			f.Past = f.Past.With(x.Field.Name, x.Value)
		}
	}
	return f
}

// Failures returns the assertions and suggestions of a trace that did not hold, in order,
// those that a later try has mended among them.
func Failures(t *trace.Trace) []Failure {
	var out []Failure
	for _, s := range t.Steps() {
		if f, ok := s.Note.(Failure); ok {
			f.Dropped = s.Dropped
			out = append(out, f)
		}
	}
	return out
}

// Tally counts failures.
type Tally struct {
	// Asserts and Suggestions count all failures, those that a later try has mended among
	// them. A constraint of a field counts as an assertion.
	Asserts, Suggestions int
	// UnmetAsserts and UnmetSuggestions are those that stayed: the answer, or the error,
	// rests on them.
	UnmetAsserts, UnmetSuggestions int
}

// Count counts the failures of a trace.
func Count(t *trace.Trace) Tally {
	var c Tally
	for _, f := range Failures(t) {
		switch {
		case f.Hard && f.Dropped:
			c.Asserts++
		case f.Hard:
			c.Asserts++
			c.UnmetAsserts++
		case f.Dropped:
			c.Suggestions++
		default:
			c.Suggestions++
			c.UnmetSuggestions++
		}
	}
	return c
}

// Add returns the sum of both.
func (c Tally) Add(o Tally) Tally {
	return Tally{c.Asserts + o.Asserts, c.Suggestions + o.Suggestions, c.UnmetAsserts + o.UnmetAsserts, c.UnmetSuggestions + o.UnmetSuggestions}
}

// Failed returns the number of failures of both kinds, and Unmet of those that stayed.
func (c Tally) Failed() int { return c.Asserts + c.Suggestions }

// Unmet returns the number of failures of both kinds that stayed.
func (c Tally) Unmet() int { return c.UnmetAsserts + c.UnmetSuggestions }

// Calls counts predictor calls.
type Calls struct {
	// Requested are those that the program made, in all tries.
	Requested int
	// Paid are those that were not answered from the run's own memory. What each cost,
	// further tries of module.Retry and answers of a store included, is in its Usage.
	Paid int
}

// CountCalls counts the predictor calls of a trace.
func CountCalls(t *trace.Trace) Calls {
	var c Calls
	for _, s := range module.Steps(t) {
		c.Requested++
		if !s.Reused {
			c.Paid++
		}
	}
	return c
}

// Repair is a step that followed on feedback, and that the answer rests on.
type Repair struct {
	// Step is the call with feedback.
	Step module.Step
	// Failure is what went before it: the last failure of its predictor that another try
	// followed.
	Failure Failure
}

// Demo returns the inputs, what was answered first, the feedback and the repaired outputs:
// a demo of how to repair, for the retry prompt. A prompt without feedback shows no more
// of it than the inputs and the outputs.
func (r Repair) Demo() signature.Record {
	return r.Step.Inputs.Merge(r.Failure.Past).Merge(r.Step.Outputs)
}

// Repairs returns the repaired steps of a trace, in order.
func Repairs(t *trace.Trace) []Repair {
	steps := module.Steps(t)
	before := map[*module.Predictor]Failure{} // each step: others may follow, of other rollouts
	var out []Repair
	for _, raw := range t.Steps() {
		if f, ok := raw.Note.(Failure); ok && raw.Dropped && f.Past.Len() > 0 {
			f.Dropped = true
			before[f.Predictor] = f
		}
		if _, ok := raw.Predictor.(*module.Predictor); !ok || len(steps) == 0 {
			continue
		}
		s := steps[0]
		steps = steps[1:]
		_, told := s.Inputs.Get(freeName(s.Predictor.Signature(), feedbackField))
		if f, ok := before[s.Predictor]; ok && told && !s.Dropped && s.Prediction != nil {
			out = append(out, Repair{s, f})
		}
	}
	return out
}
