// Package llamacpp runs GGUF models inside the process, through llama.cpp.
//
//	model, err := llamacpp.Open("SmolLM2-135M-Instruct.Q4_1.gguf")
//	defer model.Close()
//	resp, err := model.Generate(ctx, &lm.Request{Prompt: "The capital of France is"})
//
// The binding to llama.cpp is compiled only with the build tag llamacpp, and finds
// the library by pkg-config under the name llama: run `make setup` once, then build
// in the environment that `scripts/setup env` prints. Without the tag the package
// compiles, and [Open] says how to get it.
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
// waits for it. So what a data set's prompts have in common is computed once.
//
// A [lm.Shape] is enforced: literal text is appended and never decoded; the
// alternatives of a choice are evaluated as a tree of tokens in one step, and the
// score of each is the sum of the log-probabilities of its tokens and of the first
// token of what follows it. Numbers and JSON are generated as text for now, and then
// Response.Shaped is false.
//
// # Templates
//
// Messages are rendered by the model's own chat template, if it is one that is known
// here (chatml and its relatives, Gemma's), or by the one that [Template] names. The
// text of messages and prompts is tokenised as text: special tokens in it are
// letters like any other.
//
// # Errors and limits
//
// All errors are [*lm.Error]: a file that is not a whole model ([lm.ErrModel], found
// before C sees it), a prompt and reply that do not fit the context
// ([lm.ErrContextLength], which says by how much), messages without a template
// ([lm.ErrUnsupported]). A request whose context ends leaves at the next step, and a
// step that nobody waits for any more is stopped in the middle.
//
// A reply depends a little on which requests were evaluated beside it: sums of
// floating-point numbers differ in their last digits with the shape of a batch, and
// the rounding of activations in quantised models makes hundredths of a probability
// of that.
package llamacpp
