package cache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

func fullRequest() *lm.Request {
	return &lm.Request{
		Messages: []lm.Message{
			lm.System("Be <brief>."),
			{Role: lm.RoleUser, Parts: []lm.Part{{Text: "look"}, {Blob: &lm.Blob{MIME: "image/png", Data: []byte("pixels")}}, {Blob: &lm.Blob{Kind: lm.BlobFile, URL: "https://user:canary@host/a.pdf?sig=canary#canary", Name: "a.pdf"}}}},
			{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "look", Arguments: "{}"}}},
			lm.ToolResult("1", "seen"),
		},
		Prompt: "p",
		Shape: &lm.Shape{Segments: []lm.Segment{
			{Literal: "Label: "},
			{Hole: lm.HoleChoice, Name: "label", Choices: []lm.Alternative{{Text: "ham", Bias: -0.5}, {Text: "spam"}}},
			{Hole: lm.HoleJSON, Schema: []byte(`{"type":"object"}`)},
			{Hole: lm.HolePattern, Pattern: "a+"},
			{Hole: lm.HoleText},
			{Hole: lm.HoleInt},
			{Hole: lm.HoleFloat},
			{Hole: lm.HoleBool},
		}},
		ResponseFormat: &lm.ResponseFormat{Name: "f", Schema: []byte(`{broken`)},
		Tools:          []lm.Tool{{Name: "look", Description: "d", Parameters: []byte(`{"type":"object"}`)}},
		ToolChoice:     lm.ToolChoiceRequired,
		Temperature:    lm.Temperature(math.NaN()), TopP: lm.Temperature(0.5), TopK: 4, MinP: lm.Temperature(0.1), Seed: lm.Seed(math.MaxUint64),
		MaxTokens: 5, Stop: []string{"x"}, Logprobs: true, TopLogprobs: 2, Rollout: 3,
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	r := fullRequest()
	for v, i := reflect.ValueOf(*r), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the test does not set %s, which is new", v.Type().Field(i).Name)
		}
	}
	got, err := cache.Describe(r)
	if err != nil || !json.Valid([]byte(got)) {
		t.Fatalf("%s, %v", got, err)
	}
	want := `{"messages":[{"role":"system","text":"Be <brief>."},` +
		`{"role":"user","parts":[{"text":"look"},{"blob":{"kind":"image","mime":"image/png","bytes":6,"sha256":"6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37"}},` +
		`{"blob":{"kind":"file","name":"a.pdf","url":"https://host/a.pdf"}}]},` +
		`{"role":"assistant","tool_calls":[{"id":"1","name":"look","arguments":"{}"}]},{"role":"tool","text":"seen","tool_call_id":"1"}],"prompt":"p",` +
		`"shape":[{"literal":"Label: "},{"hole":"choice","name":"label","choices":[{"text":"ham","bias":-0.5},{"text":"spam"}]},` +
		`{"hole":"json","schema":{"type":"object"}},{"hole":"pattern","pattern":"a+"},{"hole":"text"},{"hole":"int"},{"hole":"float"},{"hole":"bool"}],` +
		`"response_format":{"name":"f","schema":"{broken"},"tools":[{"name":"look","description":"d","parameters":{"type":"object"}}],"tool_choice":"required",` +
		`"temperature":"NaN","top_p":0.5,"top_k":4,"min_p":0.1,"seed":18446744073709551615,"max_tokens":5,"stop":["x"],"logprobs":true,"top_logprobs":2,"rollout":3}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDescribeAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"data:image/png;base64,canary":     "data:image/png;base64,(6 characters)",
		"DATA:,canary":                     "DATA:,(6 characters)",
		"https://canary@h/p?k=canary":      "https://h/p",
		"mailto:canary":                    "(an address that cannot be shown)",
		"http://[::1]:80:canary/":          "(an address that cannot be shown)",
		"https://h/a%20b?token=canary#abc": "https://h/a%20b",
	} {
		got, err := cache.Describe(&lm.Request{Messages: []lm.Message{{Parts: []lm.Part{{Blob: &lm.Blob{URL: url}}}}}})
		if err != nil || !strings.Contains(got, `"url":"`+want+`"`) || strings.Contains(got, "canary") {
			t.Errorf("%s: %s, %v, want %s", url, got, err, want)
		}
	}
}

// TestNoSecrets looks for a key in all files of a store, and in all that it says.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s, err := cache.Open(t.Context(), path)
	must(t, err)
	const canary = "sk-canary-1234567890"
	model := &struct {
		*fake
		key string
	}{echo("m"), canary}
	r := prompt("a")
	r.Prompt, r.Messages = "", []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{URL: "https://h/p?key=" + canary}}}}}
	type secret struct{}
	ctx := context.WithValue(t.Context(), secret{}, canary)
	if _, err := s.Wrap(model).Generate(ctx, r); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	must(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		must(t, err)
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds the key", filepath.Base(f))
		}
	}
	if len(files) < 2 {
		t.Errorf("only %v was looked at", files)
	}
	must(t, s.Close())
}
