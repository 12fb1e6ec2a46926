// Package lmtest helps to test programs that call language models, and language
// models themselves.
//
// [Script] and [Answer] make a language model of fixed replies, or of a function,
// that remembers what it was asked:
//
//	model := lmtest.Script("[[ ## label ## ]]\nham\n\n[[ ## completed ## ]]")
//
// [Suite] is the conformance suite that each backend passes; [Capabilities] say what of it
// applies. [NewServer] is a provider over
// HTTP that fails as it is told, and [Faults] runs a backend through all that can go wrong.
//
// [NewSynthLM] makes a synthetic language model of which the expected score of every prompt is
// known, to measure optimizers by: docs/synthlm.md.
package lmtest
