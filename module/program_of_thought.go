package module

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// The fields that DSPy's ProgramOfThought adds to those of the program.
const (
	generatedCode      = "generated_code"
	previousCode       = "previous_code"
	codeError          = "error"
	finalGeneratedCode = "final_generated_code"
	codeOutput         = "code_output"
)

// ProgramOfThought lets the model write code that computes the answer: it asks for the
// code, runs it in an [Interpreter], and asks for the outputs with what the code
// computed. Code that fails is written anew by the model, which is shown the code and the
// error. Run and Call are safe for concurrent use.
//
// The predictors have DSPy's names: code_generate.predict, code_regenerate.predict and
// generate_output.predict. The inputs are variables of the code, which DSPy has not.
//
// All calls are in the trace, and each piece of code after the call that wrote it, as
// [CodeRuns] returns them. Calls whose code came to nothing are dropped: the answer does
// not rest on them, and bootstrapping makes no demo of them. A call that mended code is
// kept. Where all code fails the error is a *[ProgramOfThoughtError].
type ProgramOfThought[In, Out any] struct {
	generate, regenerate, output *Predictor
	interpreter                  Interpreter
	language                     Language
	attempts                     int
}

// NewProgramOfThought makes a ProgramOfThought. The options hold for all three
// predictors. It returns an error where In or Out has a field that the module adds itself:
// generated_code, previous_code, error, final_generated_code, code_output, reasoning.
func NewProgramOfThought[In, Out any](instructions string, interpreter Interpreter, opts ...ProgramOfThoughtOption) (*ProgramOfThought[In, Out], error) {
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	p := &ProgramOfThought[In, Out]{}
	if err := p.build(sig, interpreter, opts); err != nil {
		return nil, err
	}
	return p, nil
}

// MustProgramOfThought is NewProgramOfThought for program start-up: it panics where
// NewProgramOfThought returns an error.
func MustProgramOfThought[In, Out any](instructions string, interpreter Interpreter, opts ...ProgramOfThoughtOption) *ProgramOfThought[In, Out] {
	return must(NewProgramOfThought[In, Out](instructions, interpreter, opts...))
}

// DynamicProgramOfThought is the [ProgramOfThought] beside [Dynamic].
type DynamicProgramOfThought = ProgramOfThought[signature.Record, signature.Record]

// NewDynamicProgramOfThought makes a ProgramOfThought of a signature that is known only
// when the program runs.
func NewDynamicProgramOfThought(sig *signature.Signature, interpreter Interpreter, opts ...ProgramOfThoughtOption) (*DynamicProgramOfThought, error) {
	if sig == nil {
		return nil, errors.New("module: ProgramOfThought needs a signature, got none")
	}
	p := &DynamicProgramOfThought{}
	if err := p.build(sig, interpreter, opts); err != nil {
		return nil, err
	}
	return p, nil
}

// MustDynamicProgramOfThought is NewDynamicProgramOfThought for program start-up: it panics
// where that returns an error.
func MustDynamicProgramOfThought(sig *signature.Signature, interpreter Interpreter, opts ...ProgramOfThoughtOption) *DynamicProgramOfThought {
	return must(NewDynamicProgramOfThought(sig, interpreter, opts...))
}

