package lm

import "context"

// Wrapper is an LM that puts something before another one, such as a cache. What the
// other can besides answering, and costs nothing, such as [Tokenizer] and [Scorer], is
// found through it by [As], and so is the name: to an answer store a wrapper is the LM
// behind it. One that changes what is asked, or the answer, so that it is not that LM's
// any more, is therefore a [Named] itself, with a name of its own.
type Wrapper interface {
	LM
	// Unwrap returns the LM behind.
	Unwrap() LM
}

// As returns the first of m and the LMs behind it that implements T. It is for what goes
// past a wrapper without harm: to count tokens, and not to get around a budget. Streams
// and several replies at once are therefore no matter for it: see [Stream] and [Sample].
//
//	counter, ok := lm.As[lm.Tokenizer](model)
func As[T any](m LM) (T, bool) {
	for m != nil {
		if t, ok := m.(T); ok {
			return t, true
		}
		w, ok := m.(Wrapper)
		if !ok {
			break
		}
		m = w.Unwrap()
	}
	var none T
	return none, false
}

// Middleware makes an LM of another.
type Middleware func(LM) LM

// Chain returns m behind all of the middleware: the first sees a request first.
//
//	model := lm.Chain(provider, store.Wrap, retry.With(), limiter.Wrap, price.With(table))
func Chain(m LM, wares ...Middleware) LM {
	for i := len(wares) - 1; i >= 0; i-- {
		m = wares[i](m)
	}
	return m
}

// Sampler is an LM that can give several replies to one request at once, for which it
// computes, or charges, the prompt once.
type Sampler interface {
	LM
	// Sample returns n replies, drawn apart from each other. Its Usage is divided so that
	// the sum over the replies is what they cost together.
	Sample(ctx context.Context, r *Request, n int) ([]*Response, error)
}

// Sample returns n replies to one request: of m itself where it is a [Sampler], and else
// by n calls one after the other, which differ in their Rollout and, where the request
// has a Seed, in that. What has come before an error is returned with it.
func Sample(ctx context.Context, m LM, r *Request, n int) ([]*Response, error) {
	if n < 1 {
		return nil, invalid("%d replies are asked for", n)
	}
	if s, ok := m.(Sampler); ok {
		return s.Sample(ctx, r, n)
	}
	var out []*Response
	for i := range n {
		c := r.Clone()
		c.Rollout += i
		if c.Seed != nil {
			c.Seed = Seed(*c.Seed + uint64(i))
		}
		resp, err := m.Generate(ctx, c)
		if err != nil {
			return out, err
		}
		out = append(out, resp)
	}
	return out, nil
}
