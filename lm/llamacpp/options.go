package llamacpp

import "fmt"

// Defaults of the options.
const (
	defaultContext   = 8192
	defaultSlots     = 8
	defaultMaxTokens = 512
	allLayers        = -1
	stepTokens       = 512
	maxSequences     = 255 // llama.cpp's own limit, less the one of shim.c
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
	bare      bool // for tests: steps are not filled up, see shim.c
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
// On a CPU more slots gain little, and each costs attention to the tokens of all.
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

func newConfig(opts []Option) (config, error) {
	c := config{threads: defaultThreads(), slots: defaultSlots, gpuLayers: allLayers, maxTokens: defaultMaxTokens}
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
	case c.maxTokens < 1:
		return c, fmt.Errorf("MaxTokens(%d) is less than 1", c.maxTokens)
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
	sequences := min(max(c.slots*6+maxRetained+16, maxPath+maxRetained), maxSequences)
	return limits{cells: cells, batch: min(stepTokens, cells), sequences: sequences, outputs: sequences}
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
