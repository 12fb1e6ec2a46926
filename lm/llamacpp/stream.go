package llamacpp

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Stream implements [lm.Streamer]: it answers r as [Model.Generate] does, and shows the
// text as it is decided. Each step that adds to it makes an event; the last one has the
// rest of the text and the response, whose Text is that of all events together. See the
// package's section on streams for what they have and when.
//
// The request begins when the loop does, and each loop over the sequence is a request of
// its own. Leaving the loop cancels it. No goroutine is started: the events wait in memory
// for a loop that is slow, which holds up no other request. An error ends the loop; where
// some text had been shown, [lm.Error].Partial has it. When the context ends the error is
// the context's, and events that still wait are not shown.
func (m *Model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if err := m.stream(ctx, r, yield); err != nil {
			yield(nil, err)
		}
	}
}

// stream shows the events of a request, and returns nil where the loop was left.
func (m *Model) stream(ctx context.Context, r *lm.Request, yield func(*lm.Event, error) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	if err := m.gate.enter(ctx); err != nil {
		return err
	}
	leave := sync.OnceFunc(m.gate.leave)
	defer leave()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	j, err := m.planned(func() (*job, error) { return m.plan(inner, r) })
	if err != nil {
		return err
	}
	j.stream = &stream{more: make(chan struct{}, 1), leave: leave}
	j.show() // the literals that the reply begins with
	if err := m.scheduler.submit(j); err != nil {
		return err
	}
	ended := false
	defer func() { // also where the loop was left by a panic
		if cancel(); !ended {
			m.scheduler.withdraw(j)
		}
	}()
	f := follower{m: m, ctx: ctx, job: j, yield: yield}
	for {
		var o outcome
		select {
		case <-j.stream.more:
		case o = <-j.done:
			ended = true
		case <-ctx.Done():
			return ctx.Err()
		}
		on, err := f.show(j.stream.take())
		switch {
		case err != nil:
			return err
		case !on:
			return nil
		case ended:
			return f.end(o)
		}
	}
}

// follower is the loop's side of a stream.
type follower struct {
	m     *Model
	ctx   context.Context // the caller's
	job   *job
	yield func(*lm.Event, error) bool
	shown strings.Builder
}

// show makes events of texts and reports whether the loop goes on.
func (f *follower) show(texts []string) (on bool, err error) {
	for _, text := range texts {
		if err := f.ctx.Err(); err != nil {
			return false, err
		}
		f.shown.WriteString(text)
		if !f.yield(&lm.Event{Text: text}, nil) {
			return false, nil
		}
	}
	return true, nil
}

// end makes the last event, or the error that ends the stream. The job is the loop's by now.
func (f *follower) end(o outcome) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if o.err == nil {
		o.resp.Model = f.m.name
		f.yield(&lm.Event{Text: o.resp.Text[f.shown.Len():], Response: o.resp}, nil)
		return nil
	}
	failed := (*lm.Error)(nil)
	if f.shown.Len() == 0 || !errors.As(o.err, &failed) {
		return o.err
	}
	broken := *failed
	broken.Partial = f.job.response()
	broken.Partial.Text, broken.Partial.Finish, broken.Partial.Model = f.shown.String(), "", f.m.name
	return &broken
}
