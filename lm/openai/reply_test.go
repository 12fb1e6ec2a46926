package openai

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func TestReplies(t *testing.T) {
	t.Parallel()
	usage := lm.Usage{Calls: 1}
	for name, tt := range map[string]struct {
		body string
		r    *lm.Request
		want lm.Response
	}{
		"all": {
			`{"id":"c1","model":"m-1","system_fingerprint":"fp","choices":[{"index":0,"message":{"role":"assistant","content":"hi","reasoning_content":"hm"},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":10,"completion_tokens":5.0,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}}}`, nil,
			lm.Response{
				Text: "hi", Reasoning: "hm", Finish: lm.FinishStop, Model: "m-1", Fingerprint: "fp", RequestID: "req-1",
				Usage: lm.Usage{Calls: 1, PromptTokens: 10, CachedTokens: 4, CacheWriteTokens: 2, CompletionTokens: 5, ReasoningTokens: 3},
			},
		},
		"reasoning of OpenRouter": {`{"choices":[{"message":{"content":"hi","reasoning":"hm"},"finish_reason":"stop"}]}`, nil, lm.Response{Text: "hi", Reasoning: "hm", Finish: lm.FinishStop, Usage: usage}},
		"cut in its thoughts":     {`{"choices":[{"message":{"content":null,"reasoning_content":"hm"},"finish_reason":"length"}]}`, nil, lm.Response{Reasoning: "hm", Finish: lm.FinishLength, Usage: usage}},
		"length":                  {`{"choices":[{"message":{"content":"hi"},"finish_reason":"length"}],"usage":null}`, nil, lm.Response{Text: "hi", Finish: lm.FinishLength, Usage: usage}},
		"empty":                   {`{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}`, nil, lm.Response{Finish: lm.FinishStop, Usage: usage}},
		"no reason":               {`{"choices":[{"message":{"content":"hi"}}]}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: usage}},
		"parts":                   {`{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"},{"type":"text","text":"b"}]},"finish_reason":"stop"}]}`, nil, lm.Response{Text: "ab", Finish: lm.FinishStop, Usage: usage}},
		"tools": {
			`{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1"}},{"id":"c2","function":{"name":"g","arguments":{"b":2}}}]},"finish_reason":"stop"}]}`, nil,
			lm.Response{Finish: lm.FinishTools, Usage: usage, ToolCalls: []lm.ToolCall{{ID: "c1", Name: "f", Arguments: `{"a": 1`}, {ID: "c2", Name: "g", Arguments: `{"b":2}`}}},
		},
		"cache of DeepSeek":  {`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":8}}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1, PromptTokens: 9, CachedTokens: 8}}},
		"cache of Anthropic": {`{"choices":[{"message":{"content":"hi"},"finish_reason":"end_turn"}],"usage":{"prompt_tokens":9,"cache_creation_input_tokens":7}}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1, PromptTokens: 9, CacheWriteTokens: 7}}},
		"sounds":             {`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":7},"completion_tokens_details":{"audio_tokens":6}}}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1, PromptTokens: 9, AudioPromptTokens: 7, CompletionTokens: 5, AudioCompletionTokens: 5}}},
		"absurd usage":       {`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":-9,"completion_tokens":null,"prompt_tokens_details":{"cached_tokens":8}}}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: usage}},
		"logprobs": {
			`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop","logprobs":{"content":[{"token":"?","bytes":[104,105],"logprob":-0.5,"top_logprobs":[{"token":"ho","logprob":-2},{"token":"hi","logprob":-0.5},{"token":"x","logprob":-3}]}]}}]}`,
			&lm.Request{Messages: []lm.Message{lm.User("a")}, Logprobs: true, TopLogprobs: 2},
			lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: usage, Logprobs: []lm.TokenLogprob{{Token: "hi", LogProb: -0.5, Top: []lm.TokenLogprob{{Token: "hi", LogProb: -0.5}, {Token: "ho", LogProb: -2}}}}},
		},
		"logprobs that nobody asked for": {`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop","logprobs":{"content":[{"token":"hi","logprob":-0.5}]}}]}`, nil, lm.Response{Text: "hi", Finish: lm.FinishStop, Usage: usage}},
		"prompt": {
			`{"choices":[{"text":" three","finish_reason":"stop","logprobs":{"tokens":[" three"],"token_logprobs":[-0.25],"top_logprobs":[{" four":-2," three":-0.25}]}}]}`,
			&lm.Request{Prompt: "One, two,", Logprobs: true, TopLogprobs: 1},
			lm.Response{Text: " three", Finish: lm.FinishStop, Usage: usage, Logprobs: []lm.TokenLogprob{{Token: " three", LogProb: -0.25, Top: []lm.TokenLogprob{{Token: " three", LogProb: -0.25}}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", jsonType)
				w.Header().Set("X-Request-Id", "req-1")
				_, _ = w.Write([]byte(tt.body))
			})
			m := open(t, s, "vllm/given")
			r := tt.r
			if r == nil {
				r = asks("a")
			}
			tt.want.RequestID = "req-1"
			if tt.want.Model == "" {
				tt.want.Model = "given"
			}
			if diff := cmp.Diff(&tt.want, generate(t, m, r)); diff != "" {
				t.Errorf("the response (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRepliesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body    string
		kind    lm.ErrorKind
		code    string
		partial string
	}{
		"filter":            {`{"choices":[{"message":{"content":"so f"},"finish_reason":"content_filter"}]}`, lm.ErrRefused, "content_filter", "so f"},
		"refusal":           {`{"choices":[{"message":{"content":null,"refusal":"I will not."},"finish_reason":"stop"}]}`, lm.ErrRefused, "refusal", ""},
		"died":              {`{"choices":[{"message":{"content":"so f"},"finish_reason":"error"}]}`, lm.ErrBackend, "error", "so f"},
		"tools without any": {`{"choices":[{"message":{"content":"so f"},"finish_reason":"tool_calls"}]}`, lm.ErrBackend, "", "so f"},
		"nameless tool":     {`{"choices":[{"message":{"content":"so f","tool_calls":[{"id":"c"}]},"finish_reason":"tool_calls"}]}`, lm.ErrBackend, "", "so f"},
		"null":              {`{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, lm.ErrBackend, "", ""},
		"rate limit in 200": {`{"error":{"message":"slow down","code":429}}`, lm.ErrRateLimit, "", ""},
		"quota in 200":      {`{"error":{"message":"pay","code":"insufficient_quota"}}`, lm.ErrQuota, "insufficient_quota", ""},
		"text":              {`{"choices":[{"text":"hi"}]}`, lm.ErrBackend, "", ""},
		"number of tokens":  {`{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":"many"}}`, lm.ErrBackend, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := open(t, says(t, jsonType, tt.body), "gpt-test")
			resp, err := m.Generate(t.Context(), asks("a"))
			var e *lm.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Code != tt.code || e.Status != 200 || e.Provider != "openai" || e.Model != "gpt-test" {
				t.Fatalf("Generate returned %+v, %#v; want the kind %q and the code %q", resp, err, tt.kind, tt.code)
			}
			switch {
			case tt.partial == "" && e.Partial != nil:
				t.Errorf("Partial is %+v, want none", e.Partial)
			case tt.partial != "" && (e.Partial == nil || e.Partial.Text != tt.partial):
				t.Errorf("Partial is %+v, want the text %q", e.Partial, tt.partial)
			}
		})
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	const three = `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"stop"},{"index":2,"message":{"content":"c"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":10,"completion_tokens":8}}`
	s := says(t, jsonType, three)
	m := open(t, s, "gpt-test")
	replies, err := lm.Sample(t.Context(), m, asks("x"), 3)
	if err != nil {
		t.Fatal(err)
	}
	text, sum := "", lm.Usage{}
	for _, r := range replies {
		text += r.Text
		sum = sum.Add(r.Usage)
	}
	if want := (lm.Usage{Calls: 1, PromptTokens: 10, CompletionTokens: 8}); text != "abc" || sum != want || len(s.bodies) != 1 {
		t.Errorf("the replies are %q and cost %+v in %d requests, want abc for %+v in one", text, sum, len(s.bodies), want)
	}
	if _, err := m.Sample(t.Context(), asks("x"), 4); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("three replies where four were asked for: %v, want an error of kind %q", err, lm.ErrBackend)
	}
	if _, err := m.Sample(t.Context(), asks("x"), 0); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("no replies: %v, want an error of kind %q", err, lm.ErrInvalidRequest)
	}
}

// TestSampleInParts asks a server that gives two at once for five, and one that gives one.
func TestSampleInParts(t *testing.T) {
	t.Parallel()
	for maxN, requests := range map[int]int{0: 5, 2: 3} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
			w.Header().Set("Content-Type", jsonType)
			one := `{"message":{"content":"a"},"finish_reason":"stop"}`
			if strings.Contains(body, `"n":2`) {
				one += "," + one
			}
			_, _ = w.Write([]byte(`{"choices":[` + one + `]}`))
		})
		m := open(t, s, "gpt-test", UseDialect(Dialect{MaxN: maxN, SeedField: "seed"}))
		r := asks("x")
		r.Seed = lm.Seed(1)
		replies, err := m.Sample(t.Context(), r, 5)
		if err != nil || len(replies) != 5 || len(s.bodies) != requests {
			t.Errorf("%d at once: %d replies, %v, in %d requests; want five in %d", maxN, len(replies), err, len(s.bodies), requests)
		}
		seen := map[string]bool{}
		for _, b := range s.bodies {
			seen[b] = true
		}
		if len(seen) != requests {
			t.Errorf("%d at once: requests are the same, seed and all: %v", maxN, s.bodies)
		}
	}
}

// TestKeysThatComeTwice have the last of both, and no mixture.
func TestKeysThatComeTwice(t *testing.T) {
	t.Parallel()
	const first = `{"content":"a","reasoning":"b","tool_calls":[{"id":"1","function":{"name":"f"}}]}`
	for name, body := range map[string]string{
		"choices":    `{"choices":[{"message":` + first + `,"finish_reason":"tool_calls"}],"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}`,
		"message":    `{"choices":[{"message":` + first + `,"message":{"content":"hi"},"finish_reason":"stop"}]}`,
		"tool_calls": `{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"f"}}],"content":"hi","tool_calls":null},"finish_reason":"stop"}]}`,
	} {
		resp := generate(t, open(t, says(t, jsonType, body), "gpt-test"), asks("a"))
		if resp.Text != "hi" || resp.Reasoning != "" || len(resp.ToolCalls) > 0 || resp.Finish != lm.FinishStop {
			t.Errorf("%s: response = %+v, want the text hi and nothing else", name, resp)
		}
	}
}
