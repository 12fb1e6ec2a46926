package evaluate

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Repeatability says how far a program answers alike when it is asked the same again.
type Repeatability[Out any] struct {
	// Runs is how often each row was asked.
	Runs int
	// Rows are in the order of the data.
	Rows []Repeated[Out]
	// Agreement is the share of rows whose answers are all equal, from 0 to 1.
	Agreement float64
	// Pairs is the share of pairs of answers to one row that are equal, the mean over the
	// rows: the chance that asking once more gives the same.
	Pairs float64
	// Failed is how many of the answers are errors. An error is equal to nothing.
	Failed int
	// Fingerprints are those of the replies, in the order of their first appearance:
	// where there are several, the provider has changed what it runs meanwhile, and
	// different answers are no wonder. There is none where the provider tells none.
	Fingerprints []string
	// Usage is what all calls cost.
	Usage lm.Usage
}

// Repeated is what one row was answered.
type Repeated[Out any] struct {
	// ID names the row.
	ID string
	// Outs are the answers, and Errs the errors in their place.
	Outs []Out
	Errs []error
	// Equal is the share of pairs of answers that are equal.
	Equal float64
}

// String sums it up in a line.
func (r *Repeatability[Out]) String() string {
	s := fmt.Sprintf("%d rows, %d times each: all answers are equal for %.1f %% of the rows; two answers are equal in %.1f %% of the cases", len(r.Rows), r.Runs, 100*r.Agreement, 100*r.Pairs)
	if r.Failed > 0 {
		s += fmt.Sprintf("; %d answers are errors", r.Failed)
	}
	switch n := len(r.Fingerprints); {
	case n == 1:
		s += "; fingerprint " + r.Fingerprints[0]
	case n > 1:
		s += fmt.Sprintf("; the fingerprint changed: %s", strings.Join(r.Fingerprints, ", "))
	}
	return s
}

// Repeat calls p n times, at least twice, on each row and reports how far the answers
// agree, as reflect.DeepEqual sees them. The data's answers play no part. Each time is a
// rollout of its own, so that an answer store does not answer for the model; the seed that
// is sent, if any, is the same each time. The options are those of [Run], of which only
// [Concurrency] and [Progress] matter. When the context ends, or a budget is spent, there
// is only the error.
func Repeat[In, Out any](ctx context.Context, p module.Program[In, Out], data []module.Example[In, Out], n int, opts ...Option) (*Repeatability[Out], error) {
	if n < 2 {
		return nil, fmt.Errorf("evaluate: repeating %d times: want at least 2", n)
	}
	none := func(context.Context, module.Example[In, Out], Out, *trace.Trace) (metric.Score, error) {
		return metric.Score{}, nil
	}
	r := &Repeatability[Out]{Runs: n, Rows: make([]Repeated[Out], len(data))}
	seen := &fingerprints{}
	for i := range n {
		again := lm.Wrap(ctx, func(m lm.LM) lm.LM { return repetition{m, i, seen} })
		report, err := Run(again, p, data, none, opts...)
		if err != nil {
			return nil, err
		}
		for j := range report.Rows {
			row, all := &report.Rows[j], &r.Rows[j]
			all.ID = row.Name()
			all.Outs, all.Errs = append(all.Outs, row.Out), append(all.Errs, row.Err)
		}
		r.Failed += report.Failed
		r.Usage = r.Usage.Add(report.Usage)
	}
	for j := range r.Rows {
		row := &r.Rows[j]
		row.Equal = row.equal()
		r.Pairs += row.Equal / float64(len(data))
		if row.Equal == 1 {
			r.Agreement += 1 / float64(len(data))
		}
	}
	r.Fingerprints = seen.all
	return r, nil
}

// equal is the share of equal pairs.
func (r *Repeated[Out]) equal() float64 {
	same, pairs := 0, 0
	for i := range r.Outs {
		for j := range i {
			pairs++
			if r.Errs[i] == nil && r.Errs[j] == nil && reflect.DeepEqual(r.Outs[i], r.Outs[j]) {
				same++
			}
		}
	}
	return float64(same) / float64(pairs)
}

type fingerprints struct {
	mu  sync.Mutex
	all []string
}

func (f *fingerprints) add(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s != "" && !slices.Contains(f.all, s) {
		f.all = append(f.all, s)
	}
}

// rolloutsApart keeps repetitions apart from the rollouts of a program's own.
const rolloutsApart = 1 << 20

// repetition makes each time a rollout of its own and notes the fingerprints.
type repetition struct {
	model lm.LM
	round int
	seen  *fingerprints
}

// Unwrap implements lm.Wrapper.
func (m repetition) Unwrap() lm.LM { return m.model }

func (m repetition) request(r *lm.Request) *lm.Request {
	r = r.Clone()
	r.Rollout += m.round * rolloutsApart
	return r
}

// Generate implements lm.LM.
func (m repetition) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	resp, err := m.model.Generate(ctx, m.request(r))
	if err == nil && resp != nil {
		m.seen.add(resp.Fingerprint)
	}
	return resp, err
}

// Stream implements lm.Streamer.
func (m repetition) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		for e, err := range lm.Stream(ctx, m.model, m.request(r)) {
			if err == nil && e.Response != nil {
				m.seen.add(e.Response.Fingerprint)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
