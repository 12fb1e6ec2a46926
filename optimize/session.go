package optimize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// candidate is a state for each predictor, in the order of the session's.
type candidate []module.State

func (c candidate) clone() candidate { return slices.Clone(c) }

// session is one search: the program and the data without their types, and what
// was found so far.
type session struct {
	*task
	options options
	named   []module.Named
	index   map[*module.Predictor]int
	own     candidate // the program as it is
	store   *store

	result   *Result
	apart    bool      // the validation examples are not the training ones
	winner   candidate // nil until a trial won
	winning  *evaluation
	baseline *evaluation
	// ownTrials are the indexes of trials of the program as it is.
	ownTrials map[int]bool
	why       string // why the search ended
	// interval is that of the winner's score, where its evaluation does not tell it.
	interval *metric.Interval
}

func newSession(ctx context.Context, program any, t *task, o options) (*session, error) {
	named, err := module.Predictors(program)
	if err != nil {
		return nil, err
	}
	s := &session{
		task: t, options: o, named: named, index: map[*module.Predictor]int{}, store: newStore(), ownTrials: map[int]bool{},
		why:    "the search ended early",
		apart:  o.val != nil,
		result: &Result{Winner: -1, Objective: t.objective, Rows: t.sizes[valSet]},
	}
	for i, n := range named {
		s.index[n.Predictor] = i
		s.own = append(s.own, n.Predictor.StateIn(ctx))
	}
	return s, nil
}

// reset returns the program without demos and biases, as a DSPy program is reset
// before it is compiled. Biases were fitted to the demos, so they go with them.
func (s *session) reset() candidate {
	c := slices.Clone(s.own)
	for i := range c {
		c[i].Demos, c[i].Biases = nil, nil
	}
	return c
}

// isReset reports whether resetting the program changes nothing.
func (s *session) isReset() bool {
	return !slices.ContainsFunc(s.own, func(st module.State) bool { return len(st.Demos) > 0 || len(st.Biases) > 0 })
}

// states binds a candidate to the predictors.
func (s *session) states(c candidate) (module.States, error) {
	var states module.States
	var err error
	for i, n := range s.named {
		if states, err = states.With(n.Predictor, c[i]); err != nil {
			return module.States{}, fmt.Errorf("predictor %q: %w", n.Name, err)
		}
	}
	return states, nil
}

func (s *session) describe(c candidate) []NamedState {
	out := make([]NamedState, len(s.named))
	for i, n := range s.named {
		out[i] = NamedState{n.Name, c[i]}
	}
	return out
}

// unbiased returns the program that a search of instructions starts from: the one as it is,
// but in a calibrated search, which fits biases anew, without those that it has. The score of
// the program as it is, with them, is known then.
func (s *session) unbiased(ctx context.Context) (candidate, error) {
	c := s.own.clone()
	if s.options.calibrate == nil {
		return c, nil
	}
	had := false
	for i := range c {
		had = had || len(c[i].Biases) > 0
		c[i].Biases = nil
	}
	if had {
		return c, s.measureBaseline(ctx)
	}
	return c, nil
}

// stateOf returns the candidate that a trial scored, with the biases that were fitted to it.
func (s *session) stateOf(trial int) candidate {
	c := make(candidate, len(s.named))
	for i, n := range s.result.Trials[trial].States {
		c[i] = n.State
	}
	return c
}

// measureBaseline scores the program as it is, once.
func (s *session) measureBaseline(ctx context.Context) error {
	if s.baseline != nil {
		return nil
	}
	e, err := s.evaluateOn(ctx, s.own, valSet)
	if err != nil {
		return err
	}
	s.setBaseline(e)
	return nil
}

func (s *session) setBaseline(e *evaluation) {
	s.baseline = e
	s.result.Baseline = e.score
	if s.winner == nil {
		s.point(e.score, -1)
	}
}

// measure calibrates a candidate, when the search does, scores it, and makes it
// the winner if it is strictly better than those before. With isOwn the
// candidate is the program as it is.
func (s *session) measure(ctx context.Context, name string, seed int, c candidate, isOwn bool) error {
	_, err := s.measureTrial(ctx, Trial{Name: name, Seed: seed}, c, isOwn)
	return err
}

// measureTrial is measure with what the caller says of the trial, and returns its
// evaluation. Where t.Rows names rows, they are the validation set of this search.
func (s *session) measureTrial(ctx context.Context, t Trial, c candidate, isOwn bool) (*evaluation, error) {
	e, err := s.evaluateRows(ctx, c, valSet, t.Rows)
	if err != nil {
		return nil, err
	}
	if isOwn && s.baseline == nil {
		s.setBaseline(e)
	}
	t.Raw = e.score
	if s.options.calibrate != nil {
		biased, err := s.options.calibrate.fit(ctx, s, c, e)
		switch {
		case err == nil:
			c = biased
		case !errors.Is(err, errNoAnswers):
			return nil, err
		}
		if e, err = s.evaluateRows(ctx, c, valSet, t.Rows); err != nil {
			return nil, err
		}
	}
	if isOwn && s.options.calibrate == nil {
		s.ownTrials[len(s.result.Trials)] = true
	}
	s.record(t, c, e)
	return e, nil
}

