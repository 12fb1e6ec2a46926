package optimize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/internal/tpe"
	"github.com/whetgo/whet/module"
)

// mipro is a search of MIPROv2.
type mipro struct {
	*session
	miproSizes
	o     MIPROv2
	rng   *pyrand.Rand
	pool  []int // the validation rows in the order that minibatches are drawn from
	rows  []int // those that a full evaluation runs; nil is all
	space space
	notes [][]string // how the instructions were made
	// means are those of the minibatches of each choice, in the order of the first ones.
	means []*miproChoice
}

// miproChoice is a choice of instructions and demos that had minibatches.
type miproChoice struct {
	choice []int // by predictor: instructions, demos
	trials []int // the indexes of the trials
	sum    float64
	full   bool // it was scored on all examples
}

func (c *miproChoice) mean() float64 { return c.sum / float64(len(c.trials)) }

// choices makes the demo sets and instructions that the caller gave none of.
func (m *mipro) choices(ctx context.Context) error {
	m.notes = make([][]string, len(m.named))
	needDemos, needInstructions := false, false
	for _, n := range m.named {
		needDemos = needDemos || len(m.o.Space[n.Name].Demos) == 0
		needInstructions = needInstructions || len(m.o.Space[n.Name].Instructions) == 0
	}
	zeroShot := m.o.zeroShot()
	if !needInstructions && (zeroShot || !needDemos) {
		return nil
	}
	if m.o.auto() == 0 && m.o.Candidates == 0 {
		return errors.New("optimize: MIPROv2: the space lacks demos or instructions of some predictor: add them, or say by Candidates how many to make")
	}
	cfg := m.o.config()
	if zeroShot {
		cfg.bootstrapped, cfg.labeled = zeroShotBootstrapped, 0
	}
	sets, err := m.demoSets(ctx, m.sets, cfg, m.rng)
	if err != nil {
		return err
	}
	for i, n := range m.named {
		if zeroShot || len(m.o.Space[n.Name].Demos) > 0 {
			continue
		}
		m.space.demos[i] = make([][]module.Demo, len(sets))
		for j, set := range sets {
			m.space.demos[i][j] = set[i].Demos
		}
	}
	if !needInstructions {
		return nil
	}
	return m.propose(ctx, sets)
}

// propose fills in the instructions.
func (m *mipro) propose(ctx context.Context, sets []candidate) error {
	p, err := m.newProposer(ctx, proposerConfig{
		dataAware: m.o.Without&AidData == 0, programAware: m.o.Without&AidProgram == 0,
		tipAware: m.o.Without&AidTip == 0, fewshotAware: m.o.Without&AidDemos == 0,
		viewData: count(m.o.ViewData, defaultViewData), temperature: m.o.temperature(),
	}, m.rng)
	if err != nil {
		return err
	}
	for i, n := range m.named {
		if len(m.o.Space[n.Name].Instructions) > 0 {
			continue
		}
		m.notes[i] = []string{"the instructions so far"}
		for j := range min(m.instructions, len(sets)) {
			text, note, err := p.propose(ctx, i, sets, j)
			if err != nil {
				return err
			}
			if j == 0 { // the predictor's own take its place
				continue
			}
			if text == "" {
				m.progress(fmt.Sprintf("proposal %d for %s is left out; %s", j, n.Name, note))
				continue
			}
			m.space.instructions[i] = append(slices.Clip(m.space.instructions[i]), text)
			m.notes[i] = append(m.notes[i], note)
		}
	}
	return nil
}

// run is the search among the choices. Trials are numbered as DSPy's: the program as it is is
// the first, and full evaluations count.
func (m *mipro) run(ctx context.Context) error {
	var sizes []int
	for i := range m.named {
		sizes = append(sizes, len(m.space.instructions[i]), len(m.space.demos[i]))
	}
	sampler, err := tpe.New(sizes, uint64(m.o.seed()))
	if err != nil {
		return err
	}
	e, err := m.full(ctx, Trial{Name: "the program as it is"}, m.own, true)
	if err != nil {
		return err
	}
	// To the estimator it is the first instructions with the first demos, as in DSPy, also
	// where the program has other demos.
	if err := sampler.Observe(make([]int, len(sizes)), e.score); err != nil {
		return err
	}
	for t := 1; t <= m.trials; t++ {
		choice := sampler.Next()
		score, err := m.trial(ctx, choice)
		if err != nil {
			return err
		}
		if err := sampler.Observe(choice, score); err != nil {
			return err
		}
		if m.minibatch == 0 || len(m.result.Trials)%(m.every+1) != 0 && t != m.trials {
			continue
		}
		best := m.best()
		if best == nil {
			continue
		}
		best.full = true
		e, err := m.full(ctx, Trial{Name: "full evaluation of " + m.name(best.choice), Parents: best.trials, Note: m.noteOf(best.choice)}, m.candidate(best.choice), false)
		if err != nil {
			return err
		}
		if err := sampler.Observe(best.choice, e.score); err != nil {
			return err
		}
	}
	m.why = fmt.Sprintf("all %d trials were run", m.trials)
	if m.result.Winner == 0 && m.options.calibrate == nil {
		m.keepBaseline(m.why + ", and no choice was better than the program as it is")
	}
	return nil
}

