package llamacpp

import (
	"context"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// gatedEngine is a fake whose steps wait until the test lets them run, one by one or, once
// open is closed, all.
type gatedEngine struct {
	*fakeEngine
	permits, open, aborted chan struct{}
	fails                  int // the step that fails, counted from 1
}

func (g *gatedEngine) decode(b *batch) error {
	select {
	case <-g.permits:
	case <-g.open:
	case <-g.aborted:
	}
	if g.fails == g.steps+1 {
		return errBroken
	}
	return g.fakeEngine.decode(b)
}

func (g *gatedEngine) abort(on bool) {
	g.fakeEngine.abort(on)
	select {
	case <-g.aborted:
	default:
	}
	if on {
		g.aborted <- struct{}{}
	}
}

// openGated returns a model on a gated engine that repeats its prompt, a token a step. It
// is closed at the end of the test.
func openGated(t *testing.T, cfg config) (*Model, *gatedEngine) {
	t.Helper()
	cfg.noDrafts = true
	g := &gatedEngine{fakeEngine: newFake(t, 512), permits: make(chan struct{}), open: make(chan struct{}), aborted: make(chan struct{}, 1)}
	g.repeats = true
	m, err := newModel(g, cfg)
	require.NoError(t, err)
	m.name = "fake"
	t.Cleanup(func() { m.Close() })
	return m, g
}

// told is a request that a model which repeats its prompt goes on with: "defghijklm. abcd".
func told(tokens int) *lm.Request {
	return &lm.Request{Prompt: "abcdefghijklm. abcdefghijklm. abc", MaxTokens: tokens}
}

// shownBy is what a stream has shown.
type shownBy struct {
	text   string
	events []lm.Event
	resp   *lm.Response
	err    error
}

// follow reads a stream to its end, and checks what holds for any.
func follow(ctx context.Context, t testing.TB, m *Model, r *lm.Request) shownBy {
	t.Helper()
	var out shownBy
	for e, err := range m.Stream(ctx, r) {
		if out.err != nil || out.resp != nil {
			t.Errorf("something comes behind the end: %+v, %v", e, err)
		}
		if out.err = err; err != nil {
			continue
		}
		if e.Text == "" && e.Response == nil {
			t.Error("an event is empty")
		}
		out.text += e.Text
		out.resp = e.Response
		out.events = append(out.events, *e)
	}
	if (out.err == nil) == (out.resp == nil) {
		t.Errorf("the stream ends with %+v and %v", out.resp, out.err)
	}
	if out.resp != nil && out.resp.Text != out.text {
		t.Errorf("the events have shown %q, and the response is %q", out.text, out.resp.Text)
	}
	checkWhole(t, out)
	return out
}

// checkWhole sees that no event ends inside of a character.
func checkWhole(t testing.TB, out shownBy) {
	t.Helper()
	at := 0
	for _, e := range out.events {
		for n := 0; n < len(e.Text); {
			r, size := utf8.DecodeRuneInString(out.text[at+n:])
			if n += size; n > len(e.Text) {
				t.Errorf("%q is shown up to the middle of %q", out.text, r)
			}
		}
		at += len(e.Text)
	}
}