// record appends a trial that was scored on the whole validation set.
func (s *session) record(t Trial, c candidate, e *evaluation) {
	if e.failed < len(e.subscores) && (s.winner == nil || e.score > s.result.Score) {
		s.win(c, e, len(s.result.Trials))
	}
	s.append(t, c, e)
	if s.winner != nil {
		s.point(s.result.Score, s.result.Winner)
	} else {
		s.point(s.result.Baseline, -1)
	}
	s.progressTrial(s.result.Trials[len(s.result.Trials)-1])
}

// note appends a trial that was scored on some rows only, which t.Rows names: it does not
// win by that.
func (s *session) note(t Trial, c candidate, e *evaluation) {
	t.Raw = e.score
	s.append(t, c, e)
	s.progressTrial(s.result.Trials[len(s.result.Trials)-1])
}

func (s *session) append(t Trial, c candidate, e *evaluation) {
	t.Score, t.Subscores, t.Failed, t.Err, t.States = e.score, e.subscores, e.failed, e.err, s.describe(c)
	t.Spent = s.store.taken()
	s.result.Trials = append(s.result.Trials, t)
}

// win makes a candidate the winner so far; trial is its index.
func (s *session) win(c candidate, e *evaluation, trial int) {
	s.winner, s.winning = c, e
	s.result.Score, s.result.Winner = e.score, trial
}

// point appends to the search's curve; trial is the index of the best so far, -1 for the
// program as it is.
func (s *session) point(score float64, trial int) {
	s.result.Curve = append(s.result.Curve, Point{Calls: s.store.total().Calls, Score: score, Trial: trial})
}

func (s *session) progressTrial(t Trial) {
	line := fmt.Sprintf("trial %d, %s: %s %.4f", len(s.result.Trials), t.Name, s.objective, t.Score)
	if s.options.calibrate != nil || t.Raw != t.Score {
		line += fmt.Sprintf(" (%.4f without biases)", t.Raw)
	}
	if t.Failed > 0 {
		line += fmt.Sprintf(", %d of %d examples failed", t.Failed, len(t.Subscores))
	}
	if w := s.result.Winner; w >= 0 {
		line += fmt.Sprintf("; best %.4f, %s", s.result.Score, s.result.Trials[w].Name)
	}
	calls := s.store.total().Calls
	s.progress(fmt.Sprintf("%s; %d calls, %d paid", line, calls.Requested, calls.Paid))
}

func (s *session) progress(line string) {
	if s.options.progress != nil {
		_, _ = io.WriteString(s.options.progress, "optimize: "+line+"\n")
	}
}

// finish ends a search that ran to its end: it confirms the winner, unless that
// is the program as it was.
func (s *session) finish(ctx context.Context) error {
	r := s.result
	if s.winner == nil {
		for _, t := range r.Trials {
			if t.Err != nil {
				return fmt.Errorf("%w; the first error: %w", errNoScore, t.Err)
			}
		}
		return nil
	}
	if s.sizes[freshSet] == 0 || r.Winner < 0 || s.ownTrials[r.Winner] {
		return nil
	}
	ctx = inPhase(ctx, confirming)
	before, err := s.evaluateOn(ctx, s.own, freshSet)
	if err != nil {
		return err
	}
	after, err := s.evaluateOn(ctx, s.winner, freshSet)
	if err != nil {
		return err
	}
	if r.Confirmation, err = s.compare(before, after); err != nil {
		return err
	}
	if r.Confirmed = r.Confirmation.Gain(); !r.Confirmed {
		s.keepBaseline(s.why + "; the winner was not confirmed on fresh examples, so the program stays as it was")
	}
	return nil
}

// stopped ends a search that did not run to its end: the best so far is the
// program as it was, where no trial was as good.
func (s *session) stopped() {
	if s.baseline != nil && s.winning != nil && s.winning.score < s.baseline.score {
		s.keepBaseline(s.why)
	}
}

// keepBaseline makes the program as it is the result.
func (s *session) keepBaseline(why string) {
	s.winner, s.winning, s.why = s.own, s.baseline, why
	s.result.Winner, s.result.Score = -1, s.result.Baseline
	s.interval = nil
}

// close fills in what the result says about the search as a whole.
func (s *session) close(opt Optimizer) (*Result, error) {
	r := s.result
	var err error
	r.Optimizer, r.Why = opt.String(), s.why
	r.Scored = s.baseline != nil && (s.winning != nil || s.winner == nil)
	if s.winner == nil {
		s.winner = s.own
		r.Score = r.Baseline
	}
	total := s.store.total()
	r.Calls, r.Usage = total.Calls, total.Usage
	r.Bootstrapping, r.Proposing = s.store.spent(bootstrapping), s.store.spent(proposing)
	r.Searching, r.Confirming = s.store.spent(searching), s.store.spent(confirming)
	r.States, r.Base, r.byPtr = s.describe(s.winner), s.describe(s.own), s.index
	if r.states, err = s.states(s.winner); err != nil {
		return r, err
	}
	if r.Scored && s.interval != nil {
		r.Interval = *s.interval
	} else if r.Scored {
		e := s.winning
		if e == nil {
			e = s.baseline
		}
		r.Interval, err = e.interval()
	}
	return r, err
}
