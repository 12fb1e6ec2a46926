package evaluate

import (
	"fmt"
	"io"
	"math"

	"github.com/whetgo/whet/metric"
)

// Option configures [Run].
type Option func(*options)

type options struct {
	concurrency  int
	maxErrors    int
	failureScore float64
	progress     io.Writer
	objective    any // metric.Objective[Out]; nil is the mean
}

const defaultConcurrency = 8

func newOptions(opts []Option) (options, error) {
	o := options{concurrency: defaultConcurrency}
	for i, opt := range opts {
		if opt == nil {
			return o, fmt.Errorf("evaluate: option number %d is nil; leave it out", i+1)
		}
		opt(&o)
	}
	switch {
	case o.concurrency < 1:
		return o, fmt.Errorf("evaluate: concurrency %d: want at least 1", o.concurrency)
	case o.maxErrors < 0:
		return o, fmt.Errorf("evaluate: at most %d errors: want 0 (no limit) or more", o.maxErrors)
	case math.IsNaN(o.failureScore) || math.IsInf(o.failureScore, 0):
		return o, fmt.Errorf("evaluate: failure score %v: want a finite number", o.failureScore)
	}
	return o, nil
}

// Concurrency sets how many rows run at once; the default is 8.
func Concurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// MaxErrors stops the evaluation when more than n rows have failed; Run then
// returns the partial report and a [*LimitError]. The default, 0, never stops.
// (DSPy stops after 10.) Which other rows ran by then depends on timing.
func MaxErrors(n int) Option { return func(o *options) { o.maxErrors = n } }

// FailureScore sets the score of failed rows; the default is 0.
func FailureScore(v float64) Option { return func(o *options) { o.failureScore = v } }

// Progress reports to w how far the evaluation is: one line that is rewritten
// when w is a terminal, and a line every five seconds elsewhere. The default,
// nil, is silence. Errors in writing are ignored.
func Progress(w io.Writer) Option { return func(o *options) { o.progress = w } }

// By makes the report's score that of an objective in place of the mean:
//
//	evaluate.By(metric.MacroF1(func(v Verdict) Label { return v.Label }))
//
// Run returns an error when the objective is for another output type than the
// program's.
func By[Out any](o metric.Objective[Out]) Option { return func(op *options) { op.objective = o } }
