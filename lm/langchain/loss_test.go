package langchain

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/whetgo/whet/lm"
)

func pointer(f float64) *float64 { return &f }

// TestRefused has what is refused, and what is sent to OpenAI when it may be dropped.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		set     func(r *lm.Request)
		openAI  bool // refused by its client, or by any
		missing string
	}{
		{"TopP", func(r *lm.Request) { r.TopP = pointer(0.5) }, true, "top_p"},
		{"TopK", func(r *lm.Request) { r.TopK = 3 }, true, "top_k"},
		{"a Seed of 0", func(r *lm.Request) { r.Seed = lm.Seed(0) }, true, "seed"},
		{"a Seed above", func(r *lm.Request) { r.Seed = lm.Seed(math.MaxUint64) }, false, "seed"},
		{"MinP", func(r *lm.Request) { r.MinP = pointer(0.1) }, false, "min_p"},
		{"Logprobs", func(r *lm.Request) { r.Logprobs, r.TopLogprobs = true, 2 }, false, "logprobs"},
		{"the Schema of a ResponseFormat", func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{Schema: []byte(`{"type":"object"}`)} }, false, "json_schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ask("Is it spam?")
			tt.set(r)
			s, client := serve(t, replies)
			_, err := New(client).Generate(t.Context(), r)
			if !errors.Is(err, lm.ErrUnsupported) || !strings.Contains(err.Error(), "client for openai does not pass "+tt.name) || !strings.Contains(err.Error(), "Lossy()") {
				t.Errorf("the client for OpenAI: %v", err)
			}
			if len(s.bodies) != 0 {
				t.Error("a refused request was sent")
			}
			for _, err := range lm.Stream(t.Context(), New(client), r) {
				if !errors.Is(err, lm.ErrUnsupported) {
					t.Errorf("a stream: %v", err)
				}
			}
			if _, err := New(client, Lossy()).Generate(t.Context(), r); err != nil {
				t.Fatalf("Lossy: %v", err)
			}
			if body := s.body(t); body[tt.missing] != nil {
				t.Errorf("%s is sent after all: %v", tt.missing, body)
			}
			f := says(&llms.ContentChoice{Content: "ham"})
			_, err = New(f).Generate(t.Context(), r)
			if tt.openAI && err != nil || !tt.openAI && !errors.Is(err, lm.ErrUnsupported) {
				t.Errorf("a client of nobody's: %v", err)
			}
		})
	}
}

// TestDroppedByTheClient shows that theirs drops what sends says that it does: should a
// version send it, it need not be refused.
func TestDroppedByTheClient(t *testing.T) {
	t.Parallel()
	s, client := serve(t, replies)
	_, err := client.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "x")},
		llms.WithTopP(0.5), llms.WithTopK(3), llms.WithSeed(0), llms.WithMaxTokens(9))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"model": "test-1", "temperature": 0.0, "max_completion_tokens": 9.0,
		"messages": []any{map[string]any{"role": "user", "content": "x"}},
	}
	if diff := cmp.Diff(want, s.body(t)); diff != "" {
		t.Error(diff)
	}
}

// TestAlwaysRefused has what a message holds, which Lossy does not drop.
func TestAlwaysRefused(t *testing.T) {
	t.Parallel()
	blob := func(b lm.Blob) *lm.Request {
		return &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &b}}}}}
	}
	for name, r := range map[string]*lm.Request{
		"a prompt":       {Prompt: "x"},
		"a sound":        blob(lm.Blob{Kind: lm.BlobAudio, Data: []byte{1}}),
		"a file":         blob(lm.Blob{Kind: lm.BlobFile, Data: []byte{1}}),
		"a picture's ID": blob(lm.Blob{ID: "file-1"}),
	} {
		f := says(&llms.ContentChoice{Content: "ham"})
		if _, err := New(f, Lossy()).Generate(t.Context(), r); !errors.Is(err, lm.ErrUnsupported) || f.calls != 0 {
			t.Errorf("%s: %v after %d calls", name, err, f.calls)
		}
	}
}

