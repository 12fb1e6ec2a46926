package optimize

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
)

// evolution is one run of [GEPA].
type evolution struct {
	GEPA
	s       *session
	budget  int
	calls   int // metric calls so far
	step    int // from 1
	pool    []evolved
	batches *epochs
	// draws chooses candidates, minibatches and merges, and picks which call of a predictor
	// is shown where one example has several; DSPy has the same two.
	draws, picks *pyrand.Rand
	reflector    *module.Dynamic
	asked        map[string]int // how often a reflection was asked for
	merging
}

// evolved is a candidate of the pool.
type evolved struct {
	c       candidate
	texts   []string // the instructions, by predictor
	parents []int    // indexes into the pool
	next    int      // the predictor whose turn it is
	score   float64  // on the validation examples
	scores  []float64
	trial   int
}

func newEvolution(o GEPA, s *session) (*evolution, error) {
	p, err := newReflector()
	if err != nil {
		return nil, err
	}
	draws := pyrand.New(o.Seed)
	return &evolution{
		GEPA: o, s: s, budget: o.budget(s), draws: draws, picks: pyrand.New(o.Seed),
		batches:   &epochs{n: s.sizes[trainSet], size: o.minibatch(), draws: draws},
		reflector: p, asked: map[string]int{},
		merging: merging{most: o.merges(), tried: map[string]bool{}},
	}, nil
}

// start scores the program as it is and makes it the first of the pool.
func (g *evolution) start(ctx context.Context) error {
	own, err := g.s.unbiased(ctx)
	if err != nil {
		return err
	}
	texts := make([]string, len(g.s.named))
	for i, st := range g.s.own {
		texts[i] = g.s.instructionsOf(i, st)
	}
	return g.admit(ctx, Trial{Name: "the program as it is"}, evolved{c: own, texts: texts})
}

// admit scores a candidate on all validation examples and adds it to the pool.
func (g *evolution) admit(ctx context.Context, t Trial, c evolved) error {
	first := len(g.pool) == 0
	if !first {
		t.Note = fmt.Sprintf("%s; found after %d metric calls", t.Note, g.calls)
	}
	for _, p := range c.parents {
		t.Parents = append(t.Parents, g.pool[p].trial)
		c.next = max(c.next, g.pool[p].next)
	}
	c.c = c.c.clone()
	if g.s.options.calibrate != nil { // which fits biases anew
		for i := range c.c {
			c.c[i].Biases = nil
		}
	}
	e, err := g.s.measureTrial(ctx, t, c.c, first)
	if err != nil {
		return err
	}
	g.calls += g.s.sizes[valSet]
	c.score, c.scores, c.trial = e.score, e.subscores, len(g.s.result.Trials)-1
	for i, st := range g.s.result.Trials[c.trial].States {
		c.c[i] = st.State // with the biases, under which minibatches are compared, too
	}
	g.pool = append(g.pool, c)
	return nil
}

// rewritten returns a candidate with other instructions.
func (g *evolution) rewritten(texts []string, parents ...int) evolved {
	c := g.pool[parents[0]].c.clone()
	for i, text := range texts {
		c[i] = g.s.withInstructions(i, c[i], text)
	}
	return evolved{c: c, texts: texts, parents: parents}
}

// advance is one step: a merge where one is due, else a reflection.
func (g *evolution) advance(ctx context.Context) error {
	due := g.due > 0 && g.found
	g.found = false
	if due {
		done, err := g.merge(ctx)
		if done || err != nil {
			return err
		}
	}
	return g.reflect(ctx)
}

