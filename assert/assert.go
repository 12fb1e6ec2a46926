package assert

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Error is an assertion or a suggestion that does not hold.
type Error struct {
	// Message says what is required; a model that is asked again reads it.
	Message string
	// Hard tells an assertion ([That], a constraint of a field) from a suggestion.
	Hard bool
	// Target names the predictor that is responsible: the one that was given or, within
	// a [Wrapped], the one that answered last. It is empty where it is not known.
	Target string
	// Try is the try that failed, from 0.
	Try int
	// Err is the *adapter.ParseError of a reply that breaks a constraint of its
	// signature; nil for That and Suggest.
	Err error

	pass      *pass // in which it failed; nil outside of a Wrapped
	call      *call // of the responsible predictor; nil when none had answered
	predictor *module.Predictor
}

// Error returns kind, predictor and message.
func (e *Error) Error() string {
	text := "assert: "
	if !e.Hard {
		text += "suggestion: "
	}
	if e.Target != "" {
		text += fmt.Sprintf("predictor %q: ", e.Target)
	}
	text += e.Message
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// TargetError is a [Target] that the wrapped program does not have. It is found also
// when the assertion holds, and nothing is asked again for it.
type TargetError struct {
	// Target is the name that was given.
	Target string
	// Names are the predictors of the program.
	Names []string
}

// Error lists the names that there are.
func (e *TargetError) Error() string {
	known := "it has none that can be found; keep modules in exported fields"
	if len(e.Names) > 0 {
		known = "it has " + strings.Join(e.Names, ", ")
	}
	return fmt.Sprintf("assert: the target %q is no predictor of the wrapped program; %s", e.Target, known)
}

// At says more about an assertion.
type At func(*target)

type target struct {
	name      string
	predictor *module.Predictor
	given     bool
}

// Target names the predictor that is to answer again, by its name in the wrapped program
// (see module.Predictors): "query", "answer.predict". The default is the one that
// answered last, and so it is where the target has not answered yet.
func Target(name string) At { return func(t *target) { t.name, t.given = name, true } }

// TargetPredictor is [Target] for a predictor itself: TargetPredictor(p.Query.Predictor()).
func TargetPredictor(p *module.Predictor) At {
	return func(t *target) { t.predictor, t.given = p, true }
}

// That returns nil where ok holds, and else an error for the program's Run to return.
// [Wrap] then asks the responsible predictor again, with what it answered and the
// message, and returns the error where no further try is left. Outside of a Wrapped the
// error, an [*Error], is all that happens. The failure is recorded in the context's trace:
// see [Failures]. It may be called by several goroutines at once.
func That(ctx context.Context, ok bool, message string, at ...At) error {
	return check(ctx, true, ok, message, at)
}

// Suggest is [That] for what had better hold: when no further try is left, it returns nil
// within a [Wrapped], so that the program goes on with the answer that it has, and the
// failure is only recorded.
func Suggest(ctx context.Context, ok bool, message string, at ...At) error {
	return check(ctx, false, ok, message, at)
}

func check(ctx context.Context, hard, ok bool, message string, at []At) error {
	var t target
	for _, set := range at {
		set(&t)
	}
	p := passOf(ctx)
	if err := p.resolve(&t); err != nil || ok {
		return err
	}
	e := &Error{Message: message, Hard: hard, Target: t.name, predictor: t.predictor}
	ignored := false
	if p != nil {
		ignored = p.ignores(hard)
		e.pass, e.Try = p, p.try
		e.call = p.responsible(ctx, t.predictor)
		e.name(p)
	}
	trace.From(ctx).Add(trace.Step{Note: e.failure(ignored)})
	if ignored {
		return nil
	}
	return e
}

// name names the predictor that is responsible.
func (e *Error) name(p *pass) {
	if e.call != nil {
		e.predictor = e.call.asked.Predictor
		e.Target = p.nameOf(e.predictor)
	}
}
