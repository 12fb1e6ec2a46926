package module

import (
	"context"

	"github.com/whetgo/whet/signature"
)

// Interpreter runs code that a model wrote: what a [ProgramOfThought] computes with.
// Package module/starlark, a module of its own, has one that runs Starlark in a child
// process. Implementations must be safe for concurrent use.
type Interpreter interface {
	// Language says what the model is to write. It does not change.
	Language() Language
	// Execute runs code to its end, in a state of its own: nothing of one call is seen by
	// another. The inputs are variables of their names.
	//
	// What is wrong with the code, what it may not do and the limits that it meets are an
	// *[InterpreterError], which the model is shown so that it can mend the code. Any other
	// error says that the interpreter does not work, and ends the program. After the end of
	// ctx the error is ctx.Err().
	Execute(ctx context.Context, code string, inputs signature.Record) (*CodeResult, error)
}

// Language tells a model what to write.
type Language struct {
	// Name is the language's name in prompts, such as "Starlark".
	Name string
	// Fences are the names that may stand at a code fence in a reply, in any case; the
	// first one is what the model is told to write. Empty means Name.
	Fences []string
	// Guide tells the model what the language has and lacks, and how the code hands over
	// its result: whole sentences, which become part of the instructions.
	Guide string
}

// CodeResult is what code that ran to its end has computed.
type CodeResult struct {
	// Output is what the code printed.
	Output string
	// Value is what the code handed over as its result, if HasValue.
	Value    signature.Value
	HasValue bool
}

// Text returns the result as a model is shown it: the value as JSON, else what was
// printed, and "" where the code did neither.
func (r *CodeResult) Text() (string, error) {
	if r == nil {
		return "", nil
	}
	if !r.HasValue {
		return r.Output, nil
	}
	return signature.MarshalPython(r.Value)
}
