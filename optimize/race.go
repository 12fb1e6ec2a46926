package optimize

import (
	"fmt"
	"math"
	"strings"
)

// Race is the optimizer to begin with. It searches over instructions and demos of all
// predictors at once, and needs few answers, as it throws none away: candidates answer the
// validation examples one by one, and after each batch of answers a model of all scores
// decides who answers next.
//
// The model is linear: a score is the sum of effects of the instruction, of each demo, of how
// many demos there are, of the candidate as a whole and of the example, and noise. All are
// Gaussian, so what is known of them has a closed form, and an answer of one candidate says
// something of every other with the same instruction or a demo in common. The scales of the
// effects begin with values that suit scores between 0 and 1, and are fitted on the way to what
// makes the answers most likely. In each batch one candidate is the one that looks best; the
// others are each the best in a draw from what is known (top-two Thompson sampling: Russo,
// Simple Bayesian Algorithms for Best Arm Identification, arXiv 1602.08448), and several at a
// time answer the same example, so that luck with the example cancels.
//
// The search ends when stopping is expected to lose less than Limit, or when MaxRuns is spent;
// [Result.Why] says which. The winner is the candidate with the best posterior mean, which is
// also [Result.Score], with its 95 % interval: less optimistic than the best mean of raw
// scores, as it is shrunk towards what its parts are worth elsewhere. With [By] or [Calibrated]
// the race is run on the metric's values without biases, and in the end the program as it is
// and the three candidates with the best posterior means are scored on all validation
// examples, as the search is told to, and the best of them wins.
//
// Unless [Confirm] gives examples, a fifth of the validation examples, at least 30, is kept
// from the search, and the winner has to beat the program as it is there by an exact paired
// test. With fewer than 60 there is no confirmation, which Why then says. Without [Val] a third
// of the training examples, drawn, gives the demos, and the others are the validation examples.
//
// Demos are training examples, which cost nothing, where these have all fields of a predictor.
// Where they have not, as with reasoning and with several predictors, the program
// ([TeacherProgram], [Teacher]) answers training examples once, and what it did where the
// metric accepts the answer is the pool of demos: those runs count as bootstrapping, and for
// MaxRuns. Instructions are proposed by the prompt model ([PromptModel]), one call each. Space
// takes the place of either.
//
// A trial is a candidate that has answered at least one example: its Score is the plain mean of
// its answers, and its Note what the model makes of it; its Spent is zero, as the answers of a
// batch are paid together. [Result.Front] has the candidates that no other beats in both score
// and length, which is an estimate: a quarter of the characters of instructions and demos.
type Race struct {
	// Space holds the choices per predictor, in place of those that Race would make.
	Space Space
	// Instructions is how many are proposed per predictor, besides the one that it has; 0
	// means 16, and None none.
	Instructions int
	// Demos is how many single demos there are per predictor to make sets of; 0 means 48,
	// and None that there are no demos.
	Demos int
	// MaxDemos is how many demos a prompt shows, if any; 0 means 8.
	MaxDemos int
	// Threshold is the score from which on a bootstrapped answer is accepted; 0 means that
	// every score above 0 is.
	Threshold float64
	// MaxRuns is how many runs of the program the search may take, those that make demos
	// included, which are at most a third; 0 means 1,500. Confirmation is apart, and so are the
	// full scores of the last candidates with [By] and [Calibrated]. See [Within] for limits on
	// calls, tokens, money and time.
	MaxRuns int
	// Limit ends the search when the candidate that looks best is expected to be worse than
	// the best by no more than this, in the unit of the score; 0 means 0.02, and None that
	// MaxRuns is used up. Where sets are made of single demos there are so many candidates
	// that it is seldom reached.
	Limit float64
	// Batch is how many answers are asked for at once; 0 means 12. Unlike [Concurrency] it
	// changes the result: with more at once each is chosen knowing less.
	Batch int
	// Seed is that of all draws.
	Seed int64
}

// The defaults; those that matter to the number of answers were tuned on the synthetic worlds
// 100 to 199 (docs/benchmarks.md, section Searches).
const (
	raceInstructions = 16
	raceDemos        = 48
	raceMaxDemos     = 8
	raceMaxRuns      = 1500
	raceLimit        = 0.02
	raceBatch        = 12
	raceHeat         = 4  // candidates that answer the same example
	raceLeast        = 96 // answers before the limit counts
	raceRefit        = 96 // answers before the first fit of the scales
	raceSpread       = 1.0
	raceFinalists    = 3
	raceKeptShare    = 0.2
	raceKeptLeast    = 30
)

// String implements Optimizer.
func (o Race) String() string {
	var parts []string
	if o.Space != nil {
		parts = append(parts, "space given")
	} else {
		parts = append(parts, fmt.Sprintf("instructions=%d, demos=%d, max demos=%d", o.instructions(), o.demos(), o.maxDemos()))
	}
	parts = append(parts, fmt.Sprintf("runs=%d, limit=%g, batch=%d", o.runs(), o.limit(), o.batch()))
	if o.Threshold != 0 {
		parts = append(parts, fmt.Sprintf("threshold=%g", o.Threshold))
	}
	if o.Seed != 0 {
		parts = append(parts, fmt.Sprintf("seed=%d", o.Seed))
	}
	return "Race(" + strings.Join(parts, ", ") + ")"
}

func (o Race) instructions() int { return count(o.Instructions, raceInstructions) }
func (o Race) demos() int        { return count(o.Demos, raceDemos) }
func (o Race) maxDemos() int     { return count(o.MaxDemos, raceMaxDemos) }
func (o Race) runs() int         { return count(o.MaxRuns, raceMaxRuns) }
func (o Race) limit() float64    { return share(o.Limit, raceLimit) }
func (o Race) batch() int        { return count(o.Batch, raceBatch) }

// check reports settings that cannot be meant.
func (o Race) check() error {
	switch {
	case o.runs() == 0:
		return fmt.Errorf("optimize: Race: MaxRuns %d: want at least 1 run", o.MaxRuns)
	case o.batch() == 0:
		return fmt.Errorf("optimize: Race: Batch %d: want at least 1 answer", o.Batch)
	case math.IsNaN(o.Limit) || math.IsInf(o.Limit, 0) || math.IsNaN(o.Threshold) || math.IsInf(o.Threshold, 0):
		return fmt.Errorf("optimize: Race: Limit %v, Threshold %v: want finite numbers", o.Limit, o.Threshold)
	}
	return nil
}

// rules returns the settings of the race itself, for a number of answers.
func (o Race) rules(answers int) raceRules {
	return raceRules{
		batch: o.batch(), heat: min(raceHeat, o.batch()), calls: answers, limit: o.limit(), spread: raceSpread,
		prior: racePrior(), refit: raceRefit, least: raceLeast, leaders: 1,
	}
}
