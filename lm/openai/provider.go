package openai

import (
	"maps"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
)

// provider is what is known of one.
type provider struct {
	baseURL string
	// keys and urls are the variables that are looked at, in order.
	keys, urls []string
	// local says that it runs without a key.
	local   bool
	dialect Dialect
}

const (
	openAI      = "openai"
	ollama      = "ollama"
	llamaServer = "llama-server"
)

// providers returns the table of them.
func providers() map[string]provider {
	return map[string]provider{
		openAI: {
			baseURL: "https://api.openai.com/v1", keys: []string{"OPENAI_API_KEY"}, urls: []string{"OPENAI_BASE_URL"},
			// It has /completions for models of old alone, so a Prompt is refused.
			dialect: Dialect{MaxTokensField: "max_completion_tokens", SeedField: "seed", Logprobs: true, MaxN: 128, JSONObject: true, JSONSchema: true},
		},
		"anthropic": {
			baseURL: "https://api.anthropic.com/v1", keys: []string{"ANTHROPIC_API_KEY"}, urls: []string{"ANTHROPIC_BASE_URL"},
			dialect: Dialect{},
		},
		"gemini": {
			baseURL: "https://generativelanguage.googleapis.com/v1beta/openai", keys: []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}, urls: []string{"GEMINI_BASE_URL"},
			dialect: Dialect{SeedField: "seed", SeedBits: 31, MaxN: 8, JSONObject: true, JSONSchema: true},
		},
		"openrouter": {
			baseURL: "https://openrouter.ai/api/v1", keys: []string{"OPENROUTER_API_KEY"}, urls: []string{"OPENROUTER_BASE_URL"},
			dialect: Dialect{SeedField: "seed", TopK: true, MinP: true, Logprobs: true, JSONObject: true, JSONSchema: true},
		},
		"groq": {
			baseURL: "https://api.groq.com/openai/v1", keys: []string{"GROQ_API_KEY"}, urls: []string{"GROQ_BASE_URL"},
			dialect: Dialect{MaxTokensField: "max_completion_tokens", SeedField: "seed", JSONObject: true, JSONSchema: true},
		},
		"mistral": {
			baseURL: "https://api.mistral.ai/v1", keys: []string{"MISTRAL_API_KEY"}, urls: []string{"MISTRAL_BASE_URL"},
			dialect: Dialect{SeedField: "random_seed", JSONObject: true, JSONSchema: true, NoStreamUsage: true},
		},
		"deepseek": {
			baseURL: "https://api.deepseek.com/v1", keys: []string{"DEEPSEEK_API_KEY"}, urls: []string{"DEEPSEEK_BASE_URL"},
			dialect: Dialect{Logprobs: true, JSONObject: true},
		},
		llamaServer: {
			baseURL: "http://localhost:8080/v1", keys: []string{"LLAMA_API_KEY"}, urls: []string{"LLAMA_SERVER_URL"}, local: true,
			// All 32 bits set would mean a seed of its own choice; more replies than
			// slots in one request are refused, so each gets its own.
			dialect: Dialect{
				SeedField: "seed", SeedBits: 31, TopK: true, MinP: true, OwnCuts: true, Logprobs: true, MaxTopLogprobs: 100,
				JSONObject: true, JSONSchema: true, Shapes: ShapesGrammar, Completions: true, Tokenize: true,
			},
		},
		"vllm": {
			baseURL: "http://localhost:8000/v1", keys: []string{"VLLM_API_KEY"}, urls: []string{"VLLM_BASE_URL"}, local: true,
			dialect: Dialect{
				SeedField: "seed", TopK: true, MinP: true, OwnCuts: true, Logprobs: true, MaxN: 64,
				JSONObject: true, JSONSchema: true, Shapes: ShapesStructured, Completions: true,
			},
		},
		ollama: {
			// Its /completions puts the template around a prompt all the same.
			baseURL: "http://localhost:11434/v1", keys: []string{"OLLAMA_API_KEY"}, urls: []string{"OLLAMA_HOST"}, local: true,
			dialect: Dialect{SeedField: "seed", SeedBits: 31, JSONObject: true, JSONSchema: true},
		},
		"lmstudio": {
			baseURL: "http://localhost:1234/v1", keys: []string{"LM_STUDIO_API_KEY"}, urls: []string{"LM_STUDIO_API_BASE"}, local: true,
			dialect: Dialect{SeedField: "seed", SeedBits: 31, TopK: true, JSONSchema: true, Completions: true},
		},
	}
}

// Providers returns the names of the providers that [New] knows, sorted.
func Providers() []string { return slices.Sorted(maps.Keys(providers())) }

// DialectOf returns what is known of a provider's interface, to be changed and given to
// [UseDialect]; false where the provider is not known.
func DialectOf(name string) (Dialect, bool) {
	p, ok := providers()[name]
	return p.dialect, ok
}

// lookUp finds the provider of a model's name. elsewhere says that an address is given, so
// that the prefix of a name need not be a provider's.
func lookUp(name string, elsewhere bool) (providerName, model string, p provider, err error) {
	table := providers()
	prefix, rest, found := strings.Cut(name, "/")
	if !found {
		prefix, rest = openAI, name
	}
	p, ok := table[prefix]
	switch {
	case !ok && elsewhere:
		// What is known of OpenAI's own models is no guide to somebody else's server.
		prefix, rest, p = openAI, name, table[openAI]
		p.dialect.MaxTokensField = ""
	case !ok:
		return "", "", p, misused("the model %q names the provider %q, which is not known; there are %s, and any other needs the option BaseURL",
			name, prefix, strings.Join(Providers(), ", "))
	}
	if rest == "" || strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", p, misused("the model %q has no name that a provider could know", name)
	}
	return prefix, rest, p, nil
}

func misused(format string, args ...any) *lm.Error {
	e := failure(lm.ErrInvalidRequest, format, args...)
	e.Provider = openAI
	return e
}