// build makes the predictors.
func (p *ProgramOfThought[In, Out]) build(sig *signature.Signature, interpreter Interpreter, opts []ProgramOfThoughtOption) error {
	if interpreter == nil {
		return errors.New("module: ProgramOfThought needs an interpreter, got none; module/starlark has one")
	}
	lang := interpreter.Language()
	if lang.Name == "" {
		return errors.New("module: ProgramOfThought: the interpreter's Language has no Name, so the model cannot be told what to write")
	}
	if len(lang.Fences) == 0 {
		lang.Fences = []string{lang.Name}
	}
	for _, name := range []string{generatedCode, previousCode, codeError, finalGeneratedCode, codeOutput} {
		for _, f := range sig.Fields() {
			if f.Name == name {
				return fmt.Errorf("module: %s has a field %q, which ProgramOfThought adds itself; rename it: %w",
					sig, name, &signature.Error{Field: name, Problem: "the name is taken"})
			}
		}
	}
	options := programOfThoughtOptions{attempts: defaultCodeAttempts}
	for _, o := range opts {
		if o == nil {
			return fmt.Errorf("module: ProgramOfThought: %w", errNilOption)
		}
		if err := o.applyProgramOfThought(&options); err != nil {
			return fmt.Errorf("module: ProgramOfThought: %w", err)
		}
	}
	p.interpreter, p.language, p.attempts = interpreter, lang, options.attempts
	text := &signature.Type{Kind: signature.KindString}
	code := signature.Field{Name: generatedCode, Desc: lang.Name + " code that computes the answer", Type: text}
	steps := []struct {
		core         **Predictor
		instructions string
		inputs       []signature.Field
		outputs      []signature.Field
	}{
		{&p.generate, generateInstructions(sig, lang), nil, []signature.Field{code}},
		{&p.regenerate, regenerateInstructions(sig, lang), []signature.Field{
			{Name: previousCode, Desc: lang.Name + " code that failed", Type: text},
			{Name: codeError, Desc: "what was wrong with that code", Type: text},
		}, []signature.Field{code}},
		{&p.output, outputInstructions(sig), []signature.Field{
			{Name: finalGeneratedCode, Desc: lang.Name + " code that computes the answer", Type: text},
			{Name: codeOutput, Desc: "what that code computed", Type: text},
		}, sig.Outputs()},
	}
	for _, s := range steps {
		inputs := append(append([]signature.Field{}, sig.Inputs()...), s.inputs...)
		step, err := signature.New(s.instructions, inputs, s.outputs)
		if err != nil {
			return err
		}
		if *s.core, err = reasoningPredictor(step, options.predictor); err != nil {
			return err
		}
	}
	return nil
}

func generateInstructions(sig *signature.Signature, lang Language) string {
	text := sig.Instructions() + "\n\nDo not answer yet. Write " + lang.Name + " code, in a block that begins with " + fence + lang.Fences[0] +
		", that computes " + quotedNames(sig.Outputs()) + "."
	if len(sig.Inputs()) > 0 {
		text += " The values of " + quotedNames(sig.Inputs()) + " are there already, in variables of these names; do not copy them into the code."
	}
	return text + guide(lang)
}

func regenerateInstructions(sig *signature.Signature, lang Language) string {
	return sig.Instructions() + "\n\nThe code in `" + previousCode + "` was to compute " + quotedNames(sig.Outputs()) + " and failed with `" + codeError +
		"`. Find out why, and write the whole of the code anew in " + lang.Name + ", in a block that begins with " + fence + lang.Fences[0] + "." + guide(lang)
}

func outputInstructions(sig *signature.Signature) string {
	return sig.Instructions() + "\n\nThe code in `" + finalGeneratedCode + "` was run, and `" + codeOutput + "` is what it computed. Take " +
		quotedNames(sig.Outputs()) + " from there."
}

func guide(lang Language) string {
	if lang.Guide == "" {
		return ""
	}
	return "\n" + lang.Guide
}

