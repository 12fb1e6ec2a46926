package module

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
)

// StreamEvent is a piece of what a program's predictors write, or the prediction at the
// end.
type StreamEvent[Out any] struct {
	// Predictor is the name of the one that writes, within the program: see [Predictors].
	Predictor string
	// Call numbers the requests of the run, from 0: predictors may write at once, and one
	// that asks again ([Retry]) begins anew.
	Call int
	// Field is the output that Text belongs to; "" for what a custom adapter, which cannot
	// tell, writes.
	Field string
	// Text is what is added. A field that is no text comes in the form of the adapter.
	Text string
	// Thought is what is added to what the model thinks before it replies, where the
	// backend shows that; Field is "" then.
	Thought string
	// Done says that Field is complete.
	Done bool
	// Prediction is the answer; it is in the last event, and nil before.
	Prediction *Prediction[Out]
}

// Stream runs a program and shows what its predictors write while they do, as far as the
// models stream (lm.Streamer; others show a reply at once):
//
//	for event, err := range module.Stream(ctx, program, in) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(event.Text)
//	}
//
// The last event holds the prediction, as [Call] returns it; an error ends the stream in
// its place. What is shown before is a preview, which knows the form that the adapter asks
// for: what counts is the prediction. Leaving the loop cancels the calls that run, and
// returns when the program has ended; what it panics with is raised in the loop. Predictors
// that are not found in the program, such as a judge's, are not shown. A consumer that is
// slow holds up the program.
func Stream[In, Out any](ctx context.Context, p Program[In, Out], in In) iter.Seq2[*StreamEvent[Out], error] {
	return func(yield func(*StreamEvent[Out], error) bool) {
		if p == nil {
			yield(nil, errors.New("module: the program is nil"))
			return
		}
		named, err := Predictors(p)
		if err != nil && !errors.Is(err, ErrNoPredictors) {
			yield(nil, err)
			return
		}
		run, cancel := context.WithCancel(ctx)
		s := &stream{names: map[*Predictor]string{}, events: make(chan streamed), ended: make(chan struct{})}
		for _, n := range named {
			s.names[n.Predictor] = n.Name
		}
		var pred *Prediction[Out]
		var crashed *crash
		go func() {
			defer close(s.ended)
			watch(func(c *crash) { crashed = c }, func() {
				pred, err = Call(context.WithValue(run, streamKey{}, s), p, in)
			})
		}()
		defer s.drain() // also after a panic of the loop's body
		defer cancel()
		left := s.show(func(e streamed) bool {
			return yield(&StreamEvent[Out]{Predictor: e.predictor, Call: e.call, Field: e.Field, Text: e.Text, Thought: e.thought, Done: e.Done}, nil)
		})
		if left {
			cancel()
			s.drain()
		}
		crashed.raise()
		switch {
		case left:
		case err != nil:
			yield(nil, err)
		default:
			yield(&StreamEvent[Out]{Prediction: pred}, nil)
		}
	}
}

// Stream answers as Call does and shows the outputs while they are written: see the
// function [Stream].
func (p *Predict[In, Out]) Stream(ctx context.Context, in In) iter.Seq2[*StreamEvent[Out], error] {
	return Stream(ctx, p, in)
}

// Stream answers as Call does and shows reasoning and outputs while they are written: see
// the function [Stream].
func (c *ChainOfThought[In, Out]) Stream(ctx context.Context, in In) iter.Seq2[*StreamEvent[Out], error] {
	return Stream(ctx, c, in)
}

// stream is where the predictors of a run show what they write.
type stream struct {
	names  map[*Predictor]string
	events chan streamed
	ended  chan struct{} // closed when the program has ended
	calls  atomic.Int64
}

// show passes the events on until the program has ended, and reports whether yield wanted
// no more of them before.
func (s *stream) show(yield func(streamed) bool) (left bool) {
	for {
		select {
		case e := <-s.events:
			if !yield(e) {
				return true
			}
		case <-s.ended:
			return false
		}
	}
}

// drain waits for the program's end.
func (s *stream) drain() { s.show(func(streamed) bool { return true }) }

// streamed is an event before it has the program's type.
type streamed struct {
	predictor string
	call      int
	thought   string
	adapter.FieldText
}

type streamKey struct{}

// streamOf returns the stream that p is to be shown in, or nil.
func streamOf(ctx context.Context, p *Predictor) *stream {
	s, _ := ctx.Value(streamKey{}).(*stream)
	if s != nil {
		if _, ok := s.names[p]; ok {
			return s
		}
	}
	return nil
}

// send shows an event, unless nobody looks any more: a program may have ended before calls
// that it began.
func (s *stream) send(ctx context.Context, e streamed) error {
	select {
	case s.events <- e:
		return nil
	case <-s.ended:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// generate asks a model, and shows the reply while it grows where the context wants it.
func (p *Predictor) generate(ctx context.Context, model lm.LM, q question) (*lm.Response, error) {
	s := streamOf(ctx, p)
	if s == nil {
		return model.Generate(ctx, q.req)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := streamed{predictor: s.names[p], call: int(s.calls.Add(1)) - 1}
	var fields adapter.FieldStream
	if t, ok := q.template.(adapter.StreamTemplate); ok {
		fields = t.Stream()
	}
	show := func(parts []adapter.FieldText) error {
		for _, part := range parts {
			e.FieldText = part
			if err := s.send(ctx, e); err != nil {
				return err
			}
		}
		return nil
	}
	for event, err := range lm.Stream(ctx, model, q.req) {
		switch {
		case err != nil:
			return nil, err
		case event == nil:
			continue
		}
		if event.Reasoning != "" {
			if err := s.send(ctx, streamed{predictor: e.predictor, call: e.call, thought: event.Reasoning}); err != nil {
				return nil, err
			}
		}
		parts := []adapter.FieldText{{Text: event.Text}}
		if fields != nil {
			parts = fields.Write(event.Text)
		} else if event.Text == "" {
			parts = nil
		}
		if err := show(parts); err != nil {
			return nil, err
		}
		if event.Response != nil {
			if fields != nil {
				if err := show(fields.Close()); err != nil {
					return nil, err
				}
			}
			return event.Response, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, nil // as Generate: the caller says what is wrong with that
}
