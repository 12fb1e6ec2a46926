package optimize

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

const (
	defaultBreadth          = 10
	defaultDepth            = 3
	defaultCOPROTemperature = 1.4
)

// COPRO improves the instructions of one predictor after the other: a language model
// ([PromptModel]) writes Breadth-1 variants of the instruction that is there, all are scored,
// and from then on it is shown the best with their scores and writes Breadth new ones,
// Depth times in all. It is DSPy's optimizer of that name (Khattab et al., DSPy,
// arXiv 2310.03714; the breadth-first search that was SignatureOptimizer). Demos and biases
// stay as they are, so it goes well after an optimizer of demos, or before.
//
// With several predictors each is set to its best instruction before the next one has its
// turn, and in every round all of a predictor's instructions are scored again, since the
// others have changed. Of equal scores the first wins, in DSPy's order: instructions before
// the program's own, predictors in their order.
//
// A program is scored on all validation examples, which are the training examples where [Val]
// is not given, as in DSPy. One predictor takes at most Breadth*Depth times these, P
// predictors P*Breadth*Depth*(Depth+1)/2 times; a program that was scored before is not
// scored again. The prompt model is asked Breadth*Depth-1 times for each predictor.
//
// Three things differ from DSPy. Only the instruction is searched, and not the prefix of the
// last output: prefixes follow from the names of fields here, and chat prompts do not show
// them. Where DSPy asks for n completions in one call, each is a call and a rollout of its
// own; these are numbered through the search, so that a prompt that has not changed brings
// other instructions. And a reply that cannot be read is left out, where DSPy ends the search.
type COPRO struct {
	// Breadth is the number of instructions that each predictor has in a round; 0 means 10.
	// It is at least 2.
	Breadth int
	// Depth is the number of rounds; 0 means 3.
	Depth int
	// Temperature is that of the prompt model; 0 means 1.4.
	Temperature float64
}

// String implements Optimizer.
func (o COPRO) String() string {
	return fmt.Sprintf("COPRO(breadth=%d, depth=%d, temperature=%g)", o.breadth(), o.depth(), o.temperature())
}

func (o COPRO) breadth() int         { return count(o.Breadth, defaultBreadth) }
func (o COPRO) depth() int           { return count(o.Depth, defaultDepth) }
func (o COPRO) temperature() float64 { return cmp.Or(o.Temperature, defaultCOPROTemperature) }

func (o COPRO) check() error {
	switch {
	case o.breadth() < 2:
		return fmt.Errorf("optimize: COPRO: Breadth is %d: want at least 2, the program's own instruction and one more; 0 means %d", o.Breadth, defaultBreadth)
	case o.depth() < 1:
		return fmt.Errorf("optimize: COPRO: Depth is %d: want at least 1 round; 0 means %d", o.Depth, defaultDepth)
	}
	return checkTemperature("COPRO", o.Temperature, defaultCOPROTemperature)
}

// checkTemperature refuses what no model can be asked at.
func checkTemperature(optimizer string, t, def float64) error {
	if !(t >= 0) || math.IsInf(t, 1) {
		return fmt.Errorf("optimize: %s: Temperature is %v: want a finite number above 0; 0 means %g", optimizer, t, def)
	}
	return nil
}

func (o COPRO) plan(s *session) plan {
	n, breadth, depth := len(s.named), o.breadth(), o.depth()
	programs := breadth * depth
	if n > 1 {
		programs = n * breadth * depth * (depth + 1) / 2
	}
	return plan{proposing: n * (breadth*depth - 1), searching: programs * s.measuring()}
}

func (o COPRO) search(ctx context.Context, s *session) error {
	first, again, err := coproPrompts()
	if err != nil {
		return err
	}
	start, err := s.unbiased(ctx)
	if err != nil {
		return err
	}
	r := coproRun{
		session: s, COPRO: o, again: again, now: start,
		tried: make([][]coproAttempt, len(s.named)), programs: map[string]int{},
	}
	own, err := r.score(ctx, "the program as it is", r.now)
	if err != nil {
		return err
	}
	fresh := make([][]string, len(s.named))
	for i := range s.named {
		text := s.instructionsOf(i, s.own[i])
		d, err := s.draft(ctx, first, coproFirst{s.summary(i), text}, 1, r.breadth()-1, r.temperature())
		if err != nil {
			return err
		}
		r.drafts.add(drafts{unread: d.unread, err: d.err})
		fresh[i] = append(d.texts, text)
	}
	all := slices.Clone(fresh)
	for depth := range r.depth() {
		if depth > 0 {
			for i := range s.named {
				if fresh[i], err = r.propose(ctx, i, depth); err != nil {
					return err
				}
				all[i] = append(slices.Clip(all[i]), fresh[i]...)
			}
		}
		for i := range s.named {
			texts := fresh[i]
			if len(s.named) > 1 {
				texts = all[i] // the other predictors have changed
			}
			if err := r.tryAll(ctx, i, depth, texts); err != nil {
				return err
			}
		}
	}
	r.choose()
	s.why = fmt.Sprintf("all %d rounds were done%s", r.depth(), r.drafts.lost())
	if s.result.Winner == own {
		s.why += "; no instruction was better than the program's own"
	}
	return nil
}

