// Package trace records what happened inside one run of a program: one [Step]
// for each predictor call, with what went in, what came out and how long it
// took.
//
// A trace lives in the context. [Start] opens one, every predictor below adds to
// it, and metrics, bootstrapping and reports read it:
//
//	ctx, t := trace.Start(ctx)
//	answer, err := program.Run(ctx, in)
//	for _, step := range t.Steps() { ... }
//
// The package is a leaf: it knows nothing of signatures or modules, so a step's
// predictor and fields are opaque values here. module.Steps returns them as
// records.
package trace
