package module

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// referencesField is the input of an aggregator that holds the answers it sees.
const referencesField = "references"

// aggregation is what an aggregator is told besides its task.
const aggregation = "Others have answered the same inputs before you; their answers are in `references`. Any of them may be wrong, also where most agree. Check each against the inputs, keep what holds, and give the one best answer of your own."

// Aggregator is the predictor of a [MixtureOfAgents]: it has the inputs and outputs of the
// program and one input more, references, the answers of others. Run and Call are safe for
// concurrent use.
type Aggregator[In, Out any] struct {
	core *Predictor
}

// NewAggregator makes an Aggregator. In and Out are those of the program and must not have a
// field named references; empty instructions become the default of a [Predict].
func NewAggregator[In, Out any](instructions string, opts ...Option) (*Aggregator[In, Out], error) {
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	core, err := aggregatorPredictor(sig, opts)
	if err != nil {
		return nil, err
	}
	return &Aggregator[In, Out]{core}, nil
}

// NewDynamicAggregator makes an Aggregator for programs with the signature sig, whose fields
// are known only when they run: see [Dynamic].
func NewDynamicAggregator(sig *signature.Signature, opts ...Option) (*Aggregator[signature.Record, signature.Record], error) {
	if sig == nil {
		return nil, fmt.Errorf("module: an aggregator needs a signature, got none")
	}
	core, err := aggregatorPredictor(sig, opts)
	if err != nil {
		return nil, err
	}
	return &Aggregator[signature.Record, signature.Record]{core}, nil
}

func aggregatorPredictor(sig *signature.Signature, opts []Option) (*Predictor, error) {
	wide, err := sig.AppendInput(signature.Field{
		// A list in a text field is shown as a numbered list of texts, and not as JSON.
		Name: referencesField, Type: &signature.Type{Kind: signature.KindString},
		Desc: "answers that others gave to the same inputs",
	})
	if err != nil {
		return nil, fmt.Errorf("module: an aggregator adds the input %q to %s: %w", referencesField, sig, err)
	}
	return NewPredictor(wide.AppendInstructions(aggregation), opts...)
}

// Run returns the answer.
func (a *Aggregator[In, Out]) Run(ctx context.Context, in Referenced[In, Out]) (Out, error) {
	return outOf(a.Call(ctx, in))
}

// Call returns the answer and how it came about.
func (a *Aggregator[In, Out]) Call(ctx context.Context, in Referenced[In, Out]) (*Prediction[Out], error) {
	rec, err := signature.Encode(in.In)
	if err != nil {
		return nil, a.core.named(err)
	}
	refs := make([]signature.Value, len(in.Answers))
	for i, out := range in.Answers {
		if refs[i], err = referenceText(out); err != nil {
			return nil, a.core.named(fmt.Errorf("reference %d: %w", i, err))
		}
	}
	pred, _, err := call[signature.Record, Out](ctx, a.core, rec.With(referencesField, refs))
	return pred, err
}

// Predictor returns the untyped core.
func (a *Aggregator[In, Out]) Predictor() *Predictor { return a.core }

// referenceText writes an answer: the value of its only field, or a line for each.
func referenceText(out any) (string, error) {
	rec, err := signature.Encode(out)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for name, v := range rec.All() {
		text, ok := v.(string)
		if !ok && v != nil {
			data, err := signature.MarshalValue(v)
			if err != nil {
				return "", err
			}
			text = string(data)
		}
		if rec.Len() == 1 {
			return text, nil
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(name + ": " + text)
	}
	return b.String(), nil
}
