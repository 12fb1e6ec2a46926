package openai

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status        int
		body          string
		kind          lm.ErrorKind
		code, message string
	}{
		"OpenAI":                {400, `{"error":{"message":"no such field","type":"invalid_request_error","param":"x","code":null}}`, lm.ErrInvalidRequest, "invalid_request_error", "no such field"},
		"context of OpenAI":     {400, `{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}`, lm.ErrContextLength, "context_length_exceeded", "too long"},
		"context of vLLM":       {400, `{"object":"error","message":"This model's maximum context length is 10 tokens.","type":"BadRequestError","param":null,"code":400}`, lm.ErrContextLength, "BadRequestError", "maximum context length"},
		"context of Anthropic":  {400, `{"error":{"message":"prompt is too long: 9 tokens > 8 maximum","type":"invalid_request_error"}}`, lm.ErrContextLength, "invalid_request_error", "prompt is too long"},
		"context of Gemini":     {400, `[{"error":{"code":400,"message":"The input token count exceeds the maximum","status":"INVALID_ARGUMENT"}}]`, lm.ErrContextLength, "INVALID_ARGUMENT", "input token count"},
		"413 and too long":      {413, `{"error":{"message":"prompt is too long"}}`, lm.ErrContextLength, "", "too long"},
		"quota":                 {429, `{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}`, lm.ErrQuota, "insufficient_quota", "pay"},
		"credit of Anthropic":   {400, `{"error":{"message":"Your credit balance is too low","type":"invalid_request_error"}}`, lm.ErrQuota, "invalid_request_error", "credit"},
		"rate of Gemini":        {429, `[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]`, lm.ErrRateLimit, "RESOURCE_EXHAUSTED", "slow down"},
		"filter":                {400, `{"error":{"message":"no","code":"content_filter"}}`, lm.ErrRefused, "content_filter", "no"},
		"model":                 {400, `{"error":{"message":"no","code":"model_not_found"}}`, lm.ErrModel, "model_not_found", "no"},
		"not there":             {404, `404 page not found`, lm.ErrModel, "", "404 page not found"},
		"Python":                {422, `{"detail":[{"loc":["body"],"msg":"field required"}]}`, lm.ErrInvalidRequest, "", "field required"},
		"text":                  {500, `{"error":"all is lost"}`, lm.ErrBackend, "", "all is lost"},
		"code that has a word":  {503, `{"error":{"message":"loading","type":"unavailable_error","code":503}}`, lm.ErrBackend, "unavailable_error", "loading"},
		"embeddings of a model": {501, `{"error":{"code":501,"message":"no embeddings","type":"not_supported_error"}}`, lm.ErrUnsupported, "not_supported_error", "no embeddings"},
		"page":                  {502, `<html>Bad Gateway</html>`, lm.ErrBackend, "", "HTML page"},
		"nothing":               {500, ``, lm.ErrBackend, "", "no reason"},
		"too early":             {425, ``, lm.ErrBackend, "", "no reason"},
		"gone":                  {410, ``, lm.ErrInvalidRequest, "", "no reason"},
		"Cloudflare":            {524, ``, lm.ErrTimeout, "", "no reason"},
		"redirect":              {307, ``, lm.ErrUnavailable, "", "BaseURL"},
		"no content":            {204, ``, lm.ErrBackend, "", "no reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("X-Request-Id", "req-1")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			m := open(t, s, "gpt-test")
			_, err := m.Generate(t.Context(), asks("a"))
			var e *lm.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Code != tt.code || e.Status != tt.status || e.RequestID != "req-1" || !strings.Contains(e.Message, tt.message) {
				t.Errorf("Generate returned %#v; want the kind %q, the code %q and the message %q", err, tt.kind, tt.code, tt.message)
			}
		})
	}
}

func TestContextLengthOfLlamaServer(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}`))
	})
	_, err := open(t, s, "llama-server/m").Generate(t.Context(), asks("a"))
	var length *lm.ContextLengthError
	if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &length) || length.Prompt != 5000 || length.Limit != 4096 {
		t.Errorf("Generate returned %v, want one with the numbers 5000 and 4096", err)
	}
}

// TestLongMessages are cut, and between characters.
func TestLongMessages(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"error":{"message":"` + strings.Repeat("ü\\n", 4000) + `","code":"` + strings.Repeat("c", 4000) + `"}}`))
	})
	_, err := open(t, s, "gpt-test").Generate(t.Context(), asks("a"))
	var e *lm.Error
	if !errors.As(err, &e) || len(e.Message) > maxMessage || len(e.Message) < maxMessage-10 || len(e.Code) > maxCode || !utf8.ValidString(e.Message) {
		t.Fatalf("Generate returned %v, want a message of nearly %d bytes", err, maxMessage)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Error("the error has more than one line")
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request, _ string) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	m := open(t, s, "gpt-test", Timeout(20*time.Millisecond))
	_, err := m.Generate(t.Context(), asks("a"))
	if !errors.Is(err, lm.ErrTimeout) {
		t.Errorf("Generate returned %v, want an error of kind %q", err, lm.ErrTimeout)
	}
	for _, err := range m.Stream(t.Context(), asks("a")) {
		if !errors.Is(err, lm.ErrTimeout) {
			t.Errorf("Stream returned %v, want an error of kind %q", err, lm.ErrTimeout)
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	m := open(t, says(t, jsonType, chat("hi")), "gpt-test")
	generate(t, m, asks("a"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Generate(t.Context(), asks("a")); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("Generate of a closed model returned %v, want an error of kind %q", err, lm.ErrUnavailable)
	}
}
