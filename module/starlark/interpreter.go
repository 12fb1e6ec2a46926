package starlark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// Interpreter runs Starlark in child processes. It is a module.Interpreter, and safe for
// concurrent use. It holds nothing that would have to be closed.
type Interpreter struct {
	options options
	path    string
	running chan struct{} // a place for each child
}

var _ module.Interpreter = (*Interpreter)(nil)

// New makes an Interpreter. No process is started before [Interpreter.Execute]. The error
// is [ErrNoChild] where nothing says how one is started.
func New(opts ...Option) (*Interpreter, error) {
	i := &Interpreter{options: defaults()}
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("starlark: an option is nil")
		}
		o(&i.options)
	}
	if err := i.options.check(); err != nil {
		return nil, err
	}
	var err error
	switch {
	case i.options.command != "":
		if i.path, err = exec.LookPath(i.options.command); err != nil {
			return nil, fmt.Errorf("starlark: Command: %w", err)
		}
	case !hooked.Load():
		return nil, ErrNoChild
	default:
		if i.path, err = self(); err != nil {
			return nil, fmt.Errorf("starlark: finding the program that runs: %w", err)
		}
	}
	i.running = make(chan struct{}, i.options.concurrency)
	return i, nil
}

// Must is New for program start-up: it panics where New returns an error.
func Must(opts ...Option) *Interpreter {
	i, err := New(opts...)
	if err != nil {
		panic(err)
	}
	return i
}

const language = "Starlark"

// Language implements module.Interpreter.
func (i *Interpreter) Language() module.Language {
	return module.Language{
		Name:   language,
		Fences: []string{"python", "starlark", "py", "python3", "bzl", "star"},
		Guide: "Starlark is a small Python: def, lambda, if, for, while, comprehensions, strings, lists, tuples, dictionaries and sets as there, " +
			"but no import, no classes, no try or raise, no f-strings (use format or %), no ** (use pow), no isinstance. " +
			"json.encode, json.decode, math (sqrt, floor, ceil, pi, log, exp, ...), sum, round, pow, sorted, min, max and print are there without import. " +
			"Hand the result over with SUBMIT, as in SUBMIT({\"name\": value}), which ends the code.",
	}
}

// Execute runs code in a child process of its own. What the code does wrong is a
// *module.InterpreterError, and what is wrong with the child an *[ChildError].
func (i *Interpreter) Execute(ctx context.Context, code string, inputs signature.Record) (*module.CodeResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(code) > maxSource {
		return nil, i.limit(module.LimitSource)
	}
	in, err := signature.MarshalValue(inputs)
	if err != nil {
		return nil, fmt.Errorf("starlark: the inputs: %w", err)
	}
	select {
	case i.running <- struct{}{}:
		defer func() { <-i.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p := &process{interpreter: i, program: program{Source: strings.ToValidUTF8(code, "\uFFFD"), Inputs: in}}
	o, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	if f := o.Fault; f != nil {
		return nil, &module.InterpreterError{
			Language: language, Kind: f.Kind, Limit: f.Limit, Message: f.Message,
			Line: f.Line, Column: f.Column, Output: o.Output,
		}
	}
	result := &module.CodeResult{Output: o.Output, HasValue: o.HasValue}
	if o.HasValue {
		if result.Value, err = signature.ParseValue(o.Value); err != nil {
			return nil, &module.InterpreterError{Language: language, Kind: module.ErrCodeCrashed, Message: "the result cannot be read", Err: err}
		}
	}
	return result, nil
}

func (i *Interpreter) limits() limits {
	return limits{
		Steps: i.options.steps, TimeoutMS: i.options.timeout.Milliseconds(),
		Memory: i.options.memory, Output: i.options.output,
	}
}

// limit is the error of a limit that the parent sees met.
func (i *Interpreter) limit(l module.CodeLimit) error {
	return &module.InterpreterError{Language: language, Kind: module.ErrCodeLimit, Limit: l, Message: limitMessage(l, i.limits())}
}

// ChildError says that no child process could be started, or that the one started is
// none: code has nothing to do with it.
type ChildError struct {
	// Path is the program that was started.
	Path string
	// Stderr is the beginning of what it wrote to its standard error.
	Stderr string
	// Err is the cause.
	Err error
}

// Error names program and cause.
func (e *ChildError) Error() string {
	text := fmt.Sprintf("starlark: the child process %s did not begin: %v", e.Path, e.Err)
	if e.Stderr != "" {
		text += "; it wrote: " + e.Stderr
	}
	return text
}

// Unwrap returns the cause.
func (e *ChildError) Unwrap() error { return e.Err }

// died makes the error of a child that ended without an outcome.
func (i *Interpreter) died(state *os.ProcessState, stderr string) error {
	switch {
	case strings.Contains(stderr, "stack overflow") || strings.Contains(stderr, "goroutine stack exceeds"):
		return i.limit(module.LimitDepth)
	case outOfMemory(stderr):
		return i.limit(module.LimitMemory)
	case outOfTime(state):
		return i.limit(module.LimitTime)
	}
	line, _, _ := strings.Cut(stderr, "\n")
	cause := errors.New(strings.TrimSuffix(fmt.Sprintf("%v: %s", state, line), ": "))
	return &module.InterpreterError{
		Language: language, Kind: module.ErrCodeCrashed,
		Message: "the interpreter ended before the code did", Err: cause,
	}
}

// outOfMemory reports whether a Go process died of a refused allocation. Threads need
// memory, too, and a garbage collector that runs meanwhile may fall before that is said.
func outOfMemory(stderr string) bool {
	for _, sign := range []string{"out of memory", "cannot allocate memory", "pthread_create failed", "failed to create new OS thread", "ThreadSanitizer failed to allocate"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return strings.HasPrefix(stderr, "SIGSEGV: segmentation violation")
}

// Grace periods of the parent.
const (
	// startWithin is how long a child may take to begin, on a machine that is busy.
	startWithin = 30 * time.Second
	// killAfter is how long after its time the code is killed.
	killAfter = 500 * time.Millisecond
)
