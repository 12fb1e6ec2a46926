package llamacpp

import (
	"fmt"
	"reflect"
)

const (
	defaultEmbedContext = 2048
	// embedTexts is how many texts a step holds at most.
	embedTexts = 64
	// logitRoom is how many logits llama.cpp may reserve memory for, 128 MiB: it does for
	// every token of a step, although none is computed here.
	logitRoom = 128 << 20 / 4
	// leastStep is how many tokens a step may hold all the same.
	leastStep = 64
)

// EmbedOption changes how a model is opened for embeddings. Of the options of [Open],
// [ContextSize], [Threads] and [GPULayers] are such options, too, where ContextSize is
// the length of the longest text; another one is an error.
type EmbedOption interface{ applyEmbed(*embedConfig) }

func (o Option) applyEmbed(c *embedConfig) { o(&c.model) }

type embedOption func(*embedConfig)

func (o embedOption) applyEmbed(c *embedConfig) { o(c) }

// Pool says how the states of a text's tokens in the last layer become one vector.
type Pool int

// The ways of pooling.
const (
	// PoolDefault is what the model file says, and PoolMean where it says nothing.
	PoolDefault Pool = iota
	// PoolMean is the mean of all tokens.
	PoolMean
	// PoolCLS is the first token, for models that were trained so, such as many BERTs.
	PoolCLS
	// PoolLast is the last token, for causal models that were trained so: only the last
	// token has seen all the others.
	PoolLast
)

// String returns the way's name, for example "mean".
func (p Pool) String() string {
	switch p {
	case PoolDefault:
		return "default"
	case PoolMean:
		return "mean"
	case PoolCLS:
		return "cls"
	case PoolLast:
		return "last"
	}
	return fmt.Sprintf("Pool(%d)", int(p))
}

// Pooling sets how a text's tokens become one vector. The default is [PoolDefault].
func Pooling(p Pool) EmbedOption { return embedOption(func(c *embedConfig) { c.pool = p }) }

// Normalize sets whether vectors are brought to length 1, so that the product of two is
// their cosine. The default is true.
func Normalize(on bool) EmbedOption { return embedOption(func(c *embedConfig) { c.raw = !on }) }

// BatchTokens sets how many tokens are computed at once. The default is 512, and less
// for a causal model with a large vocabulary, since llama.cpp reserves memory for the
// product of the two. Where a text cannot be computed in parts, as by an encoder, it is
// at least the longest text.
func BatchTokens(n int) EmbedOption { return embedOption(func(c *embedConfig) { c.batch = n }) }

type embedConfig struct {
	model  config
	pool   Pool
	raw    bool
	batch  int  // 0 for the default
	theirs bool // for tests: llama.cpp pools
}

func newEmbedConfig(opts []EmbedOption) (embedConfig, error) {
	c := embedConfig{model: config{threads: defaultThreads(), gpuLayers: allLayers}}
	for _, o := range opts {
		o.applyEmbed(&c)
	}
	other := c.model
	other.context, other.threads, other.gpuLayers = 0, 0, 0
	switch {
	case c.model.context < 0:
		return c, fmt.Errorf("ContextSize(%d) is negative", c.model.context)
	case c.model.threads < 1:
		return c, fmt.Errorf("Threads(%d) is less than 1", c.model.threads)
	case !reflect.ValueOf(other).IsZero():
		return c, fmt.Errorf("of the options of Open only ContextSize, Threads and GPULayers hold for embeddings")
	case c.pool < PoolDefault || c.pool > PoolLast:
		return c, fmt.Errorf("Pooling(%d) is not one of PoolDefault, PoolMean, PoolCLS and PoolLast", int(c.pool))
	case c.batch < 0:
		return c, fmt.Errorf("BatchTokens(%d) is negative", c.batch)
	}
	return c, nil
}

// embedLimits are the sizes of an engine for embeddings.
type embedLimits struct {
	context int // tokens of a text
	batch   int // tokens of a step
	texts   int // of a step
}

// limits are the sizes for a model that was trained for texts of this length. With whole
// a text must be computed in one step.
func (c embedConfig) limits(train, vocab int, whole bool) embedLimits {
	l := embedLimits{context: c.model.context, batch: c.batch, texts: embedTexts}
	if l.context == 0 {
		l.context = min(train, defaultEmbedContext)
	}
	if l.batch == 0 {
		l.batch = stepTokens
		if !whole {
			l.batch = min(stepTokens, max(logitRoom/max(vocab, 1), leastStep))
		}
	}
	if whole {
		l.batch = max(l.batch, l.context)
	}
	l.batch = min(l.batch, l.texts*l.context) // more is never there
	l.texts = min(l.texts, l.batch)           // llama.cpp wants no more
	return l
}

// llama.cpp's numbers of the ways of pooling.
const (
	filePoolNone = 0
	filePoolMean = 1
	filePoolCLS  = 2
	filePoolLast = 3
	filePoolRank = 4
)

// resolve returns the way of pooling for a model whose file names this one, or -1.
func (p Pool) resolve(file int) (Pool, string) {
	if p != PoolDefault {
		return p, ""
	}
	switch file {
	case -1, filePoolNone, filePoolMean:
		return PoolMean, ""
	case filePoolCLS:
		return PoolCLS, ""
	case filePoolLast:
		return PoolLast, ""
	case filePoolRank:
		return p, "it is a reranker, which scores pairs of texts and was not trained for vectors; Pooling forces it"
	}
	return p, fmt.Sprintf("its file names the unknown pooling type %d; say what it was trained for with Pooling", file)
}
