package cassette

import (
	"errors"
	"time"

	"github.com/whetgo/whet/lm"
)

// response is an lm.Response as a cassette holds it.
type response struct {
	Text        text       `json:"text"`
	Reasoning   text       `json:"reasoning,omitempty"`
	ToolCalls   []toolCall `json:"tool_calls,omitempty"`
	Choices     []choice   `json:"choices,omitempty"`
	Logprobs    []logprob  `json:"logprobs,omitempty"`
	Shaped      bool       `json:"shaped,omitempty"`
	Finish      text       `json:"finish,omitempty"`
	Cut         []text     `json:"cut,omitempty"`
	Usage       usage      `json:"usage"`
	Model       text       `json:"model,omitempty"`
	Fingerprint text       `json:"fingerprint,omitempty"`
	RequestID   text       `json:"request_id,omitempty"`
	Cached      bool       `json:"cached,omitempty"`
}

type choice struct {
	Name    text     `json:"name,omitempty"`
	Options []option `json:"options"`
	Picked  int      `json:"picked"`
}

type option struct {
	Text    text   `json:"text"`
	LogProb number `json:"logprob"`
	Prob    number `json:"prob"`
}

type logprob struct {
	Token   text      `json:"token"`
	LogProb number    `json:"logprob"`
	Top     []logprob `json:"top,omitempty"`
}

// usage has the fields of lm.Usage in their order, so that one converts to the other and
// does not compile where lm has a new one.
type usage struct {
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
}

func wireResponse(r *lm.Response) *response {
	if r == nil {
		return nil
	}
	return &response{
		Text: text(r.Text), Reasoning: text(r.Reasoning), ToolCalls: each(r.ToolCalls, wireCall),
		Choices: each(r.Choices, func(c lm.Choice) choice {
			return choice{text(c.Name), each(c.Options, func(o lm.Option) option {
				return option{text(o.Text), number(o.LogProb), number(o.Prob)}
			}), c.Picked}
		}),
		Logprobs: each(r.Logprobs, wireLogprob), Shaped: r.Shaped, Finish: text(r.Finish),
		Cut: each(r.Cut, func(s string) text { return text(s) }), Usage: usage(r.Usage), Model: text(r.Model),
		Fingerprint: text(r.Fingerprint), RequestID: text(r.RequestID), Cached: r.Cached,
	}
}

func wireLogprob(t lm.TokenLogprob) logprob {
	return logprob{text(t.Token), number(t.LogProb), each(t.Top, wireLogprob)}
}

// lm returns a response that shares nothing with any other.
func (w *response) lm() *lm.Response {
	if w == nil {
		return nil
	}
	return &lm.Response{
		Text: string(w.Text), Reasoning: string(w.Reasoning), ToolCalls: each(w.ToolCalls, toolCall.lm),
		Choices: each(w.Choices, func(c choice) lm.Choice {
			return lm.Choice{Name: string(c.Name), Picked: c.Picked, Options: each(c.Options, func(o option) lm.Option {
				return lm.Option{Text: string(o.Text), LogProb: float64(o.LogProb), Prob: float64(o.Prob)}
			})}
		}),
		Logprobs: each(w.Logprobs, logprob.lm), Shaped: w.Shaped, Finish: lm.FinishReason(w.Finish),
		Cut: each(w.Cut, func(s text) string { return string(s) }), Usage: lm.Usage(w.Usage), Model: string(w.Model),
		Fingerprint: string(w.Fingerprint), RequestID: string(w.RequestID), Cached: w.Cached,
	}
}

func (w logprob) lm() lm.TokenLogprob {
	return lm.TokenLogprob{Token: string(w.Token), LogProb: float64(w.LogProb), Top: each(w.Top, logprob.lm)}
}

// failure is an error as a cassette holds it: the first *lm.Error of its chain.
type failure struct {
	// Text is the whole error, where it is more than the *lm.Error, or has none.
	Text          text           `json:"text,omitempty"`
	Kind          text           `json:"kind,omitempty"`
	Provider      text           `json:"provider,omitempty"`
	Model         text           `json:"model,omitempty"`
	Message       text           `json:"message,omitempty"`
	Status        int            `json:"status,omitempty"`
	Code          text           `json:"code,omitempty"`
	RetryAfter    string         `json:"retry_after,omitempty"`
	RequestID     text           `json:"request_id,omitempty"`
	Partial       *response      `json:"partial,omitempty"`
	ContextLength *contextLength `json:"context_length,omitempty"`
	Cause         text           `json:"cause,omitempty"`
}

type contextLength struct {
	Prompt int `json:"prompt"`
	Reply  int `json:"reply"`
	Limit  int `json:"limit"`
}

func wireError(err error) *failure {
	e, ok := errors.AsType[*lm.Error](err)
	if !ok {
		return &failure{Text: text(err.Error())}
	}
	f := &failure{
		Kind: text(e.Kind), Provider: text(e.Provider), Model: text(e.Model), Message: text(e.Message), Status: e.Status,
		Code: text(e.Code), RequestID: text(e.RequestID), Partial: wireResponse(e.Partial),
	}
	if e.RetryAfter != 0 {
		f.RetryAfter = e.RetryAfter.String()
	}
	tooLong, isTooLong := errors.AsType[*lm.ContextLengthError](e.Err)
	if isTooLong {
		c := contextLength(*tooLong)
		f.ContextLength = &c
	}
	if e.Err != nil && !(isTooLong && e.Err.Error() == tooLong.Error()) {
		f.Cause = text(e.Err.Error())
	}
	if whole := err.Error(); whole != e.Error() || e.Kind == "" {
		f.Text = text(whole)
	}
	return f
}

// lm returns the error; the second one is that it cannot be read.
func (w *failure) lm() (replayed, err error) {
	if w.Kind == "" {
		return &recorded{text: string(w.Text)}, nil
	}
	e := &lm.Error{
		Kind: lm.ErrorKind(w.Kind), Provider: string(w.Provider), Model: string(w.Model), Message: string(w.Message), Status: w.Status,
		Code: string(w.Code), RequestID: string(w.RequestID), Partial: w.Partial.lm(),
	}
	if w.RetryAfter != "" {
		if e.RetryAfter, err = time.ParseDuration(w.RetryAfter); err != nil {
			return nil, err
		}
	}
	if w.ContextLength != nil {
		c := lm.ContextLengthError(*w.ContextLength)
		e.Err = &c
	}
	if w.Cause != "" {
		e.Err = &recorded{string(w.Cause), e.Err}
	}
	if w.Text != "" {
		return &recorded{string(w.Text), e}, nil
	}
	return e, nil
}

// recorded is an error of which a cassette has the text, and maybe what it wraps.
type recorded struct {
	text string
	err  error
}

func (e *recorded) Error() string { return e.text }

func (e *recorded) Unwrap() error { return e.err }
