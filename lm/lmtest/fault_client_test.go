package lmtest_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

// clientLimit is how many bytes of a reply a client reads.
const clientLimit = 8 << 20

// clientKey is the key of a client. It is nobody's.
const clientKey = "sk-canary-7f3a9c1e5b"

// client is a small LM over HTTP that does all that the suite demands; with a bug it does
// one thing wrong.
type client struct {
	base string
	http *http.Client
	bug  string
}

// backend is the client as the suite wants it.
func backend(bug string) lmtest.HTTPBackend {
	return lmtest.HTTPBackend{MaxReply: clientLimit, Secret: clientKey, Open: func(t *testing.T, base string, h *http.Client) (lm.LM, error) {
		u, err := url.Parse(base)
		if bug != "address" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Message: "no URL of http or https"}
		}
		c := http.Client{Transport: &http.Transport{}}
		if h != nil {
			c = *h
		}
		t.Cleanup(c.CloseIdleConnections)
		if bug != "redirect" {
			c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		}
		return &client{base, &c, bug}, nil
	}}
}

// fail makes an error, without the key.
func (c *client) fail(ctx context.Context, kind lm.ErrorKind, partial *lm.Response, message string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.bug != "secret" {
		message = strings.ReplaceAll(message, clientKey, "***")
	}
	if c.bug == "untyped" {
		return errors.New(message)
	}
	if partial != nil && (partial.Text == "" || c.bug == "partial") {
		partial = nil
	}
	return &lm.Error{Kind: kind, Message: message, Partial: partial}
}

// ask sends the request, and returns a response of status 200.
func (c *client) ask(ctx context.Context, q *lm.Request, stream bool) (*http.Response, error) {
	body := map[string]any{"model": "m", "stream": stream, "messages": []map[string]string{{"role": "user", "content": q.Messages[0].Text()}}}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outer := ctx
	if c.bug == "cancel" {
		ctx = context.WithoutCancel(ctx)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/chat/completions", bytes.NewReader(data))
	if err != nil {
		return nil, c.fail(outer, lm.ErrInvalidRequest, nil, err.Error())
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+clientKey)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.fail(outer, lm.ErrBackend, nil, err.Error())
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, c.status(outer, resp)
	}
	return resp, nil
}

func (c *client) status(ctx context.Context, resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, clientLimit/8))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e struct {
		Error struct {
			Message, Type string
			Code          any
		}
	}
	_ = json.Unmarshal(data, &e)
	message := cmp.Or(e.Error.Message, fmt.Sprint("no message but ", len(data), " bytes; ", err))
	kind := kindOf(resp.StatusCode, fmt.Sprint(e.Error.Type, e.Error.Code))
	if c.bug == "status" && resp.StatusCode == http.StatusConflict {
		kind = lm.ErrInvalidRequest
	}
	failed := c.fail(ctx, kind, nil, message)
	var typed *lm.Error
	if errors.As(failed, &typed) {
		typed.Status = resp.StatusCode
		typed.RequestID = strings.ReplaceAll(resp.Header.Get("X-Request-Id"), clientKey, "***")
		if c.bug != "retry after" {
			typed.RetryAfter = retryAfter(resp.Header)
		}
	}
	return failed
}

func kindOf(status int, code string) lm.ErrorKind {
	switch {
	case strings.Contains(code, "context_"):
		return lm.ErrContextLength
	case strings.Contains(code, "insufficient_quota"), status == 402:
		return lm.ErrQuota
	case status == 401, status == 403:
		return lm.ErrAuth
	case status == 404:
		return lm.ErrModel
	case status == 408, status == 504:
		return lm.ErrTimeout
	case status == 429:
		return lm.ErrRateLimit
	case status == 409, status >= 500, status < 400:
		return lm.ErrBackend
	}
	return lm.ErrInvalidRequest
}

func retryAfter(h http.Header) time.Duration {
	in := func(s string, unit time.Duration) time.Duration {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0
		}
		return time.Duration(min(max(n, 0)*float64(unit), float64(time.Hour)))
	}
	if ms := h.Get("Retry-After-Ms"); ms != "" {
		return in(ms, time.Millisecond)
	}
	value := h.Get("Retry-After")
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return in(value, time.Second)
}

