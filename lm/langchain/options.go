package langchain

import (
	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

// Option changes how a model is wrapped.
type Option func(*config)

type config struct {
	name    string
	lossy   bool
	options []llms.CallOption
}

// Name sets what [lm.NameOf] returns, by which stores tell models apart and package
// lm/price finds the price: "provider:model", see [lm.Named]. langchaingo does not tell it. Without this
// option the LM has no name.
func Name(name string) Option { return func(c *config) { c.name = name } }

// Lossy drops settings of a request that cannot be passed on, instead of refusing it; the
// package's comment lists them. What a message holds is never dropped.
func Lossy() Option { return func(c *config) { c.lossy = true } }

// CallOptions go with every call, before those that the request makes: for what a request
// cannot say, such as llms.WithMetadata. They must not ask for several replies or set a
// function for streams.
func CallOptions(options ...llms.CallOption) Option {
	return func(c *config) { c.options = append(c.options, options...) }
}

// check reports options that cannot be used, at the first call.
func (c *config) check() error {
	var o llms.CallOptions
	for _, set := range c.options {
		if set == nil {
			return invalid("CallOptions holds an option that is nil")
		}
		set(&o)
	}
	switch {
	case o.N > 1 || o.CandidateCount > 1:
		return invalid("CallOptions ask for several replies; use lm.Sample, which calls once for each")
	case o.StreamingFunc != nil || o.StreamingReasoningFunc != nil:
		return invalid("CallOptions set a function for streams; use lm.Stream")
	}
	return nil
}

func invalid(message string) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: provider, Message: message}
}
