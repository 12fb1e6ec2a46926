package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

const (
	// maxMessage is how many bytes of a provider's message are kept, and maxCode of its
	// code or number of a request.
	maxMessage = 1 << 10
	maxCode    = 128
	// maxErrorBody is how much of the body of a failure is read.
	maxErrorBody = 64 << 10
)

func failure(kind lm.ErrorKind, format string, args ...any) *lm.Error {
	return &lm.Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// failure makes an error of this model.
func (c *client) failure(kind lm.ErrorKind, format string, args ...any) *lm.Error {
	e := failure(kind, format, args...)
	e.Provider, e.Model = c.provider, c.model
	return e
}

// because makes an error with a cause, whose text is cleaned of keys.
func (c *client) because(kind lm.ErrorKind, err error, format string, args ...any) *lm.Error {
	e := c.failure(kind, format, args...)
	e.Err = c.scrub.cause(err)
	return e
}

// head is what is known of a response beside its body.
type head struct {
	StatusCode int
	Header     http.Header
}

func headOf(resp *http.Response) *head { return &head{resp.StatusCode, resp.Header} }

// broken makes the error of a reply with status 200 that is none.
func (c *client) broken(resp *head, err error, format string, args ...any) *lm.Error {
	e := c.because(lm.ErrBackend, err, format, args...)
	if resp != nil {
		e.Status, e.RequestID = resp.StatusCode, c.requestID(resp.Header)
	}
	return e
}

// requestID returns the provider's number of a request.
func (c *client) requestID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Goog-Request-Id"} {
		if id := h.Get(name); id != "" {
			return c.short(id, maxCode)
		}
	}
	return ""
}