// reply is what a client reads of a reply, or of a part of one.
type reply struct {
	Error   json.RawMessage `json:"error"`
	Choices []struct {
		Message *struct{ Content *string }
		Delta   *struct{ Content string }
	} `json:"choices"`
}

// parse reads a reply strictly.
func (c *client) parse(data []byte) (*reply, error) {
	if c.bug != "UTF-8" && !utf8.Valid(data) {
		return nil, errors.New("the reply is no UTF-8")
	}
	var r reply
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if len(r.Error) > 0 && string(r.Error) != "null" {
		return nil, fmt.Errorf("the server says %s", r.Error)
	}
	return &r, nil
}

func (c *client) contentType(resp *http.Response, want string) error {
	if got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); got != want {
		return fmt.Errorf("the content type is %q, want %q", got, want)
	}
	return nil
}

func (c *client) Generate(ctx context.Context, q *lm.Request) (*lm.Response, error) {
	resp, err := c.ask(ctx, q, false)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := c.contentType(resp, "application/json"); err != nil {
		return nil, c.fail(ctx, lm.ErrBackend, nil, err.Error())
	}
	var data bytes.Buffer
	limit := int64(clientLimit)
	if c.bug == "limit" {
		limit *= 64
	}
	// A buffer that grows holds up to twice what is in it, and what it was besides.
	if n, err := io.Copy(&data, io.LimitReader(resp.Body, limit/4)); err != nil || n == limit/4 {
		return nil, c.fail(ctx, lm.ErrBackend, nil, fmt.Sprint("the body broke off, or is too long: ", err))
	}
	r, err := c.parse(data.Bytes())
	if err != nil {
		return nil, c.fail(ctx, lm.ErrBackend, nil, err.Error())
	}
	if len(r.Choices) == 0 || r.Choices[0].Message == nil || r.Choices[0].Message.Content == nil {
		if c.bug == "null" {
			return &lm.Response{}, nil
		}
		return nil, c.fail(ctx, lm.ErrBackend, nil, "the reply has no content")
	}
	return &lm.Response{Text: *r.Choices[0].Message.Content}, nil
}

func (c *client) Stream(ctx context.Context, q *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		resp, err := c.ask(ctx, q, true)
		if err != nil {
			yield(nil, err)
			return
		}
		defer resp.Body.Close()
		if err := c.contentType(resp, "text/event-stream"); err != nil {
			yield(nil, c.fail(ctx, lm.ErrBackend, nil, err.Error()))
			return
		}
		so := &lm.Response{}
		done, err := c.events(resp.Body, func(data []byte) (bool, error) {
			r, err := c.parse(data)
			if err != nil || len(r.Choices) == 0 || r.Choices[0].Delta == nil || r.Choices[0].Delta.Content == "" {
				return true, err
			}
			so.Text += r.Choices[0].Delta.Content
			return yield(&lm.Event{Text: r.Choices[0].Delta.Content}, nil), nil
		})
		switch {
		case err == nil && (done && so.Text != "" || c.bug == "done"):
			yield(&lm.Event{Response: so}, nil)
		case !errors.Is(err, errLeft):
			yield(nil, c.fail(ctx, lm.ErrBackend, so, fmt.Sprint("the stream broke off: ", err)))
		}
	}
}

var errLeft = errors.New("the caller has left")

// events reads a stream, and reports whether it has come to its end.
func (c *client) events(body io.Reader, each func([]byte) (bool, error)) (bool, error) {
	lines := bufio.NewScanner(io.LimitReader(body, clientLimit/4))
	lines.Buffer(nil, clientLimit/8)
	var data []byte
	for lines.Scan() {
		line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
		if len(line) == 0 && len(data) > 0 {
			data = bytes.TrimSpace(data)
			if string(data) == "[DONE]" {
				return true, nil
			}
			if more, err := each(data); err != nil {
				return false, err
			} else if !more {
				return false, errLeft
			}
			data = data[:0]
		}
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(append(data, bytes.TrimPrefix(rest, []byte(" "))...), '\n')
		}
	}
	return false, lines.Err()
}
