package llamacpp

import "fmt"

// Defaults of the options.
const (
	defaultContext   = 8192
	defaultSlots     = 8
	defaultMaxTokens = 512
	allLayers        = -1
	stepTokens       = 512
	maxSequences     = 254 // llama.cpp's own limit, less the two of shim.c
)

// Option changes how a model is opened.
type Option func(*config)

type config struct {
	context   int
	threads   int
	slots     int
	template  string
	gpuLayers int
	maxTokens int
	cache     int
	queue     int

	deterministic bool
	noDrafts      bool

	weights  WeightType
	cacheDir string
	bare     bool // for tests: steps are not filled up, see shim.c
}

// ContextSize sets how many tokens the KV cache holds: no prompt and reply may be
// longer together, and all requests that run at once share it, their common
// prefixes counted once. The default is the length that the model was trained for,
// but at most 8192; more than that length is an error.
func ContextSize(tokens int) Option { return func(c *config) { c.context = tokens } }

// Threads sets how many threads compute. The default is the number of physical
// cores that the process may use, and at most GOMAXPROCS, which knows a container's
// quota; more than that makes llama.cpp slower.
func Threads(n int) Option { return func(c *config) { c.threads = n } }

// Slots sets how many requests run at once; further ones wait. The default is 8.
// On a CPU more slots gain little, and each costs attention to the tokens of all. There
// may be 63.
func Slots(n int) Option { return func(c *config) { c.slots = n } }

// Template chooses the chat template by name instead of the one in the model file:
// "chatml", "smollm2" (chatml with that model's default system message) or "gemma".
// The default is the model's own, and a model without one, or with one that is not
// known here, answers prompts but no messages.
func Template(name string) Option { return func(c *config) { c.template = name } }

// GPULayers sets how many layers are kept on a GPU, if llama.cpp was built for one.
// The default is all of them.
func GPULayers(n int) Option { return func(c *config) { c.gpuLayers = n } }

// MaxTokens sets how many tokens a reply may have when its request does not say so.
// The default is 512. Tokens of a shape's literals and choices do not count.
func MaxTokens(n int) Option { return func(c *config) { c.maxTokens = n } }

// PrefixCache sets how many tokens are kept of requests that have ended, for those that
// will begin alike; the least recently used go first. The default keeps a prefix for as
// long as it saves more work than it makes: a token in the cache makes every step a
// little longer, whatever it belongs to. The cache is part of the ContextSize, and
// running requests take from it what they need.
func PrefixCache(tokens int) Option { return func(c *config) { c.cache = tokens } }

// Queue sets how many requests are taken in at once, running ones included; the callers
// of further ones wait outside and take turns (see [lm.WithQueue]). The default is 8 for
// each slot.
func Queue(n int) Option { return func(c *config) { c.queue = n } }

// Deterministic makes each reply depend on its request alone, to the last bit, and on
// nothing that ran before or is waiting beside it: requests run one at a time, in steps
// that are cut at fixed places. The same file, llama.cpp, processor and Threads are
// meant. It takes about twice the time where requests are many; Slots, PrefixCache and
// guesses (see NoDrafts) have no part in it. Requests without a
// Seed but with a Temperature still draw a seed of their own.
func Deterministic() Option { return func(c *config) { c.deterministic = true } }

// NoDrafts makes each token of a text take a step of its own. By default greedy text
// (temperature 0) that begins to repeat a passage of the prompt or of the reply, such as
// the markers of the demos, is guessed to go on with it: the tokens are evaluated in one
// step, and those that the model would have drawn itself are taken. The text is the same
// but for the rounding that any other company in a step brings along.
func NoDrafts() Option { return func(c *config) { c.noDrafts = true } }

func newConfig(opts []Option) (config, error) {
	c := config{threads: defaultThreads(), slots: defaultSlots, gpuLayers: allLayers, maxTokens: defaultMaxTokens, weights: WeightsAuto}
	for _, o := range opts {
		o(&c)
	}
	switch {
	case c.context < 0:
		return c, fmt.Errorf("ContextSize(%d) is negative", c.context)
	case c.threads < 1:
		return c, fmt.Errorf("Threads(%d) is less than 1", c.threads)
	case c.slots < 1 || c.slots > maxSequences/4:
		return c, fmt.Errorf("Slots(%d) is not between 1 and %d", c.slots, maxSequences/4)
	case c.cache < 0:
		return c, fmt.Errorf("PrefixCache(%d) is negative", c.cache)
	case c.queue < 0 || (c.queue > 0 && c.queue < c.slots):
		return c, fmt.Errorf("Queue(%d) is less than the %d slots", c.queue, c.slots)
	case c.maxTokens < 1:
		return c, fmt.Errorf("MaxTokens(%d) is less than 1", c.maxTokens)
	case !c.weights.known():
		return c, fmt.Errorf("Weights(%q) is not known; there are %s", c.weights, weightTypeNames())
	}
	if c.queue == 0 {
		c.queue = 8 * c.slots
	}
	if c.deterministic {
		c.slots = 1
	}
	if c.template != "" {
		if _, ok := templates[c.template]; !ok {
			return c, fmt.Errorf("Template(%q) is not known; there are %s", c.template, templateNames())
		}
	}
	return c, nil
}

// limits are the sizes of an engine with this many cells. Besides a sequence for
// each slot there are those that are kept for their prefix and those of the
// branches of choices. There are as many outputs as sequences, since llama.cpp
// wants no fewer, and no more, since each is a row as wide as the vocabulary.
func (c config) limits(cells int) limits {
	cells = (cells + 255) / 256 * 256 // llama.cpp rounds up, too
	sequences := min(max(c.slots*6+c.retained()+16, maxPath+maxRetained), maxSequences)
	return limits{cells: cells, batch: min(stepTokens, cells), sequences: sequences, outputs: sequences}
}

// retained is how many sequences may be kept for their prefix.
func (c config) retained() int {
	if c.cache > 0 {
		return max(maxSequences-c.slots*6-16, maxRetained)
	}
	return maxRetained
}

func tooLong(context, train int) string {
	return fmt.Sprintf("ContextSize(%d) is more than the %d tokens that the model was trained for", context, train)
}

// patience compares the work of carrying one idle cell along one evaluated token,
// 4 operations for each layer and unit of width, with that of computing it again, 2
// for each parameter. An idle prefix is worth its cells until the first has added
// up to the second, however long it is.
func patience(params uint64, layers, width int) int {
	if layers < 1 || width < 1 {
		return defaultContext
	}
	return max(int(params/uint64(2*layers*width)), 1024)
}
