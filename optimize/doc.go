// Package optimize makes programs better: it searches for demonstrations and
// biases under which a program scores best on data, with the model that it will
// run on.
//
//	result, err := optimize.Compile(ctx, optimize.RandomSearch{MaxLabeled: 8},
//		program, train, metric.Exact, optimize.Val(val))
//	err = result.Apply(program)
//
// # Optimizers
//
// [Race] is the one to begin with: it chooses among instructions and demos of all predictors
// by as few answers as it can, and confirms its winner on examples of its own. The others are
// those of DSPy (Khattab et al., arXiv 2310.03714) and of papers:
//
//   - [LabeledFewShot], [BootstrapFewShot] and [RandomSearch] draw the same demos from the same
//     data in the same order as DSPy's. [KNNFewShot] makes demos at each call, of the nearest
//     examples.
//   - [MIPROv2] proposes instructions and searches over them and demos (Opsahl-Ong et al.,
//     arXiv 2406.11695).
//   - [COPRO] and [OPRO] rewrite instructions by their scores, [GEPA] and [SIMBA] by what went
//     wrong; GEPA reads the metric's Feedback (Agrawal et al., arXiv 2507.19457).
//   - [Calibrate] fits a bias to each choice of a classification, which small models need
//     (Zhao et al., arXiv 2102.09690): alone, or as the last step of every candidate of another
//     ([Calibrated]).
//   - [SelectEnsemble] chooses members of a vote among the trials of a search.
//   - [FinetuneData] writes what a program does well as data to fine-tune a model on.
//
// They are plain structs; the zero value of a field is DSPy's default, and [None] is none.
// [DryRun] says beforehand how many calls a search takes and what they may cost, [Within]
// limits what it may spend, and [Result.HTML] shows what it did.
//
// Not built are the variant of DSPy's random search on Optuna, as MIPROv2's search covers it; Avatar,
// which is broken in DSPy 3.4.1; GRPO, which trains weights; ReAnchor, as Calibrate covers choices.
//
// # Programs with assertions
//
// Of a program behind assert.Wrap the demos come from the try that was the last, so that
// they show what was mended. [TeacherProgram] has only the teacher assert. With the setting
// CounterExamples of [BootstrapFewShot] and [RandomSearch] a mended step's demo keeps the
// answer that was refused and the feedback; only the prompt in which that predictor is
// asked again shows them.
//
// # Sweeps
//
// [FitCascade] and [FitRouter] find the threshold of a module.Cascade or module.Router of
// two programs, and [FitWeights] what the votes of a module.Ensemble weigh. Each runs every
// program once on every example, a router's scorer too, and changes nothing; Apply does. A
// threshold is for a wished share, quality or cost ([ForShare], [ForQuality], [ForCost]),
// where cost is in tokens, dollars, calls or a unit of one's own ([Cost]); the fit has the
// curve of all thresholds, with PGR, APGR and CPT as RouteLLM defines them (Ong et al.,
// arXiv 2406.18665). No answer is kept in memory, as one from there has no cost: see
// [Through] and [FixedCost]. On the examples that chose them thresholds and weights look
// better than they are.
//
// # Candidates
//
// A candidate is a set of states that the context carries (module.WithStates).
// The program is never copied and never changed by a search, so that it may be
// used meanwhile and several searches may run at once. [Result.Apply] changes it
// in the end.
//
// # Calls
//
// Before each language model stands an answer store: every identical request is
// paid once, also when it is made twice at the same time. Identical means the
// same model, messages or prompt, shape with its biases, sampling parameters and
// rollout. A choice that was scored once is known under all biases. Errors are
// not kept. A model that can be compared is known by itself, another by its name
// (lm.Named); one that has neither, such as an lm.Func, is asked every time. A
// wrapper that the context adds (lm.Wrap) is a model of its own, so it should be
// a value that is equal for equal models, not a new pointer at each call. [Calls]
// counts both sides of the store.
//
// # What a score means
//
// The winner was chosen on the validation examples, so its score there is too
// good: results are unconfirmed unless [Confirm] gives examples that the search
// has not seen. There the program as it was and the winner are compared by a paired test
// ([Confirmation]), and without a gain at the 5 % level the result is the program as it was.
// [Race] keeps examples back for that by itself.
package optimize
