package optimize

import (
	"context"
	"fmt"
	"math"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

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
