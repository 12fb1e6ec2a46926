package module

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/trace"
)

// Reward says how good an answer is; more is better. It must be safe for concurrent use.
type Reward[In, Out any] func(ctx context.Context, in In, got *Prediction[Out]) (float64, error)

// BestOfN runs a program several times and answers with the attempt of the highest
// reward, as DSPy's BestOfN does. The attempts are rollouts at temperature 1
// ([WithRollout]), one after the other, and end with the first whose reward reaches the
// threshold. Of equal rewards the earlier attempt is taken. Language model calls of the
// reward function are none of the attempt: they have their own temperature, and stand
// before the attempt's in the trace. Run and Call are safe for concurrent use.
//
// An attempt that fails, or whose reward does, is passed over unless [MaxFailures] says
// otherwise; where all do, the error is an [*AttemptsError]. An error of kind lm.ErrBudget
// and that of the context end it at once. All attempts are in the trace, the
// others dropped, and in Usage; [Attempts] returns the rewards.
type BestOfN[In, Out any] struct {
	// Program is what is run.
	Program Program[In, Out] `dspy:"module"`
	rollouts[In, Out]
}

// NewBestOfN makes a BestOfN of at most n attempts. A threshold of math.Inf(1) makes
// all of them.
func NewBestOfN[In, Out any](program Program[In, Out], n int, threshold float64, reward Reward[In, Out], opts ...AttemptOption) (*BestOfN[In, Out], error) {
	r, err := newRollouts("BestOfN", program, n, threshold, reward, opts)
	if err != nil {
		return nil, err
	}
	if r.options.feedback != nil {
		return nil, errors.New("module: BestOfN asks for no advice, so FeedbackOptions mean nothing; leave them out, or make a Refine")
	}
	return &BestOfN[In, Out]{program, r}, nil
}

// MustBestOfN is NewBestOfN for program start-up: it panics where NewBestOfN returns an
// error.
func MustBestOfN[In, Out any](program Program[In, Out], n int, threshold float64, reward Reward[In, Out], opts ...AttemptOption) *BestOfN[In, Out] {
	return must(NewBestOfN(program, n, threshold, reward, opts...))
}

