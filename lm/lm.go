package lm

import "context"

// LM is a language model: one method, safe for concurrent use.
//
// Generate answers r. It must not keep or change r after it returns, returns
// ctx.Err() (wrapped or not) when the context ended, and an *Error for
// everything else that went wrong. What a model can do beyond that it says by
// optional interfaces: [Named], [Tokenizer], [Scorer], [Streamer], [Sampler].
type LM interface {
	Generate(ctx context.Context, r *Request) (*Response, error)
}

// Func makes an LM of a function.
type Func func(ctx context.Context, r *Request) (*Response, error)

// Generate calls f.
func (f Func) Generate(ctx context.Context, r *Request) (*Response, error) { return f(ctx, r) }

// Named is an LM that says what it is: a name that is the same for two LMs that
// answer alike (a model file's hash, a provider's model name) and holds no key.
//
// A name begins with what reaches the model, and a colon:
//
//	openai:gpt-4o-mini                       lm/openai: provider:model
//	vllm:qwen@gpu-box:8000                   at another address than the provider's: provider:model@host
//	openai:gpt-5#012791ef                    with a tag, before the host, for other settings that change replies
//	llamacpp:m.gguf:sha256:0123456789ab      lm/llamacpp: the file and what it holds
//	llamacpp:m.gguf:sha256:0123456789ab+bf16 whose weights are computed in another form
//	fallback(a | b)                          several models, of which any may answer
//
// What a user writes to name a model may look otherwise: "openai/gpt-4o-mini". A model of
// one's own is best named by the same rule, so that lm/price finds its provider.
type Named interface {
	LM
	// Name identifies the model, for example "openai:gpt-4o-mini".
	Name() string
}

// Tokenizer is an LM that can count.
type Tokenizer interface {
	LM
	// CountTokens returns the number of tokens that the request's prompt takes.
	CountTokens(ctx context.Context, r *Request) (int, error)
}

// NameOf returns the name of an LM that has one, or of the one behind it (see [Wrapper]),
// and "" for any other.
func NameOf(m LM) string {
	if n, ok := As[Named](m); ok {
		return n.Name()
	}
	return ""
}

type lmKey struct{}

// With returns a context in which predictors without an LM of their own use m.
func With(ctx context.Context, m LM) context.Context {
	return context.WithValue(ctx, lmKey{}, m)
}

// From returns the LM of the context, or nil.
func From(ctx context.Context) LM {
	m, _ := ctx.Value(lmKey{}).(LM)
	return m
}

type wrapKey struct{}

// Wrap returns a context in which every LM that a predictor calls, its own or
// the context's, is wrapped by w: how an optimizer puts its answer store before
// each model without touching the program. Of several wrappers the one added
// last sees a request first, and the one added first is next to the model.
//
// w runs again for every call of every predictor, and several at once: what is to be
// shared by calls, such as a cache, a limit or a count, must be made outside of it.
//
//	store := optimize.NewStore()
//	ctx = lm.Wrap(ctx, store.Wrap) // and not func(m lm.LM) lm.LM { return optimize.NewStore().Wrap(m) }
func Wrap(ctx context.Context, w func(LM) LM) context.Context {
	if outer, ok := ctx.Value(wrapKey{}).(func(LM) LM); ok {
		inner := w
		w = func(m LM) LM { return inner(outer(m)) }
	}
	return context.WithValue(ctx, wrapKey{}, w)
}

// Wrapped returns m inside the wrappers of the context.
func Wrapped(ctx context.Context, m LM) LM {
	if w, ok := ctx.Value(wrapKey{}).(func(LM) LM); ok {
		return w(m)
	}
	return m
}
