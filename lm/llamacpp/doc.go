// Package llamacpp runs language models inside the process, with llama.cpp.
//
// It is built with the tag llamacpp and needs llama.cpp where pkg-config finds it:
//
//	make setup                     # builds it, once, and fetches two small models
//	eval "$(scripts/setup env)"    # tells Go where it is
//	go build -tags llamacpp ./...
//
// Without the tag the package compiles all the same, and [Open] returns an error of
// kind [lm.ErrUnavailable]. A model is a GGUF file:
//
//	m, err := llamacpp.Open("SmolLM2-135M-Instruct.Q4_1.gguf")
//	defer m.Close()
//
// The model must continue a text token by token, with attention to all of it: [Open]
// refuses recurrent, hybrid and diffusion models and those with an encoder, since
// their prefixes cannot be shared as described below.
//
// # What is computed
//
// One goroutine owns the model's context. In every step it evaluates, in one batch,
// the next tokens of all requests that run:
//
//	callers          scheduler (one goroutine)            llama.cpp
//	Generate ----->  waiting: . . . .
//	Generate ----->  admit: longest prefix that is known  copy a prefix
//	Generate ----->  build: a batch of the new tokens --> decode
//	         <-----  absorb: sample, score, end a job <-- logits
//
// A request takes over the longest prefix that some request before it, or beside
// it, has computed; one that shares more with a prompt that is just being evaluated
// waits for it. So what a data set's prompts have in common is computed once. Call
// Generate from at least as many goroutines as there are [Slots]. A request whose
// context ends leaves at the next step, and a step that nobody waits for any more is
// stopped in the middle.
//
// llama.cpp's threads wait for each other by spinning: on cores that other processes
// keep busy as well, one thread ([Threads]) can be many times faster than two.
//
// # Conversations and prompts
//
// Messages go through the chat template of the model, if the file has one that is
// known here, or the one that [Template] names; without any they are an error of kind
// [lm.ErrUnsupported]. A Prompt is continued as it is. In both, the text of a special
// token is text: data cannot end a turn or begin one. A conversation must end with a
// message that can be replied to; a reply is begun by a shape with a literal.
//
// Prompt and reply must fit the context together, where the reply counts as long as
// it may become. Otherwise the request fails with an [*lm.ContextLengthError];
// nothing is ever cut silently.
//
// # Shapes
//
// Literals cost a step together with the prompt, or nothing where they end the reply.
// The alternatives of a choice are scored in the same step as branches of one tree:
// each with the tokens that it has inside its text, up to the first one that holds
// some of the literal that follows. So "spam" does not win over "spammer" for being
// its beginning. Where nothing follows, it is the end of the turn that counts, and
// for a Prompt, which has no turns, nothing: let a literal such as a line break
// follow. A Boolean is a choice of True and False. Text lasts until the following
// literal appears or the model ends its reply. When MaxTokens ends it, literals and
// choices that remain are filled in all the same, without decoding, so that the reply
// has its form, and Finish says [lm.FinishLength]. Where MaxTokens or the model ends a
// text in the middle of the following literal, the part of it that was drawn is cut
// off, since the whole literal is put there. Numbers and JSON are generated as text so
// far, and a reply that holds one is not marked as Shaped.
//
// # Repeatability
//
// A seed fixes every draw, but not the last bits of what is drawn from. With
// quantised weights llama.cpp rounds what it multiplies to 8 bits, and the order of
// its sums depends on how many tokens are computed at once and where in the cache
// they lie; a logit may change by some tenths, so that a close decision falls
// otherwise when other requests run beside it, or when a part of the prompt is cached.
// The same requests, one at a time and in the same order on a fresh model, give the
// same replies, and for one request alone the probabilities of a choice are those of
// evaluating each alternative by itself to 1e-2, where that evaluation fills its steps
// up to whole rows of llama.cpp's kernels as this package does. llama-server does not,
// and from an evaluation like its they may be 5e-2 away; both are measured by
// TestChoiceProbabilities. With weights of 32 bits they agree to 5e-3 in any company
// (TestChoiceProbabilitiesTogether measured 2.3e-3).
//
// With the models as they are shipped, company shifts them further. Of 12 requests
// that ran together, or once more on the warm model, together or one by one, a
// probability differed from that of a fresh model by up to 0.09 (SmolLM2 135M, Q4_1)
// or 0.18 (Gemma 3 270M, Q4_K_M), and in the median by up to 0.015; 0 to 2 of the 12
// picks were others. TestChoiceProbabilitiesShift measured this in several runs, and
// fails above 0.15, 0.3 and 0.03.
package llamacpp
