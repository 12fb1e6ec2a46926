package optimize

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// plan is what a search is expected to ask, before any answer comes from a store.
type plan struct {
	// bootstrapping and searching are numbers of runs of the program, proposing is that of
	// calls of the prompt model.
	bootstrapping, proposing, searching int
}

// planner is an optimizer that can tell beforehand what it will ask.
type planner interface{ plan(s *session) plan }

// divider divides the examples when its search begins.
type divider interface{ divide(s *session) (kept bool) }

// Range is a number that lies between two others, as far as is known.
type Range struct{ Low, High int }

// MoneyRange is an amount that lies between two others, as far as is known.
type MoneyRange struct{ Low, High lm.Money }

// PhaseEstimate is what one part of a search is expected to take.
type PhaseEstimate struct {
	// Name is "bootstrapping", "proposing", "searching" or "confirming".
	Name string
	// Runs is the number of runs of the program on an example, and Calls that of calls of
	// language models in them: one of each predictor. Proposals are calls without a run.
	Runs, Calls int
	// Proposals of the Calls are those of the prompt model.
	Proposals int
	// PromptTokens are those of prompts without demos and with as many as the optimizer shows,
	// ReplyTokens those of replies. They are 0 where TokensKnown is false.
	PromptTokens Range
	ReplyTokens  int
	TokensKnown  bool
	// Cost is what the calls cost by the list prices of lm/price; 0 where CostKnown is false.
	Cost      MoneyRange
	CostKnown bool
}

// Estimate is what a search is expected to take: see [DryRun].
type Estimate struct {
	// Optimizer names the optimizer and its settings.
	Optimizer string
	// Phases are the parts that take calls: bootstrapping, proposing, searching, confirming.
	Phases []PhaseEstimate
	// Total is the sum, of what is known: its CostKnown and TokensKnown say whether that is
	// all of it.
	Total PhaseEstimate
	// Notes say in words what the figures are made from and what they leave out.
	Notes []string
}

// DryRun estimates what [Compile] with the same arguments would ask, and what that costs,
// without asking a model anything.
//
// Calls are the optimizer's plan of its runs, times one call for each of the program's
// predictors: a program that calls one in a loop, or again after a bad reply, takes more.
// Answers from the search's own memory are among them, so fewer are paid. Bootstrapping is
// counted as if every second answer were accepted, and confirming as if there were something
// to confirm. Tokens are those of prompts of a few training
// examples, without demos and with as many as the optimizer shows, by the model's own tokenizer
// where it has one (lm.Tokenizer) and else a quarter of the bytes; of replies, those of the
// outputs in the examples. An input or output that the examples do not have, such as the reasoning
// or what one predictor hands to the next, is taken for 64 tokens. Prices are the list prices of price.Default
// on the day that it is of, for models by their names. What a metric's models take is not in it.
// [Estimate.Notes] says which of this matters.
//
// The errors are those of Compile, and one that wraps errors.ErrUnsupported for an optimizer
// that cannot tell.
func DryRun[In, Out any](ctx context.Context, opt Optimizer, p module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*Estimate, error) {
	s, err := begin(ctx, opt, p, train, m, opts)
	if err != nil {
		return nil, err
	}
	planned, ok := opt.(planner)
	if !ok {
		return nil, fmt.Errorf("optimize: what %s will ask cannot be told beforehand: %w", opt, errors.ErrUnsupported)
	}
	if d, ok := opt.(divider); ok {
		d.divide(s)
	}
	return s.estimate(ctx, opt, planned.plan(s))
}

// The names of phases.
const (
	bootstrappingName = "bootstrapping"
	proposingName     = "proposing"
	searchingName     = "searching"
	confirmingName    = "confirming"
)

// estimate puts figures to a plan.
func (s *session) estimate(ctx context.Context, opt Optimizer, p plan) (*Estimate, error) {
	shown, demosKnown := shownDemos(opt)
	if !demosKnown {
		shown = -1
	}
	m := &meter{session: s, demos: shown}
	own, err := m.measure(ctx, nil)
	if err != nil {
		return nil, err
	}
	teacher := own
	if s.options.teacher != nil && p.bootstrapping > 0 {
		if teacher, err = m.measure(ctx, s.options.teacher); err != nil {
			return nil, err
		}
	}
	e := &Estimate{Optimizer: opt.String(), Total: PhaseEstimate{Name: "total", TokensKnown: true, CostKnown: true}}
	e.add(teacher.phase(bootstrappingName, p.bootstrapping))
	if p.proposing > 0 {
		model, err := s.promptModel(ctx)
		if err != nil {
			return nil, err
		}
		e.add(proposalsOf(ctx, model, p.proposing))
	}
	e.add(own.phase(searchingName, p.searching))
	e.add(own.phase(confirmingName, 2*s.sizes[freshSet]))
	e.Notes = m.notes(e, p, demosKnown)
	return e, nil
}

func (e *Estimate) add(p PhaseEstimate) {
	if p.Calls == 0 {
		return
	}
	e.Phases = append(e.Phases, p)
	t := &e.Total
	t.Runs, t.Calls, t.Proposals = t.Runs+p.Runs, t.Calls+p.Calls, t.Proposals+p.Proposals
	t.PromptTokens.Low, t.PromptTokens.High = t.PromptTokens.Low+p.PromptTokens.Low, t.PromptTokens.High+p.PromptTokens.High
	t.ReplyTokens += p.ReplyTokens
	t.Cost.Low, t.Cost.High = t.Cost.Low+p.Cost.Low, t.Cost.High+p.Cost.High
	t.TokensKnown, t.CostKnown = t.TokensKnown && p.TokensKnown, t.CostKnown && p.CostKnown
}
