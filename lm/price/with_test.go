package price

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

// fake is a provider of fixed replies, with a name.
type fake struct {
	name    string
	replies []*lm.Response
	err     error
}

func (f *fake) Name() string { return f.name }

func (f *fake) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return f.replies[0], f.err
}

func (f *fake) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if yield(&lm.Event{Text: "a"}, nil) && yield(&lm.Event{Text: "b", Response: f.replies[0]}, nil) && f.err != nil {
			yield(nil, f.err)
		}
	}
}

func (f *fake) Sample(context.Context, *lm.Request, int) ([]*lm.Response, error) {
	return append([]*lm.Response{}, f.replies...), f.err
}

func clock() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }

var request = &lm.Request{Prompt: "x"}

func TestWith(t *testing.T) {
	t.Parallel()
	u := lm.Usage{Calls: 1, PromptTokens: 1000, CompletionTokens: 100}
	reply := func(u lm.Usage, model string) *lm.Response { return &lm.Response{Text: "x", Usage: u, Model: model} }
	cached := reply(u, "gpt-4o")
	cached.Cached = true
	done := u
	done.Cost, done.PricedCalls = 7, 1
	sound := &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{Kind: lm.BlobAudio, Data: []byte{1}}}}}}}
	picture := &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{Data: []byte{1}}}}}}}
	file := &lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{Kind: lm.BlobFile, ID: "f"}}}}}}
	heard := u
	heard.AudioPromptTokens = 400 // 600 x 300 + 400 x 1,000 + 100 x 2,500
	const unknown = -1
	for _, tt := range []struct {
		test, name string
		r          *lm.Request
		resp       *lm.Response
		opts       []Option
		want       lm.Money
	}{
		{"the reply's model", "openai:nothing", request, reply(u, "gpt-4o-2024-08-06"), nil, 3_500_000},
		{"the name's model", "openai:gpt-4o", request, reply(u, "nothing"), nil, 3_500_000},
		{"no model in the reply", "openai:gpt-4o", request, reply(u, ""), nil, 3_500_000},
		{"a model with a colon", "openrouter:deepseek/deepseek-chat:x", request, reply(u, "perplexity/sonar-deep-research"), nil, 2_800_000},
		{"as another", "gateway", request, reply(u, "gpt-4o"), []Option{As("openai", "")}, 3_500_000},
		{"as another model", "openai:gpt-4o-mini", request, reply(u, "gpt-4o-mini"), []Option{As("openai", "gpt-4o")}, 3_500_000},
		{"local", "llamacpp:sha256:b1", request, reply(u, "any"), nil, 0},
		{"local server", "llama-server:gpt-4o", request, reply(u, "gpt-4o"), nil, 0},
		{"Ollama's own", "ollama:gpt-oss:120b-cloud", request, reply(u, "x"), nil, unknown},
		{"elsewhere", "openai:gpt-4o@gateway.example.com", request, reply(u, "gpt-4o"), nil, unknown},
		{"elsewhere on this machine", "openai:gpt-4o@localhost", request, reply(u, "gpt-4o"), nil, unknown},
		{"elsewhere at a port", "openai:gpt-4o@gateway:8080", request, reply(u, "gpt-4o"), nil, unknown},
		{"elsewhere, and yet", "openai:gpt-4o@gateway:8080", request, reply(u, "gpt-4o"), []Option{As("openai", "")}, 3_500_000},
		{"local, elsewhere", "vllm:gpt-4o@gpu:8080", request, reply(u, "gpt-4o"), nil, 0},
		{"a version behind an @", "vertex:claude-3-opus@20240229", request, reply(u, ""), nil, 22_500_000},
		{"nobody's", "nobody:gpt-4o", request, reply(u, "gpt-4o"), nil, unknown},
		{"no name", "", request, reply(u, "gpt-4o"), nil, unknown},
		{"no such model", "openai:a", request, reply(u, "b"), nil, unknown},
		{"out of a store", "openai:gpt-4o", request, cached, nil, unknown},
		{"counted as out of a store", "openai:gpt-4o", request, reply(lm.Usage{Calls: 1, CachedCalls: 1, PromptTokens: 9}, "gpt-4o"), nil, unknown},
		{"has a price", "openai:gpt-4o", request, reply(done, "gpt-4o"), nil, unknown},
		{"no call", "openai:gpt-4o", request, reply(lm.Usage{PromptTokens: 9}, "gpt-4o"), nil, unknown},
		{"sounds", "google:gemini-2.5-flash", sound, reply(u, ""), nil, unknown},
		{"sounds that are counted", "google:gemini-2.5-flash", sound, reply(heard, ""), nil, 830_000},
		{"with a tag", "openai:gpt-4o#0123abcd", request, reply(u, ""), nil, 3_500_000},
		{"no tag", "openai:gpt-4o#0123abcx", request, reply(u, ""), nil, unknown},
		{"Ollama's own with a tag, elsewhere", "ollama:gpt-oss:120b-cloud#0123abcd@gpu:8080", request, reply(u, "x"), nil, unknown},
		{"a file", "google:gemini-2.5-flash", file, reply(u, ""), nil, unknown},
		{"a picture where it costs the same", "google:gemini-2.5-flash", picture, reply(u, ""), nil, 550_000},
		{"a picture", "openai:gpt-image-1", picture, reply(lm.Usage{Calls: 1, PromptTokens: 10}, ""), nil, unknown},
		{"text only", "openai:gpt-image-1", request, reply(lm.Usage{Calls: 1, PromptTokens: 10}, ""), nil, 50_000},
	} {
		t.Run(tt.test, func(t *testing.T) {
			t.Parallel()
			before := tt.resp.Clone()
			want := tt.resp.Clone()
			if tt.want != unknown {
				want.Usage.Cost, want.Usage.PricedCalls = tt.want, 1
			}
			m := With(Default(), append(tt.opts, Clock(clock))...)(&fake{name: tt.name, replies: []*lm.Response{tt.resp}})
			got, err := m.Generate(t.Context(), tt.r)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("Generate: %v %s", err, cmp.Diff(want, got))
			}
			var last *lm.Event
			text := ""
			for event, err := range lm.Stream(t.Context(), m, tt.r) {
				if err != nil {
					t.Fatal(err)
				}
				text += event.Text
				last = event
			}
			if text != "ab" || !cmp.Equal(last.Response, want) {
				t.Errorf("Stream: %q %s", text, cmp.Diff(want, last.Response))
			}
			all, err := lm.Sample(t.Context(), m, tt.r, 1)
			if err != nil || len(all) != 1 || !cmp.Equal(all[0], want) {
				t.Errorf("Sample: %v %s", err, cmp.Diff(want, all[0]))
			}
			if !cmp.Equal(tt.resp, before) {
				t.Error("the provider's own reply was changed")
			}
			if lm.NameOf(m) != tt.name {
				t.Errorf("the name behind is %q", lm.NameOf(m))
			}
		})
	}
}

