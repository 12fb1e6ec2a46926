package module

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/trace"
)

// Caller is a program that tells how its answer came about: [Predict],
// [ChainOfThought] and the modules that are made of programs. A type that embeds one has
// its Call, but may have a Run of its own: for [Call] it is no Caller.
type Caller[In, Out any] interface {
	Program[In, Out]
	Call(ctx context.Context, in In) (*Prediction[Out], error)
}

// Call runs any program and returns its answer with how it came about. Of a [Caller] that
// is what its Call says. Of others Choices, Reasoning, Logprobs, Raw, Model and Finish are
// those of the last predictor call on which the answer rests, and Usage is the sum of all
// calls. After an error the prediction is nil.
func Call[In, Out any](ctx context.Context, p Program[In, Out], in In) (*Prediction[Out], error) {
	if p == nil {
		return nil, errors.New("module: the program is nil")
	}
	if c, ok := p.(Caller[In, Out]); ok && !embedsCaller[In, Out](reflect.TypeOf(p)) {
		pred, err := c.Call(ctx, in)
		switch {
		case err != nil:
			return nil, err
		case pred == nil:
			return nil, fmt.Errorf("module: %T returned neither a prediction nor an error", p)
		}
		return pred, nil
	}
	branch, t, join := trace.Branch(ctx)
	defer join(true)
	out, err := p.Run(branch, in)
	if err != nil {
		return nil, err
	}
	return PredictionOf(t, out), nil
}

// embedsCaller reports whether a type of a user embeds a Caller, so that its Call may be
// that one's, which knows nothing of a Run around it.
func embedsCaller[In, Out any](t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || ours(t) {
		return false
	}
	caller := reflect.TypeFor[Caller[In, Out]]()
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && (f.Type.Implements(caller) || reflect.PointerTo(f.Type).Implements(caller)) {
			return true
		}
	}
	return false
}

// PredictionOf makes the prediction of a program that answered out, and whose calls t
// holds: see [Call].
func PredictionOf[Out any](t *trace.Trace, out Out) *Prediction[Out] {
	pred := &Prediction[Out]{Out: out, Usage: UsageOf(t)}
	for _, s := range Steps(t) {
		if s.Dropped || s.Prediction == nil {
			continue
		}
		last := s.Prediction
		pred.Choices, pred.Logprobs, pred.Repairs, pred.Rejected = last.Choices, last.Logprobs, last.Repairs, last.Rejected
		pred.Raw, pred.Model, pred.Shaped, pred.Finish = last.Raw, last.Model, last.Shaped, last.Finish
		pred.Reasoning = ""
		if s.Predictor.aside != "" {
			v, _ := s.Outputs.Get(s.Predictor.aside)
			pred.Reasoning, _ = v.(string)
		}
	}
	return pred
}

// UsageOf returns what all calls of a trace cost, those that were dropped and the
// embeddings of a [KNN] included.
func UsageOf(t *trace.Trace) lm.Usage {
	var u lm.Usage
	for _, s := range t.Steps() {
		if used, ok := s.Reply.(*spent); ok {
			u = u.Add(used.usage)
		}
		if n, ok := s.Note.(Neighbors); ok {
			u = u.Add(n.Usage)
		}
	}
	return u
}
