package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"sort"
	"strconv"

	"github.com/whetgo/whet/lm"
)

// wireReply is the body of a reply, and a chunk of one that is streamed.
type wireReply struct {
	ID          string           `json:"id"`
	Model       string           `json:"model"`
	Fingerprint string           `json:"system_fingerprint"`
	Choices     list[wireChoice] `json:"choices"`
	Usage       *wireUsage       `json:"usage"`
	Error       json.RawMessage  `json:"error"`
}

// list is a slice that is read anew: where a key comes twice, encoding/json would put the
// second list over the first, and their elements together.
type list[T any] []T

// UnmarshalJSON reads a list.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	var all []T
	err := json.Unmarshal(data, &all)
	*l = all
	return err
}

type wireChoice struct {
	Index    count         `json:"index"`
	Message  *wireMessage  `json:"message"`
	Delta    *wireMessage  `json:"delta"`
	Text     *string       `json:"text"` // of /completions
	Logprobs *wireLogprobs `json:"logprobs"`
	Finish   string        `json:"finish_reason"`
}

type wireMessage struct {
	Content   *wireContent   `json:"content"`
	Refusal   string         `json:"refusal"`
	Reasoning string         `json:"reasoning"`
	Thoughts  string         `json:"reasoning_content"`
	ToolCalls list[wireTool] `json:"tool_calls"`
}

// UnmarshalJSON reads a message anew, as a list is.
func (m *wireMessage) UnmarshalJSON(data []byte) error {
	type plain wireMessage
	var p plain
	err := json.Unmarshal(data, &p)
	*m = wireMessage(p)
	return err
}

func (m *wireMessage) reasoning() string {
	if m.Thoughts != "" {
		return m.Thoughts
	}
	return m.Reasoning
}

type wireTool struct {
	Index    *count `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string        `json:"name"`
		Arguments wireArguments `json:"arguments"`
	} `json:"function"`
}

// wireArguments are a text that holds JSON, or the JSON itself as some servers have it.
type wireArguments string

// UnmarshalJSON reads either.
func (a *wireArguments) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); string(data) == "null" {
		return nil
	}
	var text string
	if len(data) > 0 && data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	} else {
		text = string(data)
	}
	*a = wireArguments(text)
	return nil
}

// wireContent is a text, or a list of parts whose texts are joined.
type wireContent string

// UnmarshalJSON reads either.
func (c *wireContent) UnmarshalJSON(data []byte) error {
	var text string
	if len(data) > 0 && data[0] != '[' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*c = wireContent(text)
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		if p.Type == "" || p.Type == "text" || p.Type == "output_text" {
			text += p.Text
		}
	}
	*c = wireContent(text)
	return nil
}

// count is a number of something: servers write it as they like.
type count int

// UnmarshalJSON reads a number, cut to a whole one that is not negative.
func (c *count) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil && !math.IsInf(f, 0) {
		return errors.New("a number is none")
	}
	*c = count(min(max(f, 0), 1<<52))
	return nil
}

type wireUsage struct {
	Prompt        count `json:"prompt_tokens"`
	Completion    count `json:"completion_tokens"`
	PromptDetails *struct {
		Cached     count `json:"cached_tokens"`
		CacheWrite count `json:"cache_write_tokens"`
		Audio      count `json:"audio_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails *struct {
		Reasoning count `json:"reasoning_tokens"`
		Audio     count `json:"audio_tokens"`
	} `json:"completion_tokens_details"`
	CacheHit   count `json:"prompt_cache_hit_tokens"`     // of DeepSeek
	CacheRead  count `json:"cache_read_input_tokens"`     // of Anthropic
	CacheWrite count `json:"cache_creation_input_tokens"` // of Anthropic
}

