package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// concurrency is how many rows are in flight on our side; the engine runs 8 at once.
const concurrency = 16

func (j job) open() (*llamacpp.Model, error) {
	opts := []llamacpp.Option{llamacpp.Weights(j.Weights), llamacpp.Threads(j.Threads)}
	if j.Template != "" {
		opts = append(opts, llamacpp.Template(j.Template))
	}
	return llamacpp.Open(j.Model, opts...)
}

// prepare writes the weights into the cache, unless they are there.
func (j job) prepare() (*prepared, error) {
	model, err := j.open()
	if err != nil {
		return nil, err
	}
	r := model.Weights()
	return &prepared{r.Path, r.Type, r.Shipped, r.String()}, model.Close()
}

// task is what the jobs that run a program begin with.
type task struct {
	model       *llamacpp.Model
	variant     variant
	train, rows []row
	demos       []row
	program     *classifier
}

func (j job) begin() (*task, error) {
	t := &task{}
	var err error
	if t.variant, err = variantOf(j.Program); err != nil {
		return nil, err
	}
	if t.train, err = readRows(j.Data, "first100.csv"); err != nil {
		return nil, err
	}
	if t.rows, err = readRows(j.Data, "last100.csv"); err != nil {
		return nil, err
	}
	t.rows = firstRows(t.rows, j.Limit)
	if t.demos = pickDemos(t.train, demoCount); len(t.demos) < demoCount {
		return nil, fmt.Errorf("first100.csv in %s has %d rows that can be demos: want %d", j.Data, len(t.demos), demoCount)
	}
	if t.model, err = j.open(); err != nil {
		return nil, err
	}
	t.program, err = t.variant.program(t.model, stateOf(t.demos, j.Biases))
	if err != nil {
		return nil, errors.Join(err, t.model.Close())
	}
	return t, nil
}

// calibrate fits biases to the training rows that are not demos.
func (j job) calibrate(ctx context.Context) (*fitted, error) {
	t, err := j.begin()
	if err != nil {
		return nil, err
	}
	defer t.model.Close()
	before := readClock()
	r, err := optimize.Compile(ctx, optimize.Calibrate{}, t.program, t.train, metric.Exact, optimize.By(macroF1), optimize.Concurrency(concurrency))
	if err != nil {
		return nil, err
	}
	after := readClock()
	f := &fitted{Wall: after.at.Sub(before.at).Seconds(), Calls: r.Calls.Paid, MacroF1: r.Score, OtherCPU: after.otherCPU(before)}
	for _, s := range r.States {
		f.Biases = s.State.Biases
	}
	return f, nil
}

// measure runs the program over the rows.
func (j job) measure(ctx context.Context) (*measured, error) {
	t, err := j.begin()
	if err != nil {
		return nil, err
	}
	defer t.model.Close()
	if !j.Cold {
		// As in the peer's program; a reply that cannot be read is no matter here.
		_, _ = t.program.Run(ctx, sms{"warm up"})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	handed := t.model.Stats().Handed
	before := readClock()
	r, err := evaluate.Run(ctx, t.program, t.rows, metric.Exact, evaluate.By(macroF1), evaluate.Concurrency(concurrency))
	if err != nil {
		return nil, err
	}
	after := readClock()
	m := &measured{
		Rows: len(t.rows), Wall: r.Wall.Seconds(), Calls: r.Usage.Calls,
		PromptTokens: r.Usage.PromptTokens, ComputedTokens: r.Usage.ComputedTokens, CompletionTokens: r.Usage.CompletionTokens,
		HandedTokens: t.model.Stats().Handed - handed, FailedRows: r.Failed, Accuracy: r.Mean, MacroF1: r.Score,
		PeakMB: peakMemory("self"), OtherCPU: after.otherCPU(before),
	}
	if _, chat := t.variant.layout.(adapter.Chat); chat {
		m.Prompts, err = t.prompts(ctx)
	}
	return m, err
}

var errCaught = errors.New("the request was caught")

// prompts returns the sha256 of the messages of all rows, which the peer's program
// computes, too.
func (t *task) prompts(ctx context.Context) (string, error) {
	sum := sha256.New()
	catch := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		for _, m := range r.Messages {
			fmt.Fprintf(sum, "%s\n%s\x00", m.Role, m.Text())
		}
		return nil, errCaught
	})
	program, err := t.variant.program(catch, stateOf(t.demos, nil))
	if err != nil {
		return "", err
	}
	for _, r := range t.rows {
		if _, err := program.Run(ctx, r.In); !errors.Is(err, errCaught) {
			return "", errors.Join(errors.New("a row made no request"), err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// search runs the talk's few-shot search, from the program without demos.
func (j job) search(ctx context.Context) (*searched, error) {
	t, err := j.begin()
	if err != nil {
		return nil, err
	}
	defer t.model.Close()
	train := firstRows(t.train, j.Limit)
	if t.program, err = t.variant.program(t.model, module.State{}); err != nil {
		return nil, err
	}
	before := readClock()
	r, err := optimize.Compile(ctx, optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: 16},
		t.program, train, metric.Exact, optimize.Concurrency(concurrency))
	if err != nil {
		return nil, err
	}
	after := readClock()
	return &searched{
		Candidates: len(r.Trials), Rows: r.Rows, Wall: r.Wall.Seconds(), Requested: r.Calls.Requested, Paid: r.Calls.Paid,
		PromptTokens: r.Usage.PromptTokens, ComputedTokens: r.Usage.ComputedTokens, Completion: r.Usage.CompletionTokens,
		Score: r.Score, Baseline: r.Baseline, PeakMB: peakMemory("self"), OtherCPU: after.otherCPU(before),
	}, nil
}
