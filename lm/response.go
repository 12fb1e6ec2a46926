package lm

import "slices"

// FinishReason says why a reply ended.
type FinishReason string

// Why a reply ended.
const (
	// FinishStop: the model ended its turn, a stop text came, or the shape was filled.
	FinishStop FinishReason = "stop"
	// FinishLength: MaxTokens was reached.
	FinishLength FinishReason = "length"
	// FinishTools: the model waits for the tools that it has called.
	FinishTools FinishReason = "tool calls"
)

// Response is an LM's reply.
type Response struct {
	// Text is the whole reply. With a Shape that was enforced it includes the
	// literals.
	Text string
	// Reasoning is what a reasoning model has thought before its reply, where the
	// provider shows it.
	Reasoning string
	// ToolCalls are the tools that the model asks for, in order.
	ToolCalls []ToolCall
	// Choices report each HoleChoice of an enforced Shape, in order.
	Choices []Choice
	// Logprobs report each generated token, in order, where the request asks for them
	// and the backend has them. Literals and choices of a shape are not generated.
	Logprobs []TokenLogprob
	// Shaped reports whether the backend enforced the request's Shape.
	Shaped bool
	// Finish says why the reply ended.
	Finish FinishReason
	// Cut names the holes of an enforced Shape that the limit of tokens ended: they
	// are of their form, and empty or closed before the model would have ended them.
	// A backend that enforces shapes names them all where Finish is FinishLength.
	Cut []string
	// Usage is what this reply cost.
	Usage Usage
	// Model names the model that answered.
	Model string
	// Fingerprint identifies what the provider ran, weights and settings: where it has
	// changed, the same request with the same seed may have another answer. It is empty
	// where the provider does not tell.
	Fingerprint string
	// RequestID is the provider's number of the request.
	RequestID string
	// Cached reports an answer that came out of a store and was not paid again.
	Cached bool
}

// TokenLogprob is a token and its log-probability in its place: that of the model,
// before temperature, cuts and the form of a shape.
type TokenLogprob struct {
	// Token is the token's text, which may end inside of a character.
	Token   string
	LogProb float64
	// Top are the likeliest tokens in this place, the likeliest first, as many as the
	// request's TopLogprobs.
	Top []TokenLogprob
}

// Usage counts what one or several calls cost. Token counts are those of the
// backend's own tokenizer.
type Usage struct {
	// Calls is the number of LM calls.
	Calls int
	// PromptTokens is the length of the prompt; CachedTokens of them were known
	// to the backend and not computed again.
	PromptTokens, CachedTokens int
	// CompletionTokens were decoded one by one; ForcedTokens (literals and scored
	// alternatives) were computed in one step without decoding.
	CompletionTokens, ForcedTokens int
	// ComputedTokens is how many tokens the backend has evaluated for this call and
	// no other: a token that several calls share is counted once. 0 means that the
	// backend does not tell.
	ComputedTokens int
	// CachedCalls of the Calls were answered from a store.
	CachedCalls int
	// ReasoningTokens of the CompletionTokens were thoughts before the reply.
	ReasoningTokens int
	// CacheWriteTokens of the PromptTokens were written into the provider's cache, which
	// some charge for.
	CacheWriteTokens int
	// Cost is what PricedCalls of the Calls have cost. The cost of the others is not
	// known; see [Usage.CostKnown]. A call of a model in the process, and one that was
	// answered from a store, costs nothing and is known to.
	Cost        Money
	PricedCalls int
	// AudioPromptTokens of the PromptTokens, and AudioCompletionTokens of the
	// CompletionTokens, are sound, which has prices of its own.
	AudioPromptTokens, AudioCompletionTokens int
}

// Tokens returns how many tokens there were in all: those of prompts, cached ones included,
// of completions, and forced ones.
func (u Usage) Tokens() int { return u.PromptTokens + u.CompletionTokens + u.ForcedTokens }

// CostKnown reports whether the Cost is that of all calls.
func (u Usage) CostKnown() bool { return u.PricedCalls == u.Calls }

// Clone returns a copy of r that shares no slice with it.
func (r *Response) Clone() *Response {
	c := *r
	c.ToolCalls = slices.Clone(r.ToolCalls)
	c.Choices = slices.Clone(r.Choices)
	for i := range c.Choices {
		c.Choices[i].Options = slices.Clone(c.Choices[i].Options)
	}
	c.Logprobs = cloneLogprobs(r.Logprobs)
	c.Cut = slices.Clone(r.Cut)
	return &c
}

func cloneLogprobs(tokens []TokenLogprob) []TokenLogprob {
	out := slices.Clone(tokens)
	for i := range out {
		out[i].Top = cloneLogprobs(out[i].Top)
	}
	return out
}

// Add returns the sum of u and v.
func (u Usage) Add(v Usage) Usage {
	u.Calls += v.Calls
	u.PromptTokens += v.PromptTokens
	u.CachedTokens += v.CachedTokens
	u.CompletionTokens += v.CompletionTokens
	u.ForcedTokens += v.ForcedTokens
	u.ComputedTokens += v.ComputedTokens
	u.CachedCalls += v.CachedCalls
	u.ReasoningTokens += v.ReasoningTokens
	u.CacheWriteTokens += v.CacheWriteTokens
	u.Cost += v.Cost
	u.PricedCalls += v.PricedCalls
	u.AudioPromptTokens += v.AudioPromptTokens
	u.AudioCompletionTokens += v.AudioCompletionTokens
	return u
}
