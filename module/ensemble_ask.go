package module

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/trace"
)

// MemberError is the error of one of the programs that a module is made of.
type MemberError struct {
	// Module is the type of the module: "Ensemble", "Cascade".
	Module string
	// Member names the program, as [Predictors] does: "programs[1]". Where one is asked
	// several times it says which: "program, rollout 2".
	Member string
	// Err is its error.
	Err error
}

// Error names module and member.
func (e *MemberError) Error() string {
	return fmt.Sprintf("module: %s: %s: %v", e.Module, e.Member, e.Err)
}

// Unwrap returns the member's error.
func (e *MemberError) Unwrap() error { return e.Err }

// panelist is a call that is to be made.
type panelist[Out any] struct {
	name   string
	index  int     // in the module's list
	weight float64 // of its vote
	call   func(ctx context.Context) (*Prediction[Out], error)
}

// panelistOf makes a panelist of a program.
func panelistOf[In, Out any](name string, index int, p Program[In, Out], in In) panelist[Out] {
	return panelist[Out]{name: name, index: index, weight: 1, call: func(ctx context.Context) (*Prediction[Out], error) {
		return Call(ctx, p, in)
	}}
}

// reply is what came of a member.
type reply[Out any] struct {
	pred  *Prediction[Out]
	err   error
	usage lm.Usage
	asked bool
	done  bool

	cancel context.CancelFunc
	join   func(keep bool)
}

// panel asks members at the same time, and ends as if it had asked them one after the
// other: with the first of them by whom the answer is decided or too many have failed.
// Those behind it are cancelled, or not asked at all, and do not count; those before it are
// waited for. So timing changes nothing but what is paid. A spent budget is a failure too
// many, as an answer of the rest would hide it.
type panel[Out any] struct {
	module    string
	members   []panelist[Out]
	batch     int // so many at the same time; 0 for all
	maxErrors int // so many may fail
	// decided reports whether the answer rests on these, the first, alone; nil for never.
	decided func(replies []reply[Out]) bool

	mu      sync.Mutex
	replies []reply[Out]
	prefix  int // all before it are done
	end     int // from here on nothing counts
	crashed *crash
}

// ask returns a *MemberError when too many have failed. join is to be called afterwards in
// any case.
func (p *panel[Out]) ask(ctx context.Context) error {
	n := len(p.members)
	p.replies, p.end = make([]reply[Out], n), n
	batch := p.batch
	if batch <= 0 {
		batch = n
	}
	for from := 0; from < p.end && ctx.Err() == nil; from += batch {
		var wg sync.WaitGroup
		to := min(from+batch, n)
		branches := make([]context.Context, to)
		traces := make([]*trace.Trace, to)
		for i := from; i < to; i++ { // before any of them runs, as one may cancel others
			r := &p.replies[i]
			branches[i], traces[i], r.join = trace.Branch(ctx)
			branches[i], r.cancel = context.WithCancel(branches[i])
			r.asked = true
		}
		for i := from; i < to; i++ {
			wg.Go(func() {
				defer p.replies[i].cancel()
				watch(p.crash, func() {
					pred, err := p.members[i].call(branches[i])
					p.settle(i, pred, err, traces[i])
				})
			})
		}
		wg.Wait()
	}
	p.crashed.raise()
	failed := 0
	for i, r := range p.replies[:p.end] {
		switch {
		case !r.done:
			return ctx.Err()
		case r.err == nil:
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if failed++; failed == p.end || p.tooMany(failed, r.err) {
			return &MemberError{p.module, p.members[i].name, r.err}
		}
	}
	return nil
}

// tooMany reports whether no error may follow; err is the last one so far.
func (p *panel[Out]) tooMany(failed int, err error) bool {
	return failed > p.maxErrors || errors.Is(err, lm.ErrBudget)
}

// crash ends the panel.
func (p *panel[Out]) crash(c *crash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crashed == nil {
		p.crashed = c
	}
	p.stop(0)
}

// settle takes down what came of a member.
func (p *panel[Out]) settle(i int, pred *Prediction[Out], err error, t *trace.Trace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.replies[i]
	r.pred, r.err, r.done = pred, err, true
	if err == nil {
		r.usage = pred.Usage
	} else {
		r.usage = UsageOf(t)
	}
	failed := 0
	for k := range p.end {
		if p.replies[k].err == nil {
			continue
		}
		if failed++; p.tooMany(failed, p.replies[k].err) {
			p.stop(k + 1)
			break
		}
	}
	for p.prefix < p.end && p.replies[p.prefix].done {
		p.prefix++
		if p.decided != nil && p.decided(p.replies[:p.prefix]) {
			p.stop(p.prefix)
		}
	}
}

// stop ends the panel with those before end.
func (p *panel[Out]) stop(end int) {
	p.end = end
	for i := end; i < len(p.replies); i++ {
		if cancel := p.replies[i].cancel; cancel != nil {
			cancel()
		}
	}
}

// join adds all calls to the trace, in order: those of the members for which keep holds as
// calls on which the answer rests.
func (p *panel[Out]) join(keep func(i int) bool) {
	for i, r := range p.replies {
		if r.join != nil {
			r.join(i < p.end && r.err == nil && keep(i))
		}
	}
}

func none(int) bool { return false }

// usage is what all calls have cost.
func (p *panel[Out]) usage() lm.Usage {
	var u lm.Usage
	for _, r := range p.replies {
		u = u.Add(r.usage)
	}
	return u
}

// asked counts the members that were asked.
func (p *panel[Out]) asked() int {
	n := 0
	for _, r := range p.replies {
		if r.asked {
			n++
		}
	}
	return n
}

// failures are the errors of those that count.
func (p *panel[Out]) failures() []error {
	var errs []error
	for i, r := range p.replies[:p.end] {
		if r.err != nil {
			errs = append(errs, &MemberError{p.module, p.members[i].name, r.err})
		}
	}
	return errs
}
