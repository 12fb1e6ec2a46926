package module

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/signature"
)

// ToolError is why a call of a [Tool] has no result. [ReAct] shows it to the model, which
// may do better then.
type ToolError struct {
	// Tool is the tool's name.
	Tool string
	// Argument names the argument that was wrong, missing or unknown; "" where the
	// function itself failed.
	Argument string
	// Panic is what the function panicked with and Stack where; both are nil where it
	// did not.
	Panic any
	Stack []byte
	// Err is the function's error, or what is wrong with the argument. A time limit of
	// the tool is a context.DeadlineExceeded.
	Err error
}

// Error names the tool, the argument and what was wrong.
func (e *ToolError) Error() string { return fmt.Sprintf("module: tool %q: %s", e.Tool, e.reason()) }

// Unwrap returns the cause.
func (e *ToolError) Unwrap() error { return e.Err }

// reason says what was wrong, without whose it was.
func (e *ToolError) reason() string {
	switch {
	case e.Argument != "":
		return fmt.Sprintf("the argument %q: %v", e.Argument, e.Err)
	case e.Err == nil:
		return "it failed"
	}
	return e.Err.Error()
}

// misfitArgument makes an error of arguments that the Go type cannot hold one that names
// the argument.
func misfitArgument(tool string, err error) error {
	var se *signature.Error
	if errors.As(err, &se) && se.Field != "" {
		return &ToolError{Tool: tool, Argument: se.Field, Err: errors.New(se.Problem)}
	}
	return &ToolError{Tool: tool, Err: err}
}

// Abort makes an error that ends the run when a tool returns it, in place of one that the
// model is shown: for what no other call can mend, such as a wrong key. The run's error
// wraps err. An error of another package that has a method EndsRun() bool, and returns true,
// does the same. Abort of nil is nil.
func Abort(err error) error {
	if err == nil {
		return nil
	}
	return &abortError{err}
}

type abortError struct{ err error }

func (e *abortError) Error() string { return e.err.Error() }
func (e *abortError) Unwrap() error { return e.err }
func (e *abortError) EndsRun() bool { return true }

// endsRun reports whether a tool's error is not for the model.
func endsRun(ctx context.Context, err error) bool {
	var e interface{ EndsRun() bool }
	return ctx.Err() != nil || errors.As(err, &e) && e.EndsRun()
}