// TestSampleIsOneBill has a prompt that is over the tier as a whole only.
func TestSampleIsOneBill(t *testing.T) {
	t.Parallel()
	part := func(calls, prompt int) *lm.Response {
		return &lm.Response{Usage: lm.Usage{Calls: calls, PromptTokens: prompt, CompletionTokens: 1000}}
	}
	for _, tt := range []struct {
		name string
		all  []*lm.Response
		want []lm.Money
	}{
		// 200,001 x 6,000 + 2,000 x 22,500 = 1,200,006,000 + 45,000,000
		{"one call", []*lm.Response{part(0, 1), part(1, 200_000)}, []lm.Money{0, 1_245_006_000}},
		// 1 x 3,000 + 1,000 x 15,000, and 200,000 x 3,000 + 1,000 x 15,000
		{"two calls", []*lm.Response{part(1, 1), part(1, 200_000)}, []lm.Money{15_003_000, 615_000_000}},
	} {
		m := With(Default(), Clock(clock))(&fake{name: "anthropic:claude-sonnet-4-5", replies: tt.all})
		got, err := lm.Sample(t.Context(), m, request, 2)
		if err != nil {
			t.Fatal(err)
		}
		var sum lm.Usage
		for i, resp := range got {
			sum = sum.Add(resp.Usage)
			if resp.Usage.Cost != tt.want[i] {
				t.Errorf("%s: reply %d costs %d, want %d", tt.name, i, resp.Usage.Cost, tt.want[i])
			}
			if tt.all[i].Usage.Cost != 0 {
				t.Errorf("%s: the provider's own reply was changed", tt.name)
			}
		}
		if !sum.CostKnown() {
			t.Errorf("%s: the cost is not known: %+v", tt.name, sum)
		}
	}
}

func TestPartial(t *testing.T) {
	t.Parallel()
	u := lm.Usage{Calls: 1, PromptTokens: 1000, CompletionTokens: 100}
	broken := &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "ha", Usage: u}}
	m := With(Default(), Clock(clock))(&fake{name: "openai:gpt-4o", replies: []*lm.Response{nil}, err: broken})
	_, err := m.Generate(t.Context(), request)
	var e *lm.Error
	if !errors.As(err, &e) || e.Partial.Usage.Cost != 3_500_000 || !e.Partial.Usage.CostKnown() || e.Partial.Text != "ha" || e.Kind != lm.ErrBackend {
		t.Errorf("%+v", e)
	}
	if broken.Partial.Usage != u {
		t.Error("the provider's own error was changed")
	}
}

func TestWithErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("no")
	m := With(Default())(&fake{name: "openai:gpt-4o", replies: []*lm.Response{nil}, err: cause})
	if resp, err := m.Generate(t.Context(), request); resp != nil || !errors.Is(err, cause) {
		t.Errorf("Generate: %v, %v", resp, err)
	}
	m = With(Default())(&fake{name: "openai:gpt-4o", replies: []*lm.Response{{}}, err: cause})
	events, last := 0, error(nil)
	for _, err := range lm.Stream(t.Context(), m, request) {
		events++
		last = err
	}
	if events != 3 || !errors.Is(last, cause) {
		t.Errorf("%d events, and %v at the end", events, last)
	}
	for range lm.Stream(t.Context(), m, request) {
		break
	}
	for name, m := range map[string]lm.LM{"no table": With(nil)(&fake{}), "no clock": With(Default(), Clock(nil))(&fake{})} {
		_, err := m.Generate(t.Context(), request)
		_, err2 := lm.Sample(t.Context(), m, request, 2)
		var err3 error
		for _, err3 = range lm.Stream(t.Context(), m, request) {
		}
		for _, err := range []error{err, err2, err3} {
			if !errors.Is(err, lm.ErrInvalidRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
