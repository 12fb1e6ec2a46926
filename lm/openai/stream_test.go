package openai

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

// streamed joins chunks to a stream that ends as it should.
func streamed(chunks ...string) string {
	return "data: " + strings.Join(append(chunks, "[DONE]"), "\n\ndata: ") + "\n\n"
}

// follow reads a stream and returns what it has shown.
func follow(t *testing.T, m *Model, r *lm.Request) (text, reasoning string, resp *lm.Response, err error) {
	t.Helper()
	for e, fail := range m.Stream(t.Context(), r) {
		if fail != nil {
			return text, reasoning, resp, fail
		}
		text, reasoning, resp = text+e.Text, reasoning+e.Reasoning, e.Response
	}
	return text, reasoning, resp, nil
}

func TestStream(t *testing.T) {
	t.Parallel()
	body := streamed(
		`{"model":"m-1","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
		`{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"one "},"logprobs":{"content":[{"token":"one ","logprob":-1}]}}]}`,
		`{"choices":[{"index":1,"delta":{"content":"another"}}]}`,
		``,
		`{"choices":[{"index":0,"delta":{"content":"two"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
		`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}`,
	)
	r := asks("a")
	r.Logprobs = true
	text, reasoning, resp, err := follow(t, open(t, says(t, streamType+"; charset=utf-8", body), "gpt-test"), r)
	if err != nil {
		t.Fatal(err)
	}
	want := &lm.Response{
		Text: "one two", Reasoning: "hm", Finish: lm.FinishStop, Model: "m-1", Fingerprint: "fp",
		Usage: lm.Usage{Calls: 1, PromptTokens: 5, CompletionTokens: 3}, Logprobs: []lm.TokenLogprob{{Token: "one ", LogProb: -1}},
	}
	if diff := cmp.Diff(want, resp); diff != "" || text != "one two" || reasoning != "hm" {
		t.Errorf("the events have shown %q and %q; the response (-want +got):\n%s", text, reasoning, diff)
	}
}

func TestStreamOfTools(t *testing.T) {
	t.Parallel()
	want := []lm.ToolCall{{ID: "c1", Name: "f", Arguments: `{"a":1}`}, {ID: "c2", Name: "g", Arguments: `{}`}}
	for name, chunks := range map[string][]string{
		"by index": {
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":7000000,"id":"c2","function":{"name":"g","arguments":"{}"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}`,
		},
		"by ID": {
			`{"choices":[{"delta":{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"id":"c1","function":{"arguments":"1}"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"id":"c2","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"stop"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, resp, err := follow(t, open(t, says(t, streamType, streamed(chunks...)), "gpt-test"), asks("a"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, resp.ToolCalls); diff != "" || resp.Finish != lm.FinishTools {
				t.Errorf("Finish = %q; the calls (-want +got):\n%s", resp.Finish, diff)
			}
		})
	}
}

func TestStreamOfPrompt(t *testing.T) {
	t.Parallel()
	body := streamed(`{"choices":[{"text":"one "}]}`, `{"choices":[{"text":"two","finish_reason":"length"}]}`)
	text, _, resp, err := follow(t, open(t, says(t, streamType, body), "vllm/m"), &lm.Request{Prompt: "a"})
	if err != nil || text != "one two" || resp.Text != text || resp.Finish != lm.FinishLength {
		t.Errorf("the stream has shown %q and ends in %+v, %v", text, resp, err)
	}
}

// TestStreamInOne is a server that does not stream.
func TestStreamInOne(t *testing.T) {
	t.Parallel()
	text, _, resp, err := follow(t, open(t, says(t, jsonType, chat("one two")), "gpt-test"), asks("a"))
	if err != nil || text != "one two" || resp == nil || resp.Text != text {
		t.Errorf("the stream has shown %q and ends in %+v, %v", text, resp, err)
	}
}

func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	const one = `{"choices":[{"index":0,"delta":{"content":"one "}}]}`
	for name, tt := range map[string]struct {
		contentType, body string
		kind              lm.ErrorKind
		partial           string
	}{
		"no end":          {streamType, "data: " + one + "\n\n", lm.ErrBackend, "one "},
		"no reason":       {streamType, streamed(one), lm.ErrBackend, "one "},
		"filter":          {streamType, streamed(one, `{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`), lm.ErrRefused, "one "},
		"refusal":         {streamType, streamed(`{"choices":[{"delta":{"refusal":"I will"}}]}`, `{"choices":[{"delta":{"refusal":" not"},"finish_reason":"stop"}]}`), lm.ErrRefused, ""},
		"error":           {streamType, streamed(one, `{"error":{"message":"slow down","type":"rate_limit_error"}}`), lm.ErrRateLimit, "one "},
		"error by status": {streamType, streamed(one, `{"error":{"message":"slow down","code":504}}`), lm.ErrTimeout, "one "},
		"error by words":  {streamType, streamed(one, `{"error":{"message":"who","type":"authentication_error"}}`), lm.ErrAuth, "one "},
		"error by name":   {streamType, "data: " + one + "\n\nevent: error\ndata: it died\n\n", lm.ErrBackend, "one "},
		"deep":            {streamType, streamed(one, strings.Repeat("[", 200)), lm.ErrBackend, "one "},
		"other type":      {"text/plain", streamed(one), lm.ErrBackend, ""},
		"no type":         {"", streamed(one), lm.ErrBackend, ""},
		"null":            {streamType, streamed(`{"choices":[{"delta":{"content":null},"finish_reason":"stop"}]}`), lm.ErrBackend, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header()["Content-Type"] = nil
				if tt.contentType != "" {
					w.Header().Set("Content-Type", tt.contentType)
				}
				_, _ = w.Write([]byte(tt.body))
			})
			shown, _, _, err := follow(t, open(t, s, "gpt-test"), asks("a"))
			var e *lm.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || shown != tt.partial {
				t.Fatalf("the stream has shown %q and ends in %v; want %q and the kind %q", shown, err, tt.partial, tt.kind)
			}
			if partial := e.Partial; tt.partial == "" != (partial == nil) || partial != nil && partial.Text != tt.partial {
				t.Errorf("Partial = %+v, want the text %q", partial, tt.partial)
			}
		})
	}
}

// TestTooManyTools is a stream that would have memory for millions of calls.
func TestTooManyTools(t *testing.T) {
	t.Parallel()
	call := `{"choices":[{"delta":{"tool_calls":[` + strings.Repeat(`{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"f"}},`, maxToolCalls) + `{"id":"c"}]}}]}`
	if _, _, _, err := follow(t, open(t, says(t, streamType, streamed(call)), "gpt-test"), asks("a")); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("the stream ends in %v, want an error of kind %q", err, lm.ErrBackend)
	}
}

// TestStreamIsLeft leaves the loop, and ends the context, in the middle of a stream that
// goes on: the server sees the end of the request.
func TestStreamIsLeft(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", streamType)
		_, _ = w.Write([]byte(`data: {"choices":[{"delta":{"content":"one"}}]}` + "\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- struct{}{}
	})
	m := open(t, s, "gpt-test")
	for e, err := range m.Stream(t.Context(), asks("a")) {
		if err != nil || e.Text != "one" {
			t.Errorf("the first event is %+v, %v", e, err)
		}
		break
	}
	<-gone
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var end error
	for _, err := range m.Stream(ctx, asks("a")) {
		cancel()
		end = err
	}
	if !errors.Is(end, context.Canceled) {
		t.Errorf("the stream ends in %v, want %v", end, context.Canceled)
	}
	<-gone
}

// TestStreamTooLong is a stream that never ends.
func TestStreamTooLong(t *testing.T) {
	t.Parallel()
	chunk := `data: {"choices":[{"delta":{"content":"` + strings.Repeat("a", 1000) + `"}}]}` + "\n\n"
	m := open(t, says(t, streamType, strings.Repeat(chunk, 100)), "gpt-test", MaxReply(50_000))
	shown, _, _, err := follow(t, m, asks("a"))
	var e *lm.Error
	if !errors.As(err, &e) || e.Kind != lm.ErrBackend || e.Partial == nil || e.Partial.Text != shown || len(shown) < 40_000 || len(shown) > 50_000 {
		t.Errorf("%d bytes were shown, and the stream ends in %v", len(shown), err)
	}
}

// TestCallsOfOneIndex are told apart by their IDs and names: some servers give each call of
// a reply the index 0, and others a new ID to each piece of one call.
func TestCallsOfOneIndex(t *testing.T) {
	t.Parallel()
	piece := func(id, name, arguments string) string {
		return `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"` + id + `","function":{"name":"` + name + `","arguments":"` + arguments + `"}}]}}]}` + "\n\n"
	}
	end := `data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\ndata: [DONE]\n\n"
	for name, tt := range map[string]struct {
		body string
		want []lm.ToolCall
	}{
		"two calls":       {piece("a", "f", "{}") + piece("b", "g", "[]") + end, []lm.ToolCall{{ID: "a", Name: "f", Arguments: "{}"}, {ID: "b", Name: "g", Arguments: "[]"}}},
		"one in pieces":   {piece("a", "f", "{") + piece("", "", "}") + end, []lm.ToolCall{{ID: "a", Name: "f", Arguments: "{}"}}},
		"one of many IDs": {piece("a", "f", "{") + piece("b", "", "}") + end, []lm.ToolCall{{ID: "a", Name: "f", Arguments: "{}"}}},
	} {
		var got []lm.ToolCall
		for e, err := range open(t, says(t, streamType, tt.body), "gpt-test").Stream(t.Context(), asks("a")) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e.Response != nil {
				got = e.Response.ToolCalls
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
