// Package module is what programs are made of.
//
// A [Predict] asks a model once; a [ChainOfThought] lets it reason first. Both
// are typed: the input and the output are Go structs.
//
//	type SMS struct {
//		Text string `json:"text" desc:"The SMS text to classify"`
//	}
//	type Verdict struct {
//		Label string `json:"label" enum:"ham,spam"`
//	}
//	classify, err := module.NewPredict[SMS, Verdict]("Classify the message.", module.WithLM(model))
//	verdict, err := classify.Run(ctx, SMS{Text: "You won!"})  // the answer
//	pred, err := classify.Call(ctx, SMS{Text: "You won!"})    // and how it came about
//
// # Programs
//
// A program is any Go type with a Run method (see [Program]). Its predictors are
// found in its exported fields, under the names that DSPy would give them: see
// [Predictors]. The names tie a program to its saved file.
//
// # Modules
//
// Programs are made of these, which are programs themselves, so that they nest. The page
// docs/modules.md has for each what it is for, what it costs, its predictors' names and
// what the trace shows of it.
//
//   - One answer: [Predict], [ChainOfThought]; with tools [ReAct], with code that an
//     [Interpreter] runs [ProgramOfThought]; [Dynamic] and its like where the fields are
//     known only at run time.
//   - Several attempts of one program: [BestOfN] and [Refine] by a reward, [SelfConsistency]
//     by a vote, [MultiChainComparison] by a model; [Majority] counts what is there.
//   - Several programs: [Ensemble] by a vote, [MixtureOfAgents] by a model, [Cascade] the
//     cheapest that is sure, [Router] by the input.
//   - Around a program: [KNNDemos] chooses demos for each input, [Parallel] and [Batch] run
//     many inputs, [Stream] shows what is written. Package assert has answers mended.
//
// Of all of them each sub-call is in the trace: [Steps], [Attempts], [ToolSteps], [CodeRuns].
// Composite modules of one's own are made of trace.Branch, [Call], [PredictionOf],
// [WithRollout], [WithTemperature] and [Intercept].
//
// # States and candidates
//
// A predictor is an immutable part (signature, adapter, options) and a [State]
// (instructions, demos, biases, model) that is swapped as a whole. An optimizer
// never copies a program: a candidate is a set of [States] that the context
// carries ([WithStates]), so that any number of candidates run at once on one
// program, and a judge with predictors of the same names is not touched.
//
// # Files
//
// [Save] writes the states in the form of DSPy 3; [Load] reads them back, and
// what DSPy 2.4 to 3 wrote. Types, adapters and models given in code are not in the
// file, and neither are keys and addresses. [Live] runs a program with the states of
// a file and takes over what is written to it while calls run.
package module
