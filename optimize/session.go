package optimize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
)

// candidate is a state for each predictor, in the order of the session's.
type candidate []module.State

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
	winner   candidate // nil until a trial won
	winning  *evaluation
	baseline *evaluation
	why      string // why the search ended
}

func newSession(ctx context.Context, program any, t *task, o options) (*session, error) {
	named, err := module.Predictors(program)
	if err != nil {
		return nil, err
	}
	s := &session{
		task: t, options: o, named: named, index: map[*module.Predictor]int{}, store: newStore(),
		why:    "the search ended early",
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

// evaluateOn runs a candidate on a set. An error ends the search: the context's,
// or one that every further call would meet too.
func (s *session) evaluateOn(ctx context.Context, c candidate, set dataset) (*evaluation, error) {
	states, err := s.states(c)
	if err != nil {
		return nil, err
	}
	e, err := s.evaluate(module.WithStates(ctx, states), set)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.failed == s.sizes[set] && hopeless(e.err) {
		return nil, e.err
	}
	return e, nil
}

// hopeless reports an error that does not depend on the candidate.
func hopeless(err error) bool {
	for _, kind := range []error{lm.ErrUnavailable, lm.ErrModel, lm.ErrAuth, lm.ErrQuota, lm.ErrBudget, module.ErrNoLM} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
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
}

// measure calibrates a candidate, when the search does, scores it, and makes it
// the winner if it is strictly better than those before. With isOwn the
// candidate is the program as it is.
func (s *session) measure(ctx context.Context, name string, seed int, c candidate, isOwn bool) error {
	e, err := s.evaluateOn(ctx, c, valSet)
	if err != nil {
		return err
	}
	if isOwn && s.baseline == nil {
		s.setBaseline(e)
	}
	raw := e.score
	if s.options.calibrate != nil {
		biased, err := s.options.calibrate.fit(ctx, s, c, e)
		switch {
		case err == nil:
			c = biased
		case !errors.Is(err, errNoAnswers):
			return err
		}
		if e, err = s.evaluateOn(ctx, c, valSet); err != nil {
			return err
		}
	}
	s.record(Trial{Name: name, Seed: seed, Raw: raw}, c, e)
	return nil
}

// record appends a scored trial.
func (s *session) record(t Trial, c candidate, e *evaluation) {
	t.Score, t.Subscores, t.Failed, t.Err, t.States = e.score, e.subscores, e.failed, e.err, s.describe(c)
	r := s.result
	if e.failed < len(e.subscores) && (s.winner == nil || e.score > r.Score) {
		s.winner, s.winning = c, e
		r.Score, r.Winner = e.score, len(r.Trials)
	}
	r.Trials = append(r.Trials, t)
	s.progressTrial(t)
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
	calls, _ := s.store.totals()
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
		if r.Trials != nil {
			return fmt.Errorf("%w; the first error: %w", errNoScore, r.Trials[0].Err)
		}
		return nil
	}
	if s.options.fresh == nil || r.Winner < 0 {
		return nil
	}
	before, err := s.evaluateOn(ctx, s.own, freshSet)
	if err != nil {
		return err
	}
	after, err := s.evaluateOn(ctx, s.winner, freshSet)
	if err != nil {
		return err
	}
	d, err := s.compare(before, after)
	if err != nil {
		return err
	}
	r.Confirmation = &d
	r.Confirmed = d.Interval.Low > 0
	if !r.Confirmed {
		s.keepBaseline("the winner was not confirmed on fresh examples, so the program stays as it was")
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
	r.Calls, r.Usage = s.store.totals()
	r.States, r.byPtr = s.describe(s.winner), s.index
	if r.states, err = s.states(s.winner); err != nil {
		return r, err
	}
	if r.Scored {
		e := s.winning
		if e == nil {
			e = s.baseline
		}
		r.Interval, err = e.interval()
	}
	return r, err
}
