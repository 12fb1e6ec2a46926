package module

import (
	"context"

	"github.com/whetgo/whet/signature"
)

// Predict asks a model for the fields of Out, given the fields of In. It is the
// basic module. Run and Call are safe for concurrent use.
type Predict[In, Out any] struct {
	core *Predictor
}

// NewPredict makes a Predict. Both types must be structs that package signature
// understands; empty instructions become the default ones, which name the
// fields.
func NewPredict[In, Out any](instructions string, opts ...Option) (*Predict[In, Out], error) {
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	core, err := NewPredictor(sig, opts...)
	if err != nil {
		return nil, err
	}
	return &Predict[In, Out]{core}, nil
}

// MustPredict is NewPredict for program start-up: it panics where NewPredict
// returns an error.
func MustPredict[In, Out any](instructions string, opts ...Option) *Predict[In, Out] {
	return must(NewPredict[In, Out](instructions, opts...))
}

// Run returns the answer.
func (p *Predict[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	pred, err := p.Call(ctx, in)
	if err != nil {
		var zero Out
		return zero, err
	}
	return pred.Out, nil
}

// Call returns the answer and how it came about.
func (p *Predict[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	pred, _, err := call[In, Out](ctx, p.core, in)
	return pred, err
}

// Predictor returns the untyped core.
func (p *Predict[In, Out]) Predictor() *Predictor { return p.core }

// call runs a core between the typed edges; the record is the untyped answer.
func call[In, Out any](ctx context.Context, core *Predictor, in In) (*Prediction[Out], signature.Record, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return nil, signature.Record{}, core.named(err)
	}
	if _, dynamic := any(in).(signature.Record); dynamic {
		if err := core.checkInputs(rec); err != nil {
			return nil, signature.Record{}, err
		}
	}
	return callRecord[Out](ctx, core, rec)
}

// callRecord is call with inputs that are a record already.
func callRecord[Out any](ctx context.Context, core *Predictor, rec signature.Record) (*Prediction[Out], signature.Record, error) {
	pred := &Prediction[Out]{}
	_, untyped := any(&pred.Out).(*signature.Record)
	got, err := core.call(ctx, rec, func(out signature.Record) error {
		if untyped && core.aside != "" {
			out = out.Without(core.aside)
		}
		return signature.Decode(out, &pred.Out)
	})
	if err != nil {
		return nil, signature.Record{}, err
	}
	pred.Choices, pred.Usage, pred.Repairs, pred.Raw = got.Choices, got.Usage, got.Repairs, got.Raw
	pred.Model, pred.Shaped, pred.Finish, pred.Rejected = got.Model, got.Shaped, got.Finish, got.Rejected
	pred.Logprobs = got.Logprobs
	return pred, got.Out, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
