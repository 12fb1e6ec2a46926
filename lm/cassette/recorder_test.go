package cassette_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(t *testing.T) lm.LM {
		answer := func(*lm.Request) (string, error) { return "one two three four five", nil }
		return record(t, filepath.Join(t.TempDir(), "tape.jsonl")).Wrap(lmtest.Answer(answer))
	}, lmtest.Capabilities{Messages: true, Prompt: true})
}

// TestSecondRecordingIsEqual is what makes cassettes fit for a diff.
func TestSecondRecordingIsEqual(t *testing.T) {
	t.Parallel()
	var files []string
	for range 2 {
		path := filepath.Join(t.TempDir(), "tape.jsonl")
		rec := record(t, path)
		m := rec.Wrap(echo())
		for _, text := range []string{"one", "two <&>", "one", "drei\nvier"} {
			generate(t, m, text)
		}
		if _, err := rec.Wrap(failing(&lm.Error{Kind: lm.ErrRefused, Message: "no"})).Generate(t.Context(), prompt("x")); !errors.Is(err, lm.ErrRefused) {
			t.Fatal(err)
		}
		files = append(files, read(t, path))
	}
	if files[0] != files[1] {
		t.Errorf("two recordings differ:\n%s\n%s", files[0], files[1])
	}
	lines := strings.Split(files[0], "\n")
	if len(lines) != 7 || lines[6] != "" {
		t.Fatalf("%d lines, want the version, 5 calls and the end", len(lines)-1)
	}
	if want := `{"model":"scripted","request":{"prompt":"two <&>"},"response":{"text":"TWO <&>","finish":"stop","usage":{"calls":1,"prompt_tokens":`; !strings.HasPrefix(lines[2], want) {
		t.Errorf("line 3 is\n%s, want it to begin with\n%s", lines[2], want)
	}
	if want := `{"request":{"prompt":"x"},"error":{"kind":"refused by the provider","message":"no"}}`; lines[5] != want {
		t.Errorf("line 6 is\n%s, want\n%s", lines[5], want)
	}
}

// TestEachLineIsFlushed reads the file while it is recorded.
func TestEachLineIsFlushed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	m := record(t, path).Wrap(echo())
	for i := range 3 {
		generate(t, m, "a")
		if got := strings.Count(read(t, path), "\n"); got != i+2 {
			t.Errorf("%d lines after %d calls", got, i+1)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestConcurrentRecording(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	m := record(t, path).Wrap(echo())
	long := strings.Repeat("long ", 5000)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if _, err := m.Generate(t.Context(), prompt(fmt.Sprint(i, long))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p := replay(t, path)
	for i := range 32 {
		if got, want := generate(t, p, fmt.Sprint(i, long)), strings.ToUpper(fmt.Sprint(i, long)); got != want {
			t.Errorf("request %d: %.20q, want %.20q", i, got, want)
		}
	}
	if left := p.Unused(); len(left) != 0 {
		t.Errorf("%d calls are left", len(left))
	}
}

func TestExistingFile(t *testing.T) {
	t.Parallel()
	old := head + entry("a", "A")
	added := `{"model":"scripted","request":{"prompt":"b"},`
	for _, tt := range []struct {
		name, before string
		opts         []cassette.Option
		problem      cassette.Problem
		begins       string
	}{
		{"refused", old, nil, cassette.ErrExists, old},
		{"appended", old, []cassette.Option{cassette.Append()}, "", old + added},
		{"appended without a last line end", strings.TrimSuffix(old, "\n"), []cassette.Option{cassette.Append()}, "", old + added},
		{"appended to what was cut", old + `{"mod`, []cassette.Option{cassette.Append()}, cassette.ErrTruncated, old + `{"mod`},
		{"appended to what was cut and may be", old + `{"mod`, []cassette.Option{cassette.Append(), cassette.TolerateCut()}, "", old + added},
		{"appended to a cut first line", `{"cass`, []cassette.Option{cassette.Append(), cassette.TolerateCut()}, "", head + added},
		{"appended to an empty file", "", []cassette.Option{cassette.Append(), cassette.TolerateCut()}, "", head + added},
		{"appended to something else", "a,b,c\n", []cassette.Option{cassette.Append()}, cassette.ErrMalformed, "a,b,c\n"},
		{"overwritten", "a,b,c\n", []cassette.Option{cassette.Overwrite()}, "", head + added},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.before)
			rec, err := cassette.Record(path, tt.opts...)
			if tt.problem != "" {
				if rec != nil || !errors.Is(err, tt.problem) {
					t.Errorf("error %v, want %q", err, tt.problem)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				generate(t, rec.Wrap(echo()), "b")
				if err := rec.Close(); err != nil {
					t.Error(err)
				}
			}
			if got := read(t, path); !strings.HasPrefix(got, tt.begins) {
				t.Errorf("the file holds\n%s, want it to begin with\n%s", got, tt.begins)
			}
		})
	}
}

func TestAppendMakesAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	generate(t, record(t, path, cassette.Append()).Wrap(echo()), "a")
	generate(t, record(t, path, cassette.Append()).Wrap(echo()), "b")
	p := replay(t, path)
	if got := generate(t, p, "b") + generate(t, p, "a"); got != "BA" {
		t.Errorf("replies %q", got)
	}
}

