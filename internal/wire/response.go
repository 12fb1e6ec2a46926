package wire

import "github.com/whetgo/whet/lm"

// Response is an lm.Response in a file: every field, whatever texts and numbers it holds;
// what has no value is left out.
type Response struct {
	Text        Text       `json:"text"`
	Reasoning   Text       `json:"reasoning,omitempty"`
	ToolCalls   []ToolCall `json:"tool_calls,omitempty"`
	Choices     []Choice   `json:"choices,omitempty"`
	Logprobs    []Logprob  `json:"logprobs,omitempty"`
	Shaped      bool       `json:"shaped,omitempty"`
	Finish      Text       `json:"finish,omitempty"`
	Cut         []Text     `json:"cut,omitempty"`
	Usage       Usage      `json:"usage"`
	Model       Text       `json:"model,omitempty"`
	Fingerprint Text       `json:"fingerprint,omitempty"`
	RequestID   Text       `json:"request_id,omitempty"`
	Cached      bool       `json:"cached,omitempty"`
}

// ToolCall is an lm.ToolCall.
type ToolCall struct {
	ID        Text `json:"id,omitempty"`
	Name      Text `json:"name"`
	Arguments Text `json:"arguments,omitempty"`
}

// Choice is an lm.Choice, and Option an lm.Option.
type Choice struct {
	Name    Text     `json:"name,omitempty"`
	Options []Option `json:"options,omitempty"`
	Picked  int      `json:"picked"`
}

// Option is an alternative of a Choice.
type Option struct {
	Text    Text   `json:"text"`
	LogProb Number `json:"logprob"`
	Prob    Number `json:"prob"`
}

// Logprob is an lm.TokenLogprob.
type Logprob struct {
	Token   Text      `json:"token"`
	LogProb Number    `json:"logprob"`
	Top     []Logprob `json:"top,omitempty"`
}

// Usage has the fields of lm.Usage in their order, so that one converts to the other and
// does not compile where lm has a new one.
type Usage struct {
	Calls            int      `json:"calls,omitempty"`
	PromptTokens     int      `json:"prompt_tokens,omitempty"`
	CachedTokens     int      `json:"cached_tokens,omitempty"`
	CompletionTokens int      `json:"completion_tokens,omitempty"`
	ForcedTokens     int      `json:"forced_tokens,omitempty"`
	ComputedTokens   int      `json:"computed_tokens,omitempty"`
	CachedCalls      int      `json:"cached_calls,omitempty"`
	ReasoningTokens  int      `json:"reasoning_tokens,omitempty"`
	CacheWriteTokens int      `json:"cache_write_tokens,omitempty"`
	Cost             lm.Money `json:"cost_nano_usd,omitempty"`
	PricedCalls      int      `json:"priced_calls,omitempty"`

	AudioPromptTokens     int `json:"audio_prompt_tokens,omitempty"`
	AudioCompletionTokens int `json:"audio_completion_tokens,omitempty"`
}

// FromResponse returns what stands in the file for r.
func FromResponse(r *lm.Response) *Response {
	if r == nil {
		return nil
	}
	return &Response{
		Text: Text(r.Text), Reasoning: Text(r.Reasoning), ToolCalls: Each(r.ToolCalls, FromToolCall),
		Choices: Each(r.Choices, func(c lm.Choice) Choice {
			return Choice{Text(c.Name), Each(c.Options, func(o lm.Option) Option {
				return Option{Text(o.Text), Number(o.LogProb), Number(o.Prob)}
			}), c.Picked}
		}),
		Logprobs: Each(r.Logprobs, fromLogprob), Shaped: r.Shaped, Finish: Text(r.Finish),
		Cut: Each(r.Cut, func(s string) Text { return Text(s) }), Usage: Usage(r.Usage), Model: Text(r.Model),
		Fingerprint: Text(r.Fingerprint), RequestID: Text(r.RequestID), Cached: r.Cached,
	}
}

// FromToolCall returns what stands in the file for c.
func FromToolCall(c lm.ToolCall) ToolCall {
	return ToolCall{Text(c.ID), Text(c.Name), Text(c.Arguments)}
}

func fromLogprob(t lm.TokenLogprob) Logprob {
	return Logprob{Text(t.Token), Number(t.LogProb), Each(t.Top, fromLogprob)}
}

// LM returns a response that shares nothing with any other.
func (w *Response) LM() *lm.Response {
	if w == nil {
		return nil
	}
	return &lm.Response{
		Text: string(w.Text), Reasoning: string(w.Reasoning), ToolCalls: Each(w.ToolCalls, ToolCall.LM),
		Choices: Each(w.Choices, func(c Choice) lm.Choice {
			return lm.Choice{Name: string(c.Name), Picked: c.Picked, Options: Each(c.Options, func(o Option) lm.Option {
				return lm.Option{Text: string(o.Text), LogProb: float64(o.LogProb), Prob: float64(o.Prob)}
			})}
		}),
		Logprobs: Each(w.Logprobs, Logprob.lm), Shaped: w.Shaped, Finish: lm.FinishReason(w.Finish),
		Cut: Each(w.Cut, func(s Text) string { return string(s) }), Usage: lm.Usage(w.Usage), Model: string(w.Model),
		Fingerprint: string(w.Fingerprint), RequestID: string(w.RequestID), Cached: w.Cached,
	}
}

// LM returns the call.
func (w ToolCall) LM() lm.ToolCall {
	return lm.ToolCall{ID: string(w.ID), Name: string(w.Name), Arguments: string(w.Arguments)}
}

func (w Logprob) lm() lm.TokenLogprob {
	return lm.TokenLogprob{Token: string(w.Token), LogProb: float64(w.LogProb), Top: Each(w.Top, Logprob.lm)}
}

// Each returns what f makes of each value; nil of none.
func Each[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
