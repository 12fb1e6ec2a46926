// Package openai is the LM of every server that speaks OpenAI's HTTP interface: OpenAI,
// llama-server, vLLM, Ollama, LM Studio, OpenRouter, Groq, Mistral and DeepSeek, and
// Anthropic and Gemini through the interface of that kind that they have besides their
// own. It needs nothing but net/http.
//
//	model, err := openai.New("gpt-4o-mini")              // key from OPENAI_API_KEY
//	model, err := openai.New("ollama/llama3.2:1b")       // at OLLAMA_HOST, or on this machine
//	model, err := openai.New("llama-server/any", openai.BaseURL("http://gpu-box:8080/v1"))
//	defer model.Close()
//
// # Names, keys and addresses
//
// A name is a model of OpenAI, or "provider/model", split at the first slash. The
// providers are those of [Providers]; another one is an error unless [BaseURL] says where
// it is, and then the whole name is the model's. Options come before the environment:
//
//	openai        OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID
//	anthropic     ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL
//	deepseek      DEEPSEEK_API_KEY, DEEPSEEK_BASE_URL
//	gemini        GEMINI_API_KEY or GOOGLE_API_KEY, GEMINI_BASE_URL
//	groq          GROQ_API_KEY, GROQ_BASE_URL
//	llama-server  LLAMA_API_KEY, LLAMA_SERVER_URL; http://localhost:8080/v1
//	lmstudio      LM_STUDIO_API_KEY, LM_STUDIO_API_BASE; http://localhost:1234/v1
//	mistral       MISTRAL_API_KEY, MISTRAL_BASE_URL
//	ollama        OLLAMA_API_KEY, OLLAMA_HOST; http://localhost:11434/v1
//	openrouter    OPENROUTER_API_KEY, OPENROUTER_BASE_URL
//	vllm          VLLM_API_KEY, VLLM_BASE_URL; http://localhost:8000/v1
//
// An address without a path gets "/v1". Only http and https are spoken; a key goes over
// plain http to this machine alone unless [AllowHTTP] is given. No redirect is followed.
// Link-local addresses and those where clouds keep credentials are refused unless
// [AllowLinkLocal] is given, also where a host's name leads to them. An address that comes
// out of a file needs [Untrusted].
//
// # What is sent
//
// All of [lm.Request] that the provider's [Dialect] has. What it does not have is an error
// of kind [lm.ErrUnsupported]; but for Logprobs, which come back empty, and for a Shape,
// which is no more than a help. Where the request sets no cuts (TopP, TopK, MinP) and the
// server has some of its own, they are switched off. A Seed wider than the server takes is
// folded. Without MaxTokens the server's own limit applies.
//
// # Shapes
//
// llama-server gets the Shape as a grammar, vLLM as a list of choices, a pattern, a JSON
// Schema or a grammar; other servers are not told of it, and get the ResponseFormat alone.
// A shape that no grammar can be made for, or that comes together with tools, is treated
// the same way. Response.Shaped is true where the server was told and the reply is of that
// form; it is false for one that the limit of tokens has cut. A server samples the tokens:
// literals are decoded like any other, and an Alternative's Bias has no effect.
// Response.Choices are filled where no alternative has a bias, the place where each choice
// begins is the beginning of a token, and the first tokens of all alternatives differ and
// are among the likeliest (20 of them, and 100 of llama-server): then Prob is that of the
// first token among those of the alternatives, which is what the server draws by, and no
// product over a whole text.
// Otherwise Choices is empty.
//
// # Special tokens
//
// Servers put messages into the model's template as text, so that "<|im_end|>" in a message
// is read as the end of a turn. llama-server can be asked which texts are special: where a
// message holds one, a zero width joiner is put behind its first character, which makes it
// text like any other. The other local servers cannot be asked; their data should be checked
// before.
//
// # What Anthropic and Gemini lose
//
// Through Anthropic's interface of this kind there is no response_format, no seed, no
// logprobs and no n; prompt caching, citations, documents and sounds are left out, thoughts
// are not shown, and system messages are joined to one at the beginning. Through Gemini's
// there are no logprobs and no files by address, safety settings and cached contents need
// [Extra], and thoughts are shown on demand only. A request for what is missing is an error
// of kind [lm.ErrUnsupported].
//
// # Errors and limits
//
// Failures are an [*lm.Error] with the provider's status, code, message (1 KB, without
// keys), request number and RetryAfter, which is never negative and at most 2 hours. A 200
// that holds no reply (an HTML page, another content type, broken or deep JSON, text that is
// no UTF-8, no choices, no content) is of kind [lm.ErrBackend]. What the provider's filter
// stops is of kind [lm.ErrRefused], with what had come as Error.Partial. Nothing is retried
// here; see package lm/retry.
//
// A reply is at most 64 MB long after decompression ([MaxReply]), and a line of a stream
// 32 MB. A call takes at most 10 minutes ([Timeout]) unless its context ends before.
//
// A [Model] and an [Embedder] are safe for concurrent use. They hold connections, which
// Close gives back.
package openai
