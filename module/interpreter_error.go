package module

import "strconv"

// InterpreterErrorKind says why code did not come to its end.
type InterpreterErrorKind string

const (
	// ErrCodeSyntax is code that cannot be read, or that uses a name that is not there:
	// none of it ran.
	ErrCodeSyntax InterpreterErrorKind = "syntax"
	// ErrCodeRuntime is code that failed while it ran.
	ErrCodeRuntime InterpreterErrorKind = "runtime"
	// ErrCodeLimit is code that met a limit: see InterpreterError.Limit.
	ErrCodeLimit InterpreterErrorKind = "limit"
	// ErrCodeForbidden is code that asked for what it may not have: another module, a
	// file, a process, the network.
	ErrCodeForbidden InterpreterErrorKind = "forbidden"
	// ErrCodeCrashed is code whose interpreter ended before it did.
	ErrCodeCrashed InterpreterErrorKind = "crashed"
)

// CodeLimit names a limit of code.
type CodeLimit string

const (
	// LimitSteps bounds how many steps the code takes.
	LimitSteps CodeLimit = "steps"
	// LimitTime bounds how long it runs.
	LimitTime CodeLimit = "time"
	// LimitMemory bounds what it holds at once.
	LimitMemory CodeLimit = "memory"
	// LimitDepth bounds how deep calls, values and the code itself are nested.
	LimitDepth CodeLimit = "depth"
	// LimitOutput bounds what it prints and hands over.
	LimitOutput CodeLimit = "output"
	// LimitSource bounds the length of the code.
	LimitSource CodeLimit = "source"
)

// InterpreterError is what an [Interpreter] returns when the code is to blame. A
// [ProgramOfThought] shows it to the model and asks for other code.
type InterpreterError struct {
	// Language is the language's name.
	Language string
	// Kind says what went wrong.
	Kind InterpreterErrorKind
	// Limit is the limit that was met; empty unless Kind is ErrCodeLimit.
	Limit CodeLimit
	// Message tells the model what was wrong, where, and what to do. It names no place
	// but one in the code.
	Message string
	// Line and Column are the place in the code, from 1; 0 where there is none.
	Line, Column int
	// Output is what the code had printed by then, as far as it is known.
	Output string
	// Err is the cause, if there is one beyond Message. It is not shown to the model.
	Err error
}

// Error names language, kind and place.
func (e *InterpreterError) Error() string {
	kind := string(e.Kind)
	if e.Limit != "" {
		kind = string(e.Limit) + " " + kind
	}
	text := "module: " + e.Language + " code: " + kind + ": " + e.located()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *InterpreterError) Unwrap() error { return e.Err }

// located is the message with its place.
func (e *InterpreterError) located() string {
	if e.Line < 1 {
		return e.Message
	}
	return "line " + strconv.Itoa(e.Line) + ": " + e.Message
}

// shownOutput bounds, in bytes, what of the output of code that failed is shown.
const shownOutput = 1000

// forModel is what the model is shown of the error.
func (e *InterpreterError) forModel() string {
	text := e.located()
	if e.Output == "" {
		return text
	}
	out := e.Output
	if len(out) > shownOutput {
		out = "..." + valid(out[len(out)-shownOutput:])
	}
	return text + "\nPrinted before that:\n" + out
}
