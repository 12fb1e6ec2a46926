package module

import "github.com/whetgo/whet/signature"

// Dynamic is a Predict whose fields are known only when the program runs, as with
// DSPy's string signatures: inputs and outputs are records.
//
//	qa, err := module.NewDynamic(signature.MustParse("question -> answer"))
//	out, err := qa.Run(ctx, signature.RecordOf("question", "Why is the sky blue?"))
//
// It is the same module on the same core: optimizers, files and traces know no
// difference.
type Dynamic = Predict[signature.Record, signature.Record]

// DynamicChainOfThought is the [ChainOfThought] beside [Dynamic]. The reasoning
// stands in the Prediction and not in the answer.
type DynamicChainOfThought = ChainOfThought[signature.Record, signature.Record]

// NewDynamic makes a Dynamic. The signature must have an output.
func NewDynamic(sig *signature.Signature, opts ...Option) (*Dynamic, error) {
	core, err := NewPredictor(sig, opts...)
	if err != nil {
		return nil, err
	}
	return &Dynamic{core}, nil
}

// MustDynamic is NewDynamic for program start-up: it panics where NewDynamic
// returns an error.
func MustDynamic(sig *signature.Signature, opts ...Option) *Dynamic {
	return must(NewDynamic(sig, opts...))
}

// NewDynamicChainOfThought makes a DynamicChainOfThought. It returns an error when
// the signature has a field named reasoning of its own.
func NewDynamicChainOfThought(sig *signature.Signature, opts ...Option) (*DynamicChainOfThought, error) {
	core, err := reasoningPredictor(sig, opts)
	if err != nil {
		return nil, err
	}
	return &DynamicChainOfThought{core}, nil
}

// MustDynamicChainOfThought is NewDynamicChainOfThought for program start-up: it
// panics where that returns an error.
func MustDynamicChainOfThought(sig *signature.Signature, opts ...Option) *DynamicChainOfThought {
	return must(NewDynamicChainOfThought(sig, opts...))
}
