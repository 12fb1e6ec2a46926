// Package assert lets a program say what must hold of what its models answer, and has the
// model that is responsible answer again where it does not.
//
//	func (p *Lookup) Run(ctx context.Context, in Question) (Answer, error) {
//		q, err := p.Query.Run(ctx, in)
//		if err != nil {
//			return Answer{}, err
//		}
//		if err := assert.That(ctx, len(q.Query) <= 80, "The query must be shorter than 80 characters"); err != nil {
//			return Answer{}, err
//		}
//		...
//	}
//
//	prog := assert.Wrap(&Lookup{...}, assert.MaxBacktracks(2))
//	answer, err := prog.Run(ctx, in)
//
// [That] is for what must hold, [Suggest] for what had better hold. Both return an
// [*Error], which Run is to return, wrapped or not. They do what DSPy 2.5's Assert and
// Suggest did (Singhvi et al., arXiv 2312.13382).
//
// # Going back
//
// Within a [Wrapped] a failure sends the program back: Run is called again, and the
// responsible predictor ([Target], else the one that answered last) is asked with further
// inputs: past_<output> for each of its outputs, which is what it answered, and feedback,
// which is every message so far that was about it, each once, one a line. No other
// predictor sees them, and of the calls of this one only the one that failed does. Where the signature has a field of such a name, an underscore is put
// behind it.
//
// Two backtracks are the default: see [MaxBacktracks]. A suggestion that was never met is
// ignored in the last try, which is recorded; an assertion is then an error, that of the
// first failure.
//
// # What is paid
//
// Calls that began before the failed answer was there are answered from the run's own
// memory in the next try, without a model, and are marked Reused in the trace. An answer
// is found by predictor, state, inputs and rollout (module.WithRollout); of several like
// calls the first gets the first answer, and so on. So Go code between the calls runs again, and should do the same each
// time: where it gives a predictor other inputs, because it looks at a clock or draws at
// random, that call is not in the memory and is paid, and what hangs on it follows. What the code does
// to the world outside, it does once a try. [FullRerun] switches the memory off;
// [CountCalls] counts.
//
// # Constraints of a signature
//
// What a field's type and tags declare (enum, min, maxlen, pattern, ...) needs no call of
// That. A backend that enforces the reply's Shape cannot break most of it. Where one does
// not, and a value is found in the reply that breaks it, that is within a Wrapped a failed
// assertion of the predictor: the message is what the field must be, and past_<output>
// what was found. module.Retry, where it is set, tries first. A reply that lacks a field or
// was cut off is another error, and ends the run.
//
// # Traces
//
// Each failure is a step of the trace whose Note is a [Failure]; [Failures] returns them. Steps of tries that another
// one followed are Dropped, so that bootstrapped demos come from the final try; what they
// cost counts. The inputs of a repaired step hold the feedback, but not the past outputs,
// as in DSPy; [Repairs] has both.
//
// # Errors and concurrency
//
// Errors of other kinds, the context's among them, pass through as they are. No state is
// shared between runs, so any number of them may go on at once. In a program that calls
// predictors at the same time, "the last" is the last of the trace of the context that
// That is called with; name a Target where that is not enough.
package assert
