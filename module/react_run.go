package module

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

const (
	// maxTries is how often a prompt that is too long is asked, each time without one step
	// more.
	maxTries = 3
	// maxUnreadable is how many replies in a row may name no tool.
	maxUnreadable = 3
)

// reactRun is one run of a ReAct, by one goroutine.
type reactRun struct {
	*reactCore
	in   signature.Record
	done Trajectory
}

// selection is what the model chose to do next.
type selection struct {
	thought, tool string
	args          signature.Record
}

// read takes a selection from the predictor's outputs, which need not be a model's: an
// interceptor may have answered.
func (s *selection) read(out signature.Record) error {
	var from struct {
		NextThought  string
		NextToolName string
		NextToolArgs signature.Record
	}
	if err := signature.Decode(out, &from); err != nil {
		return err
	}
	*s = selection{from.NextThought, from.NextToolName, from.NextToolArgs}
	return nil
}

// steps takes steps until there is a reason to stop, which it notes.
func (r *reactRun) steps(ctx context.Context) error {
	unreadable := 0
	for range r.maxIters {
		next, err := r.choose(ctx)
		problem, isReply := replyProblem(err)
		switch {
		case err == nil:
			unreadable = 0
		case isReply:
			r.done.Steps = append(r.done.Steps, ToolStep{Observation: problem, Err: err})
			if unreadable++; unreadable == maxUnreadable {
				r.done.Stopped = StopUnreadable
				return nil
			}
			continue
		case errors.Is(err, lm.ErrContextLength) && len(r.done.Steps) > 0:
			r.done.Stopped = StopContextLength
			return nil
		default:
			return err
		}
		step := ToolStep{Thought: next.thought, Tool: next.tool, Args: next.args}
		if next.tool == finishTool {
			step.Observation = finished
			r.done.Steps = append(r.done.Steps, step)
			r.done.Stopped = StopFinish
			return nil
		}
		err = r.call(ctx, &step)
		r.done.Steps = append(r.done.Steps, step)
		if err != nil {
			return err
		}
	}
	r.done.Stopped = StopMaxIters
	return nil
}

// choose asks for the next step.
func (r *reactRun) choose(ctx context.Context) (selection, error) {
	var next selection
	err := r.fitting(func(in signature.Record) error {
		_, err := r.react.call(ctx, in, func(out signature.Record) error {
			if err := next.read(out); err != nil {
				return err
			}
			if next.tool != finishTool && r.tools[next.tool] == nil {
				return &signature.Error{Field: toolNameField, Problem: "there is no such tool"}
			}
			return nil
		})
		return err
	})
	return next, err
}

// answer asks for the answer.
func (r *reactRun) answer(ctx context.Context, read func(signature.Record) error) error {
	return r.fitting(func(in signature.Record) error {
		_, err := r.extract.call(ctx, in, read)
		return err
	})
}

// fitting asks with the steps so far, and forgets the oldest where the prompt is too long.
func (r *reactRun) fitting(ask func(in signature.Record) error) error {
	for try := 1; ; try++ {
		text, err := renderFields(r.adapter, shownSteps(r.done.Steps, r.done.Forgotten))
		if err != nil {
			return r.react.named(err)
		}
		err = ask(r.in.With(trajectoryField, text))
		left := len(r.done.Steps) - r.done.Forgotten
		switch {
		case !errors.Is(err, lm.ErrContextLength):
			return err
		case left <= 1:
			return fmt.Errorf("module: the prompt is too long with no step but the last one; shorten the inputs, or what tools give with module.MaxObservation: %w", err)
		case try == maxTries:
			return fmt.Errorf("module: the prompt is too long also without the oldest %d of %d steps: %w", r.done.Forgotten, len(r.done.Steps), err)
		}
		r.done.Forgotten++
	}
}

// call calls the tool of a step. Its error is one that ends the run.
func (r *reactRun) call(ctx context.Context, step *ToolStep) error {
	step.Start = time.Now()
	text, err := r.tools[step.Tool].Call(ctx, step.Args)
	step.Duration = time.Since(step.Start)
	var te *ToolError
	switch {
	case err == nil:
		step.Observation = text
	case errors.As(err, &te) && te.Tool == step.Tool:
		step.Observation = fmt.Sprintf("The call of %s failed: %s", step.Tool, te.reason())
	default:
		step.Observation = fmt.Sprintf("The call of %s failed: %v", step.Tool, err)
	}
	step.Observation = shortenTo(step.Observation, r.maxObservation)
	step.Err = err
	step.record(trace.From(ctx))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && endsRun(ctx, err):
		return err
	}
	return nil
}

// replyProblem says what was wrong with a reply, and whether that is why there is an error.
func replyProblem(err error) (string, bool) {
	var cut *TruncatedError
	var pe *adapter.ParseError
	switch {
	case errors.As(err, &cut):
		return fmt.Sprintf("Your last reply was too long and broke off in the field `%s`, so that no tool was called. Be brief.", cut.Field), true
	case errors.As(err, &pe):
		return complaint(pe), true
	}
	return "", false
}

// shortenTo cuts a text to so many characters and says so; 0 is no limit.
func shortenTo(s string, most int) string {
	if most == 0 || len(s) <= most {
		return s
	}
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return fmt.Sprintf("%s... (%d more characters)", string(runes[:most]), len(runes)-most)
}
