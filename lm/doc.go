// Package lm is the interface between programs and language models.
//
// An [LM] has one method: it answers a [Request] with a [Response]. A request
// holds messages, or one raw prompt, and may carry the [Shape] of the reply:
// literal text and holes. A backend that can enforce a shape spends no step on
// text that is already known, scores the alternatives of a choice instead of
// generating one, and reports their probabilities.
//
// Failures are an [*Error] of a [ErrorKind]:
//
//	if errors.Is(err, lm.ErrContextLength) { ... }
//
// [With] puts a model into a context for all predictors without one of their
// own; [Wrap] puts something in front of every model that is called below.
package lm
