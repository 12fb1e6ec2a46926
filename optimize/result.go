package optimize

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// Result is what an optimizer found, and what it cost.
type Result struct {
	// Optimizer names the optimizer and its settings.
	Optimizer string
	// States is the winner, a state for each predictor in the order of
	// module.Predictors. It is not applied yet: see [Result.Apply].
	States []NamedState
	// Base is the program as it was, in the same order.
	Base []NamedState
	// Objective names what was maximised; Score is its value for the winner on the
	// validation examples, and Baseline for the program as it was. Both are 0 unless
	// Scored: LabeledFewShot and BootstrapFewShot score only with [Val].
	Objective       string
	Score, Baseline float64
	Scored          bool
	// Interval is the 95 % interval of Score. The same examples chose the winner,
	// so it is too optimistic.
	Interval metric.Interval
	// Rows is the number of validation examples.
	Rows int
	// Trials are the candidates in the order in which they were tried, and Winner is
	// the index of the winner, -1 when the program stays as it was.
	Trials []Trial
	Winner int
	// Curve is the score of the best so far after each trial.
	Curve []Point
	// Front holds the candidates that no other beats in both score and length of prompt,
	// the shortest first; only [Race] fills it in.
	Front []FrontPoint
	// Confirmed says that the winner beat the program as it was on examples that
	// did not choose it: Confirmation is that comparison, nil without [Confirm] and
	// where there is nothing to confirm.
	Confirmed    bool
	Confirmation *Confirmation
	// Why says in words why the search ended, and when it matters why the winner is
	// what it is.
	Why string
	// Calls counts the calls of language models, also those of the metric, and
	// Usage what they cost; answers from the store count as calls of no tokens, and calls that
	// failed as far as their errors tell (lm.UsageOf).
	Calls Calls
	Usage lm.Usage
	// Bootstrapping, Proposing, Searching and Confirming are the parts of it: the teacher's
	// calls, those of the model that proposes instructions, those that score candidates, and
	// those on the fresh examples.
	Bootstrapping, Proposing, Searching, Confirming Spent
	// Seed is the search's, where it has one.
	Seed int64
	// Wall is how long the search took.
	Wall time.Duration

	states module.States
	byPtr  map[*module.Predictor]int
}

// Calls counts calls of language models.
type Calls struct {
	// Requested calls are those that a run without an answer store would make.
	Requested int
	// Paid calls reached a model; each identical request reaches it once, or until
	// it succeeds.
	Paid int
}

// NamedState is the state of one predictor.
type NamedState struct {
	// Name is the predictor's name within the program.
	Name  string
	State module.State
}

// Trial is one candidate.
type Trial struct {
	// Name says how the candidate was made, for example "bootstrapped demos, seed 3".
	Name string
	// Seed is DSPy's number of the candidate: -3 is the program without demos, -2
	// labeled demos, -1 bootstrapped ones in the order of the data, and from 0 on
	// those of shuffled data. It is 0 for optimizers that do not count so.
	Seed int
	// Score is the objective on the validation examples. In a calibrated search Raw
	// is the score without the biases; else it is the same.
	Score, Raw float64
	// Subscores are the metric's values of the validation examples, in their order.
	Subscores []float64
	// Failed is the number of examples that had an error, and Err the first of these
	// errors, behind the name of its example.
	Failed int
	Err    error
	// Rows are the indexes of the examples that Score and Subscores are of, where it was not
	// all validation examples: of these, or of the training examples, as Name or Note say.
	Rows []int
	// Parents are the indexes of the trials that it was made from, and Note says in words how,
	// where there is more to say than Name does.
	Parents []int
	Note    string
	// Spent is what was spent since the trial before, to make and to score it.
	Spent Spent
	// States is the candidate.
	States []NamedState
}

// Point is a point of a search's curve.
type Point struct {
	// Calls are those so far, of all kinds.
	Calls Calls
	// Score is that of the best so far, and Trial its index, -1 for the program as it was.
	Score float64
	Trial int
}

// FrontPoint is a candidate of [Result.Front].
type FrontPoint struct {
	// Trial is its index.
	Trial int
	// Tokens are about those of its instructions and demos: a quarter of their characters.
	Tokens float64
	// Score is the one that the search gives it.
	Score float64
}

// Improved reports whether the winner's score is above the baseline's, on the
// examples that chose it.
func (r *Result) Improved() bool { return r.Scored && r.Score > r.Baseline }

// Apply makes the winner's states those of the program. The program may be the
// one that was compiled or another instance of the same type: then predictors
// are matched by name. It is all or nothing: when the names differ, or a state
// does not fit a signature, the program stays as it was.
func (r *Result) Apply(program any) error {
	named, err := module.Predictors(program)
	if err != nil {
		return err
	}
	byName := make(map[string]int, len(r.States))
	for i, s := range r.States {
		byName[s.Name] = i
	}
	var states module.States
	used := make(map[int]bool, len(named))
	for _, n := range named {
		i, ok := r.byPtr[n.Predictor]
		if !ok {
			i, ok = byName[n.Name]
		}
		if !ok || used[i] {
			return fmt.Errorf("optimize: applying the result to %T: it has no state for the predictor %q; want a program of the type that was compiled", program, n.Name)
		}
		used[i] = true
		if states, err = states.With(n.Predictor, r.States[i].State); err != nil {
			return fmt.Errorf("optimize: applying the result to %T: predictor %q: %w", program, n.Name, err)
		}
	}
	if len(used) != len(r.States) {
		return fmt.Errorf("optimize: applying the result to %T: the program has %d predictors and the result states for %d", program, len(named), len(r.States))
	}
	states.Apply()
	return nil
}

// Candidate returns the winner as a set of states for the program that was
// compiled, to run it without changing it: see module.WithStates.
func (r *Result) Candidate() module.States { return r.states }

// Provenance describes the result for module.WithProvenance. What only the caller
// knows is for the caller to fill in: Data, DataHash and Model. Seed is 0 where the
// seeds of a search are part of its definition.
func (r *Result) Provenance() module.Provenance {
	p := module.Provenance{Optimizer: r.Optimizer, Score: r.Score, Metric: r.Objective, Seed: r.Seed}
	if r.Scored {
		p.Interval = &module.ScoreInterval{Low: r.Interval.Low, High: r.Interval.High, Level: r.Interval.Level}
	}
	return p
}

// String sums the result up in a few lines.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d trials; %s\n", r.Optimizer, len(r.Trials), r.Why)
	switch {
	case !r.Scored && r.Winner >= 0:
		b.WriteString("not scored: give validation examples\n")
	case !r.Scored:
		b.WriteString("not scored\n")
	default:
		fmt.Fprintf(&b, "%s on %d examples: %.3f before, %.3f after (%s)", r.Objective, r.Rows, r.Baseline, r.Score, r.Interval)
		if r.Confirmed {
			b.WriteString(", confirmed\n")
		} else {
			b.WriteString(", unconfirmed\n")
		}
	}
	if r.Confirmation != nil {
		fmt.Fprintf(&b, "on fresh examples: %s\n", r.Confirmation)
	}
	fmt.Fprintf(&b, "%d calls requested, %d paid", r.Calls.Requested, r.Calls.Paid)
	return b.String()
}

// errNoScore is returned when no candidate could be scored.
var errNoScore = errors.New("every example of every candidate failed")
