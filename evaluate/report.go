package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Row is what happened to one example.
type Row[In, Out any] struct {
	// Index is the row's place in the data, from 0.
	Index   int
	Example module.Example[In, Out]
	// Out is the answer; the zero value when the program failed. It is kept when
	// only the metric failed.
	Out Out
	// Score is the metric's. In a failed row its value is the failure score.
	Score metric.Score
	// Err is the error of the program or the metric; nil when the row is scored.
	Err error
	// Skipped says that the row did not run, or not to its end, because the
	// evaluation was stopped. It counts in no figure.
	Skipped bool
	// Trace holds the program's steps; nil when it did not run.
	Trace *trace.Trace
	// Choices are those of the last prediction that succeeded: how likely each
	// label was, where the backend scores them.
	Choices []lm.Choice
	// Usage is what the program's calls cost, MetricUsage what the metric's did.
	Usage       lm.Usage
	MetricUsage lm.Usage
	// Assertions counts the program's assertions and suggestions that failed; Unmet of it
	// those that no later try has mended. What they are, assert.Failures(Trace) says.
	Assertions assert.Tally
	// Duration is how long the program took, without the metric.
	Duration time.Duration
}

// Name returns the example's ID, or "row 17" (from 1) when it has none.
func (r *Row[In, Out]) Name() string {
	if r.Example.ID != "" {
		return r.Example.ID
	}
	return "row " + strconv.Itoa(r.Index+1)
}

// Report is the result of [Run]. It must not be changed; reading is safe for
// concurrent use.
type Report[In, Out any] struct {
	// Score is the value of the objective over the rows that ran, failed ones
	// included; 0 when none ran.
	Score float64
	// Mean is the mean of the rows' scores: the same as Score unless By set an
	// objective.
	Mean float64
	// Rows are in the order of the data, one for each example.
	Rows []Row[In, Out]
	// Failed is the number of rows with an error, Skipped that of rows that did
	// not run.
	Failed, Skipped int
	// Usage is the sum of the rows' Usage, MetricUsage that of theirs. Rows that
	// were interrupted are included: their calls were made.
	Usage       lm.Usage
	MetricUsage lm.Usage
	// Assertions is the sum of those of the rows that ran, and Unmet the number of rows
	// with a failure, of an assertion or a suggestion, that no later try has mended.
	Assertions assert.Tally
	Unmet      int
	// Wall is how long the whole evaluation took.
	Wall time.Duration

	objective metric.Objective[Out]
	isMean    bool
}

// finish computes the figures from the rows.
func (r *Report[In, Out]) finish() error {
	for i := range r.Rows {
		row := &r.Rows[i]
		r.Usage, r.MetricUsage = r.Usage.Add(row.Usage), r.MetricUsage.Add(row.MetricUsage)
		if !row.Skipped {
			r.Assertions = r.Assertions.Add(row.Assertions)
			if row.Assertions.Unmet() > 0 {
				r.Unmet++
			}
		}
		switch {
		case row.Skipped:
			r.Skipped++
		case row.Err != nil:
			r.Failed++
		}
	}
	outcomes := r.Outcomes()
	if len(outcomes) == 0 {
		return nil
	}
	var err error
	if r.Mean, err = metric.Mean[Out]().Score(outcomes); err != nil {
		return err
	}
	score, err := r.objective.Score(outcomes)
	if err == nil && (math.IsNaN(score) || math.IsInf(score, 0)) {
		err = fmt.Errorf("the value is %v: want a finite number", score)
	}
	if err != nil {
		return fmt.Errorf("evaluate: computing the %s: %w", r.objective.Name, err)
	}
	r.Score = score
	return nil
}

// Ran returns the number of rows that ran, failed ones included.
func (r *Report[In, Out]) Ran() int { return len(r.Rows) - r.Skipped }

// Objective returns the objective behind Score.
func (r *Report[In, Out]) Objective() metric.Objective[Out] { return r.objective }

