package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// requestView is a request as people read it in the file. Nothing reads it back.
type requestView struct {
	Messages       []messageView `json:"messages,omitempty"`
	Prompt         string        `json:"prompt,omitempty"`
	Shape          []segmentView `json:"shape,omitempty"`
	ResponseFormat *formatView   `json:"response_format,omitempty"`
	Tools          []toolView    `json:"tools,omitempty"`
	ToolChoice     string        `json:"tool_choice,omitempty"`
	Temperature    *wire.Number  `json:"temperature,omitempty"`
	TopP           *wire.Number  `json:"top_p,omitempty"`
	TopK           int           `json:"top_k,omitempty"`
	MinP           *wire.Number  `json:"min_p,omitempty"`
	Seed           *uint64       `json:"seed,omitempty"`
	MaxTokens      int           `json:"max_tokens,omitempty"`
	Stop           []string      `json:"stop,omitempty"`
	Logprobs       bool          `json:"logprobs,omitempty"`
	TopLogprobs    int           `json:"top_logprobs,omitempty"`
	Rollout        int           `json:"rollout,omitempty"`
}

type messageView struct {
	Role       string     `json:"role"`
	Text       string     `json:"text,omitempty"`
	Parts      []partView `json:"parts,omitempty"` // in place of Text where there is a blob
	ToolCalls  []callView `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type partView struct {
	Text string    `json:"text,omitempty"`
	Blob *blobView `json:"blob,omitempty"`
}

type blobView struct {
	Kind   string `json:"kind"`
	MIME   string `json:"mime,omitempty"`
	Name   string `json:"name,omitempty"`
	ID     string `json:"id,omitempty"`
	URL    string `json:"url,omitempty"`
	Bytes  int    `json:"bytes,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

type callView struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type toolView struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Parameters  any    `json:"parameters,omitempty"`
}

type formatView struct {
	Name   string `json:"name,omitempty"`
	Schema any    `json:"schema,omitempty"`
}

type segmentView struct {
	Literal string       `json:"literal,omitempty"`
	Hole    string       `json:"hole,omitempty"`
	Name    string       `json:"name,omitempty"`
	Choices []choiceView `json:"choices,omitempty"`
	Schema  any          `json:"schema,omitempty"`
	Pattern string       `json:"pattern,omitempty"`
}

type choiceView struct {
	Text string      `json:"text"`
	Bias wire.Number `json:"bias,omitempty"`
}

// describe returns the request as JSON for people.
func describe(r *lm.Request) (string, error) {
	v := requestView{
		Prompt: r.Prompt, ToolChoice: string(r.ToolChoice),
		Temperature: (*wire.Number)(r.Temperature), TopP: (*wire.Number)(r.TopP), TopK: r.TopK, MinP: (*wire.Number)(r.MinP),
		Seed: r.Seed, MaxTokens: r.MaxTokens, Stop: r.Stop,
		Logprobs: r.Logprobs, TopLogprobs: r.TopLogprobs, Rollout: r.Rollout,
	}
	for _, m := range r.Messages {
		v.Messages = append(v.Messages, describeMessage(m))
	}
	for _, t := range r.Tools {
		v.Tools = append(v.Tools, toolView{t.Name, t.Description, schemaView(t.Parameters)})
	}
	if f := r.ResponseFormat; f != nil {
		v.ResponseFormat = &formatView{f.Name, schemaView(f.Schema)}
	}
	if r.Shape != nil {
		for _, s := range r.Shape.Segments {
			v.Shape = append(v.Shape, describeSegment(s))
		}
	}
	return plainJSON(v)
}

func describeMessage(m lm.Message) messageView {
	v := messageView{Role: string(m.Role), ToolCallID: m.ToolCallID}
	plain := true
	for _, p := range m.Parts {
		plain = plain && p.Blob == nil
		part := partView{Text: p.Text}
		if p.Blob != nil {
			part.Blob = describeBlob(p.Blob)
		}
		v.Parts = append(v.Parts, part)
	}
	if plain {
		v.Text, v.Parts = m.Text(), nil
	}
	for _, c := range m.ToolCalls {
		v.ToolCalls = append(v.ToolCalls, callView{c.ID, c.Name, c.Arguments})
	}
	return v
}

func describeBlob(b *lm.Blob) *blobView {
	v := &blobView{Kind: fmt.Sprintf("kind %d", b.Kind), MIME: b.MIME, Name: b.Name, ID: b.ID, URL: publicURL(b.URL), Bytes: len(b.Data)}
	switch b.Kind {
	case lm.BlobImage:
		v.Kind = "image"
	case lm.BlobAudio:
		v.Kind = "audio"
	case lm.BlobFile:
		v.Kind = "file"
	}
	if len(b.Data) > 0 {
		sum := sha256.Sum256(b.Data)
		v.SHA256 = hex.EncodeToString(sum[:])
	}
	return v
}

// publicURL leaves out of an address what may be secret: user, password, query and
// fragment, and of a data URI the data.
func publicURL(s string) string {
	if s == "" {
		return ""
	}
	if len(s) >= 5 && strings.EqualFold(s[:5], "data:") {
		head, data, _ := strings.Cut(s, ",")
		return fmt.Sprintf("%s,(%d characters)", head, len(data))
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" {
		return "(an address that cannot be shown)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func describeSegment(s lm.Segment) segmentView {
	v := segmentView{Literal: s.Literal, Name: s.Name, Schema: schemaView(s.Schema), Pattern: s.Pattern}
	switch s.Hole {
	case lm.HoleNone:
	case lm.HoleText:
		v.Hole = "text"
	case lm.HoleChoice:
		v.Hole = "choice"
	case lm.HoleInt:
		v.Hole = "int"
	case lm.HoleFloat:
		v.Hole = "float"
	case lm.HoleBool:
		v.Hole = "bool"
	case lm.HoleJSON:
		v.Hole = "json"
	case lm.HolePattern:
		v.Hole = "pattern"
	default:
		v.Hole = fmt.Sprintf("kind %d", s.Hole)
	}
	for _, c := range s.Choices {
		v.Choices = append(v.Choices, choiceView{c.Text, wire.Number(c.Bias)})
	}
	return v
}

// schemaView shows a schema as JSON, or as a text where it is none.
func schemaView(data []byte) any {
	switch {
	case len(data) == 0:
		return nil
	case json.Valid(data):
		return json.RawMessage(data)
	default:
		return string(data)
	}
}
