package cassette_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
)

func TestFileErrors(t *testing.T) {
	t.Parallel()
	one := entry("a", "A")
	for _, tt := range []struct {
		name, data string
		problem    cassette.Problem
		line       int
	}{
		{"good", head + one + one, "", 0},
		{"no last line end", head + one + strings.TrimSuffix(one, "\n"), "", 0},
		{"empty lines", "\n" + head + "\n" + one + "\n", "", 0},
		{"Windows", strings.ReplaceAll(head+one, "\n", "\r\n"), "", 0},
		{"first line alone", head, "", 0},
		{"first line with more", `{"cassette":1,"note":"mine"}` + "\n" + one, "", 0},
		{"empty", "", cassette.ErrTruncated, 0},
		{"nothing but empty lines", "\n\n", cassette.ErrMalformed, 1},
		{"no version", one + one, cassette.ErrMalformed, 1},
		{"version 0", `{"cassette":0}` + "\n", cassette.ErrMalformed, 1},
		{"newer", `{"cassette":2,"what":["ever"]}` + "\n" + `new` + "\n", cassette.ErrNewer, 1},
		{"something else", "label,text\nham,hello\n", cassette.ErrMalformed, 1},
		{"a line in between", head + one + "{}\n" + one, cassette.ErrMalformed, 3},
		{"a cut line in between", head + one[:20] + "\n" + one, cassette.ErrMalformed, 2},
		{"a last line with an end", head + one + one[:20] + "\n", cassette.ErrMalformed, 3},
		{"cut", head + one + one[:20], cassette.ErrTruncated, 3},
		{"cut first line", head[:5], cassette.ErrTruncated, 1},
		{"binary", "\x00\x01\x02\n", cassette.ErrMalformed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.data)
			_, err := cassette.Replay(path)
			if tt.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFile(t, err, tt.problem, path, tt.line)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

// TestEveryCut cuts a cassette at every byte. Reading it is an error unless what is left
// ends with a whole line, and with TolerateCut the whole lines are there.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	data := head + entry("a", "A1") + entry("a", "A2")
	dir := t.TempDir()
	path := filepath.Join(dir, "tape.jsonl")
	for n := range len(data) + 1 {
		if err := os.WriteFile(path, []byte(data[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		rest := data[:n]
		whole := strings.Count(rest, "\n")
		cut := !strings.HasSuffix(rest, "\n")
		if cut && n < len(data) && data[n] == '\n' { // only the line end is missing
			whole++
			cut = false
		}
		_, err := cassette.Replay(path)
		if cut != errors.Is(err, cassette.ErrTruncated) || !cut && err != nil {
			t.Fatalf("cut at %d: error %v, want truncated = %v", n, err, cut)
		}
		p := replay(t, path, cassette.TolerateCut())
		if got := len(p.Unused()); got != max(0, whole-1) {
			t.Fatalf("cut at %d: %d calls, want %d", n, got, max(0, whole-1))
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.jsonl")
	_, err := cassette.Replay(missing)
	wantFile(t, err, cassette.ErrUnreadable, missing, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v in it", err, fs.ErrNotExist)
	}
	_, err = cassette.Replay(dir)
	wantFile(t, err, cassette.ErrUnreadable, dir, 0)
	_, err = cassette.Record(dir, cassette.Overwrite())
	wantFile(t, err, cassette.ErrUnreadable, dir, 0)
	_, err = cassette.Replay(os.DevNull)
	wantFile(t, err, cassette.ErrUnreadable, os.DevNull, 0)
	_, err = cassette.Record(os.DevNull, cassette.Overwrite())
	wantFile(t, err, cassette.ErrUnreadable, os.DevNull, 0)
	nowhere := filepath.Join(dir, "no", "tape.jsonl")
	_, err = cassette.Record(nowhere)
	wantFile(t, err, cassette.ErrUnreadable, nowhere, 0)
	nul := "a\x00b"
	_, err = cassette.Record(nul)
	wantFile(t, err, cassette.ErrUnreadable, nul, 0)
}

// TestSecretsStayOut sends a key through every text that a call has, and looks for it
// in the file and in the error of a replay. The request itself must still be known.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	key := "sk-" + "canary0123456789abcdef"
	own := "my own canary"
	request := func(key string) *lm.Request {
		return &lm.Request{
			Messages: []lm.Message{
				lm.System("Authorization: Bearer " + key),
				lm.User("Use " + key + ", or " + own),
				{Role: lm.RoleUser, Parts: []lm.Part{{Blob: &lm.Blob{Kind: lm.BlobFile, Data: []byte("api_key=" + key), Name: key, URL: "https://u:" + key + "@x"}}}},
				{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "f", Arguments: `{"api_key": "` + key + `"}`}}},
				lm.ToolResult("1", key),
			},
			Stop: []string{key},
		}
	}
	reply := &lm.Response{Text: "So " + key, Reasoning: own, Model: key, RequestID: key, ToolCalls: []lm.ToolCall{{Name: "f", Arguments: key}}}
	failure := &lm.Error{Kind: lm.ErrAuth, Message: "wrong key " + key, Partial: reply, Err: errors.New("sent " + own)}
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	opts := []cassette.Option{cassette.Secret(own)}
	rec := record(t, path, opts...)
	if _, err := rec.Wrap(failing(failure)).Generate(t.Context(), request(key)); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if _, err := rec.Wrap(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: reply.Text + own}, nil
	})).Generate(t.Context(), request(key)); err != nil {
		t.Fatal(err)
	}
	data := read(t, path)
	if strings.Contains(data, "canary") {
		t.Errorf("a canary is left in\n%s", data)
	}
	if strings.Count(data, "***") < 15 {
		t.Errorf("few secrets were scrubbed in\n%s", data)
	}
	// With the key of the recording, and with another one of its form.
	p := replay(t, path, opts...)
	if _, err := p.Generate(t.Context(), request(key)); !errors.Is(err, lm.ErrAuth) || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v, want the recorded one without the key", err)
	}
	if resp, err := p.Generate(t.Context(), request("sk-"+"other9876543210fedcba")); err != nil || resp.Text != "So sk-******" {
		t.Errorf("reply %+v, %v", resp, err)
	}
	other := request(key)
	other.Messages[1] = lm.User("Use " + key + ", or " + own + ", now")
	if _, err := replay(t, path, opts...).Generate(t.Context(), other); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v, want one without the key", err)
	}
}

// TestNewRule replays with a rule that the recording did not have.
func TestNewRule(t *testing.T) {
	t.Parallel()
	path := write(t, head, entry("Call Jane Doe.", "Jane Doe says hello."))
	p := replay(t, path, cassette.Secret("Jane Doe"))
	if got := generate(t, p, "Call Jane Doe."); got != "*** says hello." {
		t.Errorf("reply %q", got)
	}
}
