package module

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// rationaleField is the output that a MultiChainComparison asks for first, as in DSPy.
const rationaleField = "rationale"

// MultiChainComparison shows a model several attempts at an answer, each with its
// reasoning, and lets it answer anew, as DSPy's MultiChainComparison does (after Yoran
// et al., arXiv 2304.13007). [MultiChainComparison.Compare]
// takes the attempts; Run and Call let a program make them: rollouts at temperature
// 0.7, one after the other. Safe for concurrent use.
type MultiChainComparison[In, Out any] struct {
	// Attempts makes the attempts of Run and Call, mostly a [ChainOfThought]; nil where
	// only Compare is used.
	Attempts Program[In, Out] `dspy:"attempts"`
	// Predict compares them.
	Predict *Predictor `dspy:"predict"`

	m    int
	last string // the last output of Out
}

// comparisonTemperature is that of DSPy, of attempts and of their comparison.
const comparisonTemperature = 0.7

// NewMultiChainComparison makes a MultiChainComparison of m attempts; 3 is DSPy's
// default. attempts may be nil. The options are those of the predictor that compares; its
// temperature is 0.7 unless they say otherwise.
func NewMultiChainComparison[In, Out any](attempts Program[In, Out], m int, instructions string, opts ...Option) (*MultiChainComparison[In, Out], error) {
	if m < 1 {
		return nil, fmt.Errorf("module: MultiChainComparison of %d attempts; want at least 1", m)
	}
	sig, err := signature.Of[In, Out](instructions)
	if err != nil {
		return nil, err
	}
	if len(sig.Outputs()) == 0 {
		return nil, fmt.Errorf("module: MultiChainComparison: %s has no output to compare", sig)
	}
	c := &MultiChainComparison[In, Out]{Attempts: attempts, m: m, last: sig.Outputs()[len(sig.Outputs())-1].Name}
	text := &signature.Type{Kind: signature.KindString}
	for i := range m {
		if sig, err = sig.AppendInput(signature.Field{Name: attemptField(i), Type: text, Desc: "${reasoning attempt}"}); err != nil {
			return nil, err
		}
	}
	if sig, err = sig.PrependOutput(signature.Field{Name: rationaleField, Type: text, Desc: "${corrected reasoning}"}); err != nil {
		return nil, err
	}
	if c.Predict, err = NewPredictor(sig, append([]Option{Temperature(comparisonTemperature)}, opts...)...); err != nil {
		return nil, err
	}
	c.Predict.aside = rationaleField
	return c, nil
}

// MustMultiChainComparison is NewMultiChainComparison for program start-up: it panics
// where NewMultiChainComparison returns an error.
func MustMultiChainComparison[In, Out any](attempts Program[In, Out], m int, instructions string, opts ...Option) *MultiChainComparison[In, Out] {
	return must(NewMultiChainComparison(attempts, m, instructions, opts...))
}

// Run returns the answer.
func (c *MultiChainComparison[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(c.Call(ctx, in))
}

// Call makes the attempts and compares them. Reasoning is the comparison's; Usage is that
// of all calls. An attempt that fails ends the call with a [*MemberError].
func (c *MultiChainComparison[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	if c.Attempts == nil {
		return nil, errors.New("module: MultiChainComparison has no program that makes attempts; give it one, or call Compare")
	}
	branch, t, join := trace.Branch(ctx)
	defer join(true)
	attempts := make([]*Prediction[Out], c.m)
	for i := range attempts {
		var err error
		rollout := WithTemperature(WithRollout(branch, i), comparisonTemperature)
		if attempts[i], err = Call(rollout, c.Attempts, in); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &MemberError{"MultiChainComparison", fmt.Sprintf("attempts, rollout %d", i), err}
		}
	}
	pred, err := c.Compare(branch, in, attempts)
	if err != nil {
		return nil, err
	}
	pred.Usage = UsageOf(t)
	return pred, nil
}

// Compare answers from attempts that were made before, as many as the constructor was
// told. Of each the model sees the first lines of its reasoning and of its last field.
func (c *MultiChainComparison[In, Out]) Compare(ctx context.Context, in In, attempts []*Prediction[Out]) (*Prediction[Out], error) {
	if len(attempts) != c.m {
		return nil, fmt.Errorf("module: MultiChainComparison compares %d attempts, got %d", c.m, len(attempts))
	}
	rec, err := signature.Encode(in)
	if err != nil {
		return nil, c.Predict.named(err)
	}
	for i, a := range attempts {
		if a == nil {
			return nil, fmt.Errorf("module: MultiChainComparison: attempt %d is nil", i)
		}
		line, err := c.attempt(a)
		if err != nil {
			return nil, fmt.Errorf("module: MultiChainComparison: attempt %d: %w", i, err)
		}
		rec = rec.With(attemptField(i), line)
	}
	pred, out, err := callRecord[Out](ctx, c.Predict, rec)
	if err != nil {
		return nil, err
	}
	v, _ := out.Get(rationaleField)
	pred.Reasoning, _ = v.(string)
	return pred, nil
}

// attempt writes an attempt as DSPy does.
func (c *MultiChainComparison[In, Out]) attempt(a *Prediction[Out]) (string, error) {
	out, err := signature.Encode(a.Out)
	if err != nil {
		return "", err
	}
	v, _ := out.Get(c.last)
	answer, err := pythonText(v)
	if err != nil {
		return "", err
	}
	return "«I'm trying to " + firstLine(a.Reasoning) + " I'm not sure but my prediction is " + firstLine(answer) + "»", nil
}

func attemptField(i int) string { return "reasoning_attempt_" + strconv.Itoa(i+1) }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