// usage returns what a call cost.
func (u *wireUsage) usage() lm.Usage {
	out := lm.Usage{Calls: 1}
	if u == nil {
		return out
	}
	out.PromptTokens, out.CompletionTokens = int(u.Prompt), int(u.Completion)
	cached, written := max(u.CacheHit, u.CacheRead), u.CacheWrite
	if d := u.PromptDetails; d != nil {
		cached, written = max(cached, d.Cached), max(written, d.CacheWrite)
		out.AudioPromptTokens = min(int(d.Audio), out.PromptTokens)
	}
	if d := u.CompletionDetails; d != nil {
		out.ReasoningTokens = min(int(d.Reasoning), out.CompletionTokens)
		out.AudioCompletionTokens = min(int(d.Audio), out.CompletionTokens)
	}
	out.CachedTokens = min(int(cached), out.PromptTokens)
	out.CacheWriteTokens = min(int(written), out.PromptTokens)
	return out
}

// shares divides a usage by n, so that the sum of all shares is the whole.
func shares(u lm.Usage, n int) []lm.Usage {
	out := make([]lm.Usage, n)
	part := func(total, i int) int { return total/n + min(max(total%n-i, 0), 1) }
	for i := range out {
		out[i] = lm.Usage{
			Calls: part(u.Calls, i), PromptTokens: part(u.PromptTokens, i), CachedTokens: part(u.CachedTokens, i),
			CompletionTokens: part(u.CompletionTokens, i), ReasoningTokens: part(u.ReasoningTokens, i), CacheWriteTokens: part(u.CacheWriteTokens, i),
			AudioPromptTokens: part(u.AudioPromptTokens, i), AudioCompletionTokens: part(u.AudioCompletionTokens, i),
		}
	}
	return out
}

// wireLogprobs are those of /chat/completions, and of /completions as OpenAI has them.
type wireLogprobs struct {
	Content []wireToken `json:"content"`

	Tokens   []string             `json:"tokens"`
	Logprobs []*float64           `json:"token_logprobs"`
	Top      []map[string]float64 `json:"top_logprobs"`
}

type wireToken struct {
	Token   string      `json:"token"`
	LogProb *float64    `json:"logprob"`
	Bytes   []uint16    `json:"bytes"`
	Top     []wireToken `json:"top_logprobs"`
}

// text returns the token's own bytes: its text cannot show one that ends inside of a
// character.
func (t wireToken) text() string {
	if len(t.Bytes) == 0 {
		return t.Token
	}
	out := make([]byte, len(t.Bytes))
	for i, b := range t.Bytes {
		out[i] = byte(b)
	}
	return string(out)
}

func (t wireToken) logprob() lm.TokenLogprob {
	out := lm.TokenLogprob{Token: t.text()}
	if t.LogProb != nil {
		out.LogProb = *t.LogProb
	}
	for _, top := range t.Top {
		out.Top = append(out.Top, top.logprob())
	}
	likeliestFirst(out.Top)
	return out
}

func likeliestFirst(tokens []lm.TokenLogprob) {
	sort.SliceStable(tokens, func(i, j int) bool {
		a, b := tokens[i], tokens[j]
		return a.LogProb > b.LogProb || a.LogProb == b.LogProb && a.Token < b.Token
	})
}

// logprobs returns the tokens in order.
func (l *wireLogprobs) logprobs() []lm.TokenLogprob {
	if l == nil {
		return nil
	}
	var out []lm.TokenLogprob
	for _, t := range l.Content {
		out = append(out, t.logprob())
	}
	if len(out) > 0 {
		return out
	}
	for i, token := range l.Tokens {
		t := lm.TokenLogprob{Token: token}
		if i < len(l.Logprobs) && l.Logprobs[i] != nil {
			t.LogProb = *l.Logprobs[i]
		}
		if i < len(l.Top) {
			for text, p := range l.Top[i] {
				t.Top = append(t.Top, lm.TokenLogprob{Token: text, LogProb: p})
			}
			likeliestFirst(t.Top)
		}
		out = append(out, t)
	}
	return out
}

// trimmed returns the tokens as the request asks for them.
func trimmed(tokens []lm.TokenLogprob, r *lm.Request) []lm.TokenLogprob {
	if !r.Logprobs {
		return nil
	}
	for i := range tokens {
		tokens[i].Top = tokens[i].Top[:min(len(tokens[i].Top), r.TopLogprobs)]
		if len(tokens[i].Top) == 0 {
			tokens[i].Top = nil
		}
	}
	return tokens
}
