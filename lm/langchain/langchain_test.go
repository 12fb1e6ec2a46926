package langchain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	s, client := serve(t, replies)
	m := New(client, Name("openai:test-1"))
	r := &lm.Request{
		Messages: []lm.Message{
			lm.System("Be brief."),
			{Role: lm.RoleUser, Parts: []lm.Part{{Text: "Is "}, {Text: "it?"}, {Blob: &lm.Blob{MIME: "image/png", Data: []byte{1}}}}},
			{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "c1", Name: "look", Arguments: `{"at":1}`}}},
			lm.ToolResult("c1", "a cat"),
		},
		Tools:       []lm.Tool{{Name: "look", Description: "Looks.", Parameters: []byte(`{"type":"object","properties":{"at":{"type":"integer"}}}`)}, {Name: "wait"}},
		ToolChoice:  "look",
		Temperature: lm.Temperature(0.5), Seed: lm.Seed(7), MaxTokens: 20, Stop: []string{"END"},
		TopP: pointer(1), MinP: pointer(0), ResponseFormat: &lm.ResponseFormat{},
	}
	before := r.Clone()
	got, err := m.Generate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	want := &lm.Response{
		Text: "ham", Reasoning: "short", Finish: lm.FinishStop,
		Usage: lm.Usage{Calls: 1, PromptTokens: 20, CachedTokens: 16, CompletionTokens: 9, ReasoningTokens: 8},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	function := func(name, description string, properties map[string]any) any {
		f := map[string]any{"name": name, "parameters": map[string]any{"type": "object", "properties": properties}}
		if description != "" {
			f["description"] = description
		}
		return map[string]any{"type": "function", "function": f}
	}
	wantBody := map[string]any{
		"model": "test-1", "temperature": 0.5, "seed": 7.0, "max_completion_tokens": 20.0, "stop": []any{"END"},
		"response_format": map[string]any{"type": "json_object"},
		"messages": []any{
			map[string]any{"role": "system", "content": "Be brief."},
			map[string]any{"role": "user", "content": []any{
				map[string]any{"type": "text", "text": "Is it?"},
				map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64,AQ=="}},
			}},
			map[string]any{"role": "assistant", "content": "", "tool_calls": []any{
				map[string]any{"id": "c1", "type": "function", "function": map[string]any{"name": "look", "arguments": `{"at":1}`}},
			}},
			map[string]any{"role": "tool", "content": "a cat", "tool_call_id": "c1"},
		},
		"tools":       []any{function("look", "Looks.", map[string]any{"at": map[string]any{"type": "integer"}}), function("wait", "", map[string]any{})},
		"tool_choice": map[string]any{"type": "function", "function": map[string]any{"name": "look"}},
	}
	if diff := cmp.Diff(wantBody, s.body(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, r); diff != "" {
		t.Errorf("the request was changed: %s", diff)
	}
	if lm.NameOf(m) != "openai:test-1" || lm.NameOf(New(client)) != "" {
		t.Errorf("the names are %q and %q", lm.NameOf(m), lm.NameOf(New(client)))
	}
	if _, ok := New(client).(lm.Named); ok {
		t.Error("an LM without a name has one")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	f := says(&llms.ContentChoice{Content: "ham"})
	r := &lm.Request{Messages: []lm.Message{
		lm.System(""),
		{Role: lm.RoleUser},
		{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{MIME: "image/png", Data: []byte{1}}}, {Blob: &lm.Blob{URL: "https://example.com/a.png"}}, {Text: "a"}, {Text: "b"}}},
		{Role: lm.RoleAssistant, Parts: []lm.Part{{Text: "c"}}, ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: "{"}}},
		lm.ToolResult("1", "d"), lm.Assistant("e"),
	}}
	if _, err := New(f).Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := []llms.MessageContent{
		{Role: "system", Parts: []llms.ContentPart{llms.TextContent{}}},
		{Role: "human", Parts: []llms.ContentPart{llms.TextContent{}}},
		{Role: "human", Parts: []llms.ContentPart{llms.BinaryContent{MIMEType: "image/png", Data: []byte{1}}, llms.ImageURLContent{URL: "https://example.com/a.png"}, llms.TextContent{Text: "ab"}}},
		{Role: "ai", Parts: []llms.ContentPart{llms.TextContent{Text: "c"}, llms.ToolCall{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{"}}}},
		{Role: "tool", Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "1", Name: "f", Content: "d"}}},
		{Role: "ai", Parts: []llms.ContentPart{llms.TextContent{Text: "e"}}},
	}
	if diff := cmp.Diff(want, f.messages); diff != "" {
		t.Error(diff)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := says(&llms.ContentChoice{Content: "ham"})
	r := ask("x")
	r.TopP, r.TopK, r.Seed, r.Tools, r.ToolChoice = pointer(0.5), 3, lm.Seed(0), []lm.Tool{{Name: "f"}}, lm.ToolChoiceRequired
	m := New(f, CallOptions(llms.WithModel("m"), llms.WithTemperature(0.9), llms.WithTopP(0.1)))
	if _, err := m.Generate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := llms.CallOptions{
		Model: "m", Temperature: 0.9, TopP: 0.5, TopK: 3, ToolChoice: "required",
		Tools: []llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "f", Parameters: map[string]any{"type": "object", "properties": map[string]any{}}}}},
	}
	got := f.options
	if got.StreamingFunc != nil {
		t.Error("a stream was asked for")
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return strings.HasPrefix(p.Last().String(), ".Streaming") }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
}

