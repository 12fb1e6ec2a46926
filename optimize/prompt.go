package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// errBlank is a reply that proposes nothing.
var errBlank = errors.New("the proposed instruction is empty")

// promptModel returns the model that proposes instructions: that of [PromptModel], else the
// first predictor's.
func (s *session) promptModel(ctx context.Context) (lm.LM, error) {
	if m := s.options.promptModel; m != nil {
		return m, nil
	}
	m, err := s.named[0].Predictor.LMIn(ctx)
	if err != nil {
		return nil, fmt.Errorf("the model that proposes instructions: %w", err)
	}
	return m, nil
}

// prompt asks the prompt model. A rollout makes requests that are otherwise identical
// different ones; a temperature that is not a number leaves the model its own.
func (s *session) prompt(ctx context.Context, p *module.Dynamic, in signature.Record, rollout int, temperature float64) (signature.Record, error) {
	m, err := s.promptModel(ctx)
	if err != nil {
		return signature.Record{}, err
	}
	ctx = inPhase(lm.With(ctx, m), proposing)
	if rollout != 0 {
		ctx = module.WithRollout(ctx, rollout)
		ctx = lm.Wrap(ctx, func(m lm.LM) lm.LM { return seeded{m} })
	}
	if !math.IsNaN(temperature) {
		ctx = module.WithTemperature(ctx, temperature)
	}
	return p.Run(ctx, in)
}

// brief says what was wrong with a proposal in words that a report may show: neither the
// model's name and address nor what it replied.
func brief(err error) string {
	var parse *adapter.ParseError
	var cut *module.TruncatedError
	var call *lm.Error
	switch {
	case errors.As(err, &parse):
		return fmt.Sprintf("the field %s of the reply could not be read", parse.Field)
	case errors.As(err, &cut):
		return "the reply was cut off by the token limit"
	case errors.As(err, &call):
		return string(call.Kind)
	case errors.Is(err, errBlank):
		return errBlank.Error()
	}
	return "the reply is not what was asked for"
}
