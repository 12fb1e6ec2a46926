package cassette_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestReplayOrder(t *testing.T) {
	t.Parallel()
	path := write(t, head, entry("a", "A1"), entry("b", "B1"), entry("a", "A2"), entry("c", "C1"))
	p := replay(t, path)
	if got := generate(t, p, "b") + generate(t, p, "a") + generate(t, p, "a"); got != "B1A1A2" {
		t.Errorf("replies %q", got)
	}
	left := p.Unused()
	if len(left) != 1 || left[0].Line != 5 || left[0].Model != "m" || left[0].Request.Prompt != "c" {
		t.Errorf("unused %+v, want the call of line 5", left)
	}
	_, err := p.Generate(t.Context(), prompt("a"))
	var unknown *cassette.UnknownError
	if !errors.As(err, &unknown) || unknown.Recorded != 2 || unknown.Line != 0 || !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("error %v, want a request that was recorded twice", err)
	}
	again := replay(t, path, cassette.RepeatLast())
	got := ""
	for range 4 {
		got += generate(t, again, "a")
	}
	if got != "A1A2A2A2" {
		t.Errorf("replies %q with RepeatLast", got)
	}
}

// TestReplayIsExact compares replies with those of the LM, and keeps them apart.
func TestReplayIsExact(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	want := &lm.Response{
		Text: "half \xe2\x82", Usage: lm.Usage{Calls: 1, Cost: 12 * lm.USD, PricedCalls: 1}, Model: "m", RequestID: "r",
		Choices: []lm.Choice{{Name: "x", Options: []lm.Option{{Text: "y", Prob: 1}}}}, Cut: []string{"x"},
	}
	rec := record(t, path)
	for range 2 {
		if _, err := rec.Wrap(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return want, nil })).Generate(t.Context(), prompt("a")); err != nil {
			t.Fatal(err)
		}
	}
	p := replay(t, path, cassette.RepeatLast())
	for range 4 {
		got, err := p.Generate(t.Context(), prompt("a"))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("reply %+v, %v, want %+v", got, err, want)
		}
		got.Cut[0], got.Choices[0].Options[0].Text = "changed", "changed"
	}
}

// TestKeys are requests that differ from the recorded one in one thing.
func TestKeys(t *testing.T) {
	t.Parallel()
	base := func() *lm.Request {
		return &lm.Request{Messages: []lm.Message{lm.System("s"), lm.User("u")}, Temperature: lm.Temperature(0), Stop: []string{"x"}}
	}
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	if _, err := record(t, path).Wrap(lmtest.Script("yes")).Generate(t.Context(), base()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change           func(*lm.Request)
		field, want, got string
	}{
		{func(r *lm.Request) { r.Rollout = 1 }, "rollout", "", "1"},
		{func(r *lm.Request) { r.Temperature = nil }, "temperature", "0", ""},
		{func(r *lm.Request) { r.Temperature = lm.Temperature(0.5) }, "temperature", "0", "0.5"},
		{func(r *lm.Request) { r.Messages[1] = lm.User("other") }, "messages[1].parts[0].text", "u", "other"},
		{func(r *lm.Request) { r.Messages[0].Role = lm.RoleUser }, "messages[0].role", "system", "user"},
		{func(r *lm.Request) { r.Messages = r.Messages[1:] }, "messages[0].role", "system", "user"},
		{func(r *lm.Request) { r.Messages = append(r.Messages, lm.Assistant("a")) }, "messages[2].role", "", "assistant"},
		{func(r *lm.Request) { r.Messages[1].Parts = append(r.Messages[1].Parts, lm.Part{}) }, "the length of messages[1].parts", "1", "2"},
		{func(r *lm.Request) { r.Stop = nil }, "stop[0]", "x", ""},
		{func(r *lm.Request) { r.Logprobs = true }, "logprobs", "", "true"},
	} {
		r := base()
		tt.change(r)
		_, err := replay(t, path).Generate(t.Context(), r)
		var u *cassette.UnknownError
		if !errors.As(err, &u) || u.Line != 2 || u.Field != tt.field || u.Want != tt.want || u.Got != tt.got {
			t.Errorf("error %v, want one that shows %s, %q and %q", err, tt.field, tt.want, tt.got)
		}
	}
	if _, err := replay(t, path).Generate(t.Context(), base()); err != nil {
		t.Errorf("the recorded request itself: %v", err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ä long text that is the same in both. ", 20)
	path := write(t, head, entry("short", "1"), entry(long+"Ends like this.", "2"), entry("something else", "3"))
	_, err := replay(t, path).Generate(t.Context(), prompt(long+"Ends like that."))
	var u *cassette.UnknownError
	if !errors.As(err, &u) || u.Line != 3 || u.Field != "prompt" || !strings.HasSuffix(u.Want, "Ends like this.") || !strings.HasSuffix(u.Got, "Ends like that.") {
		t.Fatalf("error %v, want line 3", err)
	}
	if !strings.HasPrefix(u.Got, "…") || len(u.Got) > 80 {
		t.Errorf("the excerpt is %q, want it short", u.Got)
	}
	for _, want := range []string{path, "line 3", "prompt", "Ends like this.", "Ends like that.", "not recorded"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q in it", err, want)
		}
	}
	if _, err := replay(t, write(t, head)).Generate(t.Context(), prompt("a")); err == nil || !strings.Contains(err.Error(), "holds no requests") {
		t.Errorf("error %v of an empty cassette", err)
	}
}

func TestErrorsAreReplayed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	want := &lm.Error{Kind: lm.ErrRateLimit, Status: 429, RetryAfter: 3e9, Partial: &lm.Response{Text: "half"}}
	rec := record(t, path)
	if _, err := rec.Wrap(failing(want)).Generate(t.Context(), prompt("a")); !errors.Is(err, want) {
		t.Fatalf("error %v while recording, want the LM's own", err)
	}
	generate(t, rec.Wrap(echo()), "a")
	p := replay(t, path)
	_, err := p.Generate(t.Context(), prompt("a"))
	var got *lm.Error
	if !errors.As(err, &got) || !reflect.DeepEqual(got, want) || !lm.IsRetryable(err) {
		t.Errorf("error %#v, want %#v", err, want)
	}
	if got := generate(t, p, "a"); got != "A" {
		t.Errorf("reply %q after the error", got)
	}
}

