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
//	callers                scheduler (one goroutine)              llama.cpp
//
//	Generate --> gate      admit   the longest prefix that a  --> share its cells
//	Generate --> a line               running or kept request
//	Score    --> for each             has, for each Slot
//	             context   build   one token for each that    --> one llama_decode
//	                               draws, then parts of           of up to 512
//	                               prompts, then choices          tokens
//	         <-----------  absorb  draw, score, add literals, <-- logits of a few
//	                               end what is finished           tokens
//	                       keep    its prefix, in a radix tree
//
// Each token is evaluated once, with what stands before it. Requests that begin alike
// share the cells of the cache that hold their beginning: one that comes later takes
// them over, and those that come at once get their common tokens in the same step, as
// one token that belongs to all of them. What a request leaves behind is kept in a
// tree:
//
//	"Sort the message."--+--demos of candidate 1--+--row 17
//	                     |                        +--row 18
//	                     +--demos of candidate 2-----row 17
//
// Only the leaves hold sequences of llama.cpp's, and the ends go first: the leaf that
// was used least recently is cut back to where another one branches off. A token in
// the cache makes every step a little longer, so a prefix is kept, without [PrefixCache],
// until that has cost as much as evaluating it anew: the ends that a single request has
// had for a thirty-second of that time.
//
// [Stats] counts what was evaluated, and the usage of each reply what was evaluated for
// it. For a data set of classifications it is what the prompts, literals and
// alternatives have of different tokens, and a few per cent more where the cache does not
// hold them all (TestEachTokenOnce, TestEachTokenOnceReal).
//
// A long prompt is evaluated in parts: it gets half of a step while others wait, and
// prompts together half while other requests draw their tokens, which thus come
// steadily. Some requests may be held back for a few steps, so that several prompts are
// evaluated together. Greedy text that repeats a passage that has come before, such as the
// markers of the demos, is guessed and evaluated in one step, see [NoDrafts]. A request
// whose context ends leaves at the next step, and a step that nobody waits for any more is
// stopped in the middle.
//
// Call Generate from at least as many goroutines as there are [Slots], better from twice
// as many. More than [Queue] requests are not taken in: their callers wait outside, in a
// line for each context that [lm.WithQueue] has made, and the lines take turns. So memory
// does not grow with the number of callers, and an evaluation with many of them does not
// hold up a single request of another program.
//
// llama.cpp's threads wait for each other by spinning: on cores that other processes
// keep busy as well, one thread ([Threads]) can be many times faster than two. Several
// models may be open; each computes with threads of its own, so that two at work at once
// want cores for both.
//
// # Weights and memory
//
// A model is a file, "path.gguf" or "llamacpp:path.gguf"; nothing is ever downloaded. On a
// CPU its weights may be computed in another form than the file's, whichever a short
// trial at the first Open finds fastest: see [Weights], and [Model.Weights] for what was
// chosen. The file is checked before llama.cpp sees it; docs/c-boundary.md says for what.
//
// Besides the weights a model takes the memory of its cache, in 16 bits, and a row of
// logits for each slot, branch and kept prefix.
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
// A request without a Temperature is greedy. With one, tokens are drawn, and so is the
// alternative of a choice, to which TopP, TopK and MinP do not apply.
//
// # Shapes
//
// Literals cost a step together with the prompt, or nothing where they end the reply.
// The alternatives of a choice are scored in the same step as branches of one tree:
// each with the tokens that it has inside its text, up to the first one that holds
// some of the literal that follows. So "spam" does not win over "spammer" for being
// its beginning. Where nothing follows, it is the end of the turn that counts, and
// for a Prompt, which has no turns, nothing: let a literal such as a line break
// follow. An alternative counts in the tokens that the tokenizer makes of it; that the
// model might write the same text in others is not added. A Boolean is a choice of True
// and False.
//
// Numbers, patterns and JSON are drawn token by token under a grammar. The likeliest
// token, or the one that is drawn, is checked, and others only where it does not fit, so
// that a form costs next to nothing. Text that the form leaves no choice about, such as
// a key and its quotes, is added without decoding, in the tokens that the model would
// have seen. JSON is written as Python's json.dumps writes it, on one line, its keys in
// the order of the schema. When MaxTokens ends a value, or the vocabulary cannot
// go on with it, it is closed with as little text as its form allows: the reply is always of its form. Text that a form adds counts
// against MaxTokens, as it would if the model had written it. A schema or pattern that
// no grammar can express (uniqueItems, for example) leaves its hole free text, and the
// reply is not marked as Shaped.
//
// Free text lasts until the following literal appears or the model ends its reply; that
// literal is put there and not drawn again. When MaxTokens ends it, literals and
// choices that remain are filled in all the same, without decoding, so that the reply
// has its form, and Finish says [lm.FinishLength]. Where MaxTokens or the model ends a
// text in the middle of the following literal, the part of it that was drawn is cut
// off, since the whole literal is put there.
//
// # Streams
//
// [Model.Stream] shows a reply while it grows: each step that adds to its text makes an
// event, literals and choices of a shape as soon as they are decided, and those that the
// reply begins with before anything is computed. Events have whole characters, where a token
// may have half of one. Nothing of a stop text is shown: what may be its beginning waits
// until the next tokens tell. A guess that was right makes one event of several tokens.
//
// The texts of all events together are, to the byte, the Text of the response in the last
// one, and what Generate would return. An event is never taken back.
//
// A request that streams runs as any other, and costs the scheduler some bytes a step. Its
// events wait in memory, as many as it has tokens at most; when its reply is complete, it
// leaves its slot and its place in the [Queue] to others, however slow the loop is.
// Leaving the loop, by break, return or panic, cancels it: it leaves at the next step, and
// a step that nobody else waits for is stopped. An error that comes behind some text has it
// in [lm.Error].Partial, with what it had cost. When the context ends, the stream ends with
// the context's error, and what had not been taken is not shown.
//
// # Scores and tokens
//
// [Model.Score] gives the log-probability of texts as continuations of a prompt, and a
// request's Logprobs those of the tokens that are generated. [Model.Tokenize],
// [Model.Detokenize] and [Model.CountTokens] count. Embeddings come from
// [Model.Embed], or from [OpenEmbedder] for a model that does nothing else.
//
// # Repeatability
//
// A seed fixes every draw, but not the last bits of what is drawn from. With
// quantised weights llama.cpp rounds what it multiplies to 8 bits, and the order of
// its sums depends on how many tokens are computed at once and where in the cache
// they lie; a logit may change by some tenths, so that a close decision falls
// otherwise when other requests run beside it, or when a part of the prompt is cached.
// Of 40 requests of all kinds, 33 (SmolLM2) and 29 (Gemma) had the same text in company
// as one at a time (TestAgreementInCompany).
//
// A [Deterministic] model is exact: each reply is, to the last bit, that of a fresh
// model, whatever ran before and waits beside (TestDeterministic). It takes its
// requests one at a time.
//
// Without it, for one request alone the probabilities of a choice are those of
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
