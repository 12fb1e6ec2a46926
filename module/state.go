package module

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// State is the part of a predictor that optimizers change and files keep. The
// zero State is that of a predictor as the program made it. A State is immutable
// once a predictor has it: change a copy.
type State struct {
	// Instructions replace the signature's; empty keeps them.
	Instructions string
	// Descriptions replace the descriptions of the fields that it names.
	Descriptions map[string]string
	// Demos are shown to the model before the question.
	Demos []Demo
	// Biases holds, by output field and by choice, what is added to the
	// log-probability of the choice: see optimize.Calibrate.
	Biases map[string]map[string]float64
	// LM replaces the predictor's language model; nil keeps it.
	LM lm.LM
	// SavedLM is the language model's entry of the file that the state came from:
	// a name and parameters, as DSPy writes them. It is kept and written again.
	SavedLM json.RawMessage
}

// Demo is an example shown to the model.
type Demo struct {
	// Fields are inputs and outputs; some may be missing.
	Fields signature.Record
	// Augmented says that the outputs were made by a model and checked by a
	// metric, and not taken from a data set.
	Augmented bool
}

// apply returns the signature as the state wants it.
func (s State) apply(sig *signature.Signature) (*signature.Signature, error) {
	if len(s.Descriptions) > 0 {
		describe := func(fields []signature.Field) []signature.Field {
			out := make([]signature.Field, len(fields))
			for i, f := range fields {
				if d, ok := s.Descriptions[f.Name]; ok {
					f.Desc = d
				}
				out[i] = f
			}
			return out
		}
		var err error
		if sig, err = signature.New(sig.Instructions(), describe(sig.Inputs()), describe(sig.Outputs())); err != nil {
			return nil, err
		}
	}
	if s.Instructions != "" {
		sig = sig.WithInstructions(s.Instructions)
	}
	return sig, s.checkBiases(sig)
}

// checkBiases refuses a bias that no choice would ever see, and one that no file
// could hold.
func (s State) checkBiases(sig *signature.Signature) error {
	for name, biases := range s.Biases {
		f, ok := sig.Output(name)
		if !ok {
			return fmt.Errorf("module: the state has biases for %q, which is no output of %s", name, sig)
		}
		for choice, bias := range biases {
			if !slices.Contains(adapter.Choices(f.Type), choice) {
				return fmt.Errorf("module: the state has a bias for %q, which is no choice of the output %q of %s", choice, name, sig)
			}
			if math.IsNaN(bias) || math.IsInf(bias, 0) {
				return fmt.Errorf("module: the state has the bias %v for %q of the output %q of %s; want a finite number", bias, choice, name, sig)
			}
		}
	}
	return nil
}

// States is a candidate: a state for each of some predictors, known by their
// identity. It is immutable; the zero States holds none.
type States struct {
	byPredictor map[*Predictor]*prepared
}

// With returns the states with one for p added or replaced. It returns an error
// when the state does not fit p's signature.
func (s States) With(p *Predictor, state State) (States, error) {
	prep, err := p.prepare(state)
	if err != nil {
		return States{}, err
	}
	m := maps.Clone(s.byPredictor)
	if m == nil {
		m = map[*Predictor]*prepared{}
	}
	m[p] = prep
	return States{m}, nil
}

// Of returns the state for p, and whether there is one.
func (s States) Of(p *Predictor) (State, bool) {
	if prep, ok := s.byPredictor[p]; ok {
		return prep.state, true
	}
	return State{}, false
}

// Apply makes the states those of their predictors, one after the other.
func (s States) Apply() {
	for p, prep := range s.byPredictor {
		p.state.Store(prep)
	}
}

type statesKey struct{}

// statesNode is one WithStates in a context; an inner one hides an outer one
// predictor by predictor.
type statesNode struct {
	states States
	outer  *statesNode
}

// WithStates returns a context in which the predictors that s names use its
// states in place of their own. Any number of candidates can so be run at once
// on one program. Predictors are told apart by identity, not by name, so a judge
// or a nested program with the same names is not touched.
func WithStates(ctx context.Context, s States) context.Context {
	outer, _ := ctx.Value(statesKey{}).(*statesNode)
	return context.WithValue(ctx, statesKey{}, &statesNode{s, outer})
}

func overlay(ctx context.Context, p *Predictor) *prepared {
	n, _ := ctx.Value(statesKey{}).(*statesNode)
	for ; n != nil; n = n.outer {
		if prep, ok := n.states.byPredictor[p]; ok {
			return prep
		}
	}
	return nil
}