// trial scores a choice, on a minibatch or on all examples, and returns its score.
func (m *mipro) trial(ctx context.Context, choice []int) (float64, error) {
	t := Trial{Name: m.name(choice), Note: m.noteOf(choice)}
	c := m.candidate(choice)
	if m.minibatch == 0 {
		e, err := m.full(ctx, t, c, false)
		if err != nil {
			return 0, err
		}
		return e.score, nil
	}
	t.Rows = m.pool
	if m.minibatch < len(m.pool) {
		t.Rows = pyrand.Sample(m.rng, m.pool, m.minibatch)
	}
	e, err := m.evaluateRows(ctx, c, valSet, t.Rows)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(m.means, func(c *miproChoice) bool { return slices.Equal(c.choice, choice) })
	if i < 0 {
		i = len(m.means)
		m.means = append(m.means, &miproChoice{choice: choice})
	}
	m.means[i].trials = append(m.means[i].trials, len(m.result.Trials))
	m.means[i].sum += e.score
	m.note(t, c, e)
	return e.score, nil
}

// best returns the choice with the best mean that was not yet scored on all examples, the
// first of equals, or nil.
func (m *mipro) best() *miproChoice {
	var best *miproChoice
	for _, c := range m.means {
		if !c.full && (best == nil || c.mean() > best.mean()) {
			best = c
		}
	}
	return best
}

// full scores a candidate on all validation examples of the search, which may be a part of
// those that were given.
func (m *mipro) full(ctx context.Context, t Trial, c candidate, isOwn bool) (*evaluation, error) {
	t.Rows = m.rows
	return m.measureTrial(ctx, t, c, isOwn)
}

// candidate returns the program with a choice.
func (m *mipro) candidate(choice []int) candidate {
	n := len(m.named)
	instructions, demos := make([]int, n), make([]int, n)
	for i := range n {
		instructions[i], demos[i] = choice[2*i], choice[2*i+1]
	}
	return m.space.candidate(m.session, instructions, demos)
}

// name describes a choice: "instructions 2, demos 1", for several predictors behind their
// names.
func (m *mipro) name(choice []int) string {
	parts := make([]string, len(m.named))
	for i, n := range m.named {
		if parts[i] = fmt.Sprintf("instructions %d", choice[2*i]); len(m.space.demos[i]) > 1 {
			parts[i] += fmt.Sprintf(", demos %d", choice[2*i+1])
		}
		if len(m.named) > 1 {
			parts[i] = n.Name + ": " + parts[i]
		}
	}
	return strings.Join(parts, "; ")
}

// noteOf says how the instructions of a choice were made.
func (m *mipro) noteOf(choice []int) string {
	var parts []string
	for i, n := range m.named {
		if k := choice[2*i]; k < len(m.notes[i]) {
			parts = append(parts, n.Name+": "+m.notes[i][k])
		}
	}
	return strings.Join(parts, "; ")
}

// plan implements the dry run.
func (o MIPROv2) plan(s *session) plan {
	z := o.sizes(s)
	var p plan
	needInstructions, needDemos := 0, false
	for _, n := range s.named {
		needDemos = needDemos || len(o.Space[n.Name].Demos) == 0
		if len(o.Space[n.Name].Instructions) == 0 {
			needInstructions++
		}
	}
	cfg := o.config()
	if o.zeroShot() {
		cfg.bootstrapped, cfg.labeled, needDemos = zeroShotBootstrapped, 0, false
	}
	if needInstructions > 0 || needDemos {
		p.bootstrapping = demoSetRuns(z.sets, z.train, cfg)
	}
	if needInstructions > 0 {
		calls := 3
		if o.Without&AidProgram != 0 {
			calls = 1
		}
		p.proposing = calls * needInstructions * min(z.instructions, z.sets)
		if o.Without&AidData == 0 {
			p.proposing += summaryCalls(z.train, count(o.ViewData, defaultViewData))
		}
	}
	full := z.val
	if s.options.calibrate != nil { // without and with biases, which are fitted to the training examples
		full = 2*z.val + z.train
	}
	p.searching = full * (1 + z.trials)
	if z.minibatch > 0 {
		fulls := (z.trials + z.every - 1) / z.every
		p.searching = full*(1+fulls) + z.minibatch*z.trials
	}
	return p
}
