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
	seed        *uint64
	maxTokens   int
}

func (o *options) apply(r *lm.Request) {
	r.Temperature, r.Seed, r.MaxTokens = o.temperature, o.seed, o.maxTokens
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

// Seed makes sampling repeatable.
func Seed(s uint64) Option { return func(o *options) { o.seed = &s } }

// MaxTokens bounds the tokens that the model may generate; 0, the default,
// leaves it to the backend.
func MaxTokens(n int) Option { return func(o *options) { o.maxTokens = n } }
