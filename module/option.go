package module

import (
	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
)

// Option configures a module when it is made.
type Option func(*options)

type options struct {
	adapter     adapter.Adapter
	lm          lm.LM
	temperature *float64
	topP        *float64
	topK        int
	minP        *float64
	seed        *uint64
	maxTokens   int

	logprobs    bool
	topLogprobs int

	retries      int
	jsonFallback bool
	noShape      bool
}

func (o *options) apply(r *lm.Request) {
	r.Temperature, r.TopP, r.TopK, r.MinP = o.temperature, o.topP, o.topK, o.minP
	r.Seed, r.MaxTokens, r.Logprobs, r.TopLogprobs = o.seed, o.maxTokens, o.logprobs, o.topLogprobs
	if o.noShape {
		r.Shape = nil
	}
}

// WithLM gives the module a language model of its own. Without it the context's
// is used (lm.With).
func WithLM(m lm.LM) Option { return func(o *options) { o.lm = m } }

// WithAdapter sets how calls are written and replies are read. The default is
// adapter.Chat.
func WithAdapter(a adapter.Adapter) Option { return func(o *options) { o.adapter = a } }

// Temperature sets the softness of the model's choices. The default is the
// backend's; 0 always takes the most likely.
func Temperature(t float64) Option { return func(o *options) { o.temperature = &t } }

// TopP keeps, of the tokens that may come next, the most likely ones up to this
// mass, in (0, 1]. The default, 1, keeps all.
func TopP(p float64) Option { return func(o *options) { o.topP = &p } }

// TopK keeps, of the tokens that may come next, this many of the most likely ones. The
// default, 0, keeps all.
func TopK(k int) Option { return func(o *options) { o.topK = k } }

// MinP keeps, of the tokens that may come next, those that are at least this many times
// as likely as the likeliest one, in [0, 1]. The default, 0, keeps all.
func MinP(p float64) Option { return func(o *options) { o.minP = &p } }

// Logprobs asks for Prediction.Logprobs, with as many of the likeliest tokens in each
// place as top says, 0 to 20. Not all backends have them.
func Logprobs(top int) Option {
	return func(o *options) { o.logprobs, o.topLogprobs = true, top }
}

// Seed makes sampling repeatable.
func Seed(s uint64) Option { return func(o *options) { o.seed = &s } }

// MaxTokens bounds the tokens that the model may generate; 0, the default,
// leaves it to the backend.
//
// A reply that ends at the limit is a [*TruncatedError], also where the backend
// enforced its form, unless what came last is known to be complete: a choice that no
// other choice begins with, a list or an object with its closing bracket. One thing
// may be cut: the reasoning of a [ChainOfThought], if all fields of the answer are
// there nevertheless, as with a backend that scores the choices after it.
// Prediction.Finish tells.
func MaxTokens(n int) Option { return func(o *options) { o.maxTokens = n } }
