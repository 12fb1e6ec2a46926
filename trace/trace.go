package trace

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Step is one call of one predictor, or something else that happened between
// calls ([Step.Note]). Predictor, Inputs, Outputs, Reply and
// Prediction are opaque here: package module put them there and module.Steps gives
// them back typed.
type Step struct {
	// Predictor identifies the predictor that was called.
	Predictor any
	// Inputs and Outputs are the fields that went in and came out. Outputs is
	// nil when the call failed.
	Inputs, Outputs any
	// Reply is the model's reply, also when it could not be read; nil when none came.
	Reply any
	// Prediction is the whole prediction behind Outputs; nil when the call failed.
	Prediction any
	// Err is what the call returned.
	Err error
	// Dropped says that the program's answer does not rest on this step: an attempt
	// that another one was better than, or that was repaired.
	Dropped bool
	// Reused says that the step's answer is that of an earlier step, so that nothing
	// was paid for it.
	Reused bool
	// Note is something else that happened, such as the call of a tool or an assertion
	// that failed; Predictor is nil then. It is opaque, too.
	Note any
	// Start and Duration say when the call ran and how long it took.
	Start    time.Time
	Duration time.Duration
}

// Trace collects the steps of one run of a program, in the order in which the
// calls ended; those of a [Branch] come together when it is joined. All methods are
// safe for concurrent use; a nil *Trace is an empty trace that drops what it is given.
type Trace struct {
	mu    sync.Mutex
	steps []Step
}

// Add appends a step.
func (t *Trace) Add(s Step) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, s)
}

// Steps returns a copy of the steps so far.
func (t *Trace) Steps() []Step {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.steps)
}

// Branch returns a context whose calls are recorded apart, in the returned trace, until
// join adds them to the trace of ctx: as steps that the answer rests on, or else
// as dropped ones. join is to be called once, also after an error or a panic, so that
// nothing that was paid is lost; it does nothing where ctx has no trace.
func Branch(ctx context.Context) (branch context.Context, t *Trace, join func(keep bool)) {
	outer := From(ctx)
	branch, t = Start(ctx)
	return branch, t, func(keep bool) {
		if outer == nil {
			return
		}
		steps := t.Steps()
		if !keep {
			for i := range steps {
				steps[i].Dropped = true
			}
		}
		outer.mu.Lock()
		defer outer.mu.Unlock()
		outer.steps = append(outer.steps, steps...)
	}
}

type contextKey struct{}

// Start returns a context whose predictor calls are recorded in the returned
// trace. A trace started inside another one hides it: a judge that traces its
// own calls adds nothing to the trace of the program that it judges.
func Start(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return context.WithValue(ctx, contextKey{}, t), t
}

// Stop returns a context whose calls are recorded nowhere.
func Stop(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, (*Trace)(nil))
}

// From returns the trace of the context, or nil.
func From(ctx context.Context) *Trace {
	t, _ := ctx.Value(contextKey{}).(*Trace)
	return t
}
