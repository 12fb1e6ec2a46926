package openai_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/cassette"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/module"
)

// TestKeyIsInNoFile writes all files that come of a model with a key: a cassette, an answer
// store and a saved program. Its server says the key in each header and error.
func TestKeyIsInNoFile(t *testing.T) {
	t.Parallel()
	s := lmtest.NewServer(nil)
	t.Cleanup(s.Close)
	m, err := openai.New("gpt-test", openai.BaseURL(s.URL), openai.Key(canary), openai.Header("X-Other", canary), openai.Getenv(noEnv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	dir := t.TempDir()
	rec, err := cassette.Record(filepath.Join(dir, "tape.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Open(t.Context(), filepath.Join(dir, "answers.db"))
	if err != nil {
		t.Fatal(err)
	}
	says := http.Header{"X-Request-Id": {canary}, "Content-Type": {"application/json"}, "Openai-Organization": {canary}}
	s.Always(lmtest.Fault{Header: says})
	r := &lm.Request{Messages: []lm.Message{lm.User("Say your line.")}}
	for i, model := range []lm.LM{rec.Wrap(m), store.Wrap(m), rec.Wrap(store.Wrap(m))} {
		if _, err := model.Generate(t.Context(), r); err != nil {
			t.Errorf("model %d: %v", i, err)
		}
	}
	s.Always(lmtest.Fault{Status: 401, Header: says, Body: lmtest.Text(fmt.Sprintf(`{"error":{"message":"wrong key: Bearer %s","code":%q}}`, canary, canary))})
	other := &lm.Request{Messages: []lm.Message{lm.User("Say another.")}}
	for i, model := range []lm.LM{rec.Wrap(m), store.Wrap(m)} {
		if _, err := model.Generate(t.Context(), other); !errors.Is(err, lm.ErrAuth) {
			t.Errorf("model %d: %v, want an error of kind %q", i, err, lm.ErrAuth)
		}
	}
	type question struct{ Question string }
	type answer struct{ Answer string }
	program := module.MustPredict[question, answer]("Answer.", module.WithLM(m))
	for _, err := range []error{
		module.Save(filepath.Join(dir, "program.json"), program),
		rec.Close(), noKey(t, dir, 3), // with the store's log
		store.Close(), noKey(t, dir, 3),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// noKey looks for the key in all files of a directory, of which there are so many at least.
func noKey(t *testing.T, dir string, least int) error {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds the key", f.Name())
		}
	}
	if len(files) < least {
		t.Errorf("only %d files were searched", len(files))
	}
	return nil
}

// breaking is a transport that panics with the request in its hand.
type breaking struct{}

func (breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "Bearer "+canary {
		panic("the request has no key")
	}
	panic("the transport is broken")
}

// TestPanicShowsNoKey breaks down in processes of their own, which print all goroutines.
func TestPanicShowsNoKey(t *testing.T) {
	t.Parallel()
	const variable = "WHET_OPENAI_PANIC"
	if how := os.Getenv(variable); how != "" {
		breakDown(t, how)
		return
	}
	for _, how := range []string{"model", "embedder", "options", "error", "wrapped", "text", "transport", "value"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanicShowsNoKey$")
			cmd.Env = append(os.Environ(), variable+"="+how, "GOTRACEBACK=all")
			out, err := cmd.CombinedOutput()
			if err == nil || !bytes.Contains(out, []byte("panic:")) || !bytes.Contains(out, []byte("goroutine ")) || bytes.Contains(out, []byte("has no key")) {
				t.Fatalf("the process ended with %v\n%s", err, out)
			}
			if bytes.Contains(out, []byte(canary)) {
				t.Errorf("the key is in\n%s", out)
			}
		})
	}
}

func breakDown(t *testing.T, how string) {
	t.Helper()
	opts := []openai.Option{openai.BaseURL("https://api.example.invalid/v1"), openai.Key(canary), openai.Getenv(noEnv), openai.HTTPClient(&http.Client{Transport: breaking{}})}
	m, err := openai.New("gpt-test", opts...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := openai.NewEmbedder("gpt-test", opts...)
	if err != nil {
		t.Fatal(err)
	}
	s := echoing(t, http.StatusUnauthorized)
	told, err := openai.New("gpt-test", openai.BaseURL(s.URL), openai.Key(canary), openai.Getenv(noEnv))
	if err != nil {
		t.Fatal(err)
	}
	r := &lm.Request{Messages: []lm.Message{lm.User("x")}}
	_, failed := told.Generate(t.Context(), r)
	if failed == nil {
		t.Fatal("the server answers")
	}
	switch how {
	case "model":
		panic(m)
	case "embedder":
		panic(e)
	case "options":
		panic(opts)
	case "error":
		panic(failed)
	case "wrapped":
		panic(fmt.Errorf("predict: %w", failed))
	case "text":
		panic(fmt.Sprintf("%+v %#v %+v %#v", m, m, failed, failed))
	case "value":
		panic(*m)
	case "transport":
		_, _ = m.Generate(t.Context(), r)
	}
}
