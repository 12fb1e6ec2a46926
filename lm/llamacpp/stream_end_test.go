package llamacpp

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// Leaving the loop stops the step that runs, and gives the slot and the place to the next
// request.
func TestStreamLeft(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(ctx context.Context, m *Model, now <-chan struct{}){
		"by break": func(ctx context.Context, m *Model, now <-chan struct{}) {
			at := 0
			for range m.Stream(ctx, told(40)) {
				if at++; at == 3 {
					<-now
					break
				}
			}
		},
		"by a panic": func(ctx context.Context, m *Model, now <-chan struct{}) {
			defer func() { _ = recover() }()
			at := 0
			for range m.Stream(ctx, told(40)) {
				if at++; at == 3 {
					<-now
					panic("out of here")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, g := openGated(t, config{slots: 1, queue: 1, maxTokens: 40})
				left, now := false, make(chan struct{})
				go func() {
					leave(t.Context(), m, now)
					left = true
				}()
				for range 3 {
					g.permits <- struct{}{}
				}
				synctest.Wait()
				require.False(t, left)
				close(now) // while the fourth step runs
				synctest.Wait()
				require.True(t, left)
				require.Equal(t, Stats{Requests: 1, Steps: 3, Computed: 36, Handed: 37, Cells: 36, Kept: 36}, m.Stats())
				close(g.open)
				got, err := m.Generate(t.Context(), told(5))
				require.NoError(t, err)
				require.Equal(t, "defgh", got.Text)
				m.Close()
				checkAccount(t, m, g.fakeEngine)
			})
		})
	}
}

// A request that is left before it has begun is not begun.
func TestStreamLeftEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, g := openGated(t, config{slots: 1, queue: 1, maxTokens: 40})
		r := told(5)
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Literal: "Well, "}, {Hole: lm.HoleText}}}
		for e := range m.Stream(t.Context(), r) {
			require.Equal(t, "Well, ", e.Text)
			break
		}
		synctest.Wait()
		require.Zero(t, g.steps)
		require.Zero(t, m.Stats().Computed)
	})
}

// The context's end is the stream's, also while the loop is busy with an event.
func TestStreamContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, g := openGated(t, config{slots: 2, queue: 2, maxTokens: 40})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() { g.permits <- struct{}{} }() // one step, and the next one hangs
		got := follow(ctx, t, m, told(40))
		require.Equal(t, context.DeadlineExceeded, got.err)
		require.Equal(t, "d", got.text)
		synctest.Wait()
		require.Equal(t, 1, m.Stats().Requests)

		close(g.open)
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		events := 0
		for e, err := range m.Stream(ctx, told(20)) {
			if err != nil {
				require.Equal(t, context.Canceled, err)
				break
			}
			events++
			require.Equal(t, "d", e.Text)
			synctest.Wait() // all the events are there
			require.Equal(t, 2, m.Stats().Requests)
			cancel()
		}
		require.Equal(t, 1, events)
		require.Equal(t, context.Canceled, follow(ctx, t, m, told(20)).err)

		for range 16 { // behind the last text, when the reply is complete
			ctx, cancel := context.WithCancel(t.Context())
			events, ended := 0, error(nil)
			for _, err := range m.Stream(ctx, told(2)) {
				if events++; events == 1 {
					synctest.Wait()
					cancel()
				}
				ended = err
			}
			cancel()
			require.Equal(t, context.Canceled, ended)
			require.Equal(t, 2, events)
		}
		m.Close()
		checkAccount(t, m, g.fakeEngine)
	})
}

func TestStreamFails(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 512, func(f *fakeEngine) { f.broken, f.repeats = 1, true })
	for name, test := range map[string]struct {
		request *lm.Request
		kind    lm.ErrorKind
	}{
		"invalid":     {&lm.Request{}, lm.ErrInvalidRequest},
		"too long":    {&lm.Request{Prompt: strings.Repeat("a", 600)}, lm.ErrContextLength},
		"tools":       {&lm.Request{Messages: []lm.Message{lm.User("a")}, Tools: []lm.Tool{{Name: "f"}}}, lm.ErrUnsupported},
		"broken form": {&lm.Request{Prompt: "p", Shape: &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": 5}`)}}}}, lm.ErrInvalidRequest},
	} {
		got := follow(t.Context(), t, m, test.request)
		require.ErrorIs(t, got.err, test.kind, name)
		require.Empty(t, got.events, name)
		_, err := m.Generate(t.Context(), test.request)
		require.Equal(t, err, got.err, name)
	}
	for range 64 { // as many as the gate has places: each is given back
		require.Error(t, follow(t.Context(), t, m, &lm.Request{Prompt: strings.Repeat("a", 600)}).err)
	}
	got := follow(t.Context(), t, m, told(40))
	require.ErrorIs(t, got.err, lm.ErrBackend)
	require.ErrorIs(t, got.err, errBroken)
	var e *lm.Error
	require.ErrorAs(t, got.err, &e)
	require.Nil(t, e.Partial)
	require.Equal(t, 40, follow(t.Context(), t, m, told(40)).resp.Usage.CompletionTokens)
	m.Close()
	require.ErrorIs(t, follow(t.Context(), t, m, told(40)).err, lm.ErrUnavailable)
}

// What was shown before a failure is in its error.
func TestStreamBreaksOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		broken int
		kind   lm.ErrorKind
	}{"a step fails": {4, lm.ErrBackend}, "the model is closed": {0, lm.ErrUnavailable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, g := openGated(t, config{slots: 1, queue: 1, maxTokens: 40})
				g.fails = test.broken
				if test.broken > 0 {
					close(g.open)
				}
				var got shownBy
				done := make(chan struct{})
				go func() {
					defer close(done)
					got = follow(t.Context(), t, m, told(40))
				}()
				if test.broken == 0 {
					for range 3 {
						g.permits <- struct{}{}
					}
					synctest.Wait()
					m.Close()
				}
				<-done
				var e *lm.Error
				require.ErrorAs(t, got.err, &e)
				require.Equal(t, test.kind, e.Kind)
				require.Equal(t, "def", got.text)
				require.NotNil(t, e.Partial)
				require.Equal(t, "def", e.Partial.Text)
				require.Equal(t, 3, e.Partial.Usage.CompletionTokens)
				require.Equal(t, "fake", e.Partial.Model)
				require.Empty(t, e.Partial.Finish)
			})
		})
	}
}

// A sequence may be looped over twice: each time it is a request.
func TestStreamTwice(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 512, func(f *fakeEngine) { f.repeats = true })
	events := m.Stream(t.Context(), told(10))
	for range 2 {
		text := ""
		for e, err := range events {
			require.NoError(t, err)
			text += e.Text
		}
		require.Equal(t, "defghijklm", text)
	}
	require.Equal(t, 2, m.Stats().Requests)

	literals := &lm.Request{Prompt: "p", Shape: &lm.Shape{Segments: []lm.Segment{{Literal: "a"}, {Hole: lm.HoleChoice, Name: "d", Choices: labels("b")}, {Literal: "c"}}}}
	got := follow(t.Context(), t, m, literals)
	require.NoError(t, got.err)
	require.Len(t, got.events, 1)
	require.Equal(t, "abc", got.text)
}
