package optimize

import (
	"context"

	"github.com/whetgo/whet/lm"
)

// phase is what a call was made for.
type phase int

const (
	searching phase = iota
	bootstrapping
	proposing
	confirming
	phases
)

type phaseKey struct{}

// inPhase returns a context whose calls are counted under a phase; the innermost holds.
func inPhase(ctx context.Context, p phase) context.Context {
	return context.WithValue(ctx, phaseKey{}, p)
}

func phaseOf(ctx context.Context) phase {
	p, _ := ctx.Value(phaseKey{}).(phase)
	return p
}

// Spent is what a part of a search has cost.
type Spent struct {
	// Calls counts calls of language models, a metric's included, and Usage what they cost:
	// answers from the store count as calls of no tokens.
	Calls Calls
	Usage lm.Usage
}

func (s Spent) add(t Spent) Spent {
	return Spent{s.Calls.add(t.Calls), s.Usage.Add(t.Usage)}
}

func (c Calls) add(d Calls) Calls {
	return Calls{c.Requested + d.Requested, c.Paid + d.Paid}
}
