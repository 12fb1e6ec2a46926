package lmtest

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// wordStreamer streams a scripted reply in its words, as change has them.
type wordStreamer struct {
	*Scripted
	change func(ctx context.Context, events []lm.Event, end error) ([]lm.Event, error)
}

func newWordStreamer() *wordStreamer {
	return &wordStreamer{Scripted: Answer(func(*lm.Request) (string, error) { return "one two thrée four", nil })}
}

// Stream implements lm.Streamer.
func (w *wordStreamer) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		var events []lm.Event
		resp, end := w.Generate(ctx, r)
		if end == nil {
			for word := range strings.SplitAfterSeq(resp.Text, " ") {
				events = append(events, lm.Event{Text: word})
			}
			events = append(events, lm.Event{Response: resp})
		}
		if w.change != nil {
			events, end = w.change(ctx, events, end)
		}
		for _, e := range events {
			if w.change == nil && ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if !yield(&e, nil) {
				return
			}
		}
		if end != nil {
			yield(nil, end)
		}
	}
}

func TestSuiteStream(t *testing.T) {
	t.Parallel()
	streams := suite{m: newWordStreamer(), c: Capabilities{Messages: true}}
	t.Run("with", streams.stream)
	plain := suite{m: newWordStreamer().Scripted, c: Capabilities{Messages: true}}
	t.Run("without", plain.stream)
}

// What is wrong with a stream is found.
func TestSuiteStreamFindsFaults(t *testing.T) {
	t.Parallel()
	errOwn := errors.New("cancelled, or so")
	for name, tt := range map[string]struct {
		change func(ctx context.Context, events []lm.Event, end error) ([]lm.Event, error)
		want   string
		ends   bool // found when it ends early, and not before
	}{
		"a word is lost": {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) { return e[1:], end }, "the events have", false},
		"a word comes twice": {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) {
			return append(e[:1:1], e...), end
		}, "the events have", false},
		"no response": {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) { return e[:len(e)-1], end }, "no event has the response", false},
		"more after the end": {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) {
			return append(e, lm.Event{}), end
		}, "something comes behind", false},
		"an error at the end": {func(_ context.Context, e []lm.Event, _ error) ([]lm.Event, error) { return e, errOwn }, "something comes behind", false},
		"reasoning of its own": {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) {
			e[0].Reasoning = "hm"
			return e, end
		}, "the reasoning", false},
		"half a character":      {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) { return halves(e), end }, "the middle of a character", false},
		"another text":          {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) { return another(e), end }, "that of Generate", false},
		"another finish":        {func(_ context.Context, e []lm.Event, end error) ([]lm.Event, error) { return unfinished(e), end }, "that of Generate", false},
		"an error at once":      {func(context.Context, []lm.Event, error) ([]lm.Event, error) { return nil, errOwn }, "begins with cancelled, or so", true},
		"an error of its own":   {func(_ context.Context, e []lm.Event, _ error) ([]lm.Event, error) { return keep(e), errOwn }, "half way ends with", true},
		"no end by the context": {func(_ context.Context, e []lm.Event, _ error) ([]lm.Event, error) { return e, nil }, "has ended ends with", true},
		"no check of requests":  {checksNothing, "of an empty request ends with", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newWordStreamer()
			r := &lm.Request{Prompt: "p", MaxTokens: 24}
			want, err := m.Generate(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			m.change = tt.change
			if tt.ends {
				err = streamEnds(t.Context(), m, r)
			} else {
				err = streamsAs(t.Context(), m, r, want)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("found is %v, want something of %q", err, tt.want)
			}
		})
	}
}

// halves cuts the third word in its é.
func halves(e []lm.Event) []lm.Event {
	at := strings.Index(e[2].Text, "é") + 1
	return append(append(e[:2:2], lm.Event{Text: e[2].Text[:at]}, lm.Event{Text: e[2].Text[at:]}), e[3:]...)
}

func another(e []lm.Event) []lm.Event {
	last := e[len(e)-1].Response.Clone()
	last.Text += "!"
	return append(e[:len(e)-1], lm.Event{Text: "!", Response: last})
}

func unfinished(e []lm.Event) []lm.Event {
	last := e[len(e)-1].Response.Clone()
	last.Finish = lm.FinishLength
	return append(e[:len(e)-1], lm.Event{Response: last})
}

// keep leaves the response out, so that the stream goes on to its error.
func keep(e []lm.Event) []lm.Event {
	if len(e) == 0 {
		return nil
	}
	return e[:len(e)-1]
}

// checksNothing ends with the context, and takes any request.
func checksNothing(ctx context.Context, e []lm.Event, _ error) ([]lm.Event, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if e == nil {
		e = []lm.Event{{Response: &lm.Response{}}}
	}
	return e, nil
}
