package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

func TestMain(m *testing.M) {
	if job := os.Getenv(childJob); job != "" {
		if err := child(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// fake is a model that counts its calls.
type fake struct {
	name   string
	answer func(context.Context, *lm.Request) (*lm.Response, error)
	calls  atomic.Int64
}

func (f *fake) Name() string { return f.name }

func (f *fake) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	f.calls.Add(1)
	return f.answer(ctx, r)
}

// paid is the usage of each reply of an echo.
var paid = lm.Usage{Calls: 1, PromptTokens: 7, CompletionTokens: 3, Cost: 12345, PricedCalls: 1}

// echo returns a model that answers with its name and the prompt.
func echo(name string) *fake {
	return &fake{name: name, answer: func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: name + ": " + r.Prompt, Finish: lm.FinishStop, Model: name, Usage: paid}, nil
	}}
}

// errAsked is that of a model that nobody should ask.
var errAsked = errors.New("the model was asked")

// mute returns a model that fails: what a store gives in its place was stored.
func mute(name string) *fake {
	return &fake{name: name, answer: func(context.Context, *lm.Request) (*lm.Response, error) { return nil, errAsked }}
}

func prompt(text string) *lm.Request {
	return &lm.Request{Prompt: text, Temperature: lm.Temperature(0)}
}

// tempFile is the path of a store that is not there yet.
func tempFile(t testing.TB) string { return filepath.Join(t.TempDir(), "answers.db") }

// open opens a store and closes it at the end of the test, which fails if that does.
func open(t testing.TB, path string, opts ...cache.Option) *cache.Store {
	t.Helper()
	s, err := cache.Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// ask returns the reply's text, or fails the test.
func ask(t testing.TB, m lm.LM, r *lm.Request) *lm.Response {
	t.Helper()
	resp, err := m.Generate(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// numbered is the request of a number, and numberedReply its reply, of up to 4 KB.
func numbered(n int) *lm.Request { return prompt(fmt.Sprintf("question %d", n)) }

func numberedReply(n int) string {
	return fmt.Sprintf("answer %d %s", n, strings.Repeat(string(rune('a'+n%26)), n*37%4000))
}

// numberedModel answers numbered requests.
func numberedModel() *fake {
	return &fake{name: "numbered", answer: func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		var n int
		if _, err := fmt.Sscanf(r.Prompt, "question %d", &n); err != nil {
			return nil, err
		}
		return &lm.Response{Text: numberedReply(n), Finish: lm.FinishStop, Model: "numbered", Fingerprint: "fp_1", Usage: paid}, nil
	}}
}

// eachStore runs a test with a store without a file, with one, and with a file alone.
func eachStore(t *testing.T, test func(t *testing.T, s *cache.Store), opts ...cache.Option) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		s := cache.Memory(opts...)
		t.Cleanup(func() { s.Close() })
		test(t, s)
	})
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, tempFile(t), opts...))
	})
	t.Run("file without memory", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, tempFile(t), append(opts[:len(opts):len(opts)], cache.MemoryBytes(0))...))
	})
}
