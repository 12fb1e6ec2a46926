package module

import (
	"context"
	"fmt"
	"iter"

	"github.com/whetgo/whet/signature"
)

// reasoningField is the name of the output that a ChainOfThought asks for first,
// as in DSPy.
const reasoningField = "reasoning"

// ChainOfThought asks the model to reason before it answers: it adds the output
// "reasoning" before the fields of Out. Run and Call are safe for concurrent
// use.
type ChainOfThought[In, Out any] struct {
	core *Predictor
}

// NewChainOfThought makes a ChainOfThought. It returns an error when In or Out
// has a field named reasoning of its own.
func NewChainOfThought[In, Out any](instructions string, opts ...Option) (*ChainOfThought[In, Out], error) {
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	core, err := reasoningPredictor(sig, opts)
	if err != nil {
		return nil, err
	}
	return &ChainOfThought[In, Out]{core}, nil
}

// reasoningPredictor makes the core of a ChainOfThought over a signature.
func reasoningPredictor(sig *signature.Signature, opts []Option) (*Predictor, error) {
	for _, f := range sig.Fields() {
		if f.Name == reasoningField {
			return nil, fmt.Errorf("module: %s has a field %q, which ChainOfThought adds as an output of its own; rename it, or use Predict: %w",
				sig, reasoningField, &signature.Error{Field: reasoningField, Problem: "the name is taken"})
		}
	}
	sig, err := sig.PrependOutput(signature.Field{Name: reasoningField, Type: &signature.Type{Kind: signature.KindString}})
	if err != nil {
		return nil, err
	}
	core, err := NewPredictor(sig, opts...)
	if err != nil {
		return nil, err
	}
	core.aside = reasoningField
	return core, nil
}

// MustChainOfThought is NewChainOfThought for program start-up: it panics where
// NewChainOfThought returns an error.
func MustChainOfThought[In, Out any](instructions string, opts ...Option) *ChainOfThought[In, Out] {
	return must(NewChainOfThought[In, Out](instructions, opts...))
}

// Run returns the answer.
func (c *ChainOfThought[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	pred, err := c.Call(ctx, in)
	if err != nil {
		var zero Out
		return zero, err
	}
	return pred.Out, nil
}

// Call returns the answer, the reasoning and how both came about.
func (c *ChainOfThought[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	pred, rec, err := call[In, Out](ctx, c.core, in)
	if err != nil {
		return nil, err
	}
	if v, ok := rec.Get(reasoningField); ok {
		pred.Reasoning, _ = v.(string)
	}
	return pred, nil
}

// Predictors lists the inner predictor under DSPy's name for it.
func (c *ChainOfThought[In, Out]) Predictors() iter.Seq2[string, *Predictor] {
	return func(yield func(string, *Predictor) bool) {
		if c != nil && c.core != nil {
			yield("predict", c.core)
		}
	}
}
