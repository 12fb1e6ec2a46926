package assert

import (
	"errors"
	"fmt"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// brokenConstraint makes of the error of a call an assertion that failed, where a value was
// found in the reply that is none of its field: of another type or outside of its
// constraints. A reply that lacks a field, or was cut off, is no such thing. Besides it
// returns what was found.
func (p *pass) brokenConstraint(c *call, err error) ([]module.ExtraInput, *Error) {
	var pe *adapter.ParseError
	if !errors.As(err, &pe) || pe.Missing || errors.As(err, new(*module.TruncatedError)) {
		return nil, nil
	}
	who := c.asked.Predictor
	f, ok := who.Signature().Output(pe.Field)
	if !ok {
		return nil, nil
	}
	// What was found need not be a value of the field's type.
	past := []module.ExtraInput{pastInput(who, f, &signature.Type{Kind: signature.KindString}, pe.Got)}
	return past, &Error{
		Message: requirement(f, pe), Hard: true, Target: p.nameOf(who), Try: p.try, Err: err,
		pass: p, call: c, predictor: who,
	}
}

// requirement says what a field must be. It does not depend on what was found, so that
// the same mistake is one message.
func requirement(f signature.Field, pe *adapter.ParseError) string {
	text := fmt.Sprintf("The field `%s` must be %s", f.Name, pe.Expected)
	if len(f.Constraints) == 0 {
		if pe.Err != nil {
			text += ": " + pe.Err.Error() // which part of it is wrong
		}
		return text
	}
	if words := f.ConstraintText(); words != "" {
		text += ", " + words
	}
	for _, c := range f.Constraints {
		if c.Op == signature.Pattern {
			text += fmt.Sprintf(", a text that matches the regular expression %v", c.Bound)
		}
	}
	return text
}
