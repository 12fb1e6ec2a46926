package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// concurrency is how many rows are answered at once.
const concurrency = 16

// table is what a model answers: for each candidate and row of the grid.
type table struct {
	grid  *grid
	name  string
	model lm.LM // behind the store
	// stored answers from the store alone.
	stored lm.LM
	// logprobs are those of the labels, by candidate and row, without biases.
	logprobs [][][]float64
	// biases are those of the labels, by candidate.
	biases [][]float64
	// score is the share of right answers of each candidate, and best the first candidate with
	// the highest.
	score []float64
	best  int
	// found are the candidates that searches have ended with.
	found map[int]bool
}

// newTable asks what the store does not know yet.
func newTable(ctx context.Context, g *grid, name string, model lm.LM, store *cache.Store, progress io.Writer) (*table, error) {
	t := &table{grid: g, name: name, model: store.Wrap(model), stored: store.Wrap(refusing{lm.NameOf(model)}), found: map[int]bool{}}
	for i := range g.size() {
		fmt.Fprintf(progress, "%s: candidate %d of %d\n", name, i+1, g.size())
		logprobs, err := t.answers(ctx, i, g.rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.name(i), err)
		}
		biases, err := t.calibrate(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("calibrating %s: %w", g.name(i), err)
		}
		t.logprobs, t.biases = append(t.logprobs, logprobs), append(t.biases, biases)
		right := 0
		for k, r := range g.rows {
			if decide(logprobs[k], biases) == r.Out.Label {
				right++
			}
		}
		t.score = append(t.score, float64(right)/float64(len(g.rows)))
	}
	t.best = slices.Index(t.score, slices.Max(t.score))
	return t, nil
}

// answers returns the log-probabilities of the labels.
func (t *table) answers(ctx context.Context, candidate int, rows []sms.Row) ([][]float64, error) {
	p, err := t.grid.predict(t.model)
	if err != nil {
		return nil, err
	}
	if err := p.Predictor().SetState(t.grid.state(candidate)); err != nil {
		return nil, err
	}
	out := make([][]float64, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, r := range rows {
		group.Go(func() error {
			pred, err := p.Call(ctx, r.In)
			if err != nil {
				return fmt.Errorf("row %s: %w", r.ID, err)
			}
			out[i], err = logprobsOf(pred)
			return err
		})
	}
	return out, group.Wait()
}

// logprobsOf returns those of the labels.
func logprobsOf(p *module.Prediction[sms.Verdict]) ([]float64, error) {
	labels := sms.Labels()
	out := make([]float64, len(labels))
	found := 0
	for _, c := range p.Choices {
		if c.Name != "label" {
			continue
		}
		for _, o := range c.Options {
			if i := slices.Index(labels, o.Text); i >= 0 {
				out[i] = o.LogProb
				found++
			}
		}
	}
	if found != len(labels) {
		return nil, fmt.Errorf("the reply has the log-probabilities of %d labels; want %d", found, len(labels))
	}
	return out, nil
}

// decide returns the label with the highest log-probability under biases, the first of equals.
func decide(logprobs, biases []float64) string {
	best := 0
	for i := range logprobs {
		if logprobs[i]+biases[i] > logprobs[best]+biases[best] {
			best = i
		}
	}
	return sms.Labels()[best]
}

// calibrate fits biases to the grid's rows, by answers that are in the store.
func (t *table) calibrate(ctx context.Context, candidate int) ([]float64, error) {
	p, err := t.grid.predict(t.stored)
	if err != nil {
		return nil, err
	}
	if err := p.Predictor().SetState(t.grid.state(candidate)); err != nil {
		return nil, err
	}
	r, err := optimize.Compile(ctx, optimize.Calibrate{}, p, t.grid.rows, metric.Exact, optimize.Concurrency(concurrency))
	if err != nil {
		return nil, err
	}
	biases := make([]float64, len(sms.Labels()))
	for i, label := range sms.Labels() {
		biases[i] = r.States[0].State.Biases["label"][label]
	}
	return biases, nil
}

// describe says how the candidates' scores are spread, and how few biases would change.
func (t *table) describe(w io.Writer) {
	sorted := slices.Sorted(slices.Values(t.score))
	raw := make([]float64, len(t.score))
	none := make([]float64, len(sms.Labels()))
	for i, rows := range t.logprobs {
		for k, l := range rows {
			if decide(l, none) == t.grid.rows[k].Out.Label {
				raw[i] += 1 / float64(len(rows))
			}
		}
	}
	slices.Sort(raw)
	n := len(sorted)
	fmt.Fprintf(w, "%s: %d candidates on %d rows: share of right answers %.3f to %.3f, median %.3f (without biases %.3f to %.3f, median %.3f); the program as it is %.3f; the best is %s\n\n",
		t.name, n, len(t.grid.rows), sorted[0], sorted[n-1], sorted[n/2], raw[0], raw[n-1], raw[n/2], t.score[0], t.grid.name(t.best))
}

// refusing is a model that answers nothing, and is called like another.
type refusing struct{ name string }

// Name implements lm.Named.
func (r refusing) Name() string { return r.name }

// Generate implements lm.LM.
func (r refusing) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return nil, &lm.Error{Kind: lm.ErrUnavailable, Model: r.name, Message: "the answer is not in the store"}
}
