package module

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// ErrNoLM is returned when a predictor has no language model: none was given by
// [WithLM], by its state or by lm.With.
var ErrNoLM = errors.New("no language model: give the predictor one with module.WithLM, or the context with lm.With")

// Predictor is the untyped core of every module: one signature, one adapter, and
// a state that optimizers change. [Predict] and [ChainOfThought] are typed edges
// around it.
//
// The signature and the options never change. The state is swapped atomically,
// so SetState may be called while others call the predictor: each call uses one
// state from its beginning to its end.
type Predictor struct {
	sig     *signature.Signature
	options options
	// aside names an output that is not of the answer, "" where all are.
	aside string
	state atomic.Pointer[prepared]
}

// prepared is a state with the template that was rendered for it.
type prepared struct {
	state    State
	template adapter.Template
	// fallback renders the template of JSONFallback when it is first needed; nil
	// where there is none.
	fallback func() (adapter.Template, error)
}

// NewPredictor makes a predictor of a signature, which must have an output.
func NewPredictor(sig *signature.Signature, opts ...Option) (*Predictor, error) {
	switch {
	case sig == nil:
		return nil, errors.New("module: a predictor needs a signature, got none")
	case len(sig.Outputs()) == 0:
		return nil, fmt.Errorf("module: the signature %q has no output, so there is nothing to ask for", sig)
	}
	p := &Predictor{sig: sig, options: options{adapter: adapter.Chat{}}}
	for _, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("module: predictor %q: %w", sig, errNilOption)
		}
		o(&p.options)
	}
	if p.options.retries < 0 {
		return nil, fmt.Errorf("module: predictor %q: Retry(%d) is negative", sig, p.options.retries)
	}
	if p.options.adapter == nil {
		return nil, fmt.Errorf("module: predictor %q: WithAdapter got no adapter; leave the option out for adapter.Chat", sig)
	}
	if err := p.SetState(State{}); err != nil {
		return nil, err
	}
	return p, nil
}

// Signature returns the signature as the program wrote it, without the changes
// of a state.
func (p *Predictor) Signature() *signature.Signature { return p.sig }

// State returns the predictor's state. Its maps and slices must not be changed.
func (p *Predictor) State() State { return p.state.Load().state }

// StateIn returns the state that a call with this context would use: the one of
// [WithStates], or the predictor's own.
func (p *Predictor) StateIn(ctx context.Context) State { return p.current(ctx).state }

// SetState replaces the predictor's state. The predictor is unchanged when the
// state does not fit its signature.
func (p *Predictor) SetState(s State) error {
	prep, err := p.prepare(s)
	if err != nil {
		return err
	}
	p.state.Store(prep)
	return nil
}

func (p *Predictor) prepare(s State) (*prepared, error) { return p.prepareAs(p.sig, s) }

// prepareAs is prepare with a signature in place of the predictor's.
func (p *Predictor) prepareAs(sig *signature.Signature, s State) (*prepared, error) {
	sig, err := s.apply(sig)
	if err != nil {
		return nil, err
	}
	demos := make([]signature.Record, len(s.Demos))
	for i, d := range s.Demos {
		demos[i] = d.Fields
	}
	program := adapter.Program{Signature: sig, Demos: demos, Biases: s.Biases}
	t, err := p.options.adapter.Prepare(program)
	if err != nil {
		return nil, p.named(fmt.Errorf("preparing its prompt: %w", err))
	}
	prep := &prepared{state: s, template: t}
	if _, isJSON := p.options.adapter.(adapter.JSON); p.options.jsonFallback && !isJSON {
		var fallback adapter.JSON
		if chat, ok := p.options.adapter.(adapter.Chat); ok {
			fallback = adapter.JSON(chat) // the same settings
		}
		prep.fallback = sync.OnceValues(func() (adapter.Template, error) { return fallback.Prepare(program) })
	}
	return prep, nil
}

func (p *Predictor) current(ctx context.Context) *prepared {
	if prep := overlay(ctx, p); prep != nil {
		return prep
	}
	return p.state.Load()
}

// model returns the LM that a call with this context uses.
func (p *Predictor) model(ctx context.Context, s State) (lm.LM, error) {
	m, err := p.plainModel(ctx, s)
	if err != nil {
		return nil, err
	}
	return lm.Wrapped(ctx, m), nil
}

