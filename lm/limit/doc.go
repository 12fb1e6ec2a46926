// Package limit keeps requests to language models within what a provider allows: requests
// and tokens per minute, and requests at the same time.
//
//	limiter := limit.New(limit.Requests(500), limit.Tokens(200_000), limit.Concurrency(16))
//	small, large := limiter.Wrap(small), limiter.Wrap(large) // one limit for both
//
// Beneath package retry and behind a cache is its place, so that every attempt is counted
// and no stored answer is:
//
//	model := lm.Chain(provider, cached, retry.With(), limiter.Wrap)
//
// # Rates
//
// Each of the two rates is a bucket that fills evenly, by its number per minute, and
// holds what [Burst] is worth, by default one second: at 600 requests a minute 10 may go
// at once, and then one every 100 ms. It always holds one request. So no minute sees more
// than 61 seconds' worth, or one request more than it may. A request of more tokens than
// the bucket holds starts when the bucket is full, and leaves a debt that those behind
// it wait for.
//
// The tokens of a request are estimated before it starts: its prompt by the model, where
// [lm.As] finds an [lm.Tokenizer] that can count it, and else as a quarter of its bytes
// and 1,000 for each image, sound or file; its reply as MaxTokens, or what [Reply] says,
// by default 256, where that is 0. When the reply is there the estimate is replaced by
// the prompt, completion and forced tokens of its usage. An estimate stands where nothing
// better is known: after a failure without usage, and a stream that was left. It is given
// back after a failure that no model can have worked on, such as a wrong key. A reply
// from a store ([lm.Response].Cached) gives back its request as well as its tokens.
//
// A request that is estimated at more tokens than a whole minute allows can never be let
// in. It is an error of kind [lm.ErrInvalidRequest] at once.
//
// # Lines
//
// Requests that must wait are let in in the order in which they came, a large one before
// the small ones behind it. Each [lm.Queue] has a line of its own, and lines take turns:
// see [lm.WithQueue]. A request whose context ends leaves its line at once, with the
// context's error. With [Fail] nothing waits: what cannot start at once is an error of
// kind [lm.ErrRateLimit], whose RetryAfter says how long it would take, and is 0 where
// that is not known since all places are taken.
//
// # What the provider says
//
// When a provider answers with [lm.ErrRateLimit] and RetryAfter, nothing more is let in
// until then, of any of the models; what is running goes on. See [Obey]. If that is for
// longer than 10 minutes ([MaxClosed]), requests do not wait for it, and fail with the
// kind [lm.ErrRateLimit] and what is left as RetryAfter.
//
// # Use
//
// [Limiter.Stats] tells how many requests run and wait.
//
// A bad option is an error of kind [lm.ErrInvalidRequest] at each call. A [Limiter] is
// safe for concurrent use and has no goroutine of its own. A model that is wrapped twice
// by the same limiter is counted once.
package limit
