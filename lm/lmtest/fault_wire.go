package lmtest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"strings"

	"github.com/whetgo/whet/lm"
)

// wireAsked is what a Server reads of a request.
type wireAsked struct {
	Model    string `json:"model"`
	Messages []struct {
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Prompt        json.RawMessage `json:"prompt"`
	Input         json.RawMessage `json:"input"`
	Stream        bool            `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N                   int             `json:"n"`
	Stop                json.RawMessage `json:"stop"`
	MaxTokens           int             `json:"max_tokens"`
	MaxCompletionTokens int             `json:"max_completion_tokens"`
	EncodingFormat      string          `json:"encoding_format"`
}

// What a Server answers.
type (
	wireReply struct {
		ID          string       `json:"id"`
		Object      string       `json:"object"`
		Created     int64        `json:"created"`
		Model       string       `json:"model"`
		Fingerprint string       `json:"system_fingerprint"`
		Choices     []wireChoice `json:"choices"`
		Usage       *wireUsage   `json:"usage,omitempty"`
	}
	wireChoice struct {
		Index        int          `json:"index"`
		Message      *wireMessage `json:"message,omitempty"`
		Delta        *wireMessage `json:"delta,omitempty"`
		Text         *string      `json:"text,omitempty"`
		FinishReason *string      `json:"finish_reason"`
	}
	wireMessage struct {
		Role    string  `json:"role,omitempty"`
		Content *string `json:"content,omitempty"`
	}
	wireUsage struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	}
)

// texts reads a text, a list of texts, or a list of parts with texts.
func texts(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return nil
	}
	var joined strings.Builder
	for _, p := range parts {
		joined.WriteString(p.Text)
	}
	return []string{joined.String()}
}

// replies computes the choices and what they cost.
func (q *wireAsked) replies(a *Asked, answer func(*Asked) string) (all []string, finish []string, u wireUsage) {
	limits := &lm.Request{Stop: texts(q.Stop), MaxTokens: max(q.MaxTokens, q.MaxCompletionTokens)}
	for range max(q.N, 1) {
		text, why := cut(answer(a), limits)
		all, finish = append(all, text), append(finish, string(why))
		u.CompletionTokens += countWords(text)
	}
	for _, m := range q.Messages {
		u.PromptTokens += countMarks(strings.Join(texts(m.Content), ""))
	}
	u.PromptTokens += countMarks(strings.Join(texts(q.Prompt), ""))
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return all, finish, u
}

// head is what all answers to one request have in common. It has no clock and no number,
// so that equal requests have equal answers.
func (q *wireAsked) head(object string) wireReply {
	return wireReply{ID: "c-1", Object: object, Created: 1700000000, Model: q.Model, Fingerprint: "fp-1", Choices: []wireChoice{}}
}

// replyTo is the answer in one.
func (q *wireAsked) replyTo(a *Asked, answer func(*Asked) string) []byte {
	all, finish, u := q.replies(a, answer)
	r := q.head("chat.completion")
	for i := range all {
		c := wireChoice{Index: i, FinishReason: &finish[i]}
		if a.Endpoint == EndpointChat {
			c.Message = &wireMessage{"assistant", &all[i]}
		} else {
			r.Object, c.Text = "text_completion", &all[i]
		}
		r.Choices = append(r.Choices, c)
	}
	r.Usage = &u
	return encode(r)
}

// streamOf is the answer as a stream: an event for each word.
func (q *wireAsked) streamOf(a *Asked, answer func(*Asked) string) []byte {
	all, finish, u := q.replies(a, answer)
	var out bytes.Buffer
	event := func(usage *wireUsage, choices ...wireChoice) {
		r := q.head("chat.completion.chunk")
		if a.Endpoint == EndpointCompletions {
			r.Object = "text_completion"
		}
		r.Choices, r.Usage = append(r.Choices, choices...), usage
		out.WriteString("data: ")
		out.Write(encode(r))
		out.WriteString("\n\n")
	}
	part := func(i int, role, text string, finish *string) wireChoice {
		c := wireChoice{Index: i, FinishReason: finish}
		if a.Endpoint == EndpointCompletions {
			c.Text = &text
			return c
		}
		c.Delta = &wireMessage{Role: role}
		if finish == nil {
			c.Delta.Content = &text
		}
		return c
	}
	for i := range all {
		if a.Endpoint == EndpointChat {
			event(nil, part(i, "assistant", "", nil))
		}
		for word := range strings.SplitAfterSeq(all[i], " ") {
			event(nil, part(i, "", word, nil))
		}
		event(nil, part(i, "", "", &finish[i]))
	}
	if q.StreamOptions.IncludeUsage {
		event(&u)
	}
	out.WriteString("data: [DONE]\n\n")
	return out.Bytes()
}

// embeddingSize is the length of a Server's vectors.
const embeddingSize = 8

// embeddings is a vector of length 1 for each text, which depends on the text alone.
func (q *wireAsked) embeddings() []byte {
	type item struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
	}
	var all struct {
		Object string    `json:"object"`
		Data   []item    `json:"data"`
		Model  string    `json:"model"`
		Usage  wireUsage `json:"usage"`
	}
	all.Object, all.Model = "list", q.Model
	for i, text := range texts(q.Input) {
		all.Usage.PromptTokens += countMarks(text)
		it := item{"embedding", i, vector(text)}
		if q.EncodingFormat == "base64" {
			var packed []byte
			for _, v := range vector(text) {
				packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(v))
			}
			it.Embedding = base64.StdEncoding.EncodeToString(packed)
		}
		all.Data = append(all.Data, it)
	}
	all.Usage.TotalTokens = all.Usage.PromptTokens
	return encode(all)
}

func vector(text string) []float32 {
	out := make([]float32, embeddingSize)
	sum := 0.0
	for i := range out {
		h := fnv.New32a()
		_, _ = h.Write([]byte{byte(i)}) // A hash takes everything.
		_, _ = h.Write([]byte(text))
		out[i] = float32(h.Sum32()%2001)/1000 - 1
		sum += float64(out[i]) * float64(out[i])
	}
	if sum == 0 {
		out[0], sum = 1, 1
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(sum))
	}
	return out
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return errorBody(err.Error()) // None of the types above can fail.
	}
	return data
}
