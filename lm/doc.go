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
// What a model can besides is an optional interface: [Streamer], [Sampler], [Tokenizer],
// [Scorer]. [Embedder] is a model of its own.
//
// # What stands before a model
//
// A wrapper is an LM again, so that wrappers stack; [Chain] writes the stack from the
// outside in:
//
//	model := lm.Chain(provider, store.Wrap, retry.With(), limiter.Wrap, spend.Wrap, price.With(table))
//
//	lm/cache            answers what it has been asked before, from a file
//	lm/retry            asks again what may succeed the next time
//	lm/limit            requests and tokens a minute, and at once
//	lm/budget           stops when calls, tokens or money are spent
//	lm/fallback         asks the next model when one fails
//	lm/balance          spreads requests over models that are the same
//	lm/router           a weak model for what is easy, a strong one for the rest
//	lm/cassette         records answers to a file, and answers from it
//	lm/price            what a reply has cost
//
// The models themselves are those of lm/openai, lm/llamacpp and lm/langchain; lm/lmtest has
// some for tests. The page docs/lm.md has a stack for a service, says why it is in this order,
// what to do with each kind of error, and what is stored where; Example_stack is its program.
//
// [With] puts a model into a context for all predictors without one of their
// own; [Wrap] puts something in front of every model that is called below.
package lm
