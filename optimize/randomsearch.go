package optimize

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/internal/pyrand"
)

// RandomSearch scores several sets of bootstrapped and labeled demos and keeps
// the best: DSPy's BootstrapFewShotWithRandomSearch, candidate by candidate
// (Khattab et al., DSPy, arXiv 2310.03714, section 4). The candidates are, in
// this order: the program without demos (seed -3), with MaxLabeled labeled demos
// (-2), a [BootstrapFewShot] in the order of the data (-1), and Candidates of
// them over shuffled data with between 1 and MaxBootstrapped bootstrapped demos
// (0, 1, ...). Of equal scores the first wins.
//
// The calls are about (Candidates+3) times the validation examples, and what the
// bootstrapping takes. A candidate whose examples fail is scored with 0 for
// them; DSPy gives up the whole search after MaxErrors of these. Too many errors
// while bootstrapping do end the search, with the best so far.
type RandomSearch struct {
	// MaxBootstrapped, MaxLabeled, MaxRounds, MaxErrors and Threshold are those of
	// BootstrapFewShot, with its defaults. With MaxBootstrapped None the candidates
	// are sets of labeled demos.
	MaxBootstrapped, MaxLabeled, MaxRounds, MaxErrors int
	Threshold                                         float64
	// CounterExamples is that of BootstrapFewShot.
	CounterExamples bool
	// Candidates is the number of shuffled candidates; 0 means 16, None no such.
	Candidates int
	// StopAt ends the search with the first candidate whose score reaches it, in the
	// unit of the score (DSPy's is in percent); 0 means never.
	StopAt float64
}

// String implements Optimizer.
func (o RandomSearch) String() string {
	s := fmt.Sprintf("RandomSearch(%s, candidates=%d", o.config(), o.candidates())
	if o.StopAt != 0 {
		s += fmt.Sprintf(", stop at %g", o.StopAt)
	}
	return s + ")"
}

func (o RandomSearch) config() bootstrapConfig {
	return BootstrapFewShot{o.MaxBootstrapped, o.MaxLabeled, o.MaxRounds, o.MaxErrors, o.Threshold, o.CounterExamples}.config()
}

func (o RandomSearch) candidates() int { return count(o.Candidates, defaultCandidates) }

func (o RandomSearch) search(ctx context.Context, s *session) error {
	if !s.isReset() {
		if err := s.measureBaseline(ctx); err != nil {
			return err
		}
	}
	n := o.candidates()
	for seed := -3; seed < n; seed++ {
		name, c, err := o.candidate(ctx, s, seed)
		if err != nil {
			return fmt.Errorf("candidate of seed %d: %w", seed, err)
		}
		if err := s.measure(ctx, name, seed, c, seed == -3 && s.isReset()); err != nil {
			return fmt.Errorf("candidate of seed %d: %w", seed, err)
		}
		if o.StopAt != 0 && s.result.Trials[len(s.result.Trials)-1].Score >= o.StopAt {
			s.why = fmt.Sprintf("the candidate of seed %d reached the score %g", seed, o.StopAt)
			return nil
		}
	}
	s.why = "all candidates were tried"
	return nil
}

func (o RandomSearch) candidate(ctx context.Context, s *session, seed int) (string, candidate, error) {
	cfg := o.config()
	order := identityOrder(len(s.train))
	switch seed {
	case -3:
		return "no demos", s.reset(), nil
	case -2:
		return "labeled demos", labeled(s, cfg.labeled, s.train), nil
	case -1:
		c, err := bootstrap(ctx, s, cfg, order)
		return "bootstrapped demos, data in order", c, err
	}
	pyrand.Shuffle(pyrand.New(int64(seed)), order)
	if cfg.bootstrapped > 0 {
		cfg.bootstrapped = pyrand.New(int64(seed)).Int(1, cfg.bootstrapped)
	}
	c, err := bootstrap(ctx, s, cfg, order)
	return fmt.Sprintf("bootstrapped demos, seed %d", seed), c, err
}