// plainModel is model without the wrappers of the context.
func (p *Predictor) plainModel(ctx context.Context, s State) (lm.LM, error) {
	for _, m := range []lm.LM{s.LM, p.options.lm, lm.From(ctx)} {
		if m != nil {
			return m, nil
		}
	}
	return nil, ErrNoLM
}

// LMIn returns the language model that a call with this context would use, without the
// wrappers that the context adds (lm.Wrap); [ErrNoLM] where there is none.
func (p *Predictor) LMIn(ctx context.Context) (lm.LM, error) {
	return p.plainModel(ctx, p.current(ctx).state)
}

// Call asks the model, once unless [Retry] or [JSONFallback] allow more. The call is
// recorded in the context's trace, also when it fails. Errors name the signature; a reply
// that cannot be read is an *adapter.ParseError, and one that the token limit cut off a
// [*TruncatedError].
func (p *Predictor) Call(ctx context.Context, in signature.Record) (*Prediction[signature.Record], error) {
	return p.call(ctx, in, nil)
}

// call is Call for a module that reads the outputs on: an error of read is one of
// the reply.
func (p *Predictor) call(ctx context.Context, in signature.Record, read func(signature.Record) error) (*Prediction[signature.Record], error) {
	i := interceptorOf(ctx)
	if i == nil {
		return p.record(ctx, PredictorCall{Predictor: p, Inputs: in}, read)
	}
	var last *Prediction[signature.Record] // what read has read
	pred, err := i.before(func(ctx context.Context, c PredictorCall) (*Prediction[signature.Record], error) {
		pred, err := p.record(ctx, c, read)
		last = pred
		return pred, err
	})(ctx, PredictorCall{Predictor: p, Inputs: in})
	switch {
	case err != nil:
		return nil, err
	case pred == nil:
		return nil, p.named(errors.New("the function given to Intercept returned neither a prediction nor an error"))
	case pred != last && read != nil:
		if err := read(pred.Out); err != nil {
			return nil, p.named(p.misfit(p.options.adapter.Name(), err, pred.Out, pred.Raw))
		}
	}
	return pred, nil
}

// record asks, and adds what came of it to the trace.
func (p *Predictor) record(ctx context.Context, c PredictorCall, read func(signature.Record) error) (*Prediction[signature.Record], error) {
	start := time.Now()
	pred, used, err := p.ask(ctx, c, read)
	if err != nil {
		err = p.named(err)
	}
	if t := trace.From(ctx); t != nil {
		step := trace.Step{Predictor: p, Inputs: c.Traced(), Err: err, Start: start, Duration: time.Since(start)}
		if used.last != nil || used.usage != (lm.Usage{}) {
			step.Reply = used
		}
		if err == nil {
			step.Outputs, step.Prediction = pred.Out, pred
		}
		t.Add(step)
	}
	return pred, err
}

// named adds to an error whose it is.
func (p *Predictor) named(err error) error {
	return fmt.Errorf("module: predictor %q: %w", p.sig, err)
}

// misfit makes the error of a value that the module's type cannot hold one of the
// reply.
func (p *Predictor) misfit(asked string, err error, out signature.Record, raw string) error {
	var se *signature.Error
	if !errors.As(err, &se) {
		return err
	}
	name, _, _ := strings.Cut(se.Field, ".")
	pe := &adapter.ParseError{Adapter: asked, Field: name, Expected: se.Problem, Raw: raw}
	if f, ok := p.sig.Output(name); ok {
		pe.Expected = fmt.Sprintf("%s (%s)", f.Type, se.Problem)
	}
	v, _ := out.Get(name)
	if text, ok := v.(string); ok {
		pe.Got = text
	} else if text, err := signature.MarshalValue(v); err == nil {
		pe.Got = string(text)
	}
	return pe
}

// choices returns the choices with the texts of the fields' own, in place of how
// the adapter writes them: a hole's alternatives are in the order of the field's.
func (p *Predictor) choices(scored []lm.Choice) []lm.Choice {
	out := scored
	for i, c := range scored {
		f, ok := p.sig.Output(c.Name)
		if !ok {
			continue
		}
		texts := adapter.Choices(f.Type)
		same := func(o lm.Option, text string) bool { return o.Text == text }
		if len(texts) != len(c.Options) || slices.EqualFunc(c.Options, texts, same) {
			continue
		}
		c.Options = slices.Clone(c.Options)
		for k := range c.Options {
			c.Options[k].Text = texts[k]
		}
		if &out[0] == &scored[0] {
			out = slices.Clone(scored) // a reply may be shared, by a store
		}
		out[i] = c
	}
	return out
}
