package optimize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/metric"
)

func (o Race) search(ctx context.Context, s *session) error {
	s.result.Seed = o.Seed
	kept := o.divide(s)
	run, err := o.prepare(ctx, s)
	if err != nil {
		return err
	}
	why, err := run.race.run(run.ownEntrant, run.ask(ctx), run.progressed)
	if err == nil && (s.options.objective != nil || s.options.calibrate != nil) {
		if err = run.finals(ctx); err == nil {
			why += fmt.Sprintf("; the last %d were scored on all validation examples", raceFinalists)
		}
	} else if closeErr := run.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if s.why = why; !kept {
		s.why += fmt.Sprintf("; unconfirmed, as %d validation examples are too few to keep some out (%d would do)", s.sizes[valSet], 2*raceKeptLeast)
	}
	return nil
}

// divide divides the examples, as the search begins, and reports whether there are some to
// confirm the winner.
func (o Race) divide(s *session) (kept bool) {
	kept = s.keepOut(raceKeptShare, raceKeptLeast, o.Seed)
	if s.options.val == nil {
		s.splitForDemos(o.Seed)
	}
	return kept
}

// splitForDemos makes two thirds of the training examples the validation set. One example
// stays, whatever the number.
func (s *session) splitForDemos(seed int64) {
	n := len(s.train)
	if n < 2 {
		return
	}
	order := identityOrder(n)
	pyrand.Shuffle(pyrand.New(seed+1), order)
	k := max(1, n/3)
	train, val := order[:k], order[k:]
	slices.Sort(train)
	slices.Sort(val)
	s.resplit(train, val)
}

// raceRun is a race of a program's candidates.
type raceRun struct {
	*raceMenu
	race       *race
	ownEntrant int
	told       []raceTold // by entrant
	trials     []int      // entrants in the order of their first answer
	lead       int
	shown      int // runs at the last line of progress
	boot       int // runs that made demos
}

// raceTold is what is known of an entrant beside its scores.
type raceTold struct {
	trial  int // its index, -1 where it has not been asked
	failed int
	err    error
}

func (o Race) prepare(ctx context.Context, s *session) (*raceRun, error) {
	var m *raceMenu
	var boot int
	var err error
	if o.Space != nil {
		m, err = s.givenMenu(o.Space)
	} else {
		m, boot, err = s.proposedMenu(ctx, o, o.bootstrapRuns())
	}
	if err != nil {
		return nil, err
	}
	r, err := newRace(m.slots(), s.sizes[valSet], o.rules(max(1, o.runs()-boot)), uint64(o.Seed))
	if err != nil {
		return nil, err
	}
	run := &raceRun{raceMenu: m, race: r, lead: -1, boot: boot}
	if c := m.ownChoice(); c != nil {
		run.ownEntrant = r.enter(c)
	} else {
		run.ownEntrant = r.stranger()
	}
	return run, nil
}

// ask has candidates answer.
func (r *raceRun) ask(ctx context.Context) raceAsk {
	return func(pulls []racePull) ([]float64, error) {
		qs := make([]question, len(pulls))
		for i, p := range pulls {
			qs[i] = question{c: r.of(p.entrant), set: valSet, row: p.item}
		}
		answers, err := r.session.ask(ctx, qs)
		if err != nil {
			return nil, err
		}
		scores := make([]float64, len(pulls))
		for i, a := range answers {
			scores[i] = a.score.Value
			r.note(pulls[i].entrant, a)
		}
		return scores, nil
	}
}

// of returns an entrant's candidate.
func (r *raceRun) of(entrant int) candidate {
	if entrant == r.ownEntrant {
		return r.own
	}
	return r.candidate(r.race.entrants[entrant].choice)
}

func (r *raceRun) note(entrant int, a answer) {
	for len(r.told) < len(r.race.entrants) {
		r.told = append(r.told, raceTold{trial: -1})
	}
	t := &r.told[entrant]
	if t.trial < 0 {
		t.trial = len(r.trials)
		r.trials = append(r.trials, entrant)
	}
	if a.err != nil {
		if t.failed++; t.err == nil {
			t.err = fmt.Errorf("%s: %w", a.name, a.err)
		}
	}
}

// progressed follows the race.
func (r *raceRun) progressed(lead int) {
	e := r.race.entrants[lead]
	mean := r.race.post.Mean(e.all()) * r.race.unit
	trial := r.told[lead].trial
	if lead == r.ownEntrant {
		trial = -1
	}
	r.point(mean, trial)
	if lead == r.lead && r.race.calls < r.shown+100 {
		return
	}
	r.lead, r.shown = lead, r.race.calls
	r.progress(fmt.Sprintf("race: %d answers, %d candidates asked; best %.4f, %s", r.race.calls, len(r.trials), mean, r.title(lead)))
}

