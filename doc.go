// Package whet sharpens programs that call language models. It is DSPy for Go: a
// developer writes a program out of typed signatures and modules, measures it on
// data, and lets an optimizer find the instructions and demonstrations that
// score best on the model that the program will run on, most of all on small
// local models inside the process.
//
// This package holds no code: it is the map of the others.
//
//   - [github.com/whetgo/whet/signature]: what goes into one call of a model and
//     what comes out, from Go structs.
//   - [github.com/whetgo/whet/adapter]: how a call is written and a reply is read;
//     Chat is DSPy 3's wire format, Compact is ours for small models.
//   - [github.com/whetgo/whet/lm]: the interface of language models, requests,
//     responses and errors. lm/llamacpp is llama.cpp in the process, lm/openai
//     every server with OpenAI's interface, lm/langchain (a module of its own) any
//     model of langchaingo. lm/cache, lm/retry, lm/limit, lm/budget, lm/price,
//     lm/fallback, lm/balance, lm/router and lm/cassette stand before a model, each
//     a model again: see docs/lm.md. lm/lmtest holds test doubles and the
//     conformance suite of backends.
//   - [github.com/whetgo/whet/module]: Predict, ChainOfThought, ReAct and the modules that are
//     made of programs (docs/modules.md); programs, their predictors and states; save and
//     load. module/starlark (a module of its own) runs the code that a ProgramOfThought has
//     written.
//   - [github.com/whetgo/whet/assert]: what must hold of answers, and asking again where it
//     does not: see docs/assertions.md.
//   - [github.com/whetgo/whet/metric]: scores of one answer and of a data set,
//     intervals.
//   - [github.com/whetgo/whet/evaluate]: runs a program over a data set; data
//     sets from CSV and JSONL.
//   - [github.com/whetgo/whet/optimize]: few-shot search as in DSPy, the calibration of
//     choices, and thresholds and weights for modules of several programs.
//   - [github.com/whetgo/whet/trace]: what happened inside one run.
//
// The directory examples/smishing is the whole of it at work: an SMS classifier
// on a model of 135 million parameters, measured, optimised, calibrated, saved
// and loaded.
package whet

// Version is the version of the library.
const Version = "0.1.0-dev"
