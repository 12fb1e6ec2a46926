package openai

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// environment is one of the variables given, as "NAME=value".
func environment(vars ...string) func(string) string {
	return func(name string) string {
		for _, v := range vars {
			if n, value, _ := strings.Cut(v, "="); n == name {
				return value
			}
		}
		return ""
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		model string
		env   []string
		opts  []Option
		// what comes of it
		name, base, key string
	}{
		{"gpt-4o-mini", []string{"OPENAI_API_KEY=k-env"}, nil, "openai:gpt-4o-mini", "https://api.openai.com/v1", "k-env"},
		{"openai/gpt-4o-mini", []string{"OPENAI_API_KEY=k-env"}, []Option{Key("k-opt")}, "openai:gpt-4o-mini", "https://api.openai.com/v1", "k-opt"},
		{"gpt-4o-mini", []string{"OPENAI_API_KEY=k-env", "OPENAI_BASE_URL=https://proxy.example.invalid/oai/v1/"}, nil, "openai:gpt-4o-mini#012791ef@proxy.example.invalid", "https://proxy.example.invalid/oai/v1", "k-env"},
		{"gpt-4o-mini", []string{"OPENAI_BASE_URL=https://proxy.example.invalid"}, []Option{BaseURL("http://127.0.0.1:9/x")}, "openai:gpt-4o-mini#f86ebbd6@127.0.0.1:9", "http://127.0.0.1:9/x", ""},
		{"gpt-4o-mini", []string{"OPENAI_BASE_URL=https://api.openai.com", "OPENAI_API_KEY=k-env"}, nil, "openai:gpt-4o-mini", "https://api.openai.com/v1", "k-env"},
		{"meta/llama", nil, []Option{BaseURL("http://gpu-box:8000")}, "openai:meta/llama@gpu-box:8000", "http://gpu-box:8000/v1", ""},
		{"vllm/meta/llama", nil, nil, "vllm:meta/llama", "http://localhost:8000/v1", ""},
		{"ollama/llama3.2:1b", nil, nil, "ollama:llama3.2:1b", "http://localhost:11434/v1", ""},
		{"ollama/m", []string{"OLLAMA_HOST=0.0.0.0"}, nil, "ollama:m@127.0.0.1:11434", "http://127.0.0.1:11434/v1", ""},
		{"ollama/m", []string{"OLLAMA_HOST=https://box.example.invalid/ollama"}, nil, "ollama:m#4f0886c2@box.example.invalid", "https://box.example.invalid/ollama", ""},
		{"anthropic/claude", []string{"ANTHROPIC_API_KEY=k-a"}, nil, "anthropic:claude", "https://api.anthropic.com/v1", "k-a"},
		{"gemini/flash", []string{"GOOGLE_API_KEY=k-g"}, nil, "gemini:flash", "https://generativelanguage.googleapis.com/v1beta/openai", "k-g"},
		{"gemini/flash", []string{"GOOGLE_API_KEY=k-g", "GEMINI_API_KEY=k-h"}, nil, "gemini:flash", "https://generativelanguage.googleapis.com/v1beta/openai", "k-h"},
		{"openrouter/meta/llama", []string{"OPENROUTER_API_KEY=k-r"}, nil, "openrouter:meta/llama", "https://openrouter.ai/api/v1", "k-r"},
		{"gpt-4o-mini", []string{"OPENAI_API_KEY=k-env"}, []Option{Key("")}, "openai:gpt-4o-mini", "https://api.openai.com/v1", ""},
		{"gpt-4o-mini", []string{"OPENAI_API_KEY=k-env"}, []Option{BaseURL("https://other.example.invalid"), Untrusted()}, "openai:gpt-4o-mini@other.example.invalid", "https://other.example.invalid/v1", ""},
		{"gpt-4o-mini", []string{"OPENAI_API_KEY=k-env"}, []Option{BaseURL("https://api.openai.com/v1"), Untrusted()}, "openai:gpt-4o-mini", "https://api.openai.com/v1", "k-env"},
		{"gpt-4o-mini", nil, []Option{BaseURL("http://gpu-box"), Key("k-opt"), AllowHTTP()}, "openai:gpt-4o-mini@gpu-box", "http://gpu-box/v1", "k-opt"},
	} {
		m, err := New(tt.model, append([]Option{Getenv(environment(tt.env...))}, tt.opts...)...)
		if err != nil {
			t.Errorf("%s, %v: %v", tt.model, tt.env, err)
			continue
		}
		if m.Name() != tt.name || lm.NameOf(m) != tt.name || m.base.String() != tt.base || m.key.value() != tt.key {
			t.Errorf("%s, %v: name %q, base %q, key %q; want %q, %q, %q", tt.model, tt.env, m.Name(), m.base, m.key.value(), tt.name, tt.base, tt.key)
		}
		m.Close()
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		model string
		opts  []Option
		kind  lm.ErrorKind
		says  string
	}{
		"no key":             {"gpt-4o-mini", nil, lm.ErrAuth, "OPENAI_API_KEY"},
		"no key of two":      {"gemini/m", nil, lm.ErrAuth, "GEMINI_API_KEY or GOOGLE_API_KEY"},
		"unknown provider":   {"acme/m", nil, lm.ErrInvalidRequest, "llama-server"},
		"no model":           {"openai/", nil, lm.ErrInvalidRequest, "no name"},
		"nothing":            {"", nil, lm.ErrInvalidRequest, "no name"},
		"model of two lines": {"a\nb", nil, lm.ErrInvalidRequest, "no name"},
		"key with an end":    {"gpt-4o-mini", []Option{Key("k-1\n")}, lm.ErrInvalidRequest, "line end"},
		"no environment":     {"gpt-4o-mini", []Option{Getenv(nil)}, lm.ErrInvalidRequest, "Getenv"},
		"MaxReply":           {"ollama/m", []Option{MaxReply(0)}, lm.ErrInvalidRequest, "MaxReply(0)"},
		"MaxPrompt":          {"ollama/m", []Option{MaxPrompt(-1)}, lm.ErrInvalidRequest, "MaxPrompt(-1)"},
		"Timeout":            {"ollama/m", []Option{Timeout(-1)}, lm.ErrInvalidRequest, "Timeout"},
		"Batch":              {"ollama/m", []Option{Batch(0)}, lm.ErrInvalidRequest, "Batch(0)"},
		"empty BaseURL":      {"ollama/m", []Option{BaseURL("")}, lm.ErrInvalidRequest, "BaseURL"},
		"Untrusted alone":    {"ollama/m", []Option{Untrusted()}, lm.ErrInvalidRequest, "Untrusted"},
		"dialect":            {"ollama/m", []Option{UseDialect(Dialect{Shapes: "x"})}, lm.ErrInvalidRequest, `"x"`},
		"header":             {"ollama/m", []Option{Header("X-A", "a\r\nX-B: b")}, lm.ErrInvalidRequest, "X-A"},
		"header's name":      {"ollama/m", []Option{Header("X A", "a")}, lm.ErrInvalidRequest, "X A"},
		"Extra of ours":      {"ollama/m", []Option{Extra(map[string]any{"stream": true})}, lm.ErrInvalidRequest, "stream"},
		"Extra no JSON":      {"ollama/m", []Option{Extra(map[string]any{"f": func() {}})}, lm.ErrInvalidRequest, "no JSON"},
	} {
		_, err := New(tt.model, append([]Option{Getenv(noEnvironment)}, tt.opts...)...)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want an error of kind %q that says %q", name, err, tt.kind, tt.says)
		}
		if _, again := NewEmbedder(tt.model, append([]Option{Getenv(noEnvironment)}, tt.opts...)...); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: NewEmbedder returns %v, want the same error", name, again)
		}
	}
}

