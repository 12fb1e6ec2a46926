package cache

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// recordVersion is the version of the JSON of a response.
const recordVersion = 1

// record is a response as JSON. It keeps every field but Cached, whatever texts and numbers
// they hold; what has no value is left out.
type record struct {
	Version     int            `json:"version"`
	Text        text           `json:"text"`
	Reasoning   text           `json:"reasoning,omitempty"`
	ToolCalls   []recordCall   `json:"tool_calls,omitempty"`
	Choices     []recordChoice `json:"choices,omitempty"`
	Logprobs    []recordToken  `json:"logprobs,omitempty"`
	Shaped      bool           `json:"shaped,omitempty"`
	Finish      text           `json:"finish,omitempty"`
	Cut         []text         `json:"cut,omitempty"`
	Usage       recordUsage    `json:"usage"`
	Model       text           `json:"model,omitempty"`
	Fingerprint text           `json:"fingerprint,omitempty"`
	RequestID   text           `json:"request_id,omitempty"`
}

type recordCall struct {
	ID        text `json:"id"`
	Name      text `json:"name"`
	Arguments text `json:"arguments"`
}

type recordChoice struct {
	Name    text           `json:"name"`
	Options []recordOption `json:"options,omitempty"`
	Picked  int            `json:"picked"`
}

type recordOption struct {
	Text    text   `json:"text"`
	LogProb number `json:"logprob"`
	Prob    number `json:"prob"`
}

type recordToken struct {
	Token   text          `json:"token"`
	LogProb number        `json:"logprob"`
	Top     []recordToken `json:"top,omitempty"`
}

// recordUsage is what the answer cost when it was paid, which a hit does not repeat.
type recordUsage struct {
	Calls            int   `json:"calls,omitempty"`
	PromptTokens     int   `json:"prompt_tokens,omitempty"`
	CachedTokens     int   `json:"cached_tokens,omitempty"`
	CompletionTokens int   `json:"completion_tokens,omitempty"`
	ForcedTokens     int   `json:"forced_tokens,omitempty"`
	ComputedTokens   int   `json:"computed_tokens,omitempty"`
	CachedCalls      int   `json:"cached_calls,omitempty"`
	ReasoningTokens  int   `json:"reasoning_tokens,omitempty"`
	CacheWriteTokens int   `json:"cache_write_tokens,omitempty"`
	NanoUSD          int64 `json:"nano_usd,omitempty"`
	PricedCalls      int   `json:"priced_calls,omitempty"`
}

// encodeResponse returns the JSON of a response.
func encodeResponse(r *lm.Response) (string, error) {
	rec := record{
		Version: recordVersion, Text: text(r.Text), Reasoning: text(r.Reasoning), Logprobs: toTokens(r.Logprobs),
		Shaped: r.Shaped, Finish: text(r.Finish), Usage: toUsage(r.Usage),
		Model: text(r.Model), Fingerprint: text(r.Fingerprint), RequestID: text(r.RequestID),
	}
	for _, c := range r.ToolCalls {
		rec.ToolCalls = append(rec.ToolCalls, recordCall{text(c.ID), text(c.Name), text(c.Arguments)})
	}
	for _, c := range r.Choices {
		choice := recordChoice{Name: text(c.Name), Picked: c.Picked}
		for _, o := range c.Options {
			choice.Options = append(choice.Options, recordOption{text(o.Text), number(o.LogProb), number(o.Prob)})
		}
		rec.Choices = append(rec.Choices, choice)
	}
	for _, c := range r.Cut {
		rec.Cut = append(rec.Cut, text(c))
	}
	return plainJSON(rec)
}

