package assert

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// pass is one try of one run.
type pass struct {
	named   []module.Named
	names   map[*module.Predictor]string
	options options
	try     int
	// last says that no try follows, so that suggestions are ignored.
	last bool
	// again is the call that is to be answered anew, with that feedback; nil in the first
	// try.
	again    *call
	feedback string
	// before are all calls of the try before.
	before []*call

	mu    sync.Mutex
	done  bool    // again was asked
	clock int     // counts beginnings and ends of calls
	calls []*call // in the order in which they began
	memo  []*call // of the pass before, in that order; those that were used are taken out
}

// repeatTemperature is that of a retry whose prompt the model has answered before.
const repeatTemperature = 0.7

// call is one call of a predictor.
type call struct {
	// asked is the call as the program made it, and traced its inputs as the trace has
	// them, with feedback.
	asked   module.PredictorCall
	rollout int // calls of other rollouts are other calls
	traced  signature.Record
	state   stateKey
	// sent are the extra inputs that it was sent with, and repeats is how many retries before
	// it had the same prompt.
	sent    []module.ExtraInput
	repeats int
	// pred is the answer, nil while there is none. past is what it had to say as the
	// retry prompt shows it, also of a reply that was refused.
	pred         *module.Prediction[signature.Record]
	past         []module.ExtraInput
	began, ended int
}

// stateKey tells states apart, as several may be run on one program at once.
type stateKey struct {
	instructions string
	demos        *module.Demo
	n            int
}

func keyOf(s module.State) stateKey {
	k := stateKey{instructions: s.Instructions, n: len(s.Demos)}
	if k.n > 0 {
		k.demos = &s.Demos[0]
	}
	return k
}

type passKey struct{}

func passOf(ctx context.Context) *pass {
	p, _ := ctx.Value(passKey{}).(*pass)
	return p
}

func (p *pass) within(ctx context.Context) context.Context {
	return module.Intercept(context.WithValue(ctx, passKey{}, p), p.intercept)
}

// next is the try after one that failed at a call, which may be nil. feedback holds the
// messages so far, each once, by predictor.
func (p *pass) next(at *call, message string, feedback map[*module.Predictor][]string) *pass {
	n := &pass{named: p.named, names: p.names, options: p.options, try: p.try + 1, again: at}
	n.last = at == nil || n.try >= p.options.backtracks
	if at == nil {
		return n
	}
	who := at.asked.Predictor
	if !slices.Contains(feedback[who], message) {
		feedback[who] = append(feedback[who], message)
	}
	n.feedback = strings.Join(feedback[who], "\n")
	if p.options.full {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n.before = slices.Clone(p.calls)
	for _, c := range p.calls {
		// What began before the answer was there cannot depend on it.
		if c != at && c.pred != nil && c.began < at.ended {
			n.memo = append(n.memo, c)
		}
	}
	return n
}

// ignores reports whether a failure lets the program go on.
func (p *pass) ignores(hard bool) bool {
	if hard {
		return p.options.bypassAsserts
	}
	return p.options.bypassSuggestions || p.last && p.options.handles()
}

// intercept stands before every predictor.
func (p *pass) intercept(ctx context.Context, asked module.PredictorCall, next module.PredictorFunc) (*module.Prediction[signature.Record], error) {
	c := &call{asked: asked, rollout: module.RolloutOf(ctx), state: keyOf(asked.Predictor.StateIn(ctx))}
	if old := p.begin(c); old != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		trace.From(ctx).Add(trace.Step{
			Predictor: asked.Predictor, Inputs: c.traced, Outputs: old.Out, Prediction: old, Reused: true, Start: time.Now(),
		})
		return old, nil
	}
	sent := asked
	if p.retries(c) {
		sent.Extra = withFeedback(c, p.again, p.feedback)
		if !p.options.full && sameCall(c, p.again) && sameExtra(sent.Extra, p.again.sent) {
			// The model has answered the complaint with what it was about. The same prompt
			// would end the same way, at temperature 0 for certain.
			c.repeats = p.again.repeats + 1
			ctx = module.WithTemperature(module.WithRollout(ctx, c.repeats), repeatTemperature)
		}
	}
	c.sent = sent.Extra
	c.traced = sent.Traced()
	pred, err := next(ctx, sent)
	past, broken := p.outcome(c, pred, err)
	p.end(c, pred, past)
	// Of several Wrapped it is for the innermost to act.
	if broken != nil && passOf(ctx) == p && !p.options.bypassAsserts && p.options.handles() {
		trace.From(ctx).Add(trace.Step{Note: broken.failure(false)})
		return nil, broken
	}
	return pred, err
}

// retries reports whether a call is to be answered with feedback: the one that failed, or
// where that does not come, because the program asks otherwise than before, the target's
// calls up to it that are new. After a full rerun it is all of the target's, as in DSPy.
func (p *pass) retries(c *call) bool {
	if p.again == nil || c.asked.Predictor != p.again.asked.Predictor {
		return false
	}
	if p.options.full {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.done:
		return false
	case sameCall(c, p.again):
		p.done = true
		return true
	}
	return !slices.ContainsFunc(p.before, func(b *call) bool { return sameCall(b, c) })
}

// begin notes a call and returns the answer of the memory to it, nil for none.
func (p *pass) begin(c *call) *module.Prediction[signature.Record] {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock++
	c.began = p.clock
	p.calls = append(p.calls, c)
	i := slices.IndexFunc(p.memo, func(m *call) bool { return m.state == c.state && sameCall(m, c) })
	if i < 0 {
		return nil
	}
	old := p.memo[i]
	p.memo = slices.Delete(p.memo, i, i+1)
	free := *old.pred // nothing is paid again
	free.Usage = lm.Usage{}
	c.pred, c.past, c.traced = &free, old.past, old.traced
	p.clock++
	c.ended = p.clock
	return c.pred
}

// outcome returns what a call has answered as its retry prompt shows it, nil where there is
// nothing to show, and the assertion of its signature that a reply has broken.
func (p *pass) outcome(c *call, pred *module.Prediction[signature.Record], err error) ([]module.ExtraInput, *Error) {
	switch {
	case err != nil:
		return p.brokenConstraint(c, err)
	case pred != nil:
		return pastOf(c.asked.Predictor, pred.Out), nil
	}
	return nil, nil
}

func (p *pass) end(c *call, pred *module.Prediction[signature.Record], past []module.ExtraInput) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock++
	c.ended, c.pred, c.past = p.clock, pred, past
}

// sameCall reports whether both ask the same of the same predictor, in the same rollout.
func sameCall(one, other *call) bool {
	a, b := one.asked, other.asked
	return one.rollout == other.rollout && a.Predictor == b.Predictor && a.Inputs.Equal(b.Inputs) && sameExtra(a.Extra, b.Extra)
}

func sameExtra(a, b []module.ExtraInput) bool {
	return slices.EqualFunc(a, b, func(x, y module.ExtraInput) bool {
		return x.Field.Name == y.Field.Name && signature.EqualValues(x.Value, y.Value)
	})
}