func TestDialects(t *testing.T) {
	t.Parallel()
	if _, ok := DialectOf("acme"); ok {
		t.Error("there is a dialect of nobody")
	}
	for _, p := range Providers() {
		d, ok := DialectOf(p)
		if !ok || !d.Shapes.known() {
			t.Errorf("the dialect of %s is %+v", p, d)
		}
		if _, err := New(p+"/m", Key("k-1"), Getenv(noEnvironment)); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// TestHeaders are those of the options, and OpenAI's of the environment for OpenAI alone.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := says(t, jsonType, chat("hi"))
	m := open(t, s, "gpt-test", Key("k-1"), Organization("org-1"), Project("p-1"), Header("X-Title", "t"), Getenv(environment("OPENAI_ORG_ID=org-2")))
	generate(t, m, asks("a"))
	for name, want := range map[string]string{
		"Authorization": "Bearer k-1", "Openai-Organization": "org-1", "Openai-Project": "p-1", "X-Title": "t",
		"Content-Type": jsonType, "Accept": jsonType, "User-Agent": "whet",
	} {
		if got := s.heads[0].Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	plain := open(t, s, "gpt-test", Getenv(environment("OPENAI_ORG_ID=org-2", "OPENAI_PROJECT_ID=p-2")))
	generate(t, plain, asks("a"))
	for _, name := range []string{"Authorization", "Openai-Organization", "Openai-Project"} {
		if got := s.heads[1].Get(name); got != "" {
			t.Errorf("another server got %s: %q", name, got)
		}
	}
	own, err := New("gpt-test", Key("k-1"), Getenv(environment("OPENAI_ORG_ID=org-2", "OPENAI_PROJECT_ID=p-2")))
	if err != nil || own.header.Get(headerOrganization) != "org-2" || own.header.Get(headerProject) != "p-2" {
		t.Errorf("OpenAI's own headers are %v, %v", own, err)
	}
}

// counting is a transport that counts.
type counting struct{ n int }

func (c *counting) RoundTrip(*http.Request) (*http.Response, error) {
	c.n++
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(chat("hi")))}, nil
}

// TestHTTPClient uses somebody's client and leaves it as it is.
func TestHTTPClient(t *testing.T) {
	t.Parallel()
	transport := &counting{}
	client := &http.Client{Transport: transport}
	m, err := New("ollama/m", HTTPClient(client), Getenv(noEnvironment))
	if err != nil {
		t.Fatal(err)
	}
	generate(t, m, asks("a"))
	if transport.n != 1 || client.CheckRedirect != nil {
		t.Errorf("the client was called %d times, and its CheckRedirect is set: %v", transport.n, client.CheckRedirect != nil)
	}
}
