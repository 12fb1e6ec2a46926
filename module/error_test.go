package module_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

func TestConstructorErrors(t *testing.T) {
	t.Parallel()
	var se *signature.Error
	if _, err := module.NewPredict[int, verdict](""); !errors.As(err, &se) {
		t.Errorf("NewPredict of an int: %v", err)
	}
	if _, err := module.NewChainOfThought[sms, int](""); !errors.As(err, &se) {
		t.Errorf("NewChainOfThought of an int: %v", err)
	}
	type taken struct{ Reasoning string }
	_, output := module.NewChainOfThought[sms, taken]("")
	_, input := module.NewChainOfThought[taken, verdict]("")
	for _, err := range []error{output, input} {
		if !errors.As(err, &se) || se.Field != "reasoning" || !strings.Contains(err.Error(), "ChainOfThought adds") {
			t.Errorf("a field named reasoning: %v", err)
		}
	}
	if _, err := module.NewPredict[sms, verdict]("", module.WithAdapter(nil)); err == nil || !strings.Contains(err.Error(), "WithAdapter") {
		t.Errorf("without an adapter: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustChainOfThought did not panic")
		}
	}()
	module.MustChainOfThought[sms, taken]("")
}

func TestCallErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	names := func(t *testing.T, err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "module: predictor "+want+": ") {
			t.Errorf("%v does not name the predictor %s", err, want)
		}
	}
	t.Run("reply that cannot be read", func(t *testing.T) {
		t.Parallel()
		_, err := newCoT().Call(lm.With(ctx, lmtest.Script("I cannot say.")), sms{"x"})
		var pe *adapter.ParseError
		if !errors.As(err, &pe) || pe.Raw != "I cannot say." || pe.Field != "reasoning" || !pe.Missing {
			t.Errorf("got %v", err)
		}
		names(t, err, `"text -> reasoning, label"`)
	})
	t.Run("no model", func(t *testing.T) {
		t.Parallel()
		out, err := newSMS().Run(ctx, sms{"x"})
		if !errors.Is(err, module.ErrNoLM) || out != (verdict{}) || !strings.Contains(err.Error(), "text -> label") {
			t.Errorf("got %v, %v", out, err)
		}
		names(t, err, `"text -> label"`)
	})
	t.Run("error of the model", func(t *testing.T) {
		t.Parallel()
		_, err := newCoT().Run(lm.With(ctx, lmtest.Script()), sms{"x"})
		var le *lm.Error
		if !errors.As(err, &le) || !errors.Is(err, lm.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		names(t, err, `"text -> reasoning, label"`)
	})
	t.Run("model without a word", func(t *testing.T) {
		t.Parallel()
		silent := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return nil, nil })
		_, err := newSMS().Run(lm.With(ctx, silent), sms{"x"})
		if !errors.Is(err, lm.ErrBackend) || !strings.Contains(err.Error(), "neither a reply nor an error") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		model := lmtest.Script(reply("label", "ham"))
		cctx, cancel := context.WithCancel(lm.With(ctx, model))
		cancel()
		if _, err := newSMS().Run(cctx, sms{"x"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if model.Calls() != 0 {
			t.Error("the model was asked")
		}
	})
	t.Run("input that is no choice", func(t *testing.T) {
		t.Parallel()
		model := lmtest.Script(reply("a", "x"))
		_, err := module.MustPredict[verdict, answer]("").Run(lm.With(ctx, model), verdict{"junk"})
		var se *signature.Error
		if !errors.As(err, &se) || model.Calls() != 0 {
			t.Errorf("got %v after %d calls", err, model.Calls())
		}
		names(t, err, `"label -> a"`)
	})
}

// A value that the Go type cannot hold is a reply that could not be read.
func TestValueThatDoesNotFit(t *testing.T) {
	t.Parallel()
	type item struct{ N uint8 }
	type counts struct {
		Note  string
		N     uint8
		Items []item
	}
	for _, tt := range []struct{ n, items, field, got, want string }{
		{"300", "[]", "n", "300", "int (the value 300 does not fit a uint8)"},
		{"3", `[{"n": 3}, {"n": -1}]`, "items", `[{"n":3},{"n":-1}]`, "the value -1 does not fit a uint8"},
	} {
		raw := reply("note", "seen", "n", tt.n, "items", tt.items)
		ctx, tr := trace.Start(lm.With(context.Background(), lmtest.Script(raw)))
		p := module.MustPredict[question, counts]("")
		out, err := p.Run(ctx, question{"?"})
		var pe *adapter.ParseError
		if !errors.As(err, &pe) {
			t.Fatalf("got %v, %v; want a *ParseError", out, err)
		}
		if pe.Field != tt.field || pe.Got != tt.got || pe.Raw != raw || pe.Adapter != "chat" || !strings.Contains(pe.Expected, tt.want) || out.Note != "" {
			t.Errorf("got %+v, %+v", out, pe)
		}
		step := module.Steps(tr)[0]
		if !errors.Is(step.Err, err) || step.Prediction != nil || step.Outputs.Len() != 0 || step.Raw != raw {
			t.Errorf("the step is %+v, want a failed one with the reply", step)
		}
	}
}
