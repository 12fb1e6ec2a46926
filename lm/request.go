package lm

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Role says who speaks a message.
type Role string

// The roles of a conversation.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	// RoleTool is the answer of a tool to a call that the assistant has made.
	RoleTool Role = "tool"
)

// Message is one turn of a conversation.
type Message struct {
	Role  Role
	Parts []Part
	// ToolCalls are what the assistant asks tools for; it may have no Parts then.
	ToolCalls []ToolCall
	// ToolCallID says which call a message of RoleTool answers.
	ToolCallID string
}

// Part is one piece of a message's content. Exactly one of its fields is set.
type Part struct {
	// Text is plain text. Special tokens of a model that stand in it are text.
	Text string
	// Blob is data of another kind, for models that understand it.
	Blob *Blob
}

// Blob is an image, a sound or a file inside a message. What it holds is in one of
// Data, URL and ID.
type Blob struct {
	// Kind says as what the model takes it.
	Kind BlobKind
	// MIME is the media type, for example "image/png" or "audio/wav"; it may be empty
	// where it is not known.
	MIME string
	// Data holds the bytes, or URL says where they are: at an address, or in itself
	// as a data URI.
	Data []byte
	URL  string
	// ID is that of a file which the provider has already.
	ID string
	// Name is a file's name, shown to the model; it may be empty.
	Name string
}

// BlobKind is the kind of a [Blob].
type BlobKind int

// The kinds of blobs.
const (
	// BlobImage is a picture.
	BlobImage BlobKind = iota
	// BlobAudio is a sound.
	BlobAudio
	// BlobFile is a document.
	BlobFile
)

// URI returns where the blob is, or the blob itself as a data URI; "" for one that
// has an ID alone.
func (b *Blob) URI() string {
	if b.URL != "" || b.Data == nil {
		return b.URL
	}
	return "data:" + b.MIME + ";base64," + base64.StdEncoding.EncodeToString(b.Data)
}

// System, User and Assistant make a message of one text part.
func System(text string) Message { return Message{Role: RoleSystem, Parts: []Part{{Text: text}}} }

// User makes a user message of one text part.
func User(text string) Message { return Message{Role: RoleUser, Parts: []Part{{Text: text}}} }

// Assistant makes an assistant message of one text part.
func Assistant(text string) Message { return Message{Role: RoleAssistant, Parts: []Part{{Text: text}}} }

// Text returns the message's text parts joined.
func (m Message) Text() string {
	if len(m.Parts) == 1 {
		return m.Parts[0].Text
	}
	var b strings.Builder
	for _, p := range m.Parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Request asks an LM for one reply. It holds either Messages or one raw Prompt.
type Request struct {
	// Messages is the conversation; the last one is usually the user's. The
	// backend applies the model's chat template.
	Messages []Message
	// Prompt is a raw text that the model continues: no chat template is applied.
	// Special tokens in it are text.
	Prompt string
	// Shape, when set, is the form of the reply. A backend that can, enforces it
	// and says so in Response.Shaped; any other ignores it.
	Shape *Shape
	// ResponseFormat, when set, asks a backend without shapes for a JSON object; see
	// [ResponseFormat]. A backend that enforces Shape ignores it where there is one.
	ResponseFormat *ResponseFormat
	// Tools are what the model may ask to be called, and ToolChoice says whether it must:
	// see [ToolChoice]. A backend without tools refuses a request with some.
	Tools      []Tool
	ToolChoice ToolChoice
	// Temperature is the softness of the choice of tokens; nil means the
	// backend's default, and 0 (greedy) is not nil. See [Temperature].
	Temperature *float64
	// TopP keeps the most likely tokens up to this mass; nil or 1 keeps all.
	TopP *float64
	// TopK keeps this many of the most likely tokens; 0 keeps all.
	TopK int
	// MinP keeps the tokens that are at least this many times as likely as the
	// likeliest; nil or 0 keeps all.
	MinP *float64
	// Seed makes sampling repeatable; nil lets the backend choose.
	Seed *uint64
	// MaxTokens bounds the generated tokens; 0 means the backend's default.
	MaxTokens int
	// Stop ends the reply before any of these texts.
	Stop []string
	// Logprobs asks for the log-probability of each token that is generated, in
	// Response.Logprobs, and TopLogprobs for those of this many of the likeliest
	// tokens in its place besides. A backend without them leaves the list empty.
	Logprobs    bool
	TopLogprobs int
	// Rollout tells apart repeated calls of the same request: an answer store
	// keeps one answer for each. It never reaches the model.
	Rollout int
}

// maxTopLogprobs is what providers allow at most.
const maxTopLogprobs = 20

// ResponseFormat asks for a reply that is a JSON object. It is immutable once it is
// part of a request.
type ResponseFormat struct {
	// Name names the object, for providers that want a name.
	Name string
	// Schema is its JSON Schema, in which every property is required and no other
	// allowed; empty means any object.
	Schema []byte
}

// Temperature returns a pointer to t, for Request.Temperature.
func Temperature(t float64) *float64 { return &t }

// Seed returns a pointer to s, for Request.Seed.
func Seed(s uint64) *uint64 { return &s }

// Clone returns a copy of r that shares no slice with it. The Shape, which is
// immutable, and the Blobs are shared.
func (r *Request) Clone() *Request {
	c := *r
	c.Messages = slices.Clone(r.Messages)
	for i := range c.Messages {
		c.Messages[i].Parts = slices.Clone(c.Messages[i].Parts)
		c.Messages[i].ToolCalls = slices.Clone(c.Messages[i].ToolCalls)
	}
	c.Tools = slices.Clone(r.Tools)
	c.Stop = slices.Clone(r.Stop)
	return &c
}

// Validate reports a request that no backend can answer, as an *Error of kind
// ErrInvalidRequest.
func (r *Request) Validate() error {
	switch {
	case r == nil:
		return &Error{Kind: ErrInvalidRequest, Message: "the request is nil"}
	case len(r.Messages) == 0 && r.Prompt == "":
		return &Error{Kind: ErrInvalidRequest, Message: "the request holds neither Messages nor a Prompt"}
	case len(r.Messages) > 0 && r.Prompt != "":
		return &Error{Kind: ErrInvalidRequest, Message: "the request holds both Messages and a Prompt; set one of them"}
	case r.MaxTokens < 0:
		return &Error{Kind: ErrInvalidRequest, Message: "MaxTokens is negative"}
	case r.Temperature != nil && !(*r.Temperature >= 0 && *r.Temperature <= math.MaxFloat64):
		return &Error{Kind: ErrInvalidRequest, Message: "Temperature is negative or no finite number"}
	case r.TopP != nil && !(*r.TopP > 0 && *r.TopP <= 1):
		return &Error{Kind: ErrInvalidRequest, Message: "TopP is not in (0, 1]"}
	case r.TopK < 0:
		return &Error{Kind: ErrInvalidRequest, Message: "TopK is negative"}
	case r.MinP != nil && !(*r.MinP >= 0 && *r.MinP <= 1):
		return &Error{Kind: ErrInvalidRequest, Message: "MinP is not in [0, 1]"}
	case r.TopLogprobs < 0 || r.TopLogprobs > maxTopLogprobs:
		return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf("TopLogprobs is not in 0 to %d", maxTopLogprobs)}
	case r.TopLogprobs > 0 && !r.Logprobs:
		return &Error{Kind: ErrInvalidRequest, Message: "TopLogprobs is set without Logprobs"}
	}
	if err := r.validateTools(); err != nil {
		return err
	}
	return r.Shape.validate()
}
