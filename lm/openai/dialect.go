package openai

// Dialect says what a server has of OpenAI's interface and besides it. The zero Dialect
// has nothing but messages, tools, temperature, top_p and stop.
type Dialect struct {
	// MaxTokensField is the name of the limit of tokens: "max_tokens" where it is empty,
	// or "max_completion_tokens".
	MaxTokensField string
	// SeedField is the name of the seed: "seed", or "random_seed" for Mistral. Where it is
	// empty a request with a Seed is refused.
	SeedField string
	// SeedBits is how many bits of a seed the server takes: 1 to 63, and 63 where it is 0.
	SeedBits int
	// TopK and MinP say that top_k and min_p are known.
	TopK, MinP bool
	// OwnCuts says that the server cuts by top_p, and by top_k and min_p where it knows
	// them, although the request does not say so; they are then switched off.
	OwnCuts bool
	// Logprobs says that log-probabilities can be asked for.
	Logprobs bool
	// MaxTopLogprobs is of how many of the likeliest tokens they can be asked for, for the
	// choices of a shape; 20 where it is 0.
	MaxTopLogprobs int
	// MaxN is how many replies one request may ask for; less than 2 means that several
	// take several requests.
	MaxN int
	// JSONObject and JSONSchema say which kinds of response_format are known.
	JSONObject, JSONSchema bool
	// Shapes says how the form of a reply is given to the server.
	Shapes ShapeField
	// Completions says that there is /completions, which puts no template around a prompt.
	Completions bool
	// Tokenize says that there is llama-server's /tokenize.
	Tokenize bool
	// NoStreamUsage says that stream_options is not known.
	NoStreamUsage bool
}

// ShapeField is how a server takes the form of a reply.
type ShapeField string

// How servers take the form of a reply.
const (
	// ShapesNone: not at all.
	ShapesNone ShapeField = ""
	// ShapesGrammar: a grammar in the field "grammar", as llama-server does.
	ShapesGrammar ShapeField = "grammar"
	// ShapesStructured: the field "structured_outputs" of vLLM since 0.11.
	ShapesStructured ShapeField = "structured_outputs"
	// ShapesGuided: the fields "guided_choice", "guided_regex", "guided_json" and
	// "guided_grammar" of vLLM before 0.12.
	ShapesGuided ShapeField = "guided"
)

func (f ShapeField) known() bool {
	switch f {
	case ShapesNone, ShapesGrammar, ShapesStructured, ShapesGuided:
		return true
	}
	return false
}

func (d Dialect) maxTokensField() string {
	if d.MaxTokensField == "" {
		return "max_tokens"
	}
	return d.MaxTokensField
}

// seed folds a seed to what the server takes; one that fits stays as it is.
func (d Dialect) seed(s uint64) uint64 {
	bits := d.SeedBits
	if bits <= 0 || bits > 63 {
		bits = 63
	}
	if s>>bits == 0 {
		return s
	}
	s *= 0x9E3779B97F4A7C15 // odd, so that all bits count
	return (s ^ s>>32) & (1<<bits - 1)
}

// probeTop is how many of the likeliest tokens show the probabilities of a choice.
func (d Dialect) probeTop() int {
	if d.MaxTopLogprobs > 0 {
		return d.MaxTopLogprobs
	}
	return 20
}
