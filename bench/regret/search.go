package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// classifier answers under the biases of the candidate that it runs as.
type classifier struct {
	Classify *module.Predict[sms.Message, sms.Verdict]
	table    *table
}

// Run implements module.Program.
func (c *classifier) Run(ctx context.Context, in sms.Message) (sms.Verdict, error) {
	p, err := c.Classify.Call(ctx, in)
	if err != nil {
		return sms.Verdict{}, err
	}
	logprobs, err := logprobsOf(p)
	if err != nil {
		return sms.Verdict{}, err
	}
	candidate, err := c.table.grid.find(c.Classify.Predictor().StateIn(ctx))
	if err != nil {
		return sms.Verdict{}, err
	}
	return sms.Verdict{Label: decide(logprobs, c.table.biases[candidate])}, nil
}

// kind is a way to search the grid. A search of it returns what it recommended when, by each of
// the names that its calls are counted under.
type kind struct {
	names []string
	run   func(ctx context.Context, t *table, seed int) ([]curve, error)
}

func kinds() []kind {
	return []kind{
		{[]string{"Race"}, func(ctx context.Context, t *table, seed int) ([]curve, error) {
			return t.raceOnce(ctx, optimize.Race{Seed: int64(seed)})
		}},
		{[]string{"Race without a stopping rule"}, func(ctx context.Context, t *table, seed int) ([]curve, error) {
			return t.raceOnce(ctx, optimize.Race{Seed: int64(seed), Limit: optimize.None, MaxRuns: min(raceMost, t.all())})
		}},
		{[]string{"MIPROv2", "MIPROv2, equal calls counted once"}, func(ctx context.Context, t *table, seed int) ([]curve, error) {
			return t.mipro(ctx, seed)
		}},
		{[]string{"all candidates in random order"}, func(_ context.Context, t *table, seed int) ([]curve, error) {
			return []curve{t.random(seed)}, nil
		}},
	}
}

// raceMost is how many answers a race without a stopping rule gets.
const raceMost = 3000

// all is the number of the grid's answers.
func (t *table) all() int { return t.grid.size() * len(t.grid.rows) }

// compile runs an optimizer on the stored answers.
func (t *table) compile(ctx context.Context, o optimize.Optimizer, opts ...optimize.Option) (*optimize.Result, error) {
	p, err := t.grid.predict(t.stored)
	if err != nil {
		return nil, err
	}
	rows := t.grid.rows
	opts = append(opts, optimize.Val(rows), optimize.Concurrency(concurrency))
	r, err := optimize.Compile(ctx, o, &classifier{p, t}, rows, metric.Exact, opts...)
	if err != nil {
		return nil, err
	}
	for _, trial := range r.Trials {
		if trial.Failed > 0 { // it would count as a wrong answer
			return nil, fmt.Errorf("%s: %w", trial.Name, trial.Err)
		}
	}
	return r, nil
}

// raceOnce follows what a race recommends. It gets a row to confirm its winner on, so that it
// keeps none of the grid's from the search; what it makes of that is of no interest here.
func (t *table) raceOnce(ctx context.Context, o optimize.Race) ([]curve, error) {
	o.Space = t.grid.space()
	r, err := t.compile(ctx, o, optimize.Confirm(t.grid.rows[:1]))
	if err != nil {
		return nil, err
	}
	var c curve
	for _, p := range r.Curve {
		candidate := 0
		if p.Trial >= 0 {
			if candidate, err = t.grid.find(r.Trials[p.Trial].States[0].State); err != nil {
				return nil, err
			}
		}
		c = append(c, point{p.Calls.Requested, candidate})
	}
	return []curve{c}, nil
}

// miproBatch is DSPy's size of a minibatch.
const miproBatch = 35

// mipro follows which candidate that was scored on all rows is the best so far, by calls and by
// distinct ones. It has so many trials that it makes about as many calls as the grid has
// answers.
func (t *table) mipro(ctx context.Context, seed int) ([]curve, error) {
	batch := min(miproBatch, len(t.grid.rows))
	const every = 5 // trials from one full evaluation to the next
	o := optimize.MIPROv2{
		Space: t.grid.space(), MinibatchSize: batch, FullEvalEvery: every, Seed: int64(seed) + 1, // 0 is the default
		Trials: max(1, t.all()/(batch+len(t.grid.rows)/every)),
	}
	r, err := t.compile(ctx, o)
	if err != nil {
		return nil, err
	}
	var requested, distinct curve
	calls, best, top := 0, 0, -1.0
	seen := map[[2]int]bool{}
	for _, trial := range r.Trials {
		candidate, err := t.grid.find(trial.States[0].State)
		if err != nil {
			return nil, err
		}
		rows := trial.Rows
		full := rows == nil
		if full {
			for k := range t.grid.rows {
				rows = append(rows, k)
			}
		}
		for _, k := range rows {
			seen[[2]int{candidate, k}] = true
		}
		calls += len(rows)
		if full && trial.Score > top {
			best, top = candidate, trial.Score
		}
		requested = append(requested, point{calls, best})
		distinct = append(distinct, point{len(seen), best})
	}
	return []curve{requested, distinct}, nil
}

// random scores all candidates on all rows, the program as it is first, as random search does.
func (t *table) random(seed int) curve {
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	var c curve
	best := 0
	for k, i := range append([]int{0}, others(rng.Perm(t.grid.size()))...) {
		if t.score[i] > t.score[best] {
			best = i
		}
		c = append(c, point{(k + 1) * len(t.grid.rows), best})
	}
	return c
}

// others leaves the first candidate out.
func others(order []int) []int {
	var out []int
	for _, i := range order {
		if i != 0 {
			out = append(out, i)
		}
	}
	return out
}

// search runs a search for each seed and returns the curves by name and seed.
func (k kind) search(ctx context.Context, t *table, seeds int) ([][]curve, error) {
	curves := make([][]curve, len(k.names))
	for seed := range seeds {
		found, err := k.run(ctx, t, seed)
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", k.names[0], seed, err)
		}
		for i, c := range found {
			curves[i] = append(curves[i], c)
			t.found[c.at(c.end())] = true
		}
	}
	return curves, nil
}