// short cleans a text of a provider's and cuts it, between characters.
func (c *client) short(text string, limit int) string {
	text = c.scrub.clean(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	if len(text) <= limit {
		return text
	}
	const mark = "..."
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}

// complaint is what a provider says about a failure.
type complaint struct {
	message, code, kind string
	status              int
	prompt, limit       int           // tokens, where llama-server says by how much a prompt is too long
	wait                time.Duration // how long Gemini asks to wait
}

// wireComplaint is one in its several forms.
type wireComplaint struct {
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Code    json.RawMessage `json:"code"`
	Type    json.RawMessage `json:"type"`
	Status  json.RawMessage `json:"status"`
	Details json.RawMessage `json:"details"`
	Prompt  count           `json:"n_prompt_tokens"`
	Limit   count           `json:"n_ctx"`
}

// readComplaint reads the body of a failure. It understands the forms of OpenAI
// ({"error": {...}}), Gemini (a list of these), vLLM ({"message": ...}), servers in Python
// ({"detail": ...}) and a plain text.
func readComplaint(body []byte) complaint {
	body = bytes.TrimSpace(body)
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var w wireComplaint
	if json.Unmarshal(body, &w) != nil {
		return complaint{message: plain(body)}
	}
	if len(w.Error) > 0 && string(w.Error) != "null" {
		var inner wireComplaint
		if json.Unmarshal(w.Error, &inner) != nil {
			inner = wireComplaint{Message: w.Error, Code: w.Code, Type: w.Type}
		}
		w = inner
	}
	c := complaint{message: scalar(w.Message), kind: scalar(w.Type), prompt: int(w.Prompt), limit: int(w.Limit)}
	if c.message == "" {
		c.message = scalar(w.Detail)
	}
	c.wait = waitIn(w.Details)
	for _, code := range []json.RawMessage{w.Code, w.Type, w.Status} {
		text := scalar(code)
		var n int
		if json.Unmarshal(code, &n) == nil && n >= 100 && n <= 599 {
			c.status = n // the HTTP status once more, and no word for it
			continue
		}
		if c.code == "" {
			c.code = text
		}
	}
	return c
}

// waitIn returns the time to wait that stands in Google's details of a failure, or 0.
func waitIn(details json.RawMessage) time.Duration {
	var list []struct {
		Delay json.RawMessage `json:"retryDelay"`
	}
	if json.Unmarshal(details, &list) != nil {
		return 0
	}
	for _, d := range list {
		if wait, err := time.ParseDuration(scalar(d.Delay)); err == nil {
			return clampWait(wait)
		}
	}
	return 0
}

// scalar returns a text as it is, and anything else as JSON.
func scalar(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// plain returns a body that is no JSON, for a message.
func plain(body []byte) string {
	if looksLikeHTML(body) {
		return "the body is an HTML page"
	}
	return string(body)
}

func looksLikeHTML(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// refusal makes the error of a status other than 200, of the head of its body.
func (c *client) refusal(status int, h http.Header, body []byte, now time.Time) *lm.Error {
	said := readComplaint(body)
	e := c.complained(status, said)
	e.Status = status
	e.RequestID = c.requestID(h)
	e.RetryAfter = max(e.RetryAfter, retryAfter(h, now))
	switch {
	case status >= 300 && status < 400:
		e.Message = "the server redirects, which is not followed; set the option BaseURL to where it leads"
	case e.Message == "":
		e.Message = "the provider gave no reason"
	}
	return e
}

// complained makes the error of a complaint, which may come in the middle of a stream.
func (c *client) complained(status int, said complaint) *lm.Error {
	e := c.failure(kindOf(status, said), "%s", c.short(said.message, maxMessage))
	e.Code = c.short(said.code, maxCode)
	e.RetryAfter = said.wait
	if e.Kind == lm.ErrContextLength && said.limit > 0 && said.prompt > 0 {
		e.Err = &lm.ContextLengthError{Prompt: said.prompt, Limit: said.limit}
	}
	return e
}

// kindOf says what kind of failure a status and a complaint are.
func kindOf(status int, said complaint) lm.ErrorKind {
	words := strings.ToLower(said.code + " " + said.kind)
	message := strings.ToLower(said.message)
	has := func(in string, words ...string) bool {
		for _, w := range words {
			if strings.Contains(in, w) {
				return true
			}
		}
		return false
	}
	client := status == 0 || status >= 400 && status < 500
	switch {
	case client && has(words, "context_length_exceeded", "exceed_context_size", "context_window_exceeded", "string_above_max_length"):
		return lm.ErrContextLength
	case client && has(words, "insufficient_quota", "billing_hard_limit", "insufficient_balance", "credit_balance"):
		return lm.ErrQuota
	case client && has(words, "content_filter", "content_policy", "responsibleaipolicy"):
		return lm.ErrRefused
	case client && has(words, "model_not_found", "model_not_exist"):
		return lm.ErrModel
	}
	switch status {
	case 401, 403:
		return lm.ErrAuth
	case 402:
		return lm.ErrQuota
	case 404:
		return lm.ErrModel
	case 408, 504, 524:
		return lm.ErrTimeout
	case 429:
		return lm.ErrRateLimit
	case 409, 425:
		return lm.ErrBackend
	case 501:
		return lm.ErrUnsupported
	case 400, 413, 422:
		if has(message, "context length", "context window", "context size", "maximum context", "prompt is too long", "input token count", "too many tokens", "input is too long") {
			return lm.ErrContextLength
		}
		if has(message, "credit balance is too low") {
			return lm.ErrQuota
		}
		return lm.ErrInvalidRequest
	case 0: // in a stream, without a status of its own
		return wordKind(words, has)
	}
	switch {
	case status >= 300 && status < 400:
		return lm.ErrUnavailable
	case status >= 400 && status < 500:
		return lm.ErrInvalidRequest
	}
	return lm.ErrBackend
}

// wordKind says what kind of failure the words alone mean.
func wordKind(words string, has func(string, ...string) bool) lm.ErrorKind {
	switch {
	case has(words, "rate_limit", "resource_exhausted", "too_many_requests"):
		return lm.ErrRateLimit
	case has(words, "timeout", "deadline_exceeded"):
		return lm.ErrTimeout
	case has(words, "authentication", "permission", "unauthenticated"):
		return lm.ErrAuth
	case has(words, "invalid_request", "invalid_argument", "badrequest"):
		return lm.ErrInvalidRequest
	}
	return lm.ErrBackend
}
