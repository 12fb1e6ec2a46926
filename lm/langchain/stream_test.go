package langchain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

// collect reads a stream to its end.
func collect(ctx context.Context, m lm.LM, r *lm.Request) (texts []string, last *lm.Response, err error) {
	for event, e := range lm.Stream(ctx, m, r) {
		if e != nil {
			return texts, last, e
		}
		texts = append(texts, event.Text)
		if event.Response != nil {
			last = event.Response
		}
	}
	return texts, last, nil
}

func TestStream(t *testing.T) {
	t.Parallel()
	s, client := serve(t, streams(streamEnd, "Hel", "", "lo", "!"))
	texts, resp, err := collect(t.Context(), New(client), ask("x"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts, "|"); got != "Hel|lo|!|" {
		t.Errorf("the parts are %s", got)
	}
	if resp == nil || resp.Text != "Hello!" || resp.Finish != lm.FinishStop || resp.Usage != (lm.Usage{Calls: 1, PromptTokens: 7, CompletionTokens: 3}) {
		t.Errorf("the reply is %+v", resp)
	}
	if body := s.body(t); body["stream"] != true {
		t.Errorf("no stream was asked for: %v", body)
	}
}

// TestStreamCut ends a stream at every byte: the client takes what has come for the whole.
func TestStreamCut(t *testing.T) {
	t.Parallel()
	var whole strings.Builder
	for _, part := range []string{"Hel", "lo"} {
		fmt.Fprintf(&whole, "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": %q}}]}\n\n", part)
	}
	whole.WriteString(streamEnd)
	reason := strings.Index(whole.String(), `"stop"}]}`) + len(`"stop"}]}`)
	for n := range whole.Len() {
		_, client := serve(t, streams(whole.String()[:n]))
		texts, resp, err := collect(t.Context(), New(client), ask("x"))
		got := strings.Join(texts, "")
		if n >= reason {
			if err != nil || resp.Text != "Hello" {
				t.Errorf("cut at %d, behind the reason to stop: %+v, %v", n, resp, err)
			}
			continue
		}
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != lm.ErrBackend || resp != nil {
			t.Fatalf("cut at %d: %+v, %v", n, resp, err)
		}
		if got == "" && e.Partial != nil || got != "" && (e.Partial == nil || e.Partial.Text != got) || !strings.HasPrefix("Hello", got) {
			t.Fatalf("cut at %d: %q came, and the error has %+v", n, got, e.Partial)
		}
	}
}

// TestStreamOfTools comes as a whole, since the client would give calls as text.
func TestStreamOfTools(t *testing.T) {
	t.Parallel()
	s, client := serve(t, replies)
	r := ask("x")
	r.Tools = []lm.Tool{{Name: "f"}}
	texts, resp, err := collect(t.Context(), New(client), r)
	if err != nil || len(texts) != 1 || texts[0] != "ham" || resp.Reasoning != "short" {
		t.Errorf("%q %+v, %v", texts, resp, err)
	}
	if body := s.body(t); body["stream"] != nil {
		t.Errorf("a stream was asked for: %v", body)
	}
	if _, _, err := collect(t.Context(), New(fails(errors.New("no"))), r); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("a failure: %v", err)
	}
}

func TestStreamOfNone(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fake{
		"a client that does not stream": says(&llms.ContentChoice{Content: "Hello"}),
		"one that streams a part": {answer: func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			err := o.StreamingFunc(ctx, []byte("Hel"))
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Hello"}}}, err
		}},
	} {
		texts, resp, err := collect(t.Context(), New(f), ask("x"))
		if err != nil || strings.Join(texts, "") != "Hello" || resp.Text != "Hello" || resp.Finish != lm.FinishStop {
			t.Errorf("%s: %q %+v, %v", name, texts, resp, err)
		}
	}
	other := &fake{answer: func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		err := o.StreamingFunc(ctx, []byte("x"))
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Hello"}}}, err
	}}
	if texts, resp, err := collect(t.Context(), New(other), ask("x")); err != nil || strings.Join(texts, "") != "x" || resp.Text != "Hello" {
		t.Errorf("a client that streams something else: %q %+v, %v", texts, resp, err)
	}
	broken := &fake{answer: func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		if err := o.StreamingFunc(ctx, []byte("Hel")); err != nil {
			return nil, err
		}
		return nil, errors.New("API returned unexpected status code: 503")
	}}
	_, _, err := collect(t.Context(), New(broken), ask("x"))
	var e *lm.Error
	if !errors.As(err, &e) || e.Status != 503 || e.Partial == nil || e.Partial.Text != "Hel" {
		t.Errorf("a failure in a stream: %v", err)
	}
}

// TestStreamLeft leaves the loop: the call ends, and no goroutine stays (see TestMain).
func TestStreamLeft(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	f := &fake{answer: func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		for {
			if err := o.StreamingFunc(ctx, []byte("x")); err != nil {
				ended <- err
				return nil, err
			}
		}
	}}
	n := 0
	for range lm.Stream(t.Context(), New(f), ask("x")) {
		if n++; n == 3 {
			break
		}
	}
	if err := <-ended; n != 3 || !errors.Is(err, context.Canceled) {
		t.Errorf("after %d parts the call ended with %v", n, err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := says(&llms.ContentChoice{Content: "ham"})
	if _, err := New(f).Generate(ctx, ask("x")); !errors.Is(err, context.Canceled) || f.calls != 0 {
		t.Errorf("before: %v after %d calls", err, f.calls)
	}
	// The client says "request cancelled", which is no context.Canceled.
	ctx, cancel = context.WithCancel(t.Context())
	_, client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := New(client).Generate(ctx, ask("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("during: %v", err)
	}
	// In a stream it returns what has come, as if that were all.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	_, client = serve(t, func(w http.ResponseWriter, r *http.Request) {
		streams("", "Hel")(w, r)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	var last error
	text := ""
	for event, err := range lm.Stream(ctx, New(client), ask("x")) {
		if last = err; err == nil {
			text += event.Text
			cancel()
		}
	}
	var e *lm.Error
	if text != "Hel" || !errors.Is(last, context.Canceled) || errors.As(last, &e) {
		t.Errorf("in a stream: %q, %v, want what was shown and the context's error", text, last)
	}
	if _, _, err := collect(ctx, New(f), ask("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a stream, before: %v", err)
	}
}
