package module

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/signature"
)

// PredictorCall is a call on its way to a predictor.
type PredictorCall struct {
	// Predictor is the one that is called.
	Predictor *Predictor
	// Inputs are the fields that go in.
	Inputs signature.Record
	// Extra are further inputs, which the predictor's signature does not have.
	Extra []ExtraInput
}

// ExtraInput is an input that one call has beyond those of the predictor's signature:
// a hint, or what was wrong with the last answer. It comes after the signature's inputs.
// Demos that have a field of its name show it.
type ExtraInput struct {
	// Field is the input; its name must be none of the signature's.
	Field signature.Field
	// Value is its value.
	Value signature.Value
	// Untraced keeps it out of the trace's inputs, and so out of demos.
	Untraced bool
}

// PredictorFunc answers a call.
type PredictorFunc func(ctx context.Context, c PredictorCall) (*Prediction[signature.Record], error)

// Intercept returns a context in which f stands before every predictor: it may change
// what goes in, answer itself, or call next once or more, one call after the other. Of
// several the one added last sees a call first. f must be safe for concurrent use, and must not change what a
// prediction holds, as others may have it, too.
//
// The trace records each call of next, and not what f does: f adds a step for an answer
// of its own. The answer must have the fields of the predictor's signature.
func Intercept(ctx context.Context, f func(ctx context.Context, c PredictorCall, next PredictorFunc) (*Prediction[signature.Record], error)) context.Context {
	return context.WithValue(ctx, interceptKey{}, &interceptor{f, interceptorOf(ctx)})
}

type interceptKey struct{}

type interceptor struct {
	f     func(context.Context, PredictorCall, PredictorFunc) (*Prediction[signature.Record], error)
	outer *interceptor // nil for the first
}

func interceptorOf(ctx context.Context) *interceptor {
	i, _ := ctx.Value(interceptKey{}).(*interceptor)
	return i
}

// before returns a function that passes a call through i and those before it to last.
func (i *interceptor) before(last PredictorFunc) PredictorFunc {
	if i == nil {
		return last
	}
	next := i.outer.before(last)
	return func(ctx context.Context, c PredictorCall) (*Prediction[signature.Record], error) {
		return i.f(ctx, c, next)
	}
}

// Traced returns the inputs as a trace has them: those that are Untraced are left out.
func (c PredictorCall) Traced() signature.Record {
	in := c.Inputs
	for _, x := range c.Extra {
		if !x.Untraced {
			in = in.With(x.Field.Name, x.Value)
		}
	}
	return in
}

// whole returns all inputs.
func (c PredictorCall) whole() signature.Record {
	in := c.Inputs
	for _, x := range c.Extra {
		in = in.With(x.Field.Name, x.Value)
	}
	return in
}

// extended returns what was prepared, with the extra inputs in its signature.
func (p *Predictor) extended(prep *prepared, extra []ExtraInput) (*prepared, error) {
	if len(extra) == 0 {
		return prep, nil
	}
	sig := p.sig
	for _, x := range extra {
		var err error
		if sig, err = sig.AppendInput(x.Field); err != nil {
			return nil, fmt.Errorf("the extra input %q: %w", x.Field.Name, err)
		}
	}
	return p.prepareAs(sig, prep.state)
}
