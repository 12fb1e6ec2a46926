// Package langchain makes an [lm.LM] of any model of langchaingo, for the providers that
// package lm/openai does not reach:
//
//	client, err := anthropic.New(anthropic.WithModel("claude-3-5-haiku-latest"))
//	model := langchain.New(client, langchain.Name("anthropic:claude-3-5-haiku-latest"))
//
// It is a module of its own, so that nobody downloads langchaingo who does not use it. It
// was written and tested for langchaingo v0.1.14. Where both reach a server, lm/openai is
// the better way, because of what is lost here.
//
// # What is lost
//
// Refused with an error of kind lm.ErrUnsupported, since the request would be another one
// without it:
//
//   - a raw Prompt: langchaingo has messages only.
//   - sounds, files, and pictures that are the ID of a file: it has no place for them.
//
// Refused alike, unless [Lossy] allows to drop it:
//
//   - the Schema of a ResponseFormat: the most that a call can ask for is any JSON object.
//   - Logprobs, TopLogprobs and MinP: a call has no option for them.
//   - what the client at hand does not send although a call has an option for it. Its client
//     for OpenAI leaves out TopP, TopK and a Seed of 0; that for Anthropic TopK, Seed, the
//     JSON object and the ToolChoice; that for Ollama all tools; that for Google's Gemini
//     Seed and the ToolChoice; that for Mistral TopP, TopK, Stop, the JSON object and the
//     ToolChoice; and there are more. The full list is in the function sends. To a client that is
//     not langchaingo's own all is passed on, and what it leaves out is not seen here.
//
// Lost without a word, because it cannot be seen or helped:
//
//   - the Shape, which is ignored as any LM may: Response.Shaped is false, and there are no
//     Choices.
//   - a Temperature that is not set: the client for OpenAI sends 0 then, and not nothing. It
//     sends none at all, whatever the request says, to models named o1-..., o3 or gpt-5...
//   - MaxTokens at old servers: the client for OpenAI calls it max_completion_tokens, which
//     some take for nothing. CallOptions(openai.WithLegacyMaxTokensField()) helps.
//   - the guard against special tokens: a server that reads "<|im_end|>" in a message as the
//     end of a turn, as llama-server does, is not kept from it, as it is by lm/openai.
//   - of a failure: Retry-After, the provider's code and its number of the request. Of the
//     HTTP status what the text of the error says. Whether it may be retried follows from
//     that, and a failure without one counts as lm.ErrBackend, which may be.
//   - of a reply: Model, Fingerprint, RequestID and Logprobs are empty.
//   - of the usage: what a client does not report is 0. Ollama's Stop reason is not
//     reported; that the limit was reached is concluded from the number of tokens.
//   - in a stream: Reasoning comes in the last event only, and with tools the whole reply
//     does. A reply that breaks off is taken for a whole one by the client for OpenAI; it is
//     told apart here by its missing stop reason, and is an error of kind lm.ErrBackend.
//   - of a broken answer, which the client for OpenAI takes for a whole one: an event of a
//     stream that it cannot read is skipped, with the words in it, and so is an error that
//     comes as one; a missing or null content is an empty text; what is not UTF-8 is
//     replaced; the content type, the announced length and the [DONE] of a stream are not
//     looked at.
//   - limits: a reply, or an error, may have any length. Redirects are followed, also to
//     another host and with the key; an http.Client whose CheckRedirect returns
//     http.ErrUseLastResponse stays. An address that cannot be is an error of kind
//     lm.ErrBackend, and so may be tried again.
//   - several replies to one request: [lm.Sample] calls once for each.
//   - the order of the properties in the schema of a tool's Parameters.
//
// # Errors and concurrency
//
// Errors are *lm.Error, and ctx.Err() once the context has ended. A text in them that looks
// like a key is replaced by "***". The LM is safe for concurrent use if its client is;
// langchaingo's for OpenAI is. The key, the address and the time limits are the client's:
// this package reads no environment, and sets no limit. A request without a limit of tokens
// has the client's.
package langchain
