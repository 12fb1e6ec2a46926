package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// What a stream shows, one byte drawn after the other.
func TestStreamShows(t *testing.T) {
	t.Parallel()
	text, bound := lm.Segment{Hole: lm.HoleText}, 40
	for _, test := range []struct {
		name, drawn string
		shape       []lm.Segment
		stop        []string
		max         int
		want        []string // by events, the last of which has the response
	}{
		{name: "letters", drawn: "abc", want: []string{"a", "b", "c", ""}},
		{name: "characters of several bytes", drawn: "aé€😀", want: []string{"a", "é", "€", "😀", ""}},
		{name: "half a character at the end", drawn: "a\xf0\x9f", want: []string{"a", ""}},
		{name: "bytes that are none", drawn: "a\xc3b\x80", want: []string{"a", "\xc3b", "\x80", ""}},
		{name: "a stop text", drawn: "abSTOP", stop: []string{"STOP"}, want: []string{"a", "b", ""}},
		{name: "half a stop text", drawn: "abSTxy", stop: []string{"STOP"}, want: []string{"a", "b", "STx", "y", ""}},
		{name: "half a stop text at the end", drawn: "abST", stop: []string{"STOP"}, want: []string{"a", "b", "ST"}},
		{name: "half a stop text, then no more tokens", drawn: "abST", stop: []string{"STOP"}, max: 4, want: []string{"a", "b", "ST"}},
		{name: "a stop text that begins twice", drawn: "aababc", stop: []string{"ababc"}, want: []string{"a", ""}},
		{name: "it begins anew", drawn: "aaaab", stop: []string{"aab"}, want: []string{"a", "a", ""}},
		{name: "the longest beginning", drawn: "xabc", stop: []string{"cd", "abcd", "bx"}, want: []string{"x", "abc"}},
		{name: "a stop text within a character", drawn: "a\xe2\x82x", stop: []string{"\x82x"}, want: []string{"a", "\xe2"}},
		{name: "half a character that may stop", drawn: "aéb", stop: []string{"é!"}, want: []string{"a", "éb", ""}},
		{
			name: "a literal before and behind", drawn: "ab\nL", shape: []lm.Segment{{Literal: "Why: "}, text, {Literal: "\nL"}},
			want: []string{"Why: ", "a", "b", "\n", "L"},
		},
		{
			name: "half a literal, then the end", drawn: "ab\n", shape: []lm.Segment{text, {Literal: "\nL"}},
			want: []string{"a", "b", "\n", "L"},
		},
		{
			name: "half a literal and half a character, then the end", drawn: "b\n\xc3", shape: []lm.Segment{text, {Literal: "\nL"}},
			want: []string{"b", "\n", "L"},
		},
		{
			name: "another text", drawn: "ab\ncSTOP", shape: []lm.Segment{text, {Literal: "\n"}, text}, stop: []string{"STOP"},
			want: []string{"a", "b", "\n", "c", ""},
		},
		{
			name: "a stop text inside of a literal", drawn: "aSTO\n", shape: []lm.Segment{text, {Literal: "\n"}}, stop: []string{"STOP"},
			want: []string{"a", "S", "T", "O", "\n"},
		},
		{
			name: "a number", drawn: "12\n", shape: []lm.Segment{{Literal: "n="}, {Hole: lm.HoleInt}, {Literal: "\n."}},
			want: []string{"n=", "1", "2", "\n."},
		},
		{
			name: "text that a form forces", drawn: "ht", shape: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": "object", "properties": {"label": {"enum": ["ham", "spam"]}, "sure": {"type": "boolean"}}, "required": ["label", "sure"]}`)}},
			want: []string{`{"label": "`, `ham", "sure": `, `true}`},
		},
		{
			name: "a pattern that lets a stop text pass", drawn: "ab#x", shape: []lm.Segment{{Hole: lm.HolePattern, Pattern: `[a-z#]{2,9}`}}, stop: []string{"#!"},
			want: []string{"a", "b", "#x", ""},
		},
		{
			name: "a pattern and a stop text", drawn: "ab#!", shape: []lm.Segment{{Hole: lm.HolePattern, Pattern: `[a-z#]{2,9}`}}, stop: []string{"#!"},
			want: []string{"a", "b", ""},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, f := openFake(t, 1024)
			r := &lm.Request{Prompt: "p", MaxTokens: max(test.max, 0), Stop: test.stop}
			if r.MaxTokens == 0 {
				r.MaxTokens = bound
			}
			if test.shape != nil {
				r.Shape = &lm.Shape{Segments: test.shape}
			}
			j, err := m.plan(t.Context(), r)
			require.NoError(t, err)
			j.stream = &stream{more: make(chan struct{}, 1)}
			j.show()
			for _, token := range f.tokenizeBytes(test.drawn) {
				require.False(t, j.finished(), "the reply has ended too early")
				require.True(t, j.admits(token), "%q", f.piece(token))
				if filled, _ := j.take(token); filled {
					require.NoError(t, j.advance())
				}
				j.show()
			}
			for !j.finished() {
				require.True(t, j.admits(fakeEnd))
				_, _ = j.take(fakeEnd)
				require.NoError(t, j.advance())
			}
			got, text := j.stream.take(), j.response().Text
			shown := strings.Join(got, "")
			require.True(t, strings.HasPrefix(text, shown), "%q has been shown of %q", shown, text)
			require.Equal(t, test.want, append(got, text[len(shown):]))
		})
	}
}

