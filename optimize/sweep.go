package optimize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Cost says what the calls of one of several programs cost, 0 or more, in one unit for all.
// program is its index, and u what it has used for one example.
type Cost func(program int, u lm.Usage) (float64, error)

// errStored is why a cost is not known.
var errStored = errors.New("some calls were answered from a store, which does not say what they would cost; use optimize.FixedCost")

// CostInTokens is the cost in tokens: those of the prompt and those of the reply.
func CostInTokens(_ int, u lm.Usage) (float64, error) {
	if u.CachedCalls > 0 {
		return 0, errStored
	}
	return float64(u.PromptTokens + u.CompletionTokens + u.ForcedTokens), nil
}

// CostInDollars is the cost in US dollars, where the price of every call is known.
func CostInDollars(_ int, u lm.Usage) (float64, error) {
	switch {
	case u.CachedCalls > 0:
		return 0, errStored
	case !u.CostKnown():
		return 0, errors.New("the price of some calls is not known: see package lm/price")
	}
	return u.Cost.Dollars(), nil
}

// CostInCalls is the number of calls of language models, those that a store answers included.
func CostInCalls(_ int, u lm.Usage) (float64, error) { return float64(u.Calls), nil }

// FixedCost is a cost for each program that does not depend on what it uses.
func FixedCost(each ...float64) Cost {
	return func(program int, _ lm.Usage) (float64, error) {
		if program >= len(each) {
			return 0, fmt.Errorf("optimize.FixedCost has %d costs, and none for program %d", len(each), program)
		}
		return each[program], nil
	}
}

// observation is what came of one program and one example.
type observation struct {
	quality    float64
	confidence float64
	usage      lm.Usage // of the program and of its confidence
	judged     lm.Usage // of the metric
	err        error
}

// sweep runs programs over examples.
type sweep[In, Out any] struct {
	what     string // for errors
	programs []module.Program[In, Out]
	data     []module.Example[In, Out]
	metric   metric.Metric[In, Out]
	// confidence says how sure an answer is; nil where nobody asks.
	confidence func(ctx context.Context, program int, in In, got *module.Prediction[Out]) (float64, error)
	options    options
}

// newSweep checks what the sweeps have in common.
func newSweep[In, Out any](what string, programs []module.Program[In, Out], data []module.Example[In, Out], m metric.Metric[In, Out], opts []Option) (*sweep[In, Out], error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case m == nil:
		return nil, errors.New("optimize: the metric is nil")
	case len(data) == 0:
		return nil, fmt.Errorf("optimize: no examples: %w", evaluate.ErrNoData)
	case o.val != nil || o.fresh != nil || o.objective != nil || o.teacher != nil || o.teacherProg != nil || o.calibrate != nil || o.promptModel != nil:
		return nil, fmt.Errorf("optimize: %s has no use for Val, Confirm, By, Teacher, TeacherProgram, PromptModel and Calibrated; leave them out", what)
	}
	o.through = append(slices.Clip(o.through), o.budget.middleware(time.Now())...)
	return &sweep[In, Out]{what: what, programs: programs, data: data, metric: m, options: o}, nil
}

// context returns the one in which calls are made.
func (s *sweep[In, Out]) context(ctx context.Context) context.Context {
	if lm.QueueOf(ctx) == nil {
		ctx = lm.WithQueue(ctx)
	}
	return lm.Wrap(ctx, func(m lm.LM) lm.LM { return lm.Chain(m, s.options.through...) })
}

// run returns what came of each example, in their order, and of each program. An example
// that fails counts as a wrong answer; the context's end and a budget that is spent end the
// sweep, and so does a program that fails on every example.
func (s *sweep[In, Out]) run(ctx context.Context) ([][]observation, error) {
	ctx = s.context(ctx)
	rows := make([][]observation, len(s.data))
	var mu sync.Mutex
	done := 0
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.options.concurrency)
	for r := range s.data {
		rows[r] = make([]observation, len(s.programs))
		g.Go(func() error {
			for i := range s.programs {
				o := s.observe(gctx, i, s.data[r])
				switch {
				case gctx.Err() != nil:
					return gctx.Err()
				case errors.Is(o.err, lm.ErrBudget), errors.Is(o.err, errQuality):
					return fmt.Errorf("optimize: %s: example %s, program %d: %w", s.what, exampleName(s.data[r].ID, r), i, o.err)
				}
				rows[r][i] = o
			}
			if s.options.progress != nil {
				mu.Lock()
				defer mu.Unlock()
				done++
				_, _ = fmt.Fprintf(s.options.progress, "optimize: %s: %d of %d examples\n", s.what, done, len(s.data))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	for i := range s.programs {
		if !slices.ContainsFunc(rows, func(row []observation) bool { return row[i].err == nil }) {
			return nil, fmt.Errorf("optimize: %s: program %d failed on every example, on %s with: %w", s.what, i, exampleName(s.data[0].ID, 0), rows[0][i].err)
		}
	}
	return rows, nil
}

// errQuality says that a metric is no quality.
var errQuality = errors.New("want a metric from 0 to 1")

// observe runs one program on one example.
func (s *sweep[In, Out]) observe(ctx context.Context, i int, ex module.Example[In, Out]) observation {
	pctx, t := trace.Start(ctx)
	pred, err := module.Call(pctx, s.programs[i], ex.In)
	if err != nil {
		return observation{err: err, usage: module.UsageOf(t)}
	}
	o := observation{usage: pred.Usage}
	if s.confidence != nil {
		cctx, ct := trace.Start(ctx)
		o.confidence, o.err = s.confidence(cctx, i, ex.In, pred)
		o.usage = o.usage.Add(module.UsageOf(ct))
		if o.err != nil {
			return o
		}
	}
	mctx, mt := trace.Start(ctx)
	score, err := s.metric(mctx, ex, pred.Out, t)
	o.judged = module.UsageOf(mt)
	switch {
	case err != nil:
		o.err = fmt.Errorf("metric: %w", err)
	case !(score.Value >= 0 && score.Value <= 1):
		o.err = fmt.Errorf("the metric returned %v: %w", score.Value, errQuality)
	default:
		o.quality = score.Value
	}
	return o
}

// spent sums up what a sweep has used, and counts what has failed, for each program.
func spent(rows [][]observation) (u lm.Usage, failed []int) {
	failed = make([]int, len(rows[0]))
	for _, row := range rows {
		for i, o := range row {
			u = u.Add(o.usage).Add(o.judged)
			if o.err != nil {
				failed[i]++
			}
		}
	}
	return u, failed
}
