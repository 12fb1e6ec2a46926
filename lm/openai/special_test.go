package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

// tokenizing is a server that knows four special tokens. Every byte of a text is a token, and
// "<one>" is a single one as a text, too.
func tokenizing(t *testing.T) *fake {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		w.Header().Set("Content-Type", jsonType)
		switch r.URL.Path {
		case "/tokenize":
			var in struct {
				Content string
				Special bool `json:"parse_special"`
			}
			if err := json.Unmarshal([]byte(body), &in); err != nil {
				t.Error(err)
			}
			if in.Special {
				in.Content = strings.NewReplacer("<|im_end|>", "\x01", "<s>", "\x02", "<one>", "\x03", "[INST]", "\x04").Replace(in.Content)
			}
			in.Content = strings.ReplaceAll(in.Content, "<one>", "\x05")
			ids := make([]int, len(in.Content))
			for i := range ids {
				ids[i] = int(in.Content[i])
			}
			data, _ := json.Marshal(map[string]any{"tokens": ids})
			_, _ = w.Write(data)
		case "/apply-template":
			_, _ = io.WriteString(w, `{"prompt":"<|im_end|>hi"}`)
		case "/v1/chat/completions":
			_, _ = io.WriteString(w, chat("hi"))
		case "/v1/completions":
			_, _ = io.WriteString(w, `{"choices":[{"text":"hi","finish_reason":"stop"}]}`)
		default:
			http.NotFound(w, r)
		}
	})
}

func TestSpecialTokens(t *testing.T) {
	t.Parallel()
	s := tokenizing(t)
	m := open(t, s, "llama-server/m")
	r := asks("a <|im_end|> and <b>bold</b>, <s> [inst] <|im_end|>")
	for range 2 {
		generate(t, m, r)
	}
	chats, asked := []string{}, 0
	for i, p := range s.paths {
		if p == "/v1/chat/completions" {
			chats = append(chats, s.bodies[i])
		} else {
			asked++
		}
	}
	const want = `a <` + joiner + `|im_end|> and <b>bold</b>, <` + joiner + `s> [inst] <` + joiner + `|im_end|>`
	if len(chats) != 2 || asked != 14 || !strings.Contains(chats[0], want) || chats[0] != chats[1] {
		t.Errorf("after %d questions %q was sent, want two of\n%s\nafter two questions for each of seven sets of texts", asked, chats, want)
	}
	generate(t, m, &lm.Request{Prompt: "x<s>y"})
	if last := s.bodies[len(s.bodies)-1]; !strings.Contains(last, `"x<`+joiner+`s>y"`) {
		t.Errorf("the prompt was sent as %s", last)
	}
	if got := r.Messages[0].Text(); strings.Contains(got, joiner) {
		t.Errorf("the request was changed to %q", got)
	}
}

// TestSpecialTokensOfPage asks two questions about a page with thousands of tags.
func TestSpecialTokensOfPage(t *testing.T) {
	t.Parallel()
	s := tokenizing(t)
	m := open(t, s, "llama-server/m")
	var page strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&page, "<row%d>", i)
	}
	generate(t, m, asks(page.String()))
	if n := len(s.paths); n != 3 {
		t.Errorf("%d requests were sent, want 3", n)
	}
	if n := len(m.specials.known); n != maxSpecials {
		t.Errorf("%d texts are remembered, want %d", n, maxSpecials)
	}
}

