// Package budget stops a program before it spends more than it may: calls, tokens or
// money.
//
//	b := budget.New(budget.Limits{Money: 5 * lm.USD})
//	ctx = lm.Wrap(ctx, b.Wrap) // for every model that is called below
//	...
//	if errors.Is(err, lm.ErrBudget) { ... }
//	fmt.Println(b.Spent().Cost)
//
// # The stop
//
// A call starts only while what is spent and what is reserved for the calls in flight
// are both together less than each limit. What does not start is an [*Error], at once: a
// budget lets nobody wait. It says which limit is reached and what is spent. Where that
// is so because of what is reserved, a later call may start when those in flight have
// ended with less.
//
// A call in flight reserves one call, and as many tokens and as much money as the largest
// call that has been seen, or what [Estimate] says of its request. So the limit of calls
// is exact, unless a model reports several calls in one reply. The others may be passed by
// what is in flight when they are reached: by less than one reservation where no call takes
// more than it has reserved, and further by what calls take more. Before any call has
// been seen nothing is reserved without Estimate: 64 calls that start at once, as the
// first ones, may all run to their ends.
//
// # What counts
//
// Calls are requests that were made, also those that failed. Tokens are those of prompts
// (also where a provider had them cached), completions, and forced ones. Money is
// [lm.Usage].Cost, for which package lm/price goes between the budget and the model:
//
//	model := lm.Chain(provider, cached, retry.With(), limiter.Wrap, b.Wrap, price.With(table))
//
// Behind package retry, each attempt counts, and starts only if the budget allows it.
//
// Nothing is free because nobody knows what it costs:
//
//   - A reply whose cost is not known ([lm.Usage.CostKnown]) is an [*Error] that names
//     lm/price, where money is limited, and its [lm.Error].Partial is the reply. No further
//     call is started then, since what is spent is no longer known. The cost of a model in
//     the process is known, and nothing.
//   - A reply that does not tell its tokens counts as many as it has reserved.
//   - A failure counts what the Partial of each [lm.Error] in it has used. Without usage
//     it counts one call and what it has reserved, and so does a stream that was left
//     before its end. A failure that no model can have worked on, such as a wrong key or a
//     rate limit, counts one call and nothing else.
//
// An answer from a store ([lm.Response].Cached) counts nothing. So that it can be had also
// when the budget is spent, the store goes before the budget, as in the chain above. In a
// context, that is to say: the budget is added first.
//
//	ctx = lm.Wrap(ctx, b.Wrap)
//	ctx = lm.Wrap(ctx, store.Wrap) // sees requests first
//
// # Use
//
// A limit of 0 is none. A bad one, or a bad option, is an error of kind
// [lm.ErrInvalidRequest] at each call. A [Budget] is safe for concurrent use. It belongs
// to what it is made for, a program, a run or a request of a user: make it outside of what
// lm.Wrap calls. Budgets may be put one into another. A model that is wrapped twice by the
// same budget is counted once.
package budget
