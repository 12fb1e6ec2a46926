package main

import (
	"context"
	"fmt"
	"os"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// perLabel is how many demos of each label a set has.
const perLabel = 3

// concurrency is how many messages are in work at once.
const concurrency = 16

// variant is a program of the table.
type variant struct {
	name, note string
	program    program
	single     int // the variant that it is compared with
}

type bench struct {
	k        int
	data     *dataset
	models   []*family
	variants []variant
	single   int // the variant that those to come are compared with
}

func (b *bench) add(name, note string, p program) {
	b.variants = append(b.variants, variant{name, note, p, b.single})
}

// choose makes the variants; nothing of it sees a row that is reported.
func (b *bench) choose(ctx context.Context) error {
	for _, f := range b.models {
		if err := b.members(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := b.alone(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return b.together(ctx)
}

// predict makes a program of a model with some rows as demos, and fits its biases.
func (b *bench) predict(ctx context.Context, f *family, demos []row) (*module.Predict[message, verdict], error) {
	p, err := module.NewPredict[message, verdict](sms.Instructions, module.WithAdapter(adapter.Compact{}), module.WithLM(f.lm), module.Seed(1))
	if err != nil {
		return nil, err
	}
	if err := p.Predictor().SetState(module.State{Demos: sms.Demos(demos)}); err != nil {
		return nil, err
	}
	return p, calibrate(ctx, p, b.data.dev)
}

// calibrate fits the biases of a program to rows.
func calibrate[In any](ctx context.Context, p module.Program[In, verdict], rows []module.Example[In, verdict]) error {
	r, err := optimize.Compile(ctx, optimize.Calibrate{}, p, rows, metric.Exact, optimize.By(macroF1), optimize.Concurrency(concurrency))
	if err != nil {
		return err
	}
	return r.Apply(p)
}

// members makes a program of each of k demo sets.
func (b *bench) members(ctx context.Context, f *family) error {
	most := -1.0
	for seed := range b.k {
		p, err := b.predict(ctx, f, sms.DemoSet(b.data.train, perLabel, uint64(seed)))
		if err != nil {
			return err
		}
		f.members = append(f.members, p)
		score, err := b.score(ctx, p)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s, demo set %d: %.3f on dev\n", f.name, seed, score)
		if score > most {
			most, f.best = score, p
		}
	}
	return nil
}

// score is the macro F1 of a program on the rows that settings are fitted to.
func (b *bench) score(ctx context.Context, p program) (float64, error) {
	r, err := b.evaluate(ctx, p, b.data.dev)
	if err != nil {
		return 0, err
	}
	return r.Score, nil
}

func (b *bench) evaluate(ctx context.Context, p program, rows []row) (*report, error) {
	return evaluate.Run(ctx, p, rows, metric.Exact, evaluate.By(macroF1), evaluate.Concurrency(concurrency))
}

// alone makes the variants of one model: at k calls, and at as many calls as have the
// tokens of one with many demos.
func (b *bench) alone(ctx context.Context, f *family) error {
	b.single = len(b.variants)
	f.single = b.single
	b.add(f.name+": single", "1 call, the best of the demo sets on dev", f.best)
	many, err := b.predict(ctx, f, sms.DemoSet(b.data.train, perLabel*b.k, 0))
	if err != nil {
		return err
	}
	b.add(f.name+": single, many demos", fmt.Sprintf("1 call, up to %d demos of each label", perLabel*b.k), many)
	if err := b.several(ctx, f, b.k); err != nil {
		return err
	}
	budget, err := b.tokens(ctx, many)
	if err != nil {
		return err
	}
	one, err := b.tokens(ctx, f.best)
	if err != nil {
		return err
	}
	n := int(budget/one + 0.5)
	if n < 2 || n >= b.k {
		return nil
	}
	return b.several(ctx, f, n)
}

// tokens is how many a program takes for a message of dev.
func (b *bench) tokens(ctx context.Context, p program) (float64, error) {
	r, err := b.evaluate(ctx, p, b.data.dev)
	if err != nil {
		return 0, err
	}
	return float64(r.Usage.Tokens()) / float64(len(r.Rows)), nil
}

// several makes the variants of one model that call it n times.
func (b *bench) several(ctx context.Context, f *family, n int) error {
	name := func(what string) string { return fmt.Sprintf("%s: %s, %d calls", f.name, what, n) }
	var sc program
	most, hot := -1.0, 0.0
	for _, t := range []float64{0.7, 1} {
		p, err := module.NewSelfConsistency[message, verdict](f.best, n, t, module.Voting[verdict]{})
		if err != nil {
			return err
		}
		score, err := b.score(ctx, p)
		if err != nil {
			return err
		}
		if score > most {
			most, hot, sc = score, t, p
		}
	}
	b.add(name("Self-Consistency"), fmt.Sprintf("temperature %g", hot), sc)

	members := f.members[:n]
	vote, err := module.NewEnsemble(members, module.Voting[verdict]{})
	if err != nil {
		return err
	}
	b.add(name("Ensemble, vote"), "a demo set each", vote)
	early, err := module.NewEnsemble(members, module.Voting[verdict]{EarlyExit: true})
	if err != nil {
		return err
	}
	b.add(name("Ensemble, vote with early exit"), "at most so many", early)
	sum, err := module.NewEnsemble(members, module.Voting[verdict]{LogProbs: "label"})
	if err != nil {
		return err
	}
	b.add(name("Ensemble, log-probabilities"), "a demo set each, summed", sum)

	self, err := b.mixture(ctx, f, []program{f.best}, n-1, hot)
	if err != nil {
		return err
	}
	b.add(name("Self-MoA"), fmt.Sprintf("%d rollouts at temperature %g and an aggregator", n-1, hot), self)
	return b.cascade(ctx, name("Cascade"), "single, then the log-probabilities", f.best, sum)
}

// together makes the variants of both models.
func (b *bench) together(ctx context.Context) error {
	first := 0
	scores := make([]float64, len(b.models))
	for i, f := range b.models {
		var err error
		if scores[i], err = b.score(ctx, f.best); err != nil {
			return err
		}
		if scores[i] > scores[first] {
			first = i
		}
	}
	best := b.models[first]
	b.single = best.single

	half := b.k / 2
	var both []program
	for _, f := range b.models {
		both = append(both, f.members[:half]...)
	}
	weighted, err := module.NewEnsemble(both, module.Voting[verdict]{})
	if err != nil {
		return err
	}
	fit, err := optimize.FitWeights(ctx, weighted, b.data.dev, metric.Exact, optimize.Concurrency(concurrency))
	if err != nil {
		return err
	}
	if err := fit.Apply(weighted); err != nil {
		return err
	}
	b.add("both: Ensemble, weighted vote", fmt.Sprintf("%d demo sets each, log-odds fitted on dev", half), weighted)
	sum, err := module.NewEnsemble(both, module.Voting[verdict]{LogProbs: "label"})
	if err != nil {
		return err
	}
	b.add("both: Ensemble, log-probabilities", fmt.Sprintf("%d demo sets each, summed", half), sum)

	moa, err := b.mixture(ctx, best, both[:2*half-1], 1, 0)
	if err != nil {
		return err
	}
	b.add("both: MoA", fmt.Sprintf("%d proposers, aggregator on %s", 2*half-1, best.name), moa)
	return b.cascade(ctx, "both: Cascade", "single of "+best.name+", then the log-probabilities of both", best.best, sum)
}

// mixture makes a MixtureOfAgents whose aggregator has demos and fitted biases.
func (b *bench) mixture(ctx context.Context, f *family, proposers []program, rollouts int, temperature float64) (program, error) {
	aggregator, err := module.NewAggregator[message, verdict](sms.Instructions, module.WithAdapter(adapter.Compact{}), module.WithLM(f.lm))
	if err != nil {
		return nil, err
	}
	m, err := module.NewMixtureOfAgents(proposers, module.MixtureConfig[message, verdict]{
		Rollouts: rollouts, Temperature: temperature, Final: aggregator,
	})
	if err != nil {
		return nil, err
	}
	// The aggregator's demos and the rows of its biases have the answers that it will see.
	demos, err := b.proposals(ctx, m, sms.DemoSet(b.data.train, perLabel, 0))
	if err != nil {
		return nil, err
	}
	var state module.State
	for _, d := range demos {
		refs := make([]signature.Value, len(d.In.Answers))
		for i, a := range d.In.Answers {
			refs[i] = a.Label
		}
		state.Demos = append(state.Demos, module.Demo{
			Fields: signature.RecordOf("text", d.In.In.Text, "references", refs, "label", d.Out.Label),
		})
	}
	if err := aggregator.Predictor().SetState(state); err != nil {
		return nil, err
	}
	dev, err := b.proposals(ctx, m, b.data.dev)
	if err != nil {
		return nil, err
	}
	return m, calibrate(ctx, aggregator, dev)
}

// proposals returns rows as the aggregator of m sees them.
func (b *bench) proposals(ctx context.Context, m *module.MixtureOfAgents[message, verdict], rows []row) ([]module.Example[module.Referenced[message, verdict], verdict], error) {
	out := make([]module.Example[module.Referenced[message, verdict], verdict], len(rows))
	catch := *m
	tasks := make([]message, len(rows))
	for i, r := range rows {
		tasks[i] = r.In
		out[i] = module.Example[module.Referenced[message, verdict], verdict]{Out: r.Out, ID: r.ID}
	}
	at := map[string][]int{}
	for i, r := range rows {
		at[r.In.Text] = append(at[r.In.Text], i)
	}
	seen := make(chan module.Referenced[message, verdict], len(rows))
	catch.Aggregator = module.Func[module.Referenced[message, verdict], verdict](func(_ context.Context, in module.Referenced[message, verdict]) (verdict, error) {
		seen <- in
		return in.Answers[0], nil
	})
	_, err := module.Batch(ctx, &catch, tasks, module.Concurrency(concurrency), module.MaxErrors(1))
	if err != nil {
		return nil, err
	}
	close(seen)
	for in := range seen {
		for _, i := range at[in.In.Text] {
			out[i].In = in
		}
	}
	return out, nil
}

// cascade adds a cascade whose threshold is fitted so that it costs half of what the last
// program does, in tokens.
func (b *bench) cascade(ctx context.Context, name, note string, first, last program) error {
	c, err := module.NewCascade([]program{first, last}, module.CascadeConfig[message, verdict]{Thresholds: []float64{0.9}, Field: "label"})
	if err != nil {
		return err
	}
	r, err := b.evaluate(ctx, last, b.data.dev)
	if err != nil {
		return err
	}
	half := float64(r.Usage.Tokens()) / float64(len(r.Rows)) / 2
	fit, err := optimize.FitCascade(ctx, c, b.data.dev, metric.Exact, optimize.ForCost(half), optimize.CostInTokens, optimize.Concurrency(concurrency))
	if err != nil {
		return err
	}
	if err := fit.Apply(c); err != nil {
		return err
	}
	b.add(name, fmt.Sprintf("%s; threshold %.3f", note, fit.Thresholds[0]), c)
	return nil
}
