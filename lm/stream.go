package lm

import (
	"context"
	"iter"
)

// Streamer is an LM that shows its reply while it grows.
type Streamer interface {
	LM
	// Stream answers r as Generate does, in parts. The last event holds the whole
	// reply; an error ends the stream, and what had come by then is in [Error.Partial].
	// Where the context ends, its error comes back as [LM] says, without a Partial: what
	// had come is what the events have shown, and what it cost is not known, as providers
	// tell that at the end. Whoever needs the part keeps the events' texts. Leaving the
	// loop cancels the request, and no error comes.
	Stream(ctx context.Context, r *Request) iter.Seq2[*Event, error]
}

// Event is a part of a reply that grows.
type Event struct {
	// Text and Reasoning are what has been added to the reply's.
	Text, Reasoning string
	// Response is the whole reply, in the last event, and nil before.
	Response *Response
}

// Stream answers r in parts where m is a [Streamer], and else in one:
//
//	for event, err := range lm.Stream(ctx, model, r) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(event.Text)
//	}
func Stream(ctx context.Context, m LM, r *Request) iter.Seq2[*Event, error] {
	if s, ok := m.(Streamer); ok {
		return s.Stream(ctx, r)
	}
	return func(yield func(*Event, error) bool) {
		resp, err := m.Generate(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		yield(&Event{Text: resp.Text, Reasoning: resp.Reasoning, Response: resp}, nil)
	}
}