// Run returns the answer.
func (p *ProgramOfThought[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(p.Call(ctx, in))
}

// Call returns the answer and how it came about; Usage is that of all calls, and
// everything else that of the last one.
func (p *ProgramOfThought[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	pred, _, err := p.CallCode(ctx, in)
	return pred, err
}

// CallCode is Call that returns the code, too, in the order in which it was run: the
// answer rests on the last one. After an error it returns what was run until then.
func (p *ProgramOfThought[In, Out]) CallCode(ctx context.Context, in In) (*Prediction[Out], []CodeRun, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return nil, nil, p.generate.named(err)
	}
	if _, dynamic := any(in).(signature.Record); dynamic {
		if err := p.generate.checkInputs(rec); err != nil {
			return nil, nil, err
		}
	}
	branch, t, join := trace.Branch(ctx)
	defer join(true)
	runs, err := p.compute(branch, rec)
	if err != nil {
		return nil, runs, err
	}
	last := runs[len(runs)-1]
	shown, err := last.Result.Text()
	if err != nil {
		return nil, runs, fmt.Errorf("module: ProgramOfThought: the interpreter's value: %w", err)
	}
	answer, _, err := callRecord[Out](branch, p.output, rec.With(finalGeneratedCode, last.Code).With(codeOutput, shown))
	if err != nil {
		return nil, runs, err
	}
	return PredictionOf(t, answer.Out), runs, nil
}

// compute asks for code until some runs to its end, which is the last of the runs then.
func (p *ProgramOfThought[In, Out]) compute(ctx context.Context, in signature.Record) ([]CodeRun, error) {
	var runs []CodeRun
	core, rec := p.generate, in
	for n := range p.attempts {
		run, asked, err := p.attempt(ctx, core, n, rec, in)
		if asked {
			runs = append(runs, run)
		}
		var fault *InterpreterError
		switch {
		case err == nil:
			return runs, nil
		case !asked:
			return runs, err
		case !errors.As(err, &fault):
			if ctx.Err() != nil {
				return runs, ctx.Err()
			}
			return runs, fmt.Errorf("module: ProgramOfThought: running %s code: %w", p.language.Name, err)
		}
		core, rec = p.regenerate, in.With(previousCode, run.Code).With(codeError, fault.forModel())
	}
	return runs, &ProgramOfThoughtError{Attempts: runs}
}

// attempt asks for code and runs it; asked says that there was an answer.
func (p *ProgramOfThought[In, Out]) attempt(ctx context.Context, core *Predictor, n int, rec, in signature.Record) (run CodeRun, asked bool, err error) {
	branch, t, join := trace.Branch(ctx)
	defer func() { join(err == nil) }()
	pred, err := core.Call(branch, rec)
	if err != nil {
		return CodeRun{}, false, err
	}
	reply, _ := pred.Out.Get(generatedCode)
	text, _ := reply.(string)
	run = CodeRun{N: n, Language: p.language.Name, Code: codeOf(text, p.language.Fences), Start: time.Now()}
	run.Result, run.Err = p.execute(branch, run.Code, in)
	run.Duration = time.Since(run.Start)
	t.Add(trace.Step{Note: run, Err: run.Err, Start: run.Start, Duration: run.Duration})
	return run, true, run.Err
}

// execute runs code; code without a result is an error.
func (p *ProgramOfThought[In, Out]) execute(ctx context.Context, code string, in signature.Record) (*CodeResult, error) {
	if code == "" {
		return nil, &InterpreterError{Language: p.language.Name, Kind: ErrCodeSyntax, Message: "the reply has no code"}
	}
	result, err := p.interpreter.Execute(ctx, code, in)
	if err != nil {
		return nil, err
	}
	if text, err := result.Text(); err == nil && strings.TrimSpace(text) == "" {
		return nil, &InterpreterError{
			Language: p.language.Name, Kind: ErrCodeRuntime,
			Message: "the code ran to its end, but neither handed a result over nor printed one",
		}
	}
	return result, nil
}

// Predictors lists the inner predictors under DSPy's names for them.
func (p *ProgramOfThought[In, Out]) Predictors() iter.Seq2[string, *Predictor] {
	return func(yield func(string, *Predictor) bool) {
		if p == nil {
			return
		}
		_ = yield("code_generate.predict", p.generate) &&
			yield("code_regenerate.predict", p.regenerate) &&
			yield("generate_output.predict", p.output)
	}
}

// ProgramOfThoughtError says that no code came to its end.
type ProgramOfThoughtError struct {
	// Attempts are all that was run, in order; each has an Err.
	Attempts []CodeRun
}

// Error names the last attempt's error.
func (e *ProgramOfThoughtError) Error() string {
	last := e.Attempts[len(e.Attempts)-1]
	return fmt.Sprintf("module: ProgramOfThought: the code of all %d attempts failed; the last: %v", len(e.Attempts), last.Err)
}

// Unwrap returns the attempts' errors.
func (e *ProgramOfThoughtError) Unwrap() []error {
	errs := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		errs[i] = a.Err
	}
	return errs
}