// Run returns the answer.
func (b *BestOfN[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(b.Call(ctx, in))
}

// Call returns the answer and how it came about; Usage is that of all attempts.
func (b *BestOfN[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	return b.call(ctx, b.Program, nil, in, nil)
}

// AttemptOption configures [BestOfN] and [Refine].
type AttemptOption func(*attemptOptions)

type attemptOptions struct {
	failures    int
	temperature float64
	feedback    []Option
}

// MaxFailures ends a call with the error of an attempt when more than n attempts have
// failed. The default is that any may.
func MaxFailures(n int) AttemptOption { return func(o *attemptOptions) { o.failures = n } }

// AttemptTemperature sets the temperature of all calls of the attempts; the default
// is 1, as in DSPy.
func AttemptTemperature(t float64) AttemptOption {
	return func(o *attemptOptions) { o.temperature = t }
}

// AttemptsError says that no attempt gave an answer with a reward.
type AttemptsError struct {
	// Module is "BestOfN" or "Refine".
	Module string
	// Attempts are those that were made; each has an Err.
	Attempts []Attempt
	// Limit is the limit of [MaxFailures] that ended the call; -1 where all attempts were
	// made.
	Limit int
}

// Error names the last attempt's error.
func (e *AttemptsError) Error() string {
	last := e.Attempts[len(e.Attempts)-1]
	if e.Limit >= 0 {
		return fmt.Sprintf("module: %s: more than %d attempts failed; attempt %d: %v", e.Module, e.Limit, last.N, last.Err)
	}
	return fmt.Sprintf("module: %s: all %d attempts failed; the last: %v", e.Module, len(e.Attempts), last.Err)
}

// Unwrap returns the attempts' errors.
func (e *AttemptsError) Unwrap() []error {
	var errs []error
	for _, a := range e.Attempts {
		if a.Err != nil {
			errs = append(errs, a.Err)
		}
	}
	return errs
}

// rollouts is what BestOfN and Refine have in common.
type rollouts[In, Out any] struct {
	name      string
	n         int
	threshold float64
	reward    Reward[In, Out]
	options   attemptOptions
}

func newRollouts[In, Out any](name string, program Program[In, Out], n int, threshold float64, reward Reward[In, Out], opts []AttemptOption) (rollouts[In, Out], error) {
	r := rollouts[In, Out]{name: name, n: n, threshold: threshold, reward: reward, options: attemptOptions{failures: n, temperature: 1}}
	for _, o := range opts {
		if o == nil {
			return r, fmt.Errorf("module: %s: %w", name, errNilOption)
		}
		o(&r.options)
	}
	switch {
	case program == nil:
		return r, fmt.Errorf("module: %s got no program", name)
	case reward == nil:
		return r, fmt.Errorf("module: %s got no reward function", name)
	case n < 1:
		return r, fmt.Errorf("module: %s of %d attempts; want at least 1", name, n)
	case math.IsNaN(threshold):
		return r, fmt.Errorf("module: %s: the threshold is no number; math.Inf(1) makes all attempts", name)
	case r.options.failures < 0:
		return r, fmt.Errorf("module: %s: MaxFailures(%d) is negative; leave it out to allow any", name, r.options.failures)
	case !(r.options.temperature >= 0) || math.IsInf(r.options.temperature, 1):
		return r, fmt.Errorf("module: %s: AttemptTemperature(%v); want a finite number of at least 0", name, r.options.temperature)
	}
	return r, nil
}

// round is one attempt that was made.
type round[Out any] struct {
	attempt Attempt
	pred    *Prediction[Out]
	trace   *trace.Trace
	// rewarded and join add the calls of the reward and of the attempt. The answer rests
	// on the last call, so the attempt's come last.
	rewarded, join func(keep bool)
	// advised adds the calls that made the advice for the next round; nil for none.
	advised func(keep bool)
}

// call makes the attempts; named are the predictors that advice is for. between, where it is
// not nil, is called after an attempt that is not good enough, and returns the advice for
// the next one.
func (r *rollouts[In, Out]) call(ctx context.Context, program Program[In, Out], named []Named, in In, between func(ctx context.Context, in In, done round[Out]) (map[string]string, error)) (*Prediction[Out], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var rounds []round[Out]
	best, failed := -1, 0
	defer func() { // nothing that was paid for is lost
		t := trace.From(ctx)
		for i, d := range rounds {
			d.rewarded(i == best)
			d.join(i == best)
			d.attempt.Chosen = i == best
			t.Add(trace.Step{Note: d.attempt, Dropped: i != best})
			if d.advised != nil {
				d.advised(i+1 == best && rounds[best].attempt.AdviceErr == nil)
			}
		}
	}()
	var usage lm.Usage
	var advice map[string]string
	var adviceErr error
	for i := range r.n {
		rounds = append(rounds, round[Out]{attempt: Attempt{N: i, Advice: advice, AdviceErr: adviceErr}})
		d := &rounds[i]
		var branch context.Context
		branch, d.trace, d.join = trace.Branch(ctx)
		judge, judged, rewarded := trace.Branch(ctx)
		d.rewarded = rewarded
		branch = WithTemperature(WithRollout(branch, i), r.options.temperature)
		var err error
		if d.pred, err = Call(withAdvice(branch, named, advice), program, in); err == nil {
			d.attempt.Reward, err = r.reward(judge, in, d.pred)
			if err == nil && math.IsNaN(d.attempt.Reward) {
				err = errors.New("the reward is no number")
			}
			if err != nil {
				err = fmt.Errorf("reward: %w", err)
			}
		}
		if err != nil {
			d.attempt.Reward = 0
		}
		d.attempt.Err = err
		usage = usage.Add(UsageOf(d.trace)).Add(UsageOf(judged))
		switch {
		case err == nil && (best < 0 || d.attempt.Reward > rounds[best].attempt.Reward):
			best = i
		case err != nil:
			if ctx.Err() != nil {
				best = -1
				return nil, ctx.Err()
			}
			if errors.Is(err, lm.ErrBudget) {
				best = -1
				return nil, fmt.Errorf("module: %s: attempt %d: %w", r.name, i, err)
			}
			if failed++; failed > r.options.failures {
				best = -1
				return nil, r.failure(rounds, r.options.failures)
			}
		}
		if err == nil && d.attempt.Reward >= r.threshold {
			break
		}
		if between == nil || i == r.n-1 {
			continue
		}
		asked, t, join := trace.Branch(ctx)
		rounds[i].advised = join
		next, err := between(asked, in, rounds[i])
		usage = usage.Add(UsageOf(t))
		adviceErr = err
		switch {
		case err == nil:
			advice = next
		case ctx.Err() != nil:
			best = -1
			return nil, ctx.Err()
		case !errors.As(err, new(*adapter.ParseError)):
			best = -1
			return nil, fmt.Errorf("module: %s: asking for advice after attempt %d: %w", r.name, i, err)
		}
	}
	if best < 0 {
		return nil, r.failure(rounds, -1)
	}
	pred := *rounds[best].pred
	pred.Usage = usage
	return &pred, nil
}

func (r *rollouts[In, Out]) failure(rounds []round[Out], limit int) error {
	e := &AttemptsError{Module: r.name, Limit: limit}
	for _, d := range rounds {
		e.Attempts = append(e.Attempts, d.attempt)
	}
	return e
}

// outOf returns the answer of a prediction.
func outOf[Out any](pred *Prediction[Out], err error) (Out, error) {
	if err != nil {
		var zero Out
		return zero, err
	}
	return pred.Out, nil
}
