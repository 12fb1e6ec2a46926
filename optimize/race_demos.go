package optimize

import (
	"context"
	"fmt"
	"slices"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
)

// demoPool returns single demos for each predictor: training examples, where these have all
// its fields, and for the others what the program did where its answers were accepted. It
// returns how many runs that took, also with an error; at most runs.
func (s *session) demoPool(ctx context.Context, o Race, runs int) ([][]module.Demo, int, error) {
	pool := make([][]module.Demo, len(s.named))
	n := o.demos()
	if n == 0 || o.maxDemos() == 0 {
		return pool, 0, nil
	}
	order := identityOrder(len(s.train))
	pyrand.Shuffle(pyrand.New(o.Seed), order)
	var lacking []int
	for i := range s.named {
		for _, row := range order {
			if len(pool[i]) < n && s.knows(i, row) {
				pool[i] = append(pool[i], module.Demo{Fields: s.train[row]})
			}
		}
		if len(pool[i]) < min(n, o.maxDemos(), len(order)) {
			pool[i], lacking = nil, append(lacking, i)
		}
	}
	if len(lacking) == 0 {
		return pool, 0, nil
	}
	used := 0
	ctx = inPhase(ctx, bootstrapping)
	for missing := true; missing && used < min(runs, len(order)); {
		qs := make([]question, min(o.batch(), runs-used, len(order)-used))
		for k := range qs {
			qs[k] = question{c: s.own, set: trainSet, row: order[used+k], model: s.options.teacher, teacher: true}
		}
		answers, err := s.ask(ctx, qs)
		if err != nil {
			return nil, used, fmt.Errorf("bootstrapping: %w", err)
		}
		used += len(qs)
		missing = false
		for _, i := range lacking {
			for _, a := range answers {
				if d, ok := s.demoOf(i, a, o.Threshold); ok && len(pool[i]) < n {
					pool[i] = append(pool[i], d)
				}
			}
			missing = missing || len(pool[i]) < n
		}
	}
	return pool, used, nil
}

// knows reports whether a training example has all fields of a predictor.
func (s *session) knows(predictor, row int) bool {
	for _, f := range s.named[predictor].Predictor.Signature().Fields() {
		if _, ok := s.train[row].Get(f.Name); !ok {
			return false
		}
	}
	return true
}

// demoOf makes a demo of what a predictor did for an accepted answer: its last call that the
// answer rests on.
func (s *session) demoOf(predictor int, a answer, threshold float64) (module.Demo, bool) {
	if a.err != nil || a.score.Value <= 0 || a.score.Value < threshold {
		return module.Demo{}, false
	}
	for _, st := range slices.Backward(a.steps) {
		if i, ok := s.index[st.Predictor]; ok && i == predictor && st.Err == nil && !st.Dropped {
			return module.Demo{Fields: st.Inputs.Merge(st.Outputs), Augmented: true}, true
		}
	}
	return module.Demo{}, false
}

// raceRuns is how many runs demoPool is expected to take: as many as there are demos, where
// the examples do not have them.
func (s *session) raceRuns(o Race) int {
	for i := range s.named {
		known := 0
		for row := range s.train {
			if s.knows(i, row) {
				known++
			}
		}
		if known < min(o.demos(), o.maxDemos(), len(s.train)) {
			return min(o.demos(), len(s.train), o.bootstrapRuns())
		}
	}
	return 0
}

// bootstrapRuns is how many runs may make demos: a third of all.
func (o Race) bootstrapRuns() int { return max(1, o.runs()/3) }

// plan is what a dry run tells of the search: the most that it takes.
func (o Race) plan(s *session) plan {
	var p plan
	left := o.runs()
	if o.Space == nil {
		p.bootstrapping, p.proposing = s.raceRuns(o), o.instructions()*len(s.named)
		left = max(1, left-p.bootstrapping)
	}
	p.searching = left
	if s.options.objective != nil || s.options.calibrate != nil {
		// The program as it is and the finalists in full; where biases are fitted, each a second
		// time with these, and on the training examples for them.
		one := s.sizes[valSet]
		if s.options.calibrate != nil {
			one += s.sizes[valSet] + s.sizes[trainSet]
		}
		p.searching += s.sizes[valSet] + (1+raceFinalists)*one
	}
	return p
}
