package starlark

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// TestMain is what a program's main is: the test binary is its own child.
func TestMain(m *testing.M) {
	Child()
	goleak.VerifyTestMain(m)
}

// open makes an interpreter of whose children eight run at once. The time is long, as the
// machine may be busy, and nothing waits for it unless a test says so.
func open(t *testing.T, opts ...Option) *Interpreter {
	t.Helper()
	i, err := New(append([]Option{Concurrency(8), Timeout(time.Minute)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func run1(t *testing.T, i *Interpreter, code string, inputs ...any) (*module.CodeResult, error) {
	t.Helper()
	return i.Execute(t.Context(), code, signature.RecordOf(inputs...))
}

// wantFault runs code that is to fail.
func wantFault(t *testing.T, i *Interpreter, code string, kind module.InterpreterErrorKind, limit module.CodeLimit) *module.InterpreterError {
	t.Helper()
	got, err := run1(t, i, code)
	var fault *module.InterpreterError
	if !errors.As(err, &fault) {
		t.Fatalf("%.80q: %+v, %v; want an InterpreterError", code, got, err)
	}
	if fault.Kind != kind || fault.Limit != limit {
		t.Errorf("%.80q: kind %q, limit %q (%v); want %q, %q", code, fault.Kind, fault.Limit, err, kind, limit)
	}
	return fault
}

// alive checks that the interpreter works as ever.
func alive(t *testing.T, i *Interpreter) {
	t.Helper()
	got, err := i.Execute(context.WithoutCancel(t.Context()), "SUBMIT(6 * 7)", signature.Record{})
	if err != nil || got.Value != int64(42) {
		t.Errorf("after it: %+v, %v", got, err)
	}
}