// reflect changes a candidate of the pool, and keeps the result where it is better on the
// same minibatch.
func (g *evolution) reflect(ctx context.Context) error {
	parent := g.choose()
	rows := g.batches.next(g.step - 1)
	qs := make([]question, len(rows))
	for i, row := range rows {
		qs[i] = question{c: g.pool[parent].c, set: trainSet, row: row}
	}
	before, err := g.s.ask(ctx, qs)
	if err != nil {
		return err
	}
	g.calls += len(rows)
	was := make([]float64, len(rows))
	for i, a := range before {
		was[i] = a.score.Value
	}
	if !g.KeepPerfect && !slices.ContainsFunc(was, func(v float64) bool { return v < g.perfect() }) {
		return nil
	}
	d, err := g.rewrite(ctx, parent, before)
	if err != nil {
		return err
	}
	t := Trial{Name: fmt.Sprintf("reflection of step %d", g.step), Note: d.String()}
	if len(d.changed) == 0 {
		g.barren(t, parent, rows, before)
		return nil
	}
	child := g.rewritten(d.texts, parent)
	e, err := g.s.evaluateRows(ctx, child.c, trainSet, rows)
	if err != nil {
		return err
	}
	g.calls += len(rows)
	old, sum := exactSum(was), exactSum(e.subscores)
	t.Note += fmt.Sprintf("; %g after %g in sum on %d training examples", sum, old, len(rows))
	if sum <= old {
		t.Name += ", no better on its minibatch"
		t.Rows, t.Parents = rows, []int{g.pool[parent].trial}
		g.s.note(t, child.c, e)
		return nil
	}
	if err := g.admit(ctx, t, child); err != nil {
		return err
	}
	g.found = true
	if g.merged < g.most {
		g.due++
	}
	return nil
}

// barren notes a step that brought no new instructions, with what the parent did in it.
func (g *evolution) barren(t Trial, parent int, rows []int, seen []answer) {
	e := &evaluation{subscores: make([]float64, len(seen))}
	for i, a := range seen {
		e.subscores[i] = a.score.Value
		if a.err != nil {
			if e.failed++; e.err == nil {
				e.err = fmt.Errorf("%s: %w", a.name, a.err)
			}
		}
	}
	e.score = exactSum(e.subscores) / float64(len(seen))
	t.Name += ", without new instructions"
	t.Rows, t.Parents = rows, []int{g.pool[parent].trial}
	g.s.note(t, g.pool[parent].c, e)
}

// rewriting is what a reflection brought: the instructions of all predictors, and the names of
// those whose are new, of those that no example shows, and why others are not.
type rewriting struct {
	texts           []string
	changed, unseen []string
	lost            []string
}

// String says what became of the predictors whose turn it was.
func (r rewriting) String() string {
	var parts []string
	if len(r.changed) > 0 {
		parts = append(parts, "new instructions of "+strings.Join(r.changed, ", "))
	}
	if len(r.unseen) > 0 {
		parts = append(parts, "no example shows what was done by "+strings.Join(r.unseen, ", "))
	}
	return strings.Join(append(parts, r.lost...), "; ")
}

// rewrite has new instructions written for the predictors whose turn it is.
func (g *evolution) rewrite(ctx context.Context, parent int, seen []answer) (rewriting, error) {
	p := &g.pool[parent]
	turn := identityOrder(len(p.texts))
	if g.Components == RoundRobin {
		turn = []int{p.next}
		p.next = (p.next + 1) % len(p.texts)
	}
	r := rewriting{texts: slices.Clone(p.texts)}
	for _, i := range turn {
		name := g.s.named[i].Name
		shown := g.examples(i, seen)
		if shown == "" {
			r.unseen = append(r.unseen, name)
			continue
		}
		text, err := g.ask(ctx, p.texts[i], shown)
		switch {
		case err == nil:
			r.texts[i] = text
			r.changed = append(r.changed, name)
		case ctx.Err() != nil || hopeless(err):
			return r, fmt.Errorf("reflecting on the instructions of %s: %w", name, err)
		default:
			r.lost = append(r.lost, fmt.Sprintf("none of %s: %s", name, brief(err)))
		}
	}
	return r, nil
}

// exactSum adds up so that the order of the terms does not decide which of two sums is the
// greater (Neumaier's compensated sum, which Python's is too from 3.12 on).
func exactSum(terms []float64) float64 {
	sum, lost := 0.0, 0.0
	for _, t := range terms {
		next := sum + t
		if max(sum, -sum) >= max(t, -t) {
			lost += (sum - next) + t
		} else {
			lost += (t - next) + sum
		}
		sum = next
	}
	return sum + lost
}
