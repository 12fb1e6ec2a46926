package module

import (
	"context"
	"iter"

	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// ReAct answers with the help of tools (Yao et al., ReAct, arXiv 2210.03629): step by step
// the model thinks, calls one of the tools and sees what it gives, until it calls finish;
// a [ChainOfThought] over all steps answers then.
//
// What goes wrong in a tool, from an unknown argument to a panic, is shown to the model, and
// it may do better in the next step; an error made by [Abort] and the end of the context end
// the run. So is a reply that names no tool, once [Retry] is used up: as the model sees what
// was wrong, it is worth another step, where DSPy gives up the run. After three such
// replies in a row ReAct answers from what it has, as it does after [MaxIters] steps.
//
// A prompt that is too long for the model (lm.ErrContextLength) is asked again without the
// oldest step, then without the next, three times in all. If that does not help when a tool
// is to be chosen, ReAct answers from the steps that are left; if it does not then either,
// or no step can be spared, the error is the model's.
//
// Its predictors are "react", which chooses the tools, and "extract.predict", as in DSPy,
// whose files load here and the other way round. The tools are described in the
// instructions of "react": those of a file or of an optimizer stand in for them.
//
// Each call of a tool is a step of the trace: see [ToolSteps]. Run, Call and CallTrajectory
// are safe for concurrent use if the tools are.
type ReAct[In, Out any] struct {
	core *reactCore
}

// NewReAct makes a ReAct with at least one tool; none of them may be named finish. In and
// Out may have no fields named trajectory, reasoning, next_thought, next_tool_name and
// next_tool_args. Empty instructions become the default ones, which name the fields.
func NewReAct[In, Out any](instructions string, tools []*Tool, opts ...ReActOption) (*ReAct[In, Out], error) {
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	core, err := newReActCore(sig, tools, opts)
	if err != nil {
		return nil, err
	}
	return &ReAct[In, Out]{core}, nil
}

// MustReAct is NewReAct for program start-up: it panics where NewReAct returns an error.
func MustReAct[In, Out any](instructions string, tools []*Tool, opts ...ReActOption) *ReAct[In, Out] {
	return must(NewReAct[In, Out](instructions, tools, opts...))
}

// DynamicReAct is the [ReAct] beside [Dynamic].
type DynamicReAct = ReAct[signature.Record, signature.Record]

// NewDynamicReAct makes a DynamicReAct.
func NewDynamicReAct(sig *signature.Signature, tools []*Tool, opts ...ReActOption) (*DynamicReAct, error) {
	core, err := newReActCore(sig, tools, opts)
	if err != nil {
		return nil, err
	}
	return &DynamicReAct{core}, nil
}

// MustDynamicReAct is NewDynamicReAct for program start-up: it panics where that returns
// an error.
func MustDynamicReAct(sig *signature.Signature, tools []*Tool, opts ...ReActOption) *DynamicReAct {
	return must(NewDynamicReAct(sig, tools, opts...))
}

// Run returns the answer.
func (r *ReAct[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(r.Call(ctx, in))
}

// Call returns the answer and how it came about. Reasoning is what the model wrote before
// the answer, and Usage the sum of all calls, those of programs that are tools included.
func (r *ReAct[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	pred, _, err := r.CallTrajectory(ctx, in)
	return pred, err
}

// CallTrajectory is Call that tells the steps before the answer, too: after an error those
// that were taken.
func (r *ReAct[In, Out]) CallTrajectory(ctx context.Context, in In) (*Prediction[Out], *Trajectory, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return nil, &Trajectory{}, r.core.react.named(err)
	}
	if _, dynamic := any(in).(signature.Record); dynamic {
		if err := r.core.react.checkInputs(rec.With(trajectoryField, "")); err != nil {
			return nil, &Trajectory{}, err
		}
	}
	branch, t, join := trace.Branch(ctx)
	defer join(true) // also after an error: what was paid is never lost
	run := &reactRun{reactCore: r.core, in: rec}
	if err := run.steps(branch); err != nil {
		return nil, &run.done, err
	}
	var out Out
	_, untyped := any(&out).(*signature.Record)
	err = run.answer(branch, func(got signature.Record) error {
		if untyped {
			got = got.Without(reasoningField)
		}
		return signature.Decode(got, &out)
	})
	if err != nil {
		return nil, &run.done, err
	}
	return PredictionOf(t, out), &run.done, nil
}

// Predictors lists the predictors under DSPy's names for them.
func (r *ReAct[In, Out]) Predictors() iter.Seq2[string, *Predictor] {
	return func(yield func(string, *Predictor) bool) {
		if r != nil && r.core != nil && yield("react", r.core.react) {
			yield("extract.predict", r.core.extract)
		}
	}
}