// tokenizeBytes returns a token of each byte.
func (f *fakeEngine) tokenizeBytes(text string) []int32 {
	out := make([]int32, len(text))
	for i := range len(text) {
		out[i] = fakeBytes + int32(text[i])
	}
	return out
}

// A stream has the reply that Generate has, whatever the request.
func TestStreamAsGenerate(t *testing.T) {
	t.Parallel()
	requests := someRequests(60)
	for kind := range 210 {
		requests = append(requests, stressRequest(kind))
	}
	for i, form := range formed {
		for _, follow := range []string{"", "\n\n## end"} {
			segments := []lm.Segment{{Literal: "Value: "}, form.hole}
			if follow != "" {
				segments = append(segments, lm.Segment{Literal: follow}, lm.Segment{Hole: lm.HoleText})
			}
			requests = append(requests,
				&lm.Request{Prompt: form.name, MaxTokens: 12, Shape: &lm.Shape{Segments: segments}, Stop: []string{"x", "yz"}},
				&lm.Request{Prompt: form.name, MaxTokens: 30, Shape: &lm.Shape{Segments: segments}, Temperature: lm.Temperature(1), Seed: lm.Seed(uint64(i))})
		}
	}
	for name, cfg := range map[string]config{"plain": {}, "no drafts": {noDrafts: true}, "deterministic": {deterministic: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.slots, cfg.queue, cfg.maxTokens = 4, 64, 40
			if cfg.deterministic {
				cfg.slots = 1
			}
			m, f := openFakeWith(t, 4096, cfg)
			f.forget = true
			many := 0
			for i, r := range requests {
				want, err := m.Generate(t.Context(), r)
				require.NoError(t, err)
				got := follow(t.Context(), t, m, r)
				require.NoError(t, got.err)
				require.True(t, alike(got.resp, want), "request %d: got %+v\nwant %+v", i, got.resp, want)
				require.Equal(t, want.Model, got.resp.Model)
				if len(got.events) > 4 {
					many++
				}
			}
			require.Greater(t, many, len(requests)/4)
			m.Close()
			checkAccount(t, m, f)
		})
	}
}

// Nothing of a stop text is shown, wherever it stands in the reply.
func TestStreamStops(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 1024)
	rng := rand.New(rand.NewPCG(1, 2))
	stopped := 0
	for i := range 300 {
		r := &lm.Request{Prompt: fmt.Sprint("story ", i%40), MaxTokens: 30}
		full, err := m.Generate(t.Context(), r)
		require.NoError(t, err)
		if len(full.Text) < 2 {
			continue
		}
		for range 2 {
			from := rng.IntN(len(full.Text) - 1)
			r.Stop = append(r.Stop, full.Text[from:min(len(full.Text), from+1+rng.IntN(6))])
		}
		want, err := m.Generate(t.Context(), r)
		require.NoError(t, err)
		got := follow(t.Context(), t, m, r)
		require.NoError(t, got.err)
		require.Equal(t, want.Text, got.text)
		for _, stop := range r.Stop {
			require.NotContains(t, got.text, stop)
		}
		if len(got.text) < len(full.Text) {
			stopped++
		}
	}
	require.Greater(t, stopped, 100)
}

