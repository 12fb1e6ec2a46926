package openai

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestNames are different for models that answer differently, and the same for others.
func TestNames(t *testing.T) {
	t.Parallel()
	name := func(model string, opts ...Option) string {
		t.Helper()
		m, err := New(model, append([]Option{Getenv(noEnvironment), Key("k-123456")}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		return m.Name()
	}
	low, high := Extra(map[string]any{"reasoning_effort": "low", "user": "u"}), Extra(map[string]any{"reasoning_effort": "high"})
	known, _ := DialectOf("vllm")
	seen := map[string]string{}
	for what, n := range map[string]string{
		"plain":            name("gpt-test"),
		"low":              name("gpt-test", low),
		"high":             name("gpt-test", high),
		"dialect":          name("vllm/m", UseDialect(guided())),
		"no dialect":       name("vllm/m", UseDialect(Dialect{})),
		"known dialect":    name("vllm/m", UseDialect(known)),
		"elsewhere":        name("gpt-test", BaseURL("https://host.example.invalid/v1")),
		"a path":           name("gpt-test", BaseURL("https://host.example.invalid/a")),
		"another path":     name("gpt-test", BaseURL("https://host.example.invalid/b/v1")),
		"path of its own":  name("gpt-test", BaseURL("https://api.openai.com/v2")),
		"path and a field": name("gpt-test", BaseURL("https://host.example.invalid/a"), low),
		"given":            name("gpt-test", BaseURL("https://host.example.invalid/a"), low, Name("ours")),
	} {
		if other, ok := seen[n]; ok {
			t.Errorf("%s and %s have the name %s", what, other, n)
		}
		seen[n] = what
		if strings.Contains(n, "low") || strings.Contains(n, "/a") {
			t.Errorf("the name %s of %s shows what may be secret", n, what)
		}
	}
	if n := name("vllm/m", UseDialect(known)); n != "vllm:m" {
		t.Errorf("with the dialect that it has the name is %s", n)
	}
	if name("gpt-test", low) != name("gpt-test", Extra(map[string]any{"user": "u"}), Extra(map[string]any{"reasoning_effort": "low"})) {
		t.Error("the same fields give another name")
	}
	for where, n := range map[string]string{
		"https://host.example.invalid/v1/": "openai:gpt-test@host.example.invalid",
		"https://api.openai.com/v1":        "openai:gpt-test",
	} {
		if got := name("gpt-test", BaseURL(where)); got != n {
			t.Errorf("at %s the name is %s, want %s", where, got, n)
		}
	}
}

// TestHeaderThatAuthorizes comes before a key of the environment, and that is not sent.
func TestHeaderThatAuthorizes(t *testing.T) {
	t.Parallel()
	env := Getenv(environment("OPENAI_API_KEY=k-of-environment"))
	for name, opts := range map[string][]Option{
		"Authorization": {Header("Authorization", "Bearer mine-1")},
		"Api-Key":       {Header("Api-Key", "mine-1")},
		"X-Api-Key":     {Header("X-Api-Key", "mine-1")},
	} {
		s := says(t, jsonType, chat("hi"))
		generate(t, open(t, s, "gpt-test", append(opts, env)...), asks("a"))
		if got := s.heads[0].Get(name); strings.TrimPrefix(got, "Bearer ") != "mine-1" {
			t.Errorf("%s is %q", name, got)
		}
		for _, v := range s.heads[0] {
			if strings.Contains(strings.Join(v, " "), "k-of-environment") {
				t.Errorf("with %s the key of the environment is sent", name)
			}
		}
	}
}

// TestSampleKeepsWhatCame returns the replies before one that is an error.
func TestSampleKeepsWhatCame(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", jsonType)
		var reply map[string]any
		if err := json.Unmarshal([]byte(chat("one")), &reply); err != nil {
			t.Error(err)
		}
		filtered := map[string]any{"index": 1, "message": map[string]any{"content": ""}, "finish_reason": "content_filter"}
		reply["choices"] = append(reply["choices"].([]any), filtered)
		if err := json.NewEncoder(w).Encode(reply); err != nil {
			t.Error(err)
		}
	})
	got, err := open(t, s, "gpt-test").Sample(t.Context(), asks("a"), 2)
	if err == nil || len(got) != 1 || got[0].Text != "one" {
		t.Errorf("%d replies and %v, want the one that came, and an error", len(got), err)
	}
}

// TestNilRequest is an error and no panic.
func TestNilRequest(t *testing.T) {
	t.Parallel()
	m := open(t, says(t, jsonType, chat("hi")), "gpt-test")
	if _, err := m.Generate(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("the error is %v", err)
	}
}
