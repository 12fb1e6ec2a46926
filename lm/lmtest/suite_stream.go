package lmtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// stream tests a backend that is an [lm.Streamer]: its events make up the reply that
// Generate gives, and whoever leaves the loop, or ends the context, is left alone.
func (s suite) stream(t *testing.T) {
	m, ok := s.m.(lm.Streamer)
	if !ok {
		t.Skip("the backend is no lm.Streamer")
	}
	r := s.repeatable(t, "Tell a long story about a ferryman and his two geese.")
	r.MaxTokens = 24
	full := s.generate(t, r)
	requests := []*lm.Request{r}
	if words := strings.Fields(full.Text); len(words) > 1 {
		stopped := r.Clone()
		stopped.Stop = []string{words[len(words)/2]}
		requests = append(requests, stopped)
	}
	if s.c.Forms {
		shaped := r.Clone()
		shaped.Shape = choiceShape()
		requests = append(requests, shaped)
	}
	for _, r := range requests {
		if err := streamsAs(t.Context(), m, r, s.generate(t, r)); err != nil {
			t.Errorf("Stream with the stop texts %q and the shape %v: %v", r.Stop, r.Shape, err)
		}
	}
	if err := streamEnds(t.Context(), m, r); err != nil {
		t.Error(err)
	}
	s.generate(t, r)
}

// streamsAs reports how a stream differs from the reply that Generate gives.
func streamsAs(ctx context.Context, m lm.Streamer, r *lm.Request, want *lm.Response) error {
	resp, err := readStream(m.Stream(ctx, r))
	switch {
	case err != nil:
		return err
	case resp.Text != want.Text:
		return fmt.Errorf("the text is %q, and that of Generate %q", resp.Text, want.Text)
	case resp.Finish != want.Finish || resp.Shaped != want.Shaped || len(resp.Choices) != len(want.Choices):
		return fmt.Errorf("the response is %+v, and that of Generate %+v", resp, want)
	}
	return nil
}

// readStream reads a stream to its end and checks what holds for any.
func readStream(events iter.Seq2[*lm.Event, error]) (*lm.Response, error) {
	var texts, reasoning []string
	var resp *lm.Response
	for e, err := range events {
		switch {
		case resp != nil:
			return nil, errors.New("something comes behind the event that has the response")
		case err != nil && e != nil:
			return nil, fmt.Errorf("the error %w comes with an event", err)
		case err != nil:
			return nil, err
		case e == nil:
			return nil, errors.New("neither an event nor an error comes")
		}
		texts, reasoning = append(texts, e.Text), append(reasoning, e.Reasoning)
		resp = e.Response
	}
	switch {
	case resp == nil:
		return nil, errors.New("no event has the response")
	case strings.Join(texts, "") != resp.Text || strings.Join(reasoning, "") != resp.Reasoning:
		return nil, fmt.Errorf("the events have %q and the reasoning %q, and the response is %+v", texts, reasoning, resp)
	case utf8.ValidString(resp.Text) && slices.ContainsFunc(texts, func(text string) bool { return !utf8.ValidString(text) }):
		return nil, fmt.Errorf("an event ends in the middle of a character: %q", texts)
	}
	return resp, nil
}

// streamEnds reports what is wrong when a stream is left, when its context ends, and when
// its request is malformed.
func streamEnds(ctx context.Context, m lm.Streamer, r *lm.Request) error {
	for _, err := range m.Stream(ctx, r) {
		if err != nil {
			return fmt.Errorf("a stream that is left begins with %w", err)
		}
		break
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var last error
	for _, err := range m.Stream(inner, r) {
		last = err
		cancel()
	}
	if last != nil && !errors.Is(last, context.Canceled) {
		return fmt.Errorf("a stream whose context ends half way ends with %w, and not with %w", last, context.Canceled)
	}
	if _, err := readStream(m.Stream(inner, r)); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a stream whose context has ended ends with %s, and not with %w", fmt.Sprint(err), context.Canceled)
	}
	if _, err := readStream(m.Stream(ctx, &lm.Request{})); !errors.Is(err, lm.ErrInvalidRequest) {
		return fmt.Errorf("a stream of an empty request ends with %s, and not with an error of the kind: %w", fmt.Sprint(err), lm.ErrInvalidRequest)
	}
	return nil
}
