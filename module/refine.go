package module

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// hintField is the name of the input that carries a Refine's advice, and noHint what a
// predictor is told for which there is none, both as in DSPy.
const (
	hintField = "hint_"
	noHint    = "N/A"
)

// Refine is a [BestOfN] that learns from its attempts: after one whose reward is below the
// threshold a language model is shown what happened, and writes advice for each
// predictor of the program, which the next attempt gives them as the input "hint_", as
// DSPy's Refine does. DSPy shows that model the source code of program and reward; here
// the caller describes both: see [Description].
//
// Advice stays out of the trace's inputs, and so out of demos; [Attempts] returns it. Where
// the reply of the model that writes it cannot be read, the next attempt has the advice of
// before; other errors of that model end the call. All else is as with BestOfN.
type Refine[In, Out any] struct {
	// Program is what is run.
	Program Program[In, Out] `dspy:"module"`
	// Feedback writes the advice.
	Feedback *Predictor `dspy:"feedback"`

	rollouts[In, Out]
	about Description
	named []Named
}

// Description is what the model that writes a [Refine]'s advice is told.
type Description struct {
	// Program says what the program does, step by step, and what each predictor is for.
	Program string
	// Reward says what the reward function asks for.
	Reward string
}

// refineInput and refineOutput are the fields of the call that writes advice.
type refineInput struct {
	Program       string   `desc:"What the program does"`
	Predictors    []string `desc:"Its predictors: name, signature and instructions of each"`
	ProgramInputs string   `desc:"What the program was given"`
	Steps         string   `desc:"What each predictor was given and answered, in order"`
	Answer        string   `desc:"What the program answered, or how it failed"`
	RewardRule    string   `desc:"What answers are rewarded for"`
	Threshold     float64  `desc:"The reward that is good enough"`
	Reward        float64  `desc:"The reward of this answer"`
	Names         []string `desc:"The predictors that you may advise"`
}

type refineOutput struct {
	Discussion string            `desc:"Which step cost the reward, and why"`
	Advice     map[string]string `desc:"For each name what that predictor should do differently, in concrete words; N/A where it did nothing wrong"`
}

const refineInstructions = `A program has answered, and the answer is not good enough. Find out which of its steps are to blame, and tell those predictors what to do differently when they are asked again. They see your advice, and nothing else of this conversation.`

// FeedbackOptions are options of the predictor that writes a [Refine]'s advice, such as
// [WithLM] for a stronger model.
func FeedbackOptions(opts ...Option) AttemptOption {
	return func(o *attemptOptions) { o.feedback = append(o.feedback, opts...) }
}

// NewRefine makes a Refine of at most n attempts. Both parts of the description are
// needed, and program must have predictors that can be found.
func NewRefine[In, Out any](program Program[In, Out], n int, threshold float64, reward Reward[In, Out], about Description, opts ...AttemptOption) (*Refine[In, Out], error) {
	r, err := newRollouts("Refine", program, n, threshold, reward, opts)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(about.Program) == "" || strings.TrimSpace(about.Reward) == "" {
		return nil, errors.New("module: Refine: the description of the program or of the reward is empty; the model that writes advice sees nothing else of them")
	}
	named, err := Predictors(program)
	if err != nil {
		return nil, fmt.Errorf("module: Refine has no one to advise: %w", err)
	}
	sig, err := signature.Of[refineInput, refineOutput](refineInstructions)
	if err != nil {
		return nil, err
	}
	feedback, err := NewPredictor(sig, r.options.feedback...)
	if err != nil {
		return nil, fmt.Errorf("module: Refine: FeedbackOptions: %w", err)
	}
	return &Refine[In, Out]{program, feedback, r, about, named}, nil
}

// MustRefine is NewRefine for program start-up: it panics where NewRefine returns an
// error.
func MustRefine[In, Out any](program Program[In, Out], n int, threshold float64, reward Reward[In, Out], about Description, opts ...AttemptOption) *Refine[In, Out] {
	return must(NewRefine(program, n, threshold, reward, about, opts...))
}

// Run returns the answer.
func (r *Refine[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(r.Call(ctx, in))
}

// Call returns the answer and how it came about; Usage is that of all attempts and of the
// advice.
func (r *Refine[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	return r.call(ctx, r.Program, r.named, in, r.advise)
}

// advise asks for advice after an attempt.
func (r *Refine[In, Out]) advise(ctx context.Context, in In, done round[Out]) (map[string]string, error) {
	names := map[*Predictor]string{}
	ask := refineInput{
		Program: r.about.Program, RewardRule: r.about.Reward,
		Threshold: r.threshold, Reward: done.attempt.Reward,
	}
	for _, n := range r.named {
		names[n.Predictor] = n.Name
		ask.Names = append(ask.Names, n.Name)
		s, err := n.Predictor.StateIn(ctx).apply(n.Predictor.sig)
		if err != nil {
			return nil, err
		}
		ask.Predictors = append(ask.Predictors, n.Name+": "+s.String()+": "+s.Instructions())
	}
	ask.Steps = describeSteps(done.trace, names)
	rec, err := signature.Encode(in)
	if err != nil {
		return nil, err
	}
	ask.ProgramInputs = describeRecord(rec)
	if done.attempt.Err != nil {
		ask.Answer = "It failed: " + done.attempt.Err.Error()
	} else {
		if rec, err = signature.Encode(done.pred.Out); err != nil {
			return nil, err
		}
		ask.Answer = describeRecord(rec)
	}
	got, _, err := call[refineInput, refineOutput](ctx, r.Feedback, ask)
	if err != nil {
		return nil, err
	}
	return got.Out.Advice, nil
}

// describeSteps tells what the predictors did, in the order of the trace.
func describeSteps(t *trace.Trace, names map[*Predictor]string) string {
	var b strings.Builder
	for _, s := range Steps(t) {
		name, ok := names[s.Predictor]
		if !ok {
			continue // a judge's
		}
		fmt.Fprintf(&b, "%s was given %s and ", name, describeRecord(s.Inputs))
		if s.Err != nil {
			fmt.Fprintf(&b, "failed: %v\n", s.Err)
			continue
		}
		fmt.Fprintf(&b, "answered %s\n", describeRecord(s.Outputs))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// describeRecord writes a record as JSON. Records hold values that can be written, but for
// numbers that JSON does not have.
func describeRecord(r signature.Record) string {
	text, err := signature.MarshalValue(r)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}

// withAdvice returns a context in which the predictors are told what the advice says;
// nil advice is none.
func withAdvice(ctx context.Context, named []Named, advice map[string]string) context.Context {
	if advice == nil {
		return ctx
	}
	names := make(map[*Predictor]string, len(named))
	for _, n := range named {
		names[n.Predictor] = n.Name
	}
	advice = maps.Clone(advice)
	return Intercept(ctx, func(ctx context.Context, c PredictorCall, next PredictorFunc) (*Prediction[signature.Record], error) {
		name, ok := names[c.Predictor]
		if !ok {
			return next(ctx, c)
		}
		hint := strings.TrimSpace(advice[name])
		if hint == "" {
			hint = noHint
		}
		c.Extra = append(slices.Clip(c.Extra), ExtraInput{
			Field: signature.Field{Name: hintField, Type: &signature.Type{Kind: signature.KindString}, Desc: "advice from an earlier try"},
			Value: hint, Untraced: true,
		})
		return next(ctx, c)
	})
}
