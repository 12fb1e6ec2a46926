package cassette_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
	"github.com/whetgo/whet/lm/lmtest"
)

const head = `{"cassette":1}` + "\n"

// entry is a line that answers a prompt.
func entry(prompt, reply string) string {
	return fmt.Sprintf(`{"model":"m","request":{"prompt":%q},"response":{"text":%q,"usage":{"calls":1}}}`, prompt, reply) + "\n"
}

// write makes a file of these texts.
func write(t *testing.T, texts ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(texts, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func prompt(text string) *lm.Request { return &lm.Request{Prompt: text} }

// echo answers with the prompt in capital letters.
func echo() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) { return strings.ToUpper(r.Prompt), nil })
}

func generate(t *testing.T, m lm.LM, text string) string {
	t.Helper()
	resp, err := m.Generate(t.Context(), prompt(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return resp.Text
}

func replay(t *testing.T, path string, opts ...cassette.Option) *cassette.Player {
	t.Helper()
	p, err := cassette.Replay(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func record(t *testing.T, path string, opts ...cassette.Option) *cassette.Recorder {
	t.Helper()
	rec, err := cassette.Record(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rec.Close() })
	return rec
}

func open(t *testing.T, path string, inner lm.LM, mode cassette.Mode, opts ...cassette.Option) *cassette.Player {
	t.Helper()
	p, err := cassette.Open(path, inner, mode, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// failing is an LM that always returns an error.
func failing(err error) lm.LM {
	return lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return nil, err })
}

// wantFile reports an error that is not of this problem and line.
func wantFile(t *testing.T, err error, problem cassette.Problem, path string, line int) {
	t.Helper()
	var e *cassette.FileError
	if !errors.As(err, &e) || !errors.Is(err, problem) || !errors.Is(err, lm.ErrUnavailable) || e.Path != path || e.Line != line {
		t.Errorf("error %v, want %s on line %d of %s", err, problem, line, path)
	}
}
