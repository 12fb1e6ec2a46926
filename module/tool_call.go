package module

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/whetgo/whet/signature"
)

// Call checks the arguments and calls the function. Where there is no result the error is
// a [*ToolError], also after a panic of the function; it is the context's own error when
// that has ended.
func (t *Tool) Call(ctx context.Context, args signature.Record) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	checked, err := t.check(args)
	if err != nil {
		return "", err
	}
	inner := ctx
	if t.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, t.timeout)
		defer cancel()
		inner = limited
	}
	text, err := t.guarded(inner, checked)
	switch {
	case err == nil:
		return text, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case inner.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("it had no result within %s: %w", t.timeout, err)
	}
	var own *ToolError
	if errors.As(err, &own) && own.Tool == t.name {
		return "", err
	}
	return "", &ToolError{Tool: t.name, Err: err}
}

// guarded calls the function and makes a panic an error.
func (t *Tool) guarded(ctx context.Context, args signature.Record) (text string, err error) {
	defer func() {
		if v := recover(); v != nil {
			cause, ok := v.(error)
			if !ok {
				cause = fmt.Errorf("%v", v)
			}
			err = &ToolError{Tool: t.name, Panic: v, Stack: debug.Stack(), Err: fmt.Errorf("it panicked: %w", cause)}
		}
	}()
	return t.run(ctx, args)
}

// check returns the arguments in the tool's order, with defaults.
func (t *Tool) check(args signature.Record) (signature.Record, error) {
	fail := func(name string, err error) error { return &ToolError{Tool: t.name, Argument: name, Err: err} }
	for name := range args.All() {
		if !t.has(name) {
			return signature.Record{}, fail(name, errors.New("there is no such argument; "+t.wanted()))
		}
	}
	var out signature.Record
	for _, f := range t.args {
		v, ok := args.Get(f.Name)
		switch {
		case !ok && f.HasDefault:
			v, _ = signature.RecordOf(f.Name, f.Default).Get(f.Name) // an int is an int64 there
		case !ok && !f.Type.Optional:
			return signature.Record{}, fail(f.Name, fmt.Errorf("it is missing; %s", t.wanted()))
		}
		v, err := signature.Coerce(f.Type, v)
		if err == nil {
			err = f.Check(v)
		}
		if err != nil {
			return signature.Record{}, fail(f.Name, err)
		}
		out = out.With(f.Name, v)
	}
	return out, nil
}

func (t *Tool) has(name string) bool {
	for _, f := range t.args {
		if f.Name == name {
			return true
		}
	}
	return false
}

// wanted says which arguments the tool takes.
func (t *Tool) wanted() string {
	if len(t.args) == 0 {
		return "the tool takes no arguments"
	}
	list := make([]string, len(t.args))
	for i, f := range t.args {
		list[i] = fmt.Sprintf("%s (%s)", f.Name, f.Type)
		if f.HasDefault || f.Type.Optional {
			list[i] = fmt.Sprintf("%s (%s, may be left out)", f.Name, f.Type)
		}
	}
	return "the tool takes " + strings.Join(list, ", ")
}

// resultText writes a result as the model sees it.
func resultText(v any) (string, error) {
	if rv := reflect.ValueOf(v); rv.IsValid() && rv.Kind() == reflect.String {
		return rv.String(), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("its result, a %T, cannot be written as JSON: %w", v, err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