// coproFirst is what the prompt model reads before anything was scored.
type coproFirst struct {
	Predictor   string `desc:"The step of the program that the instruction is for"`
	Instruction string `desc:"The instruction that it has now"`
}

// coproAgain is what it reads afterwards.
type coproAgain struct {
	Predictor string   `desc:"The step of the program that the instructions are for"`
	Attempts  []string `desc:"Instructions that were tried, each behind the score in percent that the program had with it, the best at the end"`
}

const (
	coproFirstTask = `You write instructions for language models. Read the instruction that a step of a program has, and write one with which a model would do the same task better: say what is wanted more exactly, name what is easily got wrong, or go about it in another way. Be inventive, but keep to the task and to its fields.`

	coproAgainTask = `You write instructions for language models. You see instructions that a step of a program was tried with, from the worst to the best, and how the program scored with each. Find out what the good ones have and the bad ones lack, and write an instruction that is unlike all of these and scores higher than the last. Be inventive, but keep to the task and to its fields.`
)

// coproPrompts returns the programs of the prompt model.
func coproPrompts() (first, again *module.Dynamic, err error) {
	sig, err := signature.Of[coproFirst, drafted](coproFirstTask)
	if err != nil {
		return nil, nil, err
	}
	if first, err = module.NewDynamic(sig); err != nil {
		return nil, nil, err
	}
	if sig, err = signature.Of[coproAgain, drafted](coproAgainTask); err != nil {
		return nil, nil, err
	}
	again, err = module.NewDynamic(sig)
	return first, again, err
}

// coproRun is the state of one search.
type coproRun struct {
	*session
	COPRO
	again    *module.Dynamic
	now      candidate        // the program with the best instruction of each predictor
	tried    [][]coproAttempt // by predictor, in the order in which they were first tried
	programs map[string]int   // the trial of each program that was scored, by its instructions
	scored   []*evaluation    // by trial
	drafts   drafts           // only what could not be read
}

// coproAttempt is an instruction of a predictor and the best trial with it.
type coproAttempt struct {
	text  string
	trial int
	score float64 // below all others where every example failed
}

// score returns the trial of a program, which it runs unless it did before.
func (r *coproRun) score(ctx context.Context, name string, c candidate) (int, error) {
	texts := make([]string, len(c))
	for i := range c {
		texts[i] = r.instructionsOf(i, c[i])
	}
	key := fmt.Sprintf("%q", texts)
	if trial, ok := r.programs[key]; ok {
		return trial, nil
	}
	trial := len(r.result.Trials)
	e, err := r.measureTrial(ctx, Trial{Name: name}, c, trial == 0)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	r.programs[key] = trial
	r.scored = append(r.scored, e)
	return trial, nil
}

// tryAll scores the program with each of the instructions for a predictor, which then gets
// the best of all that it was ever tried with.
func (r *coproRun) tryAll(ctx context.Context, i, depth int, texts []string) error {
	for j, text := range texts {
		c := r.now.clone()
		c[i] = r.withInstructions(i, c[i], text)
		trial, err := r.score(ctx, fmt.Sprintf("round %d, %s, instruction %d of %d", depth+1, r.named[i].Name, j+1, len(texts)), c)
		if err != nil {
			return err
		}
		a := coproAttempt{text, trial, math.Inf(-1)}
		if e := r.scored[trial]; !e.unscored() {
			a.score = e.score
		}
		known := slices.IndexFunc(r.tried[i], func(b coproAttempt) bool { return b.text == text })
		switch {
		case known < 0:
			r.tried[i] = append(r.tried[i], a)
		case a.score > r.tried[i][known].score:
			r.tried[i][known] = a
		}
	}
	r.now[i] = r.withInstructions(i, r.now[i], r.ranked(i)[0].text)
	return nil
}

// ranked returns a predictor's attempts, the best first; equals stay in their order.
func (r *coproRun) ranked(i int) []coproAttempt {
	return slices.SortedStableFunc(slices.Values(r.tried[i]), func(a, b coproAttempt) int { return cmp.Compare(b.score, a.score) })
}

// propose asks for new instructions of a predictor, from the best attempts with it.
func (r *coproRun) propose(ctx context.Context, i, depth int) ([]string, error) {
	best := r.ranked(i)
	best = best[:min(len(best), r.breadth())]
	in := coproAgain{Predictor: r.summary(i)}
	for _, a := range slices.Backward(best) {
		score := "failed everywhere"
		if !math.IsInf(a.score, -1) {
			score = percent(a.score)
		}
		in.Attempts = append(in.Attempts, score+": "+a.text)
	}
	d, err := r.draft(ctx, r.again, in, depth*r.breadth(), r.breadth(), r.temperature())
	r.drafts.add(drafts{unread: d.unread, err: d.err})
	return d.texts, err
}

// choose makes the best of all attempts the winner, the first of equals in DSPy's order.
func (r *coproRun) choose() {
	best := coproAttempt{score: math.Inf(-1)}
	for i := range r.tried {
		if a := r.ranked(i)[0]; a.score > best.score {
			best = a
		}
	}
	if !math.IsInf(best.score, -1) {
		r.win(r.stateOf(best.trial), r.scored[best.trial], best.trial)
	}
}