// Outcomes returns the rows that ran, as objectives see them, in order.
func (r *Report[In, Out]) Outcomes() []metric.Outcome[Out] { return r.outcomes(false) }

// outcomes returns the rows that ran and, with skipped, the others as failed ones:
// they have no answer.
func (r *Report[In, Out]) outcomes(skipped bool) []metric.Outcome[Out] {
	out := make([]metric.Outcome[Out], 0, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Skipped && !skipped {
			continue
		}
		o := metric.Outcome[Out]{ID: row.Name(), Truth: row.Example.Out, Failed: row.Skipped || row.Err != nil, Score: row.Score.Value}
		if !o.Failed {
			o.Got = row.Out
		}
		out = append(out, o)
	}
	return out
}

// Failures returns the failed rows in order.
func (r *Report[In, Out]) Failures() []Row[In, Out] {
	var out []Row[In, Out]
	for _, row := range r.Rows {
		if row.Err != nil && !row.Skipped {
			out = append(out, row)
		}
	}
	return out
}

// Interval returns the confidence interval of Score over the rows that ran: the
// Wilson interval when the score is a mean and every row's score is 0 or 1, else
// the bootstrap's. It is computed at each call.
func (r *Report[In, Out]) Interval(rs metric.Resampling) (metric.Interval, error) {
	outcomes := r.Outcomes()
	if len(outcomes) == 0 {
		return metric.Interval{}, errors.New("evaluate: no row ran, so there is no interval")
	}
	if r.isMean {
		right, other := 0, false
		for _, o := range outcomes {
			if o.Score == 1 {
				right++
			}
			other = other || (o.Score != 0 && o.Score != 1)
		}
		if !other {
			level := rs.Level
			if level == 0 {
				level = 0.95
			}
			return metric.Wilson(right, len(outcomes), level)
		}
	}
	return r.objective.Interval(outcomes, rs)
}

// LatencyPercentile returns the time that p percent of the rows that ran took at
// most, by the nearest rank: the smallest duration such that at least p percent
// are no longer. p is clamped to 0..100. It returns 0 when no row ran.
func (r *Report[In, Out]) LatencyPercentile(p float64) time.Duration {
	var d []time.Duration
	for _, row := range r.Rows {
		if !row.Skipped {
			d = append(d, row.Duration)
		}
	}
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	p = max(0, min(p, 100))
	// What p*n is too large by rounding must not add one.
	rank := int(math.Ceil(p * float64(len(d)) / 100 * (1 - 1e-12)))
	return d[max(rank, 1)-1]
}

// Confusion returns the confusion matrix of a report: see metric.ConfusionOf.
//
//	c, err := evaluate.Confusion(report, func(v Verdict) Label { return v.Label })
func Confusion[In, Out any, L ~string](r *Report[In, Out], label func(Out) L, labels ...L) (*metric.Confusion, error) {
	return metric.ConfusionOf(r.Outcomes(), label, labels...)
}

// Compare says how much better after is than before on the same rows, by the
// objective of both: see metric.BootstrapDifference. It is an error when the
// reports have other rows or objectives of other names.
func Compare[In, Out any](before, after *Report[In, Out], rs metric.Resampling) (metric.Difference, error) {
	if before.objective.Name != after.objective.Name {
		return metric.Difference{}, fmt.Errorf("evaluate: comparing a report by %q with one by %q", before.objective.Name, after.objective.Name)
	}
	return metric.BootstrapDifference(after.objective, before.Outcomes(), after.Outcomes(), rs)
}

// PairedTest says how likely a difference as large as that of two reports on the same rows
// is by chance, were the programs equally good: see metric.PairedTest. Errors are those of
// [Compare].
func PairedTest[In, Out any](before, after *Report[In, Out], rs metric.Resampling) (metric.Significance, error) {
	if before.objective.Name != after.objective.Name {
		return metric.Significance{}, fmt.Errorf("evaluate: testing a report by %q against one by %q", before.objective.Name, after.objective.Name)
	}
	return metric.PairedTest(after.objective, before.Outcomes(), after.Outcomes(), rs)
}
