package module

import (
	"context"
	"errors"
	"fmt"
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
	state   atomic.Pointer[prepared]
}

// prepared is a state with the template that was rendered for it.
type prepared struct {
	state    State
	template adapter.Template
}

// NewPredictor makes a predictor of a signature.
func NewPredictor(sig *signature.Signature, opts ...Option) (*Predictor, error) {
	p := &Predictor{sig: sig, options: options{adapter: adapter.Chat{}}}
	for _, o := range opts {
		o(&p.options)
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

func (p *Predictor) prepare(s State) (*prepared, error) {
	sig, err := s.apply(p.sig)
	if err != nil {
		return nil, err
	}
	demos := make([]signature.Record, len(s.Demos))
	for i, d := range s.Demos {
		demos[i] = d.Fields
	}
	t, err := p.options.adapter.Prepare(adapter.Program{Signature: sig, Demos: demos, Biases: s.Biases})
	if err != nil {
		return nil, fmt.Errorf("module: preparing %s: %w", p.sig, err)
	}
	return &prepared{state: s, template: t}, nil
}

func (p *Predictor) current(ctx context.Context) *prepared {
	if prep := overlay(ctx, p); prep != nil {
		return prep
	}
	return p.state.Load()
}

// model returns the LM that a call with this context uses.
func (p *Predictor) model(ctx context.Context, s State) (lm.LM, error) {
	m := s.LM
	if m == nil {
		m = p.options.lm
	}
	if m == nil {
		m = lm.From(ctx)
	}
	if m == nil {
		return nil, fmt.Errorf("module: predictor %s: %w", p.sig, ErrNoLM)
	}
	return lm.Wrapped(ctx, m), nil
}

// Call asks the model once. The call is recorded in the context's trace, also
// when it fails.
func (p *Predictor) Call(ctx context.Context, in signature.Record) (*Prediction[signature.Record], error) {
	start := time.Now()
	pred, err := p.call(ctx, in)
	if t := trace.From(ctx); t != nil {
		step := trace.Step{Predictor: p, Inputs: in, Err: err, Start: start, Duration: time.Since(start)}
		if err == nil {
			step.Outputs, step.Prediction = pred.Out, pred
		}
		t.Add(step)
	}
	return pred, err
}

func (p *Predictor) call(ctx context.Context, in signature.Record) (*Prediction[signature.Record], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prep := p.current(ctx)
	model, err := p.model(ctx, prep.state)
	if err != nil {
		return nil, err
	}
	req, err := prep.template.Request(in)
	if err != nil {
		return nil, err
	}
	p.options.apply(req)
	resp, err := model.Generate(ctx, req)
	if err != nil {
		return nil, err
	}
	out, repairs, err := prep.template.Parse(resp.Text)
	if err != nil {
		return nil, err
	}
	return &Prediction[signature.Record]{
		Out: out, Choices: resp.Choices, Usage: resp.Usage, Repairs: repairs, Raw: resp.Text,
		Model: resp.Model, Shaped: resp.Shaped,
	}, nil
}
