package module

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/whetgo/whet/signature"
)

// Tool is a Go function that a model may call: see [ReAct]. It is immutable. Its function
// is called by one goroutine at a time within a run of a program, and by several where
// several runs share the tool.
type Tool struct {
	name, desc string
	args       []signature.Field
	timeout    time.Duration // 0 for none
	// run calls the function with arguments that were checked.
	run func(ctx context.Context, args signature.Record) (string, error)
}

// ToolOption configures a [Tool] when it is made.
type ToolOption func(*toolOptions)

type toolOptions struct {
	timeout    time.Duration
	hasTimeout bool
}

// ToolTimeout ends the context of each call of the tool after d, which must be positive.
// The function has to heed its context, as no goroutine is left behind that does not. The
// default is no limit but that of the caller's context.
func ToolTimeout(d time.Duration) ToolOption {
	return func(o *toolOptions) { o.timeout, o.hasTimeout = d, true }
}

// NewTool makes a tool of a function. name is 1 to 64 letters, digits, underscores and
// hyphens; description tells the model what the tool does and when to use it.
//
// The exported fields of Args, a struct, are the arguments, with the tags of a signature:
// json names one, desc describes it, enum lists its values, default is its value where the
// call lacks it, and min, max, pattern and the like bound it (see signature.Of). A pointer
// may be left out. What a model gives is checked against all of these before f is called.
//
// The model sees the result: a text as it is, anything else as encoding/json writes it. The
// Run method of a [Program] is such a function, too:
//
//	summarize, err := module.NewTool("summarize", "Shortens a text.", program.Run)
func NewTool[Args, Result any](name, description string, f func(ctx context.Context, args Args) (Result, error), opts ...ToolOption) (*Tool, error) {
	if f == nil {
		return nil, fmt.Errorf("module: tool %q: the function is nil", name)
	}
	if reflect.TypeFor[Args]() == reflect.TypeFor[signature.Record]() {
		return nil, fmt.Errorf("module: tool %q: a function of a signature.Record says nothing of its arguments; make it with NewDynamicTool", name)
	}
	sig, err := signature.Of[Args, toolResult]("")
	if err != nil {
		return nil, fmt.Errorf("module: tool %q: its arguments: %w", name, err)
	}
	return newTool(name, description, sig.Inputs(), opts, func(ctx context.Context, rec signature.Record) (string, error) {
		var args Args
		if err := signature.Decode(rec, &args); err != nil {
			return "", misfitArgument(name, err)
		}
		got, err := f(ctx, args)
		if err != nil {
			return "", err
		}
		return resultText(got)
	})
}

// toolResult makes a signature of arguments: one needs an output.
type toolResult struct {
	Text string `json:"whet_tool_result"`
}

// MustTool is NewTool for program start-up: it panics where NewTool returns an error.
func MustTool[Args, Result any](name, description string, f func(ctx context.Context, args Args) (Result, error), opts ...ToolOption) *Tool {
	return must(NewTool(name, description, f, opts...))
}

// NewDynamicTool makes a tool whose arguments are known only when the program runs, for
// example those of a tool on a server. f gets them in the order of args, checked, and with
// their defaults.
func NewDynamicTool(name, description string, args []signature.Field, f func(ctx context.Context, args signature.Record) (string, error), opts ...ToolOption) (*Tool, error) {
	if f == nil {
		return nil, fmt.Errorf("module: tool %q: the function is nil", name)
	}
	result := signature.Field{Name: "whet_tool_result", Type: &signature.Type{Kind: signature.KindString}}
	sig, err := signature.New("", args, []signature.Field{result})
	if err != nil {
		return nil, fmt.Errorf("module: tool %q: its arguments: %w", name, err)
	}
	return newTool(name, description, sig.Inputs(), opts, f)
}

func newTool(name, desc string, args []signature.Field, opts []ToolOption, run func(context.Context, signature.Record) (string, error)) (*Tool, error) {
	if !isToolName(name) {
		return nil, fmt.Errorf("module: the tool name %q is not 1 to %d letters, digits, underscores and hyphens", name, maxToolName)
	}
	var o toolOptions
	for _, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("module: tool %q: %w", name, errNilOption)
		}
		opt(&o)
	}
	if o.hasTimeout && o.timeout <= 0 {
		return nil, fmt.Errorf("module: tool %q: ToolTimeout(%s) is not positive; leave the option out for no limit", name, o.timeout)
	}
	return &Tool{name: name, desc: desc, args: args, timeout: o.timeout, run: run}, nil
}

var errNilOption = errors.New("an option is nil")

// maxToolName is what providers allow: see lm.Tool.
const maxToolName = 64

func isToolName(s string) bool {
	if s == "" || len(s) > maxToolName {
		return false
	}
	return !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// Name returns the name by which a model calls the tool.
func (t *Tool) Name() string { return t.name }

// Description returns what the model is told that the tool does.
func (t *Tool) Description() string { return t.desc }

// Args returns the arguments in order. The slice must not be changed.
func (t *Tool) Args() []signature.Field { return t.args }