// TestSilentLosses has what nothing can be done about, and what helps where something does.
func TestSilentLosses(t *testing.T) {
	t.Parallel()
	s, client := serve(t, replies)
	r := ask("x")
	r.MaxTokens = 5
	r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleChoice, Name: "a", Choices: []lm.Alternative{{Text: "ham"}}}}}
	resp, err := New(client).Generate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Shaped || resp.Choices != nil {
		t.Error("a shape was enforced")
	}
	if resp.Model != "" || resp.Fingerprint != "" || resp.RequestID != "" || resp.Logprobs != nil {
		t.Errorf("the client tells of the reply what it did not: %+v; say so in doc.go", resp)
	}
	if body := s.body(t); body["temperature"] != 0.0 {
		t.Errorf("the client does not send 0 for no temperature: %v", body)
	}
	if body := s.body(t); body["max_completion_tokens"] != 5.0 || body["max_tokens"] != nil {
		t.Errorf("the limit of tokens: %v", body)
	}
	if _, err := New(client, CallOptions(openai.WithLegacyMaxTokensField())).Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if body := s.body(t); body["max_tokens"] != 5.0 || body["max_completion_tokens"] != nil {
		t.Errorf("the limit of tokens for old servers: %v", body)
	}
	warm := ask("x")
	warm.Temperature = lm.Temperature(0.7)
	if _, err := New(client, CallOptions(llms.WithModel("gpt-5-mini"))).Generate(t.Context(), warm); err != nil {
		t.Fatal(err)
	}
	if body := s.body(t); body["model"] != "gpt-5-mini" || body["temperature"] != nil && body["temperature"] != 0.0 {
		t.Errorf("a temperature for a model that is named gpt-5: %v", body)
	}
	if _, ok := New(client).(lm.Sampler); ok {
		t.Error("several replies come of one call; say so in doc.go")
	}
}

// TestSends has a setting for each client that it is refused for.
func TestSends(t *testing.T) {
	t.Parallel()
	settings := map[setting]func(r *lm.Request){
		temperature: func(r *lm.Request) { r.Temperature = pointer(0) },
		topP:        func(r *lm.Request) { r.TopP = pointer(0.5) },
		topK:        func(r *lm.Request) { r.TopK = 1 },
		seed:        func(r *lm.Request) { r.Seed = lm.Seed(7) },
		stop:        func(r *lm.Request) { r.Stop = []string{"."} },
		maxTokens:   func(r *lm.Request) { r.MaxTokens = 1 },
		jsonObject:  func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{} },
		tools:       func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "f"}} },
		toolChoice: func(r *lm.Request) {
			r.Tools = []lm.Tool{{Name: "f"}}
			r.ToolChoice = "f"
		},
	}
	for _, kind := range []string{
		"openai", "anthropic", "ollama", "googleai", "googleai/vertex", "mistral", "bedrock", "watsonx", "llamafile",
		"maritaca", "huggingface", "local", "ernie", "cohere", "cloudflare", "", "new",
	} {
		for s, set := range settings {
			r := ask("x")
			set(r)
			m := &model{client: says(&llms.ContentChoice{Content: "ham"}), kind: kind, sends: sends(kind)}
			_, err := m.Generate(t.Context(), r)
			sent := m.sends&s != 0 && (s != toolChoice || m.sends&tools != 0)
			if sent && err != nil || !sent && !errors.Is(err, lm.ErrUnsupported) {
				t.Errorf("%q, setting %b: %v", kind, s, err)
			}
		}
	}
	if k := kindOf(&openai.LLM{}); k != "openai" {
		t.Errorf("the client for OpenAI is of the kind %q", k)
	}
	if k := kindOf(says()); k != "" {
		t.Errorf("ours is of the kind %q", k)
	}
	turns := &lm.Request{Messages: []lm.Message{
		{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: "{}"}}}, lm.ToolResult("1", "x"),
	}}
	m := &model{client: says(&llms.ContentChoice{Content: "ham"}), kind: "ollama", sends: sends("ollama"), config: config{lossy: true}}
	if _, err := m.Generate(t.Context(), turns); !errors.Is(err, lm.ErrUnsupported) {
		t.Errorf("turns of tools were dropped: %v", err)
	}
	r := ask("x")
	r.Tools = []lm.Tool{{Name: "f"}}
	if _, err := m.Generate(t.Context(), r); err != nil {
		t.Errorf("tools were not dropped: %v", err)
	}
}