// Each step has its event as soon as it has run: the first before the second step.
func TestStreamStepByStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, g := openGated(t, config{slots: 1, queue: 1, maxTokens: 40})
		r := told(5)
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Literal: "abc"}, {Hole: lm.HoleText}, {Literal: "!\n"}, {Hole: lm.HoleChoice, Name: "c", Choices: labels(" ham", " spam")}, {Literal: "."}}}
		r.Prompt = strings.TrimSuffix(r.Prompt, "abc")
		var texts []string
		var resp *lm.Response
		go func() {
			for e, err := range m.Stream(t.Context(), r) {
				if err != nil {
					t.Error(err)
					return
				}
				texts, resp = append(texts, e.Text), e.Response
			}
		}()
		want := []string{"abc", "d", "e", "f", "g", "h!\n"}
		for n := range want {
			synctest.Wait()
			require.Equal(t, want[:n+1], texts)
			require.Equal(t, n, g.steps)
			require.Nil(t, resp)
			g.permits <- struct{}{}
		}
		synctest.Wait()
		require.NotNil(t, resp)
		require.Equal(t, resp.Text, strings.Join(texts, ""))
		require.Equal(t, "abcdefgh!\n"+resp.Choices[0].Options[resp.Choices[0].Picked].Text+".", resp.Text)
	})
}

// A choice is shown when it is decided, with the literal behind it.
func TestStreamChoice(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 512)
	got := follow(t.Context(), t, m, &lm.Request{Prompt: "Label:", Shape: &lm.Shape{Segments: []lm.Segment{
		{Hole: lm.HoleChoice, Name: "c", Choices: labels(" ham", " spam")}, {Literal: "\nWhy: "}, {Hole: lm.HoleText},
	}}})
	require.NoError(t, got.err)
	require.Greater(t, len(got.events), 2)
	require.Equal(t, got.resp.Choices[0].Options[got.resp.Choices[0].Picked].Text+"\nWhy: ", got.events[0].Text)
}

// A loop that takes its time holds up nobody: its own request ends, and leaves its place
// to the next one.
func TestStreamSlowLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, g := openGated(t, config{slots: 1, queue: 1, maxTokens: 40})
		close(g.open)
		events := 0
		for e, err := range m.Stream(t.Context(), told(12)) {
			require.NoError(t, err)
			if events++; events == 1 {
				got, err := m.Generate(t.Context(), told(30))
				require.NoError(t, err)
				require.Equal(t, 30, got.Usage.CompletionTokens)
				require.Equal(t, 2, m.Stats().Requests)
			}
			if e.Response != nil {
				require.Equal(t, "defghijklm. ", e.Response.Text)
			}
		}
		require.Equal(t, 12, events, "an event of each token")
		m.Close()
		checkAccount(t, m, g.fakeEngine)
	})
}

// Whoever follows a stream gets what the request has alone; who leaves it loses nothing
// for the others.
func TestStreamsTogether(t *testing.T) {
	t.Parallel()
	requests := someRequests(48)
	want := make([]*lm.Response, len(requests))
	alone, _ := openFake(t, 512)
	for i, r := range requests {
		var err error
		want[i], err = alone.Generate(t.Context(), r)
		require.NoError(t, err)
	}
	m, f := openFakeWith(t, 1024, config{slots: 16, queue: 24, maxTokens: 40}, func(f *fakeEngine) { f.facts.patience = 800 })
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() {
			if got := follow(t.Context(), t, m, r); got.err != nil || !alike(got.resp, want[i]) {
				t.Errorf("request %d: got %+v, %v\nwant %+v", i, got.resp, got.err, want[i])
			}
		})
		wg.Go(func() {
			shown, events := "", 0
			for e, err := range m.Stream(t.Context(), r) {
				if err != nil {
					t.Error(err)
					return
				}
				shown += e.Text
				if events++; events == 1+i%5 {
					break
				}
			}
			if !strings.HasPrefix(want[i].Text, shown) {
				t.Errorf("request %d: %q was shown of %q", i, shown, want[i].Text)
			}
		})
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
			defer cancel()
			if got := follow(ctx, t, m, r); got.err == nil && !alike(got.resp, want[i]) || got.err != nil && !errors.Is(got.err, context.DeadlineExceeded) {
				t.Errorf("request %d, to be cancelled: got %+v, %v", i, got.resp, got.err)
			}
		})
	}
	wg.Wait()
	m.Close()
	checkAccount(t, m, f)
	require.Greater(t, f.mostIn, 1, "no two requests were evaluated together")
}