// TestSpecialTokensOnly holds the guard to the model's own tokens, wherever they stand.
func TestSpecialTokensOnly(t *testing.T) {
	t.Parallel()
	const j = joiner
	for in, want := range map[string]string{
		"<one>":                     "<" + j + "one>",
		"<a[INST]b>":                "<a[" + j + "INST]b>", // what holds a token is none itself
		"<<s>>":                     "<<" + j + "s>>",
		"<i>a[0] < b</i> <|other|>": "<i>a[0] < b</i> <|other|>",
		"<|im_end| >":               "<|im_end| >",
	} {
		s := tokenizing(t)
		r := asks(in)
		r.Messages = append(r.Messages,
			lm.Message{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: `{"a":"` + in + `"}`}}},
			lm.Message{Role: lm.RoleTool, ToolCallID: "1", Parts: []lm.Part{{Text: in[:2]}, {Text: in[2:]}}})
		generate(t, open(t, s, "llama-server/m"), r)
		var sent struct {
			Messages []struct {
				Content string
				Calls   []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
			}
		}
		if err := json.Unmarshal([]byte(s.bodies[len(s.bodies)-1]), &sent); err != nil {
			t.Fatal(err)
		}
		got := []string{sent.Messages[0].Content, sent.Messages[1].Calls[0].Function.Arguments, sent.Messages[2].Content}
		if !slices.Equal(got, []string{want, `{"a":"` + want + `"}`, want}) {
			t.Errorf("%q was sent as %q, want %q", in, got, want)
		}
	}
}

func TestReadSpecialTokens(t *testing.T) {
	t.Parallel()
	s := tokenizing(t)
	m := open(t, s, "llama-server/m", ReadSpecialTokens())
	generate(t, m, &lm.Request{Prompt: "a<|im_end|>b"})
	if len(s.bodies) != 1 || !strings.Contains(s.bodies[0], "a<|im_end|>b") {
		t.Errorf("sent were %q", s.bodies)
	}
	c, err := m.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.CountTokens(t.Context(), &lm.Request{Prompt: "a<|im_end|>b"}); n != 3 || err != nil {
		t.Errorf("CountTokens = %d, %v; want 3", n, err)
	}
}

// TestSpecialTokensElsewhere is a server that cannot be asked.
func TestSpecialTokensElsewhere(t *testing.T) {
	t.Parallel()
	s := tokenizing(t)
	generate(t, open(t, s, "vllm/m"), asks("<|im_end|>"))
	if len(s.bodies) != 1 || !strings.Contains(s.bodies[0], "<|im_end|>") {
		t.Errorf("sent were %q", s.bodies)
	}
}

func TestSpecialsAreBounded(t *testing.T) {
	t.Parallel()
	m := open(t, tokenizing(t), "llama-server/m")
	for i := range maxSpecials {
		m.specials.known[strings.Repeat("x", i+1)] = false
	}
	generate(t, m, asks("<s>"))
	if n := len(m.specials.known); n != 1 {
		t.Errorf("%d texts are remembered, want all forgotten but the last", n)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { generate(t, m, asks("<|im_end|> <a> <b> <c>")) })
	}
	wg.Wait()
}

func TestTokenizer(t *testing.T) {
	t.Parallel()
	m := open(t, tokenizing(t), "llama-server/m")
	if _, ok := lm.As[lm.Tokenizer](m); ok {
		t.Error("every model counts tokens by its type, and most servers cannot")
	}
	c, err := m.Tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	for want, r := range map[int]*lm.Request{
		3: asks("whatever the template makes of it"), // the mark and two letters
		5: {Prompt: "a b c"},
		7: {Prompt: "<s>b"}, // four and the joiner's three
	} {
		if n, err := c.CountTokens(t.Context(), r); err != nil || n != want {
			t.Errorf("CountTokens(%+v) = %d, %v; want %d", r, n, err, want)
		}
	}
	if _, err := c.CountTokens(t.Context(), &lm.Request{}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("an empty request: %v, want an error of kind %q", err, lm.ErrInvalidRequest)
	}
	if _, err := open(t, tokenizing(t), "vllm/m").Tokenizer(); !errors.Is(err, lm.ErrUnsupported) {
		t.Errorf("a server that cannot: %v, want an error of kind %q", err, lm.ErrUnsupported)
	}
}

// TestNotLlamaServer has another server where llama-server should be.
func TestNotLlamaServer(t *testing.T) {
	t.Parallel()
	m := open(t, says(t, jsonType, chat("hi")), "llama-server/m")
	if _, err := m.Generate(t.Context(), asks("<s>")); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("Generate returned %v, want an error of kind %q", err, lm.ErrBackend)
	}
	generate(t, m, asks("nothing special"))
}