// decodeResponse is the inverse of encodeResponse. It takes any bytes.
func decodeResponse(data string) (*lm.Response, error) {
	var rec record
	if err := json.Unmarshal([]byte(data), &rec); err != nil {
		return nil, err
	}
	if rec.Version != recordVersion {
		return nil, fmt.Errorf("the response is of version %d, and this program reads version %d", rec.Version, recordVersion)
	}
	r := &lm.Response{
		Text: string(rec.Text), Reasoning: string(rec.Reasoning), Logprobs: fromTokens(rec.Logprobs),
		Shaped: rec.Shaped, Finish: lm.FinishReason(rec.Finish), Usage: rec.Usage.usage(),
		Model: string(rec.Model), Fingerprint: string(rec.Fingerprint), RequestID: string(rec.RequestID),
	}
	for _, c := range rec.ToolCalls {
		r.ToolCalls = append(r.ToolCalls, lm.ToolCall{ID: string(c.ID), Name: string(c.Name), Arguments: string(c.Arguments)})
	}
	for _, c := range rec.Choices {
		choice := lm.Choice{Name: string(c.Name), Picked: c.Picked}
		for _, o := range c.Options {
			choice.Options = append(choice.Options, lm.Option{Text: string(o.Text), LogProb: float64(o.LogProb), Prob: float64(o.Prob)})
		}
		r.Choices = append(r.Choices, choice)
	}
	for _, c := range rec.Cut {
		r.Cut = append(r.Cut, string(c))
	}
	return r, nil
}

func toTokens(tokens []lm.TokenLogprob) []recordToken {
	var out []recordToken
	for _, t := range tokens {
		out = append(out, recordToken{text(t.Token), number(t.LogProb), toTokens(t.Top)})
	}
	return out
}

func fromTokens(tokens []recordToken) []lm.TokenLogprob {
	var out []lm.TokenLogprob
	for _, t := range tokens {
		out = append(out, lm.TokenLogprob{Token: string(t.Token), LogProb: float64(t.LogProb), Top: fromTokens(t.Top)})
	}
	return out
}

func toUsage(u lm.Usage) recordUsage {
	return recordUsage{
		Calls: u.Calls, PromptTokens: u.PromptTokens, CachedTokens: u.CachedTokens,
		CompletionTokens: u.CompletionTokens, ForcedTokens: u.ForcedTokens, ComputedTokens: u.ComputedTokens,
		CachedCalls: u.CachedCalls, ReasoningTokens: u.ReasoningTokens, CacheWriteTokens: u.CacheWriteTokens,
		NanoUSD: int64(u.Cost), PricedCalls: u.PricedCalls,
	}
}

func (u recordUsage) usage() lm.Usage {
	return lm.Usage{
		Calls: u.Calls, PromptTokens: u.PromptTokens, CachedTokens: u.CachedTokens,
		CompletionTokens: u.CompletionTokens, ForcedTokens: u.ForcedTokens, ComputedTokens: u.ComputedTokens,
		CachedCalls: u.CachedCalls, ReasoningTokens: u.ReasoningTokens, CacheWriteTokens: u.CacheWriteTokens,
		Cost: lm.Money(u.NanoUSD), PricedCalls: u.PricedCalls,
	}
}

// plainJSON encodes v without the escapes that only HTML needs.
func plainJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// text is a string that may end, or begin, inside of a character, as tokens do. JSON cannot
// hold such a one: it becomes {"base64": "..."}.
type text string

type textBytes struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		return json.Marshal(textBytes{[]byte(t)})
	}
	s, err := plainJSON(string(t))
	return []byte(s), err
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var b textBytes
		err := json.Unmarshal(data, &b)
		*t = text(b.Base64)
		return err
	}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("null stands where a text is expected")
	}
	*t = text(*s)
	return nil
}

// number is a float64 that keeps its exact value; those that JSON has no number for become
// texts.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	switch f := float64(n); {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"NaN"`:
		*n = number(math.NaN())
	case `"Infinity"`:
		*n = number(math.Inf(1))
	case `"-Infinity"`:
		*n = number(math.Inf(-1))
	default:
		f, err := strconv.ParseFloat(string(data), 64)
		if err != nil {
			return err
		}
		*n = number(f)
	}
	return nil
}