func TestRequestErrors(t *testing.T) {
	t.Parallel()
	f := says(&llms.ContentChoice{Content: "ham"})
	list := ask("x")
	list.Tools = []lm.Tool{{Name: "f", Parameters: []byte(`[]`)}}
	for name, tt := range map[string]struct {
		m    lm.LM
		r    *lm.Request
		want string
	}{
		"no model":          {New(nil), ask("x"), "the model is nil"},
		"nil option":        {New(f, CallOptions(nil)), ask("x"), "an option that is nil"},
		"several":           {New(f, CallOptions(llms.WithN(2))), ask("x"), "several replies"},
		"several at Google": {New(f, CallOptions(llms.WithCandidateCount(2))), ask("x"), "several replies"},
		"a stream":          {New(f, CallOptions(llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))), ask("x"), "use lm.Stream"},
		"nothing":           {New(f), &lm.Request{}, "neither Messages nor"},
		"a role":            {New(f), &lm.Request{Messages: []lm.Message{{Role: "boss"}}}, `the role "boss"`},
		"parameters":        {New(f), list, "are not a JSON object"},
	} {
		if _, err := tt.m.Generate(t.Context(), tt.r); !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if f.calls != 0 {
		t.Errorf("%d calls", f.calls)
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	info := func(kv ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	anthropic := info("InputTokens", 10, "OutputTokens", 5, "CacheCreationInputTokens", 20, "CacheReadInputTokens", 30)
	thought := info("InputTokens", 10, "OutputTokens", 5, "CacheCreationInputTokens", 20, "CacheReadInputTokens", 30, "ThinkingContent", "hm")
	for _, tt := range []struct {
		name    string
		choices []*llms.ContentChoice
		want    lm.Response
	}{
		{
			"Anthropic, a choice for each part",
			[]*llms.ContentChoice{
				{StopReason: "tool_use", GenerationInfo: thought},
				{Content: "I look.", StopReason: "tool_use", GenerationInfo: thought},
				{StopReason: "tool_use", GenerationInfo: anthropic, ToolCalls: []llms.ToolCall{{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}}},
			},
			lm.Response{
				Text: "I look.", Reasoning: "hm", Finish: lm.FinishTools, ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: "{}"}},
				Usage: lm.Usage{PromptTokens: 60, CachedTokens: 30, CacheWriteTokens: 20, CompletionTokens: 5},
			},
		},
		{
			"Google, in int32",
			[]*llms.ContentChoice{{Content: "ham", StopReason: "FinishReasonMaxTokens", GenerationInfo: info("PromptTokens", int32(9), "CompletionTokens", int32(3), "CachedTokens", int32(4), "CacheReadInputTokens", int32(4))}},
			lm.Response{Text: "ham", Finish: lm.FinishLength, Usage: lm.Usage{PromptTokens: 9, CachedTokens: 4, CompletionTokens: 3}},
		},
		{
			"Ollama without a reason, before the limit",
			[]*llms.ContentChoice{{Content: "ham", GenerationInfo: info("PromptTokens", 9, "CompletionTokens", 3, "CachedTokens", 20)}},
			lm.Response{Text: "ham", Finish: lm.FinishStop, Usage: lm.Usage{PromptTokens: 9, CachedTokens: 9, CompletionTokens: 3}},
		},
		{
			"Ollama at the limit",
			[]*llms.ContentChoice{{Content: "ham", GenerationInfo: info("PromptTokens", 9, "CompletionTokens", 4)}},
			lm.Response{Text: "ham", Finish: lm.FinishLength, Usage: lm.Usage{PromptTokens: 9, CompletionTokens: 4}},
		},
		{
			"Google's call of a tool, which it says was a stop",
			[]*llms.ContentChoice{{StopReason: "STOP", ToolCalls: []llms.ToolCall{{ID: "1"}}}},
			lm.Response{Finish: lm.FinishTools, ToolCalls: []lm.ToolCall{{ID: "1"}}},
		},
		{
			"no usage, and a reason that nobody knows",
			[]*llms.ContentChoice{nil, {Content: "ham", StopReason: "Tired", GenerationInfo: info("PromptTokens", "9", "CompletionTokens", -1, "input_tokens", float64(8), "output_tokens", int64(2))}},
			lm.Response{Text: "ham", Finish: "Tired", Usage: lm.Usage{PromptTokens: 8, CompletionTokens: 2}},
		},
	} {
		r := ask("x")
		r.MaxTokens = 4
		tt.want.Usage.Calls = 1
		got, err := New(says(tt.choices...)).Generate(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	empty := &fake{answer: func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return nil, nil }}
	if _, err := New(empty).Generate(t.Context(), ask("x")); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("nothing at all: %v", err)
	}
	_, err := New(says(&llms.ContentChoice{Content: "How", StopReason: "content_filter"})).Generate(t.Context(), ask("x"))
	var e *lm.Error
	if !errors.As(err, &e) || e.Kind != lm.ErrRefused || e.Code != "content_filter" || e.Partial == nil || e.Partial.Text != "How" {
		t.Errorf("a filtered reply: %v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		text   string
		want   lm.ErrorKind
	}{
		{400, "bad", lm.ErrInvalidRequest},
		{400, "This model's maximum context length is 8192 tokens", lm.ErrContextLength},
		{401, "Incorrect API key provided: sk-proj-abcdefgh12345678", lm.ErrAuth},
		{402, "", lm.ErrQuota},
		{403, "", lm.ErrAuth},
		{404, "no such model", lm.ErrModel},
		{408, "", lm.ErrTimeout},
		{409, "", lm.ErrBackend},
		{413, "", lm.ErrInvalidRequest},
		{422, "", lm.ErrInvalidRequest},
		{429, "slow down", lm.ErrRateLimit},
		{429, "You exceeded your current quota", lm.ErrQuota},
		{500, "", lm.ErrBackend},
		{502, "", lm.ErrBackend},
		{503, "", lm.ErrBackend},
		{504, "", lm.ErrTimeout},
		{529, "", lm.ErrBackend},
	} {
		_, client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("X-Request-Id", "req_1")
			w.WriteHeader(tt.status)
			fmt.Fprintf(w, `{"error": {"message": %q, "code": "a_code"}}`, tt.text)
		})
		_, err := New(client).Generate(t.Context(), ask("x"))
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != tt.want || e.Status != tt.status || e.Provider != provider {
			t.Errorf("%d %s: %v, want the kind %s", tt.status, tt.text, err, tt.want)
			continue
		}
		if e.RetryAfter != 0 || e.Code != "" || e.RequestID != "" {
			t.Errorf("%d: the client tells more than it did: %+v; say so in doc.go", tt.status, e)
		}
		if all := fmt.Sprintf("%v %+v %#v", err, e, e); strings.Contains(all, "sk-proj") || strings.Contains(all, "sk-test") {
			t.Errorf("%d: a key is in %s", tt.status, all)
		}
	}
}