func TestOverwriteNarrowsTheMode(t *testing.T) {
	t.Parallel()
	path := write(t, "old")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	record(t, path, cassette.Overwrite())
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

// TestNotRecorded are calls that leave no line.
func TestNotRecorded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	rec := record(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	leaving := lm.Func(func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
		cancel()
		return nil, ctx.Err()
	})
	if _, err := rec.Wrap(leaving).Generate(ctx, prompt("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if _, err := rec.Wrap(echo()).Generate(t.Context(), &lm.Request{}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("error %v, want kind %q", err, lm.ErrInvalidRequest)
	}
	if _, err := rec.Wrap(nil).Generate(t.Context(), prompt("a")); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("error %v without an LM, want kind %q", err, lm.ErrInvalidRequest)
	}
	if got := read(t, path); got != head {
		t.Errorf("the file holds %q, want its first line alone", got)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	rec := record(t, filepath.Join(t.TempDir(), "tape.jsonl"))
	inner := echo()
	m := rec.Wrap(inner)
	for range 2 {
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.Generate(t.Context(), prompt("a")); !errors.Is(err, lm.ErrUnavailable) || inner.Calls() != 0 {
		t.Errorf("error %v after %d calls, want kind %q after none", err, inner.Calls(), lm.ErrUnavailable)
	}
}

// TestPaidAndNotRecorded closes the cassette during the call.
func TestPaidAndNotRecorded(t *testing.T) {
	t.Parallel()
	rec := record(t, filepath.Join(t.TempDir(), "tape.jsonl"))
	m := rec.Wrap(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: "paid"}, rec.Close()
	}))
	_, err := m.Generate(t.Context(), prompt("a"))
	var e *lm.Error
	if !errors.As(err, &e) || e.Kind != lm.ErrUnavailable || e.Partial == nil || e.Partial.Text != "paid" || lm.IsRetryable(err) {
		t.Errorf("error %#v, want one that has the reply and is not retried", err)
	}
}

// streaming shows a reply letter by letter.
type streaming struct{ lm.LM }

func (s streaming) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		resp, err := s.Generate(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, c := range resp.Text {
			if !yield(&lm.Event{Text: string(c)}, nil) {
				return
			}
		}
		yield(&lm.Event{Response: resp}, nil)
	}
}

// show runs a stream to its end, or up to so many events.
func show(t *testing.T, m lm.LM, text string, most int) (shown string, events int, err error) {
	t.Helper()
	for event, err := range lm.Stream(t.Context(), m, prompt(text)) {
		if err != nil {
			return shown, events, err
		}
		shown += event.Text
		if events++; events == most {
			break
		}
	}
	return shown, events, nil
}

func TestStream(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	rec := record(t, path)
	m := rec.Wrap(streaming{echo()})
	if shown, events, err := show(t, m, "abc", 0); shown != "ABC" || events != 4 || err != nil {
		t.Errorf("%q in %d events, %v", shown, events, err)
	}
	if shown, events, err := show(t, m, "left", 2); shown != "LE" || events != 2 || err != nil {
		t.Errorf("%q in %d events, %v", shown, events, err)
	}
	if _, _, err := show(t, rec.Wrap(streaming{failing(&lm.Error{Kind: lm.ErrTimeout})}), "late", 0); !errors.Is(err, lm.ErrTimeout) {
		t.Errorf("error %v", err)
	}
	p := replay(t, path)
	if shown, events, err := show(t, p, "abc", 0); shown != "ABC" || events != 1 || err != nil {
		t.Errorf("replay: %q in %d events, %v, want one", shown, events, err)
	}
	if _, _, err := show(t, p, "late", 0); !errors.Is(err, lm.ErrTimeout) {
		t.Errorf("replay: error %v", err)
	}
	var unknown *cassette.UnknownError
	if _, _, err := show(t, p, "left", 0); !errors.As(err, &unknown) {
		t.Errorf("replay of what the caller left: error %v, want it unknown", err)
	}
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	if got := lm.NameOf(record(t, filepath.Join(t.TempDir(), "tape.jsonl")).Wrap(echo())); got != "scripted" {
		t.Errorf("Name = %q, want that of the LM behind", got)
	}
}

// endless is a model whose streams end without a reply.
type endless struct{ lm.LM }

func (endless) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) { yield(&lm.Event{Text: "a"}, nil) }
}

func TestRecordStreamWithoutEnd(t *testing.T) {
	t.Parallel()
	rec, err := cassette.Record(filepath.Join(t.TempDir(), "c.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	var last error
	for _, err := range lm.Stream(t.Context(), rec.Wrap(endless{lmtest.Script()}), &lm.Request{Prompt: "x"}) {
		last = err
	}
	if !errors.Is(last, lm.ErrBackend) {
		t.Errorf("the stream ended with %v, want an error of kind %q", last, lm.ErrBackend)
	}
}
