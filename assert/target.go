package assert

import (
	"context"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// resolve looks a target up. Outside of a Wrapped there are no names to look in.
func (p *pass) resolve(t *target) error {
	if p == nil || !t.given {
		return nil
	}
	if t.name != "" {
		for _, n := range p.named {
			if n.Name == t.name {
				t.predictor = n.Predictor
				return nil
			}
		}
		return p.unknown(t.name)
	}
	if _, ok := p.names[t.predictor]; t.predictor == nil || !ok && len(p.named) > 0 {
		name := ""
		if t.predictor != nil {
			name = t.predictor.Signature().String()
		}
		return p.unknown(name)
	}
	t.name = p.nameOf(t.predictor)
	return nil
}

func (p *pass) unknown(name string) error {
	e := &TargetError{Target: name}
	for _, n := range p.named {
		e.Names = append(e.Names, n.Name)
	}
	return e
}

// nameOf returns a predictor's name in the program, or its signature where the program
// does not list it.
func (p *pass) nameOf(who *module.Predictor) string {
	if name, ok := p.names[who]; ok {
		return name
	}
	return who.Signature().String()
}

// responsible returns the call that an assertion is about: the last one of the target or,
// where there is none, the last one. What the context's trace has goes first, as it knows
// which attempts the answer rests on and, in a branch, which calls are of the branch. It
// returns nil when nothing has answered yet.
func (p *pass) responsible(ctx context.Context, who *module.Predictor) *call {
	steps := module.Steps(trace.From(ctx))
	p.mu.Lock()
	defer p.mu.Unlock()
	if who != nil {
		if c := p.lastStep(steps, who); c != nil {
			return c
		}
		if c := p.lastCall(who); c != nil {
			return c
		}
	}
	if c := p.lastStep(steps, nil); c != nil {
		return c
	}
	return p.lastCall(nil)
}

// callOf is responsible for an error that a run has returned.
func (p *pass) callOf(e *Error) *call {
	if e.pass == p {
		return e.call
	}
	p.mu.Lock() // it is that of a Wrapped inside
	defer p.mu.Unlock()
	if e.predictor != nil {
		if c := p.lastCall(e.predictor); c != nil {
			return c
		}
	}
	return p.lastCall(nil)
}

// lastStep returns the call behind the last step that was kept, of any predictor where
// who is nil.
func (p *pass) lastStep(steps []module.Step, who *module.Predictor) *call {
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		if s.Dropped || s.Prediction == nil || who != nil && s.Predictor != who {
			continue
		}
		for k := len(p.calls) - 1; k >= 0; k-- {
			if p.calls[k].pred == s.Prediction {
				return p.calls[k]
			}
		}
		return p.lastCall(s.Predictor)
	}
	return nil
}

// lastCall returns the call that was answered last, of any predictor where who is nil.
func (p *pass) lastCall(who *module.Predictor) *call {
	var last *call
	for _, c := range p.calls {
		if c.past != nil && (who == nil || c.asked.Predictor == who) && (last == nil || c.ended > last.ended) {
			last = c
		}
	}
	return last
}
