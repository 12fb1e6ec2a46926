package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

type report = evaluate.Report[SMS, Verdict]

// variant is one row of the table: a program, and the states it runs with.
type variant struct {
	name    string
	program module.Program[SMS, Verdict]
	states  module.States
	typed   bool
	score   float64 // on the training rows, for those that were chosen on them
	result  *optimize.Result
	reports []*report
}

// experiment runs all variants. Everything is chosen on the training rows; the
// test rows are read at the end, once.
type experiment struct {
	adapter    adapter.Adapter
	model      lm.LM
	data       *dataset
	candidates int
	log        io.Writer
	resampling metric.Resampling

	classifier *Classifier
	variants   []*variant
	// saved are the variants that were loaded in place of searching.
	saved []*variant
}

var macroF1 = metric.MacroF1(func(v Verdict) Label { return v.Label })

func (e *experiment) run(ctx context.Context) error {
	if err := e.choose(ctx); err != nil {
		return err
	}
	return e.report(ctx)
}

// report runs every variant over the test rows.
func (e *experiment) report(ctx context.Context) error {
	for _, v := range e.variants {
		for _, set := range e.data.tests {
			r, err := e.evaluate(ctx, v, set)
			if err != nil {
				return err
			}
			v.reports = append(v.reports, r)
		}
	}
	return nil
}

func (e *experiment) evaluate(ctx context.Context, v *variant, set testSet) (*report, error) {
	fmt.Fprintf(e.log, "testing %s on %s\n", v.name, set.name)
	r, err := evaluate.Run(module.WithStates(ctx, v.states), v.program, set.rows, metric.Exact,
		evaluate.By(macroF1), evaluate.Concurrency(16), evaluate.Progress(e.log))
	if err != nil {
		return nil, fmt.Errorf("testing %s on %s: %w", v.name, set.name, err)
	}
	return r, nil
}

// choose makes the variants, with the training rows only.
func (e *experiment) choose(ctx context.Context) error {
	e.add(&variant{name: "always ham", program: constant("ham")})
	e.add(&variant{name: "naive Bayes, same training rows", program: bayesProgram(e.data.train)})
	naive, err := newNaive(e.adapter, e.model)
	if err != nil {
		return err
	}
	e.add(&variant{name: "string output", program: naive})
	if e.classifier, err = newClassifier(e.adapter, e.model); err != nil {
		return err
	}
	e.add(&variant{name: "typed", program: e.classifier, typed: true})
	if err := e.search(ctx, "typed + Calibrate", optimize.Calibrate{}, optimize.By(macroF1)); err != nil {
		return err
	}
	few := optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: e.candidates}
	calibrated := optimize.Calibrated(optimize.Calibrate{})
	for _, s := range []struct {
		name string
		opts []optimize.Option
	}{
		{"few-shot search, exact match", nil},
		{"few-shot search, exact match + Calibrate", []optimize.Option{calibrated}},
		{"few-shot search, macro F1", []optimize.Option{optimize.By(macroF1)}},
		{"few-shot search, macro F1 + Calibrate", []optimize.Option{optimize.By(macroF1), calibrated}},
	} {
		if err := e.search(ctx, s.name, few, s.opts...); err != nil {
			return err
		}
	}
	return nil
}

func (e *experiment) add(v *variant) { e.variants = append(e.variants, v) }

func (e *experiment) search(ctx context.Context, name string, opt optimize.Optimizer, opts ...optimize.Option) error {
	start := time.Now()
	fmt.Fprintf(e.log, "searching: %s\n", name)
	opts = append(opts, optimize.Concurrency(16), optimize.Progress(e.log))
	r, err := optimize.Compile(ctx, opt, e.classifier, e.data.train, metric.Exact, opts...)
	if err != nil {
		return fmt.Errorf("searching %s: %w", name, err)
	}
	fmt.Fprintf(e.log, "searched: %s: %d calls, %d of them paid, %.0f s\n", name, r.Calls.Requested, r.Calls.Paid, time.Since(start).Seconds())
	e.add(&variant{name: name, program: e.classifier, states: r.Candidate(), typed: true, score: r.Score, result: r})
	return nil
}

// best returns the program that is saved: the one that was searched for macro F1
// and calibrated, or the only one that there is. It is chosen before the test rows
// are looked at.
func (e *experiment) best() *variant {
	return e.variants[len(e.variants)-1]
}
