package optimize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/whetgo/whet/module"
)

const (
	defaultProposals       = 8
	defaultSteps           = 20
	defaultShown           = 20
	defaultExemplars       = 3
	defaultEvalEvery       = 3
	defaultOPROTemperature = 1

	// Without Rows an instruction is scored on one of rowsShare training examples, but on at
	// least leastRows.
	rowsShare = 5
	leastRows = 50
)

// OPRO lets a language model ([PromptModel]) be the optimizer: it is shown the instructions
// so far with their scores, the best at the end, and some examples of the task, and writes
// new ones (Yang et al., Large Language Models as Optimizers, arXiv 2309.03409, section 3).
// Demos and biases stay as they are. With several predictors the steps take turns, and each
// starts from the best program so far.
//
// An instruction is scored on a sample of the training examples, drawn once. After every
// EvalEvery steps, and at the end, the one with the best score there that was not yet
// measured is scored on all validation examples, and the winner is the best of these. So
// there are (1+Steps*Proposals)*Rows and (1+Steps/EvalEvery)*len(Val) runs of the program,
// and Steps*Proposals calls of the prompt model; an instruction that was there before is not
// scored again.
//
// At the end a paired test on the validation examples compares the winner with the program
// as it was, and [Result.Why] says "no significant gain" where there is none: a prompt model
// that is small often finds nothing (Zhang et al., Revisiting OPRO, arXiv 2405.10276). The
// winner is returned all the same, unconfirmed; with [Confirm] the test on fresh examples
// decides in its place. The same validation examples chose the winner, so a gain that is
// reported here may be none. In a [Calibrated] search only programs
// that are measured get biases.
type OPRO struct {
	// Steps is how often the prompt model is shown what there is; 0 means 20. The paper's
	// experiments take 200, which costs ten times as much.
	Steps int
	// Proposals is the number of new instructions in a step, each a call and a rollout of
	// its own; 0 means 8.
	Proposals int
	// Shown is the number of instructions that the prompt model sees, the best ones; 0 means
	// 20. KeepAbove is the score, in the unit of the score, below which none is shown to it;
	// 0 means that all may be. (In the paper 0.3, for models that start well.)
	Shown     int
	KeepAbove float64
	// Exemplars is the number of training examples that it sees, drawn anew in each step; 0
	// means 3.
	Exemplars int
	// Rows is the number of training examples that an instruction is scored on; 0 means a
	// fifth of them, but at least 50, or all where there are fewer.
	Rows int
	// EvalEvery is the number of steps from one measurement on the validation examples to
	// the next; 0 means 3.
	EvalEvery int
	// Temperature is that of the prompt model; 0 means 1.
	Temperature float64
	// Seed draws Rows and Exemplars.
	Seed int64
}

// String implements Optimizer.
func (o OPRO) String() string {
	rows := "a fifth"
	if o.Rows != 0 {
		rows = fmt.Sprint(o.Rows)
	}
	s := fmt.Sprintf("OPRO(steps=%d, proposals=%d, shown=%d, exemplars=%d, rows=%s, eval every=%d, temperature=%g",
		o.steps(), o.proposals(), o.shown(), o.exemplars(), rows, o.evalEvery(), o.temperature())
	if o.KeepAbove != 0 {
		s += fmt.Sprintf(", keep above=%g", o.KeepAbove)
	}
	return s + fmt.Sprintf(", seed=%d)", o.Seed)
}

func (o OPRO) steps() int           { return count(o.Steps, defaultSteps) }
func (o OPRO) proposals() int       { return count(o.Proposals, defaultProposals) }
func (o OPRO) shown() int           { return count(o.Shown, defaultShown) }
func (o OPRO) exemplars() int       { return count(o.Exemplars, defaultExemplars) }
func (o OPRO) evalEvery() int       { return count(o.EvalEvery, defaultEvalEvery) }
func (o OPRO) temperature() float64 { return cmp.Or(o.Temperature, defaultOPROTemperature) }

func (o OPRO) check() error {
	for _, f := range []struct {
		name   string
		v, def int
	}{
		{"Steps", o.Steps, defaultSteps},
		{"Proposals", o.Proposals, defaultProposals},
		{"EvalEvery", o.EvalEvery, defaultEvalEvery},
	} {
		if f.v < 0 {
			return fmt.Errorf("optimize: OPRO: %s is %d: want at least 1; 0 means %d", f.name, f.v, f.def)
		}
	}
	if o.Rows < 0 {
		return fmt.Errorf("optimize: OPRO: Rows is %d: want at least 1 training example; 0 means a fifth of them", o.Rows)
	}
	if math.IsNaN(o.KeepAbove) {
		return errors.New("optimize: OPRO: KeepAbove is NaN: want a score; 0 means that every instruction may be shown")
	}
	return checkTemperature("OPRO", o.Temperature, defaultOPROTemperature)
}

// rows returns on how many of n training examples an instruction is scored.
func (o OPRO) rows(n int) int {
	return min(n, cmp.Or(o.Rows, max(n/rowsShare, leastRows)))
}

func (o OPRO) plan(s *session) plan {
	n := o.steps() * o.proposals()
	measured := 1 + (o.steps()+o.evalEvery()-1)/o.evalEvery()
	return plan{proposing: n, searching: (1+n)*o.rows(s.sizes[trainSet]) + measured*s.measuring()}
}

