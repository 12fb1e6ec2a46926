package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func ptr(f float64) *float64 { return &f }

type sent struct {
	name   string // of the golden file
	model  string
	r      *lm.Request
	opts   []Option
	n      int
	stream bool
}

func requests() []sent {
	weather := lm.Tool{Name: "weather", Description: "Tells the weather.", Parameters: []byte(`{"type":"object","properties":{"place":{"type":"string"}},"required":["place"]}`)}
	shaped := asks("What colour is grass?")
	shaped.Shape = &lm.Shape{Segments: []lm.Segment{
		{Literal: "Why: "},
		{Hole: lm.HoleText, Name: "why"},
		{Literal: "\nLabel: "},
		{Hole: lm.HoleChoice, Name: "label", Choices: []lm.Alternative{{Text: "red"}, {Text: "green"}}},
		{Literal: "\n"},
	}}
	shaped.ResponseFormat = &lm.ResponseFormat{Name: "verdict"}
	single := func(s lm.Segment) *lm.Request {
		r := asks("One.")
		r.Shape = &lm.Shape{Segments: []lm.Segment{s}}
		return r
	}
	colours := lm.Segment{Hole: lm.HoleChoice, Name: "c", Choices: []lm.Alternative{{Text: "red"}, {Text: "green"}}}
	digits := lm.Segment{Hole: lm.HolePattern, Name: "d", Pattern: "[0-9]{2,3}"}
	number := lm.Segment{Hole: lm.HoleJSON, Name: "n", Schema: []byte(`{"type":"integer"}`)}
	format := asks("Describe a parcel.")
	format.ResponseFormat = &lm.ResponseFormat{Name: "a parcel", Schema: []byte(`{"type":"object","properties":{"size":{"type":"integer"}},"required":["size"],"additionalProperties":false}`)}
	object := asks("Describe a parcel.")
	object.ResponseFormat = &lm.ResponseFormat{}
	rawFormat := &lm.Request{Prompt: "A number: ", ResponseFormat: &lm.ResponseFormat{Schema: []byte(`{"type":"integer"}`)}}
	sampling := asks("Name a bird.")
	sampling.Temperature, sampling.TopP, sampling.Seed, sampling.MaxTokens = ptr(0.5), ptr(0.9), lm.Seed(7), 20
	sampling.Stop, sampling.Logprobs, sampling.TopLogprobs = []string{"\n", "."}, true, 3
	cuts := asks("Name a bird.")
	cuts.TopK, cuts.MinP, cuts.Seed = 40, ptr(0.05), lm.Seed(1<<40+5)
	forced := asks("Weather?")
	forced.Tools, forced.ToolChoice = []lm.Tool{weather, {Name: "now"}}, "weather"
	none := asks("Weather?")
	none.Tools, none.ToolChoice = []lm.Tool{weather}, lm.ToolChoiceNone
	turns := &lm.Request{Tools: []lm.Tool{weather}, Messages: []lm.Message{
		lm.System("Be brief."), lm.User("Weather in Köln <now> & then?"),
		{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"place":"Köln"}`}, {ID: "c2", Name: "weather"}}},
		lm.ToolResult("c1", "rain"), lm.ToolResult("c2", "sun"),
	}}
	blobs := &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{
		{Text: "What is this?"},
		{Blob: &lm.Blob{Kind: lm.BlobImage, URL: "https://example.invalid/a.png"}},
		{Blob: &lm.Blob{Kind: lm.BlobImage, Data: []byte("\x89PNG\r\n\x1a\n")}},
		{Blob: &lm.Blob{Kind: lm.BlobAudio, MIME: "audio/x-wav", Data: []byte("RIFF")}},
		{Blob: &lm.Blob{Kind: lm.BlobAudio, URL: "data:audio/mpeg;base64,SUQz"}},
		{Blob: &lm.Blob{Kind: lm.BlobFile, ID: "file-1"}},
		{Blob: &lm.Blob{Kind: lm.BlobFile, MIME: "application/pdf", Name: "a.pdf", Data: []byte("%PDF")}},
		{Blob: &lm.Blob{Kind: lm.BlobFile, URL: "data:text/plain,a%20b"}},
	}}}}
	prompt := &lm.Request{Prompt: "One, two,", Logprobs: true, TopLogprobs: 2, MaxTokens: 4}
	return []sent{
		{name: "plain", model: "gpt-test", r: asks("Hello.")},
		{name: "sampling", model: "gpt-test", r: sampling},
		{name: "sampling_llama_server", model: "llama-server/m", r: sampling},
		{name: "cuts", model: "llama-server/m", r: cuts},
		{name: "cuts_vllm", model: "vllm/meta/llama", r: cuts},
		{name: "cuts_openrouter", model: "openrouter/meta/llama", r: cuts},
		{name: "seed_mistral", model: "mistral/m", r: sampling},
		{name: "tool_forced", model: "gpt-test", r: forced},
		{name: "tool_none", model: "gpt-test", r: none},
		{name: "tool_turns", model: "gpt-test", r: turns},
		{name: "blobs", model: "gpt-test", r: blobs},
		{name: "schema", model: "gpt-test", r: format},
		{name: "object", model: "gpt-test", r: object},
		{name: "object_lmstudio", model: "lmstudio/m", r: object},
		{name: "shape_openai", model: "gpt-test", r: shaped},
		{name: "shape_llama_server", model: "llama-server/m", r: shaped},
		{name: "shape_vllm", model: "vllm/m", r: shaped},
		{name: "choice_vllm", model: "vllm/m", r: single(colours)},
		{name: "pattern_vllm", model: "vllm/m", r: single(digits)},
		{name: "json_vllm", model: "vllm/m", r: single(number)},
		{name: "choice_guided", model: "vllm/m", r: single(colours), opts: []Option{UseDialect(guided())}},
		{name: "json_guided", model: "vllm/m", r: single(number), opts: []Option{UseDialect(guided())}},
		{name: "pattern_guided", model: "vllm/m", r: single(digits), opts: []Option{UseDialect(guided())}},
		{name: "number_guided", model: "vllm/m", r: single(lm.Segment{Hole: lm.HoleInt, Name: "n"}), opts: []Option{UseDialect(guided())}},
		{name: "prompt", model: "vllm/m", r: prompt},
		{name: "prompt_format", model: "llama-server/m", r: rawFormat},
		{name: "extra", model: "gpt-test", r: sampling, opts: []Option{Extra(map[string]any{"user": "u", "temperature": 1})}},
		{name: "sample", model: "gpt-test", r: asks("Hello."), n: 3},
		{name: "stream", model: "gpt-test", r: asks("Hello."), stream: true},
		{name: "stream_mistral", model: "mistral/m", r: asks("Hello."), stream: true},
	}
}

func guided() Dialect {
	d, _ := DialectOf("vllm")
	d.Shapes = ShapesGuided
	return d
}

// TestRequests compares what is sent with golden files.
func TestRequests(t *testing.T) {
	t.Parallel()
	var want []string
	for _, tt := range requests() {
		want = append(want, tt.name+".json")
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := says(t, jsonType, chat("hi"))
			m := open(t, s, tt.model, tt.opts...)
			before := tt.r.Clone()
			// What comes back is no matter here.
			switch {
			case tt.stream:
				for _, err := range m.Stream(t.Context(), tt.r) {
					_ = err
				}
			case tt.n > 0:
				_, _ = m.Sample(t.Context(), tt.r, tt.n)
			default:
				_, _ = m.Generate(t.Context(), tt.r)
			}
			if !cmp.Equal(before, tt.r) {
				t.Errorf("the request was changed: %s", cmp.Diff(before, tt.r))
			}
			if len(s.bodies) != 1 {
				t.Fatalf("%d requests were sent, want 1", len(s.bodies))
			}
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(s.bodies[0]), "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "requests", tt.name+".json"), s.paths[0]+"\n"+got.String()+"\n")
		})
	}
	if *update {
		return
	}
	files, err := filepath.Glob("testdata/requests/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("the golden files are not those of the test (-test +files):\n%s", diff)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestUnsupported is what is refused and not sent without a part of it.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	user := func(b *lm.Blob) *lm.Request {
		return &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: b}}}}}
	}
	with := func(f func(*lm.Request)) *lm.Request {
		r := asks("Hello.")
		f(r)
		return r
	}
	schema := &lm.ResponseFormat{Schema: []byte(`{"type":"object"}`)}
	for name, tt := range map[string]struct {
		model string
		r     *lm.Request
		kind  lm.ErrorKind
	}{
		"prompt":                {"gpt-test", &lm.Request{Prompt: "a"}, lm.ErrUnsupported},
		"prompt of ollama":      {"ollama/m", &lm.Request{Prompt: "a"}, lm.ErrUnsupported},
		"prompt with tools":     {"vllm/m", &lm.Request{Prompt: "a", Tools: []lm.Tool{{Name: "t"}}}, lm.ErrUnsupported},
		"prompt with a format":  {"lmstudio/m", &lm.Request{Prompt: "a", ResponseFormat: schema}, lm.ErrUnsupported},
		"top_k":                 {"gpt-test", with(func(r *lm.Request) { r.TopK = 5 }), lm.ErrUnsupported},
		"min_p":                 {"gpt-test", with(func(r *lm.Request) { r.MinP = ptr(0.1) }), lm.ErrUnsupported},
		"seed":                  {"anthropic/m", with(func(r *lm.Request) { r.Seed = lm.Seed(1) }), lm.ErrUnsupported},
		"format":                {"anthropic/m", with(func(r *lm.Request) { r.ResponseFormat = schema }), lm.ErrUnsupported},
		"schema":                {"deepseek/m", with(func(r *lm.Request) { r.ResponseFormat = schema }), lm.ErrUnsupported},
		"schema that is none":   {"gpt-test", with(func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{Schema: []byte("{")} }), lm.ErrInvalidRequest},
		"picture by ID":         {"gpt-test", user(&lm.Blob{Kind: lm.BlobImage, ID: "f"}), lm.ErrUnsupported},
		"sound by address":      {"gpt-test", user(&lm.Blob{Kind: lm.BlobAudio, URL: "https://example.invalid/a.wav"}), lm.ErrUnsupported},
		"file by address":       {"gpt-test", user(&lm.Blob{Kind: lm.BlobFile, URL: "https://example.invalid/a.pdf"}), lm.ErrUnsupported},
		"blob of no kind":       {"gpt-test", user(&lm.Blob{Kind: 9}), lm.ErrUnsupported},
		"role":                  {"gpt-test", &lm.Request{Messages: []lm.Message{{Role: "judge"}}}, lm.ErrInvalidRequest},
		"neither text nor turn": {"gpt-test", &lm.Request{}, lm.ErrInvalidRequest},
		"hole of no kind":       {"vllm/m", with(func(r *lm.Request) { r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: 99}}} }), lm.ErrInvalidRequest},
		"hole of no schema": {"vllm/m", with(func(r *lm.Request) {
			r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte("{")}}}
		}), lm.ErrInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := says(t, jsonType, chat("hi"))
			m := open(t, s, tt.model)
			if _, err := m.Generate(t.Context(), tt.r); !errors.Is(err, tt.kind) {
				t.Errorf("Generate returned %v, want an error of kind %q", err, tt.kind)
			}
			for _, err := range m.Stream(t.Context(), tt.r) {
				if !errors.Is(err, tt.kind) {
					t.Errorf("Stream returned %v, want an error of kind %q", err, tt.kind)
				}
			}
			if len(s.bodies) > 0 {
				t.Errorf("%d requests were sent, want none", len(s.bodies))
			}
		})
	}
}

// TestLoose is a shape that no grammar can hold a reply to: it is left out.
func TestLoose(t *testing.T) {
	t.Parallel()
	s := says(t, jsonType, chat("hi"))
	m := open(t, s, "vllm/m")
	r := asks("Hello.")
	r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HolePattern, Name: "p", Pattern: `\bhi\b`}}}
	if resp := generate(t, m, r); resp.Shaped || resp.Text != "hi" {
		t.Errorf("response = %+v, want the text and Shaped false", resp)
	}
	r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleText, Name: "p"}}}
	if resp := generate(t, m, r); resp.Shaped {
		t.Error("free text alone needs no server that enforces it, and is reported as enforced")
	}
	for _, body := range s.bodies {
		if strings.Contains(body, "structured_outputs") {
			t.Errorf("the shape was sent: %s", body)
		}
	}
}

func TestMaxPrompt(t *testing.T) {
	t.Parallel()
	s := says(t, jsonType, chat("hi"))
	m := open(t, s, "gpt-test", MaxPrompt(100))
	if _, err := m.Generate(t.Context(), asks(strings.Repeat("a", 200))); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("Generate returned %v, want an error of kind %q", err, lm.ErrInvalidRequest)
	}
	generate(t, m, asks("a"))
	if len(s.bodies) != 1 {
		t.Errorf("%d requests were sent, want 1", len(s.bodies))
	}
}

func TestFoldedSeeds(t *testing.T) {
	t.Parallel()
	seen := map[uint64]uint64{}
	for _, s := range []uint64{0, 1, 1<<31 - 1, 1 << 31, 1 << 32, 1<<32 + 1, 1 << 63, 1<<64 - 1} {
		got := Dialect{SeedBits: 31}.seed(s)
		if got >= 1<<31 || s < 1<<31 && got != s {
			t.Errorf("the seed %d is folded to %d", s, got)
		}
		seen[got] = s
		if wide := (Dialect{}).seed(s); wide >= 1<<63 || s < 1<<63 && wide != s {
			t.Errorf("the seed %d is folded to %d in 63 bits", s, wide)
		}
	}
	if len(seen) < 6 {
		t.Errorf("eight seeds became %d: %v", len(seen), slices.Collect(maps.Keys(seen)))
	}
}
