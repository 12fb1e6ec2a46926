// Package openai is the LM of every server that speaks OpenAI's HTTP interface: OpenAI,
// llama-server, vLLM, Ollama, LM Studio, OpenRouter, Groq, Mistral and DeepSeek, and
// Anthropic and Gemini through the interface of that kind that they have besides their
// own; there is no client of their own ones here. What each of them loses stands below. It
// needs nothing but net/http.
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
// A key of the environment goes wherever the address leads, as it does with OpenAI's own
// clients, unless the option [Key] or a [Header] that authorizes is given, or [Untrusted].
//
// A Name, by which stores know a model, is made of the provider, the model and, where it is
// not the provider's own place, the host: "vllm:qwen@gpu-box:8000". Where [Extra],
// [UseDialect] or the path of the address are other than the provider's, a tag stands in it,
// as they change replies: "openai:gpt-5#012791ef". Headers are not in it. [Name] sets it.
//
// Azure has this interface below /openai/v1, with the deployment as the model. A base URL
// with a query, such as its dated api-version, is refused:
//
//	openai.New("my-deployment", openai.BaseURL("https://NAME.openai.azure.com/openai/v1"),
//		openai.Header("Api-Key", key))
//
// An address without a path gets "/v1". Only http and https are spoken; a key goes over
// plain http to this machine alone unless [AllowHTTP] is given. No redirect is followed.
// Link-local addresses and those where clouds keep credentials are refused unless
// [AllowLinkLocal] is given, also where a host's name leads to them; a proxy of the
// environment and an [HTTPClient] look names up themselves, which is not checked. An address
// that comes out of a file needs [Untrusted].
//
// # What is sent
//
// All of [lm.Request] that the provider's [Dialect] has, which is this by default; a request
// of n replies ([lm.Sample]) takes one call where there is n, and else n:
//
//	              seed  top_k  min_p  logprobs  n    JSON     schema  Shape  Prompt
//	openai        yes   -      -      yes       128  object   yes     -      -
//	anthropic     -     -      -      -         -    -        -       -      -
//	deepseek      -     -      -      yes       -    object   -       -      -
//	gemini        yes   -      -      -         8    object   yes     -      -
//	groq          yes   -      -      -         -    object   yes     -      -
//	llama-server  yes   yes    yes    yes       -    object   yes     yes    yes
//	lmstudio      yes   yes    -      -         -    -        yes     -      yes
//	mistral       yes   -      -      -         -    object   yes     -      -
//	ollama        yes   -      -      -         -    object   yes     -      -
//	openrouter    yes   yes    yes    yes       -    object   yes     -      -
//	vllm          yes   yes    yes    yes       64   object   yes     yes    yes
//
// All have messages, tools, pictures, sounds and files by data, temperature, top_p, stop and
// streams as far as the model does; what a model itself refuses is the provider's error.
//
// What a dialect does not have is an error of kind [lm.ErrUnsupported]; but for Logprobs, which come back empty, and for a Shape,
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
// Response.Choices are filled, for one reply that is not streamed, where no alternative has a bias, the place where each choice
// begins is the beginning of a token, and the first tokens of all alternatives differ and
// are among the likeliest (20 of them, and 100 of llama-server): then Prob is that of the
// first token among those of the alternatives, which is what the server draws by, and no
// product over a whole text.
// Otherwise Choices is empty.
//
// # Special tokens
//
// Servers put messages into the model's template as text, so that "<|im_end|>" in a message
// is read as the end of a turn, and data can forge one. llama-server has no field that
// forbids it, but it can be asked which texts are special. Where a message, the arguments of
// a tool's call or a Prompt hold what looks like a special token ("<...>" without spaces,
// "[WORD]"), it is asked, once for each such text; and where that is a token of its model's
// own, a zero width joiner (U+200D) is put behind the first character. The model then sees a
// text that is one character longer than the data; nothing else is changed, and the Request
// is left as it is. [ReadSpecialTokens] switches this off. The names and descriptions of
// tools are the program's own, and are not looked at.
//
// Other servers cannot be asked (see [Dialect.Tokenize]), and nothing is changed for them:
// data for a model behind vLLM, Ollama or LM Studio should be checked before.
//
// # What Anthropic and Gemini lose
//
// Both are reached through their interfaces of OpenAI's kind. lm/langchain reaches their own.
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
// Batches, files, fine tuning and OpenAI's /responses are not here. [Extra] and [Header]
// give what a provider has of its own; the context of a call limits that call alone.
//
// A reply is at most 64 MB long after decompression ([MaxReply]), and a line of a stream
// 32 MB. A call takes at most 10 minutes ([Timeout]) unless its context ends before.
//
// A [Model] and an [Embedder] are safe for concurrent use. They hold connections, which
// Close gives back.
package openai
