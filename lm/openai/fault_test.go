package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/openai"
)

// canary is a key that nobody has, and that nothing else looks like.
const canary = "sk-canary-4b1d9e72c05f"

// noEnv is an environment without variables.
func noEnv(string) string { return "" }

// The suite measures the heap, so this test is not parallel.
func TestFaults(t *testing.T) {
	const limit = 8 << 20
	lmtest.Faults(t, lmtest.HTTPBackend{
		MaxReply: limit,
		Secret:   canary,
		Open: func(t *testing.T, baseURL string, client *http.Client) (lm.LM, error) {
			opts := []openai.Option{openai.BaseURL(baseURL), openai.Key(canary), openai.Getenv(noEnv), openai.MaxReply(limit)}
			if client != nil {
				opts = append(opts, openai.HTTPClient(client))
			}
			m, err := openai.New("gpt-test", opts...)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { m.Close() })
			return m, nil
		},
	})
}

// echoing is a server whose answers all hold the key that it was sent.
func echoing(t *testing.T, status int) *lmtest.Server {
	t.Helper()
	s := lmtest.NewServer(nil)
	t.Cleanup(s.Close)
	s.Always(lmtest.Fault{
		Status: status,
		Header: http.Header{"X-Request-Id": {canary}, "Content-Type": {"application/json"}},
		Body:   lmtest.Text(fmt.Sprintf(`{"error":{"message":"wrong key: Bearer %s","type":%q,"code":%q}}`, canary, canary, canary)),
	})
	return s
}

// prints returns all ways in which a value may come to be seen.
func prints(t *testing.T, v any) map[string]string {
	t.Helper()
	all := map[string]string{
		"%v": fmt.Sprintf("%v", v), "%+v": fmt.Sprintf("%+v", v), "%#v": fmt.Sprintf("%#v", v), "%s": fmt.Sprintf("%s", v), "%q": fmt.Sprintf("%q", v), "%x": fmt.Sprintf("%x", v),
	}
	if at := reflect.ValueOf(v); at.Kind() == reflect.Pointer {
		all["%+v of what it points to"] = fmt.Sprintf("%+v", at.Elem())
		all["%#v of what it points to"] = fmt.Sprintf("%#v", at.Elem())
	}
	if data, err := json.Marshal(v); err == nil {
		all["JSON"] = string(data)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog as text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog as JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).LogAttrs(context.Background(), slog.LevelInfo, "seen", slog.Any("value", v), slog.Group("in", slog.Any("value", []any{v})))
		if !strings.Contains(b.String(), "seen") {
			t.Fatalf("%s logs nothing", name)
		}
		all[name] = b.String()
	}
	return all
}

