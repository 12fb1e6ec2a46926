// Package retry asks a language model again where the same request may succeed later.
//
//	model := lm.Chain(provider, retry.With())
//
// # What is tried again
//
// An error is tried again where [lm.IsRetryable] says so: kinds [lm.ErrBackend],
// [lm.ErrRateLimit] and [lm.ErrTimeout]. An error that is no [*lm.Error] is not, and a
// context's error never is. [If] puts another rule in place of the first two. What the
// status of an HTTP reply means, and whether it is tried again:
//
//	status  what it means                               kind                   again
//	400     the request is malformed                    lm.ErrInvalidRequest   no
//	400     prompt and reply are too long (by its code) lm.ErrContextLength    no
//	401     the key is missing or wrong                 lm.ErrAuth             no
//	402     the account has nothing left to pay with    lm.ErrQuota            no
//	403     the key may not do this                     lm.ErrAuth             no
//	404     there is no such model                      lm.ErrModel            no
//	408     the server got tired of waiting             lm.ErrTimeout          yes
//	409     the request met another one                 lm.ErrBackend          yes
//	413     the request is too large                    lm.ErrInvalidRequest   no
//	422     the request is well formed and wrong        lm.ErrInvalidRequest   no
//	429     too many requests or tokens for now         lm.ErrRateLimit        yes
//	429     the quota is used up (by its code)          lm.ErrQuota            no
//	500     the server failed                           lm.ErrBackend          yes
//	502     a proxy got no good answer                  lm.ErrBackend          yes
//	503     the server is overloaded or restarts        lm.ErrBackend          yes
//	504     a proxy got no answer in time               lm.ErrTimeout          yes
//	529     the provider is overloaded                  lm.ErrBackend          yes
//
// The kind decides, and not the number: a backend without HTTP is treated alike.
//
// # When
//
// There are 3 attempts in all ([Attempts]). Before attempt n+1 it waits for a time drawn
// evenly from 0 to 500 ms * 2^(n-1) ([Base]), but not to more than 30 s ([Max]): callers
// that failed together do not come back together. What the provider asks for in
// [lm.Error].RetryAfter is added to that time, so it is a minimum, also beyond Max.
//
// A call waits for 2 minutes at most, all of its waits together ([Total]). A wait that
// does not fit, or would go on beyond the deadline of the context, is not begun: the
// call ends at once with the error.
//
// # The budget of retries
//
// When a server is down, each call makes 3 requests, just when the server can bear them
// least. All calls of one middleware, whatever their models, therefore share a budget:
// it holds 20 retries at first and at most, every call adds 0.5, and every retry takes
// 1. So there are never more retries than 20 plus half of the calls. A retry that the
// budget does not hold is not made. [Budget] sets other numbers, and [NoBudget] takes
// it away. The budget belongs to the value that [With] returns: keep that value.
//
//	again := retry.With() // once, for all of the models that share it
//	ctx = lm.Wrap(ctx, again)
//
// # Errors
//
// A call that gives up returns an [*Error] with the number of attempts, the reason and
// the last error, to which it unwraps. An error that is not to be tried again and came at
// the first attempt is returned as it is. Where the context ends, its error is returned,
// with the text of the last failure. A bad option is an error of kind
// [lm.ErrInvalidRequest] at each call.
//
// A model that returns neither a reply nor an error, and a stream that ends without its whole
// reply, count as errors of kind [lm.ErrBackend].
//
// What failed attempts have cost, as far as their [lm.Error].Partial says, is added to the
// usage of the reply, or to that of the last error's Partial.
//
// # Streams
//
// A stream is tried again only while nothing of it has been shown: no text, no reasoning
// and no reply.
//
// # Concurrency
//
// A wrapped model is safe for concurrent use as the model behind it is. [Notify]'s
// function is called by several goroutines at once.
package retry
