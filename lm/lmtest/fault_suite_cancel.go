package lmtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

func cancelling(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// cancelled checks that a call has ended with its context's error, and the request with
// it.
func (r *faultRow) cancelled(ctx context.Context, o outcome) {
	r.t.Helper()
	if !errors.Is(o.err, ctx.Err()) {
		r.t.Errorf("%s: the error is %v, want %v", o.way, o.err, ctx.Err())
	}
	if o.resp != nil {
		r.t.Errorf("%s: a response %+v beside the error %v", o.way, o.resp, o.err)
	}
	r.quiet(o)
	r.left()
}

// left checks that the LM has let go of the server.
func (r *faultRow) left() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), hang)
	defer cancel()
	if err := r.s.AwaitQuiet(ctx); err != nil {
		r.t.Errorf("the server still answers %v after the call has ended", hang)
	}
}

// faultsCancel end the context of a call at each of its stages.
func faultsCancel(t *testing.T, b HTTPBackend) {
	all := func(*lm.Event) bool { return true }
	t.Run("before", func(t *testing.T) {
		r := b.row(t)
		for _, w := range r.ways() {
			ctx, cancel := cancelling(t)
			cancel()
			r.cancelled(ctx, r.callIn(ctx, prompt, w, all))
		}
		if n := r.s.Count(); n != 0 {
			t.Errorf("%d requests were made for a context that had ended", n)
		}
	})
	const some = 40
	for _, tt := range []struct {
		name string
		f    Fault
		sent int64 // how much of the body is on its way by then
	}{
		{"before the header", Fault{Phase: BeforeHeader, End: EndStall}, 0},
		{"in the header", Fault{Phase: InHeader, End: EndStall}, 0},
		{"in the body", Fault{End: EndStall, After: some}, some},
		{"in the body of an error", Fault{Status: 500, End: EndStall, After: some}, some},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			r.s.Always(tt.f)
			for i, w := range r.ways() {
				ctx, cancel := cancelling(t)
				done := r.start(ctx, w, all)
				r.await(func(ctx context.Context) error { return r.s.Await(ctx, i+1) })
				r.await(func(ctx context.Context) error { return r.s.AwaitSent(ctx, tt.sent*int64(i+1)) })
				cancel()
				r.cancelled(ctx, r.end(done, prompt, w))
			}
		})
	}
	t.Run("deadline", func(t *testing.T) {
		r := b.row(t)
		r.s.Always(Fault{Phase: BeforeHeader, End: EndStall})
		for _, w := range r.ways() {
			// Nothing but the deadline can end this call, so its length does not matter.
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			r.cancelled(ctx, r.callIn(ctx, prompt, w, all))
			cancel()
		}
	})
	t.Run("in a stream", func(t *testing.T) {
		r := b.row(t)
		r.streams()
		stalled(r)
		ctx, cancel := cancelling(t)
		o := r.callIn(ctx, hang, inStream(), func(*lm.Event) bool {
			cancel()
			return true
		})
		r.cancelled(ctx, o)
	})
	t.Run("stream stalls", func(t *testing.T) {
		r := b.row(t)
		r.streams()
		stalled(r)
		ctx, cancel := cancelling(t)
		seen := make(chan struct{}, len(faultReply))
		done := r.start(ctx, inStream(), func(*lm.Event) bool {
			seen <- struct{}{}
			return true
		})
		select {
		case <-seen:
		case o := <-done:
			t.Fatalf("no event has come, but %+v, %v", o.resp, o.err)
		}
		cancel()
		r.cancelled(ctx, r.end(done, prompt, inStream()))
	})
	t.Run("stream is left", func(t *testing.T) {
		r := b.row(t)
		r.streams()
		stalled(r)
		o := r.callIn(t.Context(), hang, inStream(), func(*lm.Event) bool { return false })
		if o.resp != nil || o.err != nil {
			t.Errorf("the first event is the last: %+v, %v", o.resp, o.err)
		}
		r.left()
	})
}

// await waits for the server.
func (r *faultRow) await(f func(context.Context) error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), hang)
	defer cancel()
	if err := f(ctx); err != nil {
		r.t.Fatalf("the server has waited for a request in vain: %v", err)
	}
}

// stalled makes streams stop after their first word.
func stalled(r *faultRow) {
	r.t.Helper()
	right := r.record(inStream())
	all, _, err := marks(right)
	if err != nil {
		r.t.Fatal(err)
	}
	r.s.Always(Fault{End: EndStall, After: all[1].end})
}