func TestFailureTexts(t *testing.T) {
	t.Parallel()
	own := &lm.Error{Kind: lm.ErrModel}
	cause := errors.New("anthropic: failed to create message: API returned unexpected status code: 529: overloaded")
	for _, tt := range []struct {
		err    error
		want   lm.ErrorKind
		status int
	}{
		{own, lm.ErrModel, 0},
		{cause, lm.ErrBackend, 529},
		{errors.New("request timeout: network operation exceeded timeout"), lm.ErrTimeout, 0},
		{errors.New("network error: failed to reach API server"), lm.ErrBackend, 0},
		{llms.NewError(llms.ErrCodeAuthentication, "x", "no"), lm.ErrAuth, 0},
		{llms.NewError(llms.ErrCodeRateLimit, "x", "no"), lm.ErrRateLimit, 0},
		{llms.NewError(llms.ErrCodeInvalidRequest, "x", "no"), lm.ErrInvalidRequest, 0},
		{llms.NewError(llms.ErrCodeResourceNotFound, "x", "no"), lm.ErrModel, 0},
		{llms.NewError(llms.ErrCodeTimeout, "x", "no"), lm.ErrTimeout, 0},
		{llms.NewError(llms.ErrCodeQuotaExceeded, "x", "no"), lm.ErrQuota, 0},
		{llms.NewError(llms.ErrCodeContentFilter, "x", "no"), lm.ErrRefused, 0},
		{llms.NewError(llms.ErrCodeTokenLimit, "x", "no"), lm.ErrContextLength, 0},
		{llms.NewError(llms.ErrCodeProviderUnavailable, "x", "no"), lm.ErrBackend, 0},
		{llms.NewError(llms.ErrCodeNotImplemented, "x", "no"), lm.ErrUnsupported, 0},
		{llms.NewError(llms.ErrCodeUnknown, "x", "HTTP 503"), lm.ErrBackend, 503},
	} {
		_, err := New(fails(fmt.Errorf("in: %w", tt.err))).Generate(t.Context(), ask("x"))
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != tt.want || e.Status != tt.status || !errors.Is(err, tt.err) {
			t.Errorf("%v: %v of status %d, want %s and %d", tt.err, err, e.Status, tt.want, tt.status)
		}
	}
	for _, text := range []string{
		"key sk-abcdefgh12345678 is wrong", "Authorization: Bearer abc.def-123456", "x-api-key: 0123456789abcdef",
		`GET "https://example.com/v1?a=b&key=AIzaSyA0123456789": EOF`, "api_key='0123456789'",
	} {
		_, err := New(fails(errors.New(text))).Generate(t.Context(), ask("x"))
		for _, hidden := range []string{"12345678", "123456", "0123456789"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), hidden) {
				t.Errorf("%s: a key is in %v", text, err)
			}
		}
		if !strings.Contains(err.Error(), "***") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