// TestKeyIsNowhere looks for the key in everything that a program may print, also of a
// server that gives it back.
func TestKeyIsNowhere(t *testing.T) {
	t.Parallel()
	hex := fmt.Sprintf("%x", canary)
	seen := 0
	quiet := func(t *testing.T, what string, v any) {
		t.Helper()
		for way, text := range prints(t, v) {
			if seen++; strings.Contains(text, canary) || strings.Contains(text, hex) {
				t.Errorf("%s shows the key by %s: %s", what, way, text)
			}
		}
	}
	for _, status := range []int{200, 400, 401, 429, 500} {
		s := echoing(t, status)
		opts := []openai.Option{openai.BaseURL(s.URL), openai.Key(canary), openai.Header("X-Other", canary), openai.Getenv(noEnv)}
		m, err := openai.New("gpt-test", opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		e, err := openai.NewEmbedder("gpt-test", opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		quiet(t, "the model", m)
		quiet(t, "the embedder", e)
		quiet(t, "the name", lm.NameOf(m))
		quiet(t, "an option", opts[1])
		r := &lm.Request{Messages: []lm.Message{lm.User("Say your line.")}}
		_, err = m.Generate(t.Context(), r)
		errs := []error{err}
		for _, err := range lm.Stream(t.Context(), m, r) {
			errs = append(errs, err)
		}
		_, err = e.Embed(t.Context(), []string{"a"})
		errs = append(errs, err)
		for i, err := range errs {
			if typed := (*lm.Error)(nil); !errors.As(err, &typed) {
				t.Fatalf("status %d, call %d: the error is %v, a %T, want an *lm.Error", status, i, err, err)
			}
			quiet(t, fmt.Sprintf("the error of call %d with status %d", i, status), err)
			quiet(t, "an error around it", fmt.Errorf("predict: %w", errors.Join(err, errors.New("and more"))))
		}
		for _, a := range s.Asked() {
			if a.Header.Get("Authorization") != "Bearer "+canary {
				t.Fatalf("the server did not get the key, so it could not give it back: %v", a.Header)
			}
		}
	}
	// As many as there are ways: none of them has been left out.
	if seen < 200 {
		t.Errorf("only %d texts were searched", seen)
	}
	t.Logf("%d texts were searched", seen)
}

// TestKeyIsNotInRefusals looks for a key that stands where it should not, in a URL.
func TestKeyIsNotInRefusals(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://" + canary + "@api.example.invalid/v1", "https://user:" + canary + "@api.example.invalid/v1", "https://api.example.invalid/v1?key=" + canary,
		"https://api.example.invalid/%zz" + canary, canary, "file:///" + canary, "http://api.example.invalid/v1#" + canary, "https://api.example.invalid:" + canary + "/v1",
	} {
		m, err := openai.New("gpt-test", openai.BaseURL(address), openai.Key(canary), openai.Getenv(noEnv))
		if err == nil {
			_, err = m.Generate(t.Context(), &lm.Request{Prompt: "x"})
			m.Close()
		}
		if err == nil {
			t.Errorf("%s is no error", address)
			continue
		}
		for way, text := range prints(t, err) {
			if strings.Contains(text, canary) {
				t.Errorf("the error of %s shows the key by %s: %s", address, way, text)
			}
		}
	}
}

// TestUntrustedAddresses are base URLs out of somebody's file that must not be called.
func TestUntrustedAddresses(t *testing.T) {
	t.Parallel()
	s := lmtest.NewServer(nil)
	t.Cleanup(s.Close)
	for _, address := range []string{
		"http://169.254.169.254/v1", "https://169.254.169.254/latest/meta-data", "http://[fe80::1]/v1", "http://[::ffff:169.254.169.254]/v1",
		"http://[fd00:ec2::254]/v1", "http://127.0.0.1:1/v1", "http://localhost:1/v1", "http://[::1]:1/v1", "http://10.0.0.1/v1",
		"http://192.168.1.1/v1", "http://0.0.0.0:1/v1", "file:///etc/passwd", s.URL,
	} {
		m, err := openai.New("gpt-test", openai.BaseURL(address), openai.Untrusted(), openai.Getenv(noEnv))
		if err == nil {
			_, err = m.Generate(t.Context(), &lm.Request{Messages: []lm.Message{lm.User("x")}})
			m.Close()
		}
		if typed := (*lm.Error)(nil); !errors.As(err, &typed) {
			t.Errorf("%s: the error is %v, want an *lm.Error", address, err)
		}
	}
	if n := s.Count(); n != 0 {
		t.Errorf("%d requests reached a server on this machine", n)
	}
	// And those that are never meant, whoever wrote them.
	for _, address := range []string{"http://169.254.169.254/v1", "http://[fe80::1]/v1"} {
		if m, err := openai.New("gpt-test", openai.BaseURL(address), openai.Getenv(noEnv)); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: %v, want an error of kind %q", address, err, lm.ErrInvalidRequest)
			if m != nil {
				m.Close()
			}
		}
	}
	if m, err := openai.New("gpt-test", openai.BaseURL("http://api.example.invalid/v1"), openai.Key(canary), openai.Getenv(noEnv)); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("a key over plain http: %v, want an error of kind %q", err, lm.ErrInvalidRequest)
		if m != nil {
			m.Close()
		}
	}
}
