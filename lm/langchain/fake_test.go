package langchain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/whetgo/whet/lm"
)

// fake is a client of nobody's that remembers what it was asked.
type fake struct {
	mu       sync.Mutex
	messages []llms.MessageContent
	options  llms.CallOptions
	calls    int

	answer func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error)
}

func (f *fake) Call(context.Context, string, ...llms.CallOption) (string, error) {
	return "", fmt.Errorf("Call is not for us")
}

func (f *fake) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, set := range options {
		set(&o)
	}
	f.mu.Lock()
	f.messages, f.options = messages, o
	f.calls++
	f.mu.Unlock()
	return f.answer(ctx, o)
}

// says is a client that always gives the same choices.
func says(choices ...*llms.ContentChoice) *fake {
	return &fake{answer: func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return &llms.ContentResponse{Choices: choices}, nil
	}}
}

func fails(err error) *fake {
	return &fake{answer: func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return nil, err }}
}

func ask(text string) *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User(text)}} }

// server is one of OpenAI's kind, with a client of langchaingo's for it.
type server struct {
	mu     sync.Mutex
	bodies []map[string]any
}

func serve(t *testing.T, handle http.HandlerFunc) (*server, llms.Model) {
	t.Helper()
	s := &server{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var body map[string]any
		if err := json.Unmarshal(data, &body); err != nil {
			t.Errorf("%v: %s", err, data)
		}
		s.mu.Lock()
		s.bodies = append(s.bodies, body)
		s.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(srv.Close)
	client, err := openai.New(openai.WithToken("sk-test-not-a-key"), openai.WithModel("test-1"), openai.WithBaseURL(srv.URL), openai.WithHTTPClient(srv.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

// body is the last one that was sent.
func (s *server) body(t *testing.T) map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) == 0 {
		t.Fatal("nothing was sent")
	}
	return s.bodies[len(s.bodies)-1]
}

const reply = `{"id": "chatcmpl-1", "model": "test-1-2026", "system_fingerprint": "fp_1", "choices": [{"index": 0, "finish_reason": "stop",
	"message": {"role": "assistant", "content": "ham", "reasoning_content": "short"},
	"logprobs": {"content": [{"token": "ham", "logprob": -0.1, "top_logprobs": []}]}}],
	"usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29,
		"prompt_tokens_details": {"cached_tokens": 16}, "completion_tokens_details": {"reasoning_tokens": 8}}}`

func replies(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "req_1")
	fmt.Fprint(w, reply)
}

// streams sends chunks of text as events, and then what ends them.
func streams(end string, chunks ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range chunks {
			text, _ := json.Marshal(c)
			fmt.Fprintf(w, "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": %s}}]}\n\n", text)
		}
		fmt.Fprint(w, end)
	}
}

var streamEnd = strings.Join([]string{
	`data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}`,
	`data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}`,
	`data: [DONE]`, ``,
}, "\n\n")
