package optimize

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/internal/pyrand"
)

// demoSets makes n sets of demos to choose from, each for all predictors, as DSPy's MIPROv2
// does: none, labeled ones, bootstrapped ones over the data in order, and from there on
// bootstrapped ones over shuffled data, of which between 1 and cfg.bootstrapped are. They are
// the candidates of [RandomSearch], but for two things: the three special ones are among the
// n, and one generator shuffles the data of all sets and draws their sizes. Where no labeled
// demos are wanted, the second set is a shuffled one, too.
//
// With no bootstrapped demos the shuffled sets hold labeled ones; DSPy fails there.
func (s *session) demoSets(ctx context.Context, n int, cfg bootstrapConfig, rng *pyrand.Rand) ([]candidate, error) {
	ctx = inPhase(ctx, bootstrapping)
	sets := make([]candidate, 0, n)
	for i := range n {
		c, err := s.demoSet(ctx, i, cfg, rng)
		if err != nil {
			return nil, fmt.Errorf("demo set %d: %w", i, err)
		}
		sets = append(sets, c)
	}
	return sets, nil
}

func (s *session) demoSet(ctx context.Context, i int, cfg bootstrapConfig, rng *pyrand.Rand) (candidate, error) {
	order := identityOrder(len(s.train))
	switch {
	case i == 0:
		return s.reset(), nil
	case i == 1 && cfg.labeled > 0:
		return labeled(s, cfg.labeled, s.train), nil
	case i == 2:
		return bootstrap(ctx, s, cfg, order)
	}
	pyrand.Shuffle(rng, order)
	if cfg.bootstrapped > 0 {
		cfg.bootstrapped = rng.Int(1, cfg.bootstrapped)
	}
	return bootstrap(ctx, s, cfg, order)
}

// demoSetRuns is how many runs of the program are reckoned with for n demo sets from so many
// training examples.
func demoSetRuns(n, train int, cfg bootstrapConfig) int {
	most := float64(train * max(cfg.rounds, 1))
	runs := 0.0
	for i := 1; i < n; i++ {
		switch {
		case i == 1 && cfg.labeled > 0 || cfg.bootstrapped == 0:
		case i == 2:
			runs += min(triesPerTrace*float64(cfg.bootstrapped), most)
		default:
			runs += min(triesPerTrace*float64(1+cfg.bootstrapped)/2, most)
		}
	}
	return int(runs + 0.5)
}
