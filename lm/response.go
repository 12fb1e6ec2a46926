package lm

// FinishReason says why a reply ended.
type FinishReason string

// Why a reply ended.
const (
	// FinishStop: the model ended its turn, a stop text came, or the shape was filled.
	FinishStop FinishReason = "stop"
	// FinishLength: MaxTokens was reached.
	FinishLength FinishReason = "length"
)

// Response is an LM's reply.
type Response struct {
	// Text is the whole reply. With a Shape that was enforced it includes the
	// literals.
	Text string
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
	return u
}
