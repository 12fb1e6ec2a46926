package module

import (
	"fmt"

	"github.com/whetgo/whet/signature"
)

// checkInputs refuses a record that is no input of the predictor: with a field that
// the signature does not have, which is mostly a misprint, without one that it
// needs, or with a value of another type. A list given to a text field is shown as a
// numbered list, as in DSPy. Typed modules need no such check.
func (p *Predictor) checkInputs(in signature.Record) error {
	fail := func(name, problem string) error {
		return p.named(&signature.Error{Field: name, Problem: problem})
	}
	for name := range in.All() {
		if _, ok := p.sig.Input(name); !ok {
			return fail(name, "the signature has no such input")
		}
	}
	for _, f := range p.sig.Inputs() {
		v, ok := in.Get(f.Name)
		switch {
		case !ok && (f.HasDefault || f.Type.Optional):
			continue
		case !ok:
			return fail(f.Name, "the input is missing")
		}
		if _, isList := v.([]signature.Value); isList && f.Type.Kind == signature.KindString {
			continue
		}
		if _, err := signature.Coerce(f.Type, v); err != nil {
			return fail(f.Name, fmt.Sprintf("it is no value of the input: %v", err))
		}
	}
	return nil
}