func (r *raceRun) title(entrant int) string {
	if entrant == r.ownEntrant {
		return r.name(nil)
	}
	return r.name(r.race.entrants[entrant].choice)
}

// close writes down what was found: the trials, the front and the winner. It asks nothing, so
// it also ends a race that was broken off.
func (r *raceRun) close() error {
	s := r.session
	s.store.taken() // the trials share what their batches have cost
	for _, entrant := range r.trials {
		e, t := r.race.entrants[entrant], r.told[entrant]
		trial := Trial{
			Name: r.title(entrant), Rows: slices.Clone(e.items), Subscores: slices.Clone(e.scores),
			Failed: t.failed, Err: t.err, States: s.describe(r.of(entrant)),
		}
		for _, y := range e.scores {
			trial.Score += y / float64(len(e.scores))
		}
		trial.Raw = trial.Score
		if r.race.post != nil {
			mean, sd, err := r.race.score(entrant)
			if err != nil {
				return err
			}
			trial.Note = fmt.Sprintf("posterior mean %.4f, standard deviation %.4f%s", mean, sd, r.madeBy(e.choice))
		}
		s.result.Trials = append(s.result.Trials, trial)
	}
	if r.race.post == nil || r.allFailed() {
		return nil
	}
	s.result.Front = r.front()
	before, err := r.evaluation(r.ownEntrant)
	if err != nil {
		return err
	}
	s.baseline, s.result.Baseline = before, before.score
	lead := r.race.leader()
	if lead == r.ownEntrant {
		s.winner, s.winning, s.result.Score = s.own, before, before.score
		return nil
	}
	after, err := r.evaluation(lead)
	if err != nil {
		return err
	}
	s.win(r.of(lead), after, r.told[lead].trial)
	return nil
}

// madeBy says how a choice's instructions were made.
func (r *raceRun) madeBy(c raceChoice) string {
	text := ""
	for i := range r.named {
		if c != nil {
			if note := r.notes[i][c[2*i][0]]; note != "" {
				text += "; " + note
			}
		}
	}
	return text
}

func (r *raceRun) allFailed() bool {
	for _, entrant := range r.trials {
		if r.told[entrant].failed < len(r.race.entrants[entrant].items) {
			return false
		}
	}
	return true
}

// evaluation is what the model makes of an entrant.
func (r *raceRun) evaluation(entrant int) (*evaluation, error) {
	mean, sd, err := r.race.score(entrant)
	if err != nil {
		return nil, err
	}
	e := r.race.entrants[entrant]
	return &evaluation{
		score: mean, subscores: e.scores, failed: r.told[entrant].failed, err: r.told[entrant].err,
		interval: func() (metric.Interval, error) {
			const z = 1.959964 // of 95 %
			return metric.Interval{Low: mean - z*sd, High: mean + z*sd, Level: 0.95}, nil
		},
	}, nil
}

// finals scores the program as it is and the candidates that look best on all validation
// examples. What the race says holds where it is broken off.
func (r *raceRun) finals(ctx context.Context) error {
	s := r.session
	if err := r.close(); err != nil {
		return err
	}
	raced := *s.result
	winner, winning, baseline := s.winner, s.winning, s.baseline
	s.winner, s.winning, s.baseline = nil, nil, nil
	s.result.Winner, s.result.Score, s.result.Baseline = -1, 0, 0
	err := r.scoreAll(ctx)
	if s.winner == nil {
		s.winner, s.winning, s.baseline = winner, winning, baseline
		s.result.Winner, s.result.Score, s.result.Baseline = raced.Winner, raced.Score, raced.Baseline
	}
	if err != nil {
		return err
	}
	if s.baseline != nil && s.result.Score <= s.baseline.score {
		s.keepBaseline("no candidate was better on all validation examples")
	}
	return nil
}

func (r *raceRun) scoreAll(ctx context.Context) error {
	s := r.session
	if err := s.measureBaseline(ctx); err != nil {
		return err
	}
	if _, err := s.measureTrial(ctx, Trial{Name: r.name(nil) + ", on all examples"}, s.own, true); err != nil {
		return err
	}
	for _, entrant := range r.finalists() {
		t := Trial{Name: r.title(entrant) + ", on all examples", Parents: []int{r.told[entrant].trial}}
		if _, err := s.measureTrial(ctx, t, r.of(entrant), false); err != nil {
			return err
		}
	}
	return nil
}

// finalists are the entrants with the best posterior means, the program as it is apart.
func (r *raceRun) finalists() []int {
	var best []int
	for range raceFinalists {
		at, top := -1, math.Inf(-1)
		for _, entrant := range r.trials {
			if v := r.race.post.Mean(r.race.entrants[entrant].all()); v > top && entrant != r.ownEntrant && !slices.Contains(best, entrant) {
				at, top = entrant, v
			}
		}
		if at >= 0 {
			best = append(best, at)
		}
	}
	return best
}
