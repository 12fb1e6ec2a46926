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
	// Shaped reports whether the backend enforced the request's Shape.
	Shaped bool
	// Finish says why the reply ended.
	Finish FinishReason
	// Usage is what this reply cost.
	Usage Usage
	// Model names the model that answered.
	Model string
	// Cached reports an answer that came out of a store and was not paid again.
	Cached bool
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
	u.CachedCalls += v.CachedCalls
	return u
}
