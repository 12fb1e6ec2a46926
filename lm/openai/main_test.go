package openai

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/lm"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a server that says what a test tells it to.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	paths  []string
	heads  []http.Header
}

// serve starts a server that answers each request by f.
func serve(t testing.TB, f func(w http.ResponseWriter, r *http.Request, body string)) *fake {
	t.Helper()
	s := &fake{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body cannot be read: %v", err)
		}
		s.mu.Lock()
		s.bodies, s.paths, s.heads = append(s.bodies, string(data)), append(s.paths, r.URL.Path), append(s.heads, r.Header.Clone())
		s.mu.Unlock()
		f(w, r, string(data))
	}))
	t.Cleanup(s.Close)
	return s
}

// says starts a server that answers everything with one body.
func says(t testing.TB, contentType, body string) *fake {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	})
}

const (
	jsonType   = "application/json"
	streamType = "text/event-stream"
)

// noEnv is an environment without variables.
func noEnvironment(string) string { return "" }

// open returns a model of a server of the tests.
func open(t testing.TB, s *fake, name string, opts ...Option) *Model {
	t.Helper()
	m, err := New(name, append([]Option{BaseURL(s.URL), Getenv(noEnvironment)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// chat is a reply whose message holds some text.
func chat(text string) string {
	content, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return `{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":` + string(content) + `},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`
}

func asks(text string) *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User(text)}} }

func generate(t testing.TB, m lm.LM, r *lm.Request) *lm.Response {
	t.Helper()
	resp, err := m.Generate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}