func TestAuto(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub.jsonl")
	run := func() (asked int) {
		inner := echo()
		p := open(t, path, inner, cassette.ModeAuto)
		for _, text := range []string{"a", "b", "a"} {
			if got := generate(t, p, text); got != strings.ToUpper(text) {
				t.Errorf("reply %q to %q", got, text)
			}
		}
		if shown, _, err := show(t, p, "streamed", 0); shown != "STREAMED" || err != nil {
			t.Errorf("%q, %v", shown, err)
		}
		if left := p.Unused(); len(left) != 0 {
			t.Errorf("%d calls are left", len(left))
		}
		if lm.NameOf(p) != "scripted" {
			t.Errorf("Name = %q, want the LM's", lm.NameOf(p))
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		return inner.Calls()
	}
	if got := run(); got != 4 {
		t.Errorf("the LM was asked %d times in an empty cassette, want 4", got)
	}
	first := read(t, path)
	if got := run(); got != 0 || read(t, path) != first {
		t.Errorf("the LM was asked %d times again, or the file has changed", got)
	}
	p := open(t, path, echo(), cassette.ModeAuto)
	generate(t, p, "c")
	if got := read(t, path); !strings.HasPrefix(got, first) || strings.Count(got, "\n") != 6 {
		t.Errorf("the file holds\n%s, want one line more than\n%s", got, first)
	}
}

// TestAutoOfAnotherModel must not take another model's replies for its own.
func TestAutoOfAnotherModel(t *testing.T) {
	t.Parallel()
	path := write(t, head, entry("a", "m's"), strings.Replace(entry("a", "scripted's"), `"m"`, `"scripted"`, 1))
	inner := echo()
	p := open(t, path, inner, cassette.ModeAuto)
	if got := generate(t, p, "a") + generate(t, p, "a"); got != "scripted'sA" || inner.Calls() != 1 {
		t.Errorf("replies %q after %d calls, want that of the model and then a new one", got, inner.Calls())
	}
}

func TestModeRecord(t *testing.T) {
	t.Parallel()
	path := write(t, head, entry("a", "old"))
	if got := generate(t, open(t, path, echo(), cassette.ModeRecord), "a"); got != "A" {
		t.Errorf("reply %q, want a new one", got)
	}
	if got := read(t, path); strings.Contains(got, "old") || strings.Count(got, "\n") != 2 {
		t.Errorf("the file holds %q, want the new call alone", got)
	}
}

func TestPlayerName(t *testing.T) {
	t.Parallel()
	named := func(name string) string { return strings.Replace(entry("a", "b"), `"m"`, `"`+name+`"`, 1) }
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{named("a"), named("a")}, "a"},
		{[]string{named("a"), named("b"), named("a")}, "cassette(a | b)"},
		{[]string{named("a"), named("")}, ""},
	} {
		if got := replay(t, write(t, append([]string{head}, tt.lines...)...)).Name(); got != tt.want {
			t.Errorf("Name = %q, want %q", got, tt.want)
		}
	}
}

func TestConcurrentReplay(t *testing.T) {
	t.Parallel()
	texts := []string{head}
	for i := range 64 {
		texts = append(texts, entry("a", fmt.Sprint(i)))
	}
	p := replay(t, write(t, texts...))
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			resp, err := p.Generate(t.Context(), prompt("a"))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			seen[resp.Text]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(seen) != 64 || len(p.Unused()) != 0 {
		t.Errorf("%d different replies of 64, %d unused", len(seen), len(p.Unused()))
	}
}

func TestPlayerIsAnLM(t *testing.T) {
	t.Parallel()
	p := replay(t, write(t, head, entry("a", "A")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Generate(ctx, prompt("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if _, err := p.Generate(t.Context(), &lm.Request{}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("error %v, want kind %q", err, lm.ErrInvalidRequest)
	}
	if got := generate(t, p, "a"); got != "A" {
		t.Errorf("reply %q: a request that was not answered has used it up", got)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	path := write(t, head)
	for name, f := range map[string]func() error{
		"mode":              func() error { _, err := cassette.Open(path, echo(), 3); return err },
		"no LM":             func() error { _, err := cassette.Open(path, nil, cassette.ModeAuto); return err },
		"record and repeat": func() error { _, err := cassette.Record(path, cassette.RepeatLast()); return err },
		"auto and repeat": func() error {
			_, err := cassette.Open(path, echo(), cassette.ModeAuto, cassette.RepeatLast())
			return err
		},
		"replay and append": func() error { _, err := cassette.Replay(path, cassette.Append()); return err },
		"secret":            func() error { _, err := cassette.Record(path, cassette.Overwrite(), cassette.Secret("a")); return err },
	} {
		if err := f(); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
	if got := read(t, path); got != head {
		t.Errorf("the file was changed to %q", got)
	}
}