func (o OPRO) search(ctx context.Context, s *session) error {
	prompt, err := oproPrompt()
	if err != nil {
		return err
	}
	s.result.Seed = o.Seed
	r := oproRun{session: s, OPRO: o, prompt: prompt, history: make([][]oproPast, len(s.named))}
	r.rng = rand.New(rand.NewPCG(uint64(o.Seed), 0x6f70726f)) //nolint:gosec // a search is to repeat
	n := s.sizes[trainSet]
	r.sample = r.rng.Perm(n)[:o.rows(n)]
	slices.Sort(r.sample)
	own, err := s.unbiased(ctx)
	if err != nil {
		return err
	}
	if _, err := s.measureTrial(ctx, Trial{Name: "the program as it is"}, own, true); err != nil {
		return err
	}
	e, err := s.evaluateRows(ctx, own, trainSet, r.sample)
	if err != nil {
		return err
	}
	r.programs = []oproProgram{{own, e.score, 0, true}}
	for i := range s.named {
		r.history[i] = []oproPast{{s.instructionsOf(i, s.own[i]), e.score}}
	}
	for step := range r.steps() {
		if err := r.step(ctx, step); err != nil {
			return fmt.Errorf("step %d: %w", step+1, err)
		}
		if (step+1)%r.evalEvery() == 0 || step+1 == r.steps() {
			if err := r.measureBest(ctx); err != nil {
				return fmt.Errorf("after step %d: %w", step+1, err)
			}
		}
	}
	return r.conclude()
}

// oproRun is the state of one search.
type oproRun struct {
	*session
	OPRO
	prompt   *module.Dynamic
	rng      *rand.Rand
	sample   []int        // of training examples
	history  [][]oproPast // by predictor, in the order in which they came
	programs []oproProgram
	drafts   drafts // only what could not be read
	again    int    // instructions that were there before
}

// oproPast is an instruction with the score on the sample of the program that first had it.
type oproPast struct {
	text  string
	score float64
}

// oproProgram is a program that was scored on the sample.
type oproProgram struct {
	c        candidate
	score    float64
	trial    int
	measured bool // on the validation examples
}

// best returns the index of the first of the best programs on the sample, of all or of those
// that were not measured; -1 where there is none.
func (r *oproRun) best(all bool) int {
	best := -1
	for i, p := range r.programs {
		if (all || !p.measured) && (best < 0 || p.score > r.programs[best].score) {
			best = i
		}
	}
	return best
}

// step asks for instructions of the predictor whose turn it is, and scores them in the best
// program so far.
func (r *oproRun) step(ctx context.Context, step int) error {
	i := step % len(r.named)
	base := r.programs[r.best(true)]
	d, err := r.draft(ctx, r.prompt, r.question(i), 1+step*r.proposals(), r.proposals(), r.temperature())
	if err != nil {
		return err
	}
	r.drafts.add(drafts{unread: d.unread, err: d.err})
	for j, text := range d.texts {
		if slices.ContainsFunc(r.history[i], func(p oproPast) bool { return p.text == text }) {
			r.again++
			continue
		}
		c := base.c.clone()
		c[i] = r.withInstructions(i, c[i], text)
		e, err := r.evaluateRows(ctx, c, trainSet, r.sample)
		if err != nil {
			return err
		}
		t := Trial{
			Name: fmt.Sprintf("step %d, %s, instruction %d", step+1, r.named[i].Name, j+1), Rows: r.sample, Parents: []int{base.trial},
			Note: fmt.Sprintf("scored on %d training examples", len(r.sample)),
		}
		r.history[i] = append(r.history[i], oproPast{text, e.score})
		if !e.unscored() {
			r.programs = append(r.programs, oproProgram{c, e.score, len(r.result.Trials), false})
		}
		r.note(t, c, e)
	}
	return nil
}

// measureBest scores the best program on the sample that was not yet measured.
func (r *oproRun) measureBest(ctx context.Context) error {
	i := r.best(false)
	if i < 0 {
		return nil
	}
	p := &r.programs[i]
	t := Trial{Name: r.result.Trials[p.trial].Name + ", measured", Parents: []int{p.trial}}
	p.measured = true
	_, err := r.measureTrial(ctx, t, p.c, false)
	return err
}

// conclude says why the search ended, and whether it was worth it.
func (r *oproRun) conclude() error {
	found := 0
	for _, past := range r.history {
		found += len(past) - 1 // without the own one
	}
	r.why = fmt.Sprintf("all %d steps were done, %d instructions were scored", r.steps(), found)
	if r.again > 0 {
		r.why += fmt.Sprintf(" and %d had been there before", r.again)
	}
	r.why += r.drafts.lost()
	switch {
	case r.winner == nil || r.options.calibrate == nil && r.result.Winner == 0:
		r.why += "; none was better than the program's own: no significant gain"
	case r.sizes[freshSet] == 0:
		test, err := r.compare(r.baseline, r.winning)
		if err != nil {
			return err
		}
		if !test.Gain() {
			r.why += fmt.Sprintf("; no significant gain on the validation examples: %s", test)
		}
	}
	return nil
}
