package cache

import (
	"context"
	"slices"
	"sync"

	"github.com/whetgo/whet/lm"
)

// flights are the calls that are being answered: one for each key.
type flights struct {
	mu      sync.Mutex
	running map[key]*flight
	closed  bool
	wg      sync.WaitGroup
}

// flight is one call, for all who asked the same meanwhile. Its fields are guarded by the
// mutex of flights until done is closed.
type flight struct {
	all     *flights
	key     key
	cancel  context.CancelFunc
	callers []*caller // those who still wait, in the order in which they came
	events  []lm.Event
	more    chan struct{} // closed, and another one made, when an event comes
	done    chan struct{} // closed at the end

	outcome outcome
	payer   *caller // the one that carries the model's usage
}

// caller is one who waits; it is known by its address.
type caller struct{ _ byte }

// outcome is what came of a flight.
type outcome struct {
	resp     *lm.Response
	hit      bool     // resp came out of the store
	last     lm.Event // the last event, but for its Response
	err      error
	panicked any
}

// join waits for the flight of that key, or begins one that runs ask. The context of ask has
// the values of ctx and ends when all callers have left. first reports that it was begun.
func (fs *flights) join(ctx context.Context, k key, ask func(context.Context, *flight) outcome) (f *flight, c *caller, first bool, err error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.closed {
		return nil, nil, false, errClosed()
	}
	c = new(caller)
	if f = fs.running[k]; f != nil {
		f.callers = append(f.callers, c)
		return f, c, false, nil
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f = &flight{all: fs, key: k, cancel: cancel, callers: []*caller{c}, more: make(chan struct{}), done: make(chan struct{})}
	fs.running[k] = f
	fs.wg.Go(func() {
		defer cancel()
		f.run(own, ask)
	})
	return f, c, true, nil
}

// close lets no flight begin any more and waits for those that have.
func (fs *flights) close() {
	fs.mu.Lock()
	fs.closed = true
	fs.mu.Unlock()
	fs.wg.Wait()
}

// run runs ask and ends the flight whatever happens, so that nobody waits for ever.
func (f *flight) run(ctx context.Context, ask func(context.Context, *flight) outcome) {
	o := outcome{err: &lm.Error{Kind: lm.ErrBackend, Provider: "cache", Message: "the model ended its goroutine without a reply or an error"}}
	defer func() {
		if p := recover(); p != nil {
			o = outcome{panicked: p} // it goes on in the callers
		}
		f.end(o)
	}()
	o = ask(ctx, f)
}

func (f *flight) end(o outcome) {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	f.outcome = o
	if len(f.callers) > 0 {
		f.payer = f.callers[0]
	}
	f.forget()
	close(f.done)
}

// forget lets the next request of this key begin anew.
func (f *flight) forget() {
	if f.all.running[f.key] == f {
		delete(f.all.running, f.key)
	}
}

// leave ends the waiting of a caller; the last one that leaves ends the flight's context. It
// returns false when the flight has ended before.
func (f *flight) leave(c *caller) bool {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	select {
	case <-f.done:
		return false
	default:
	}
	if i := slices.Index(f.callers, c); i >= 0 {
		f.callers = slices.Delete(f.callers, i, i+1)
		if len(f.callers) == 0 {
			f.forget()
			f.cancel()
		}
	}
	return true
}

// wait returns what came of the flight, or the error of the caller's context.
func (f *flight) wait(ctx context.Context, c *caller) (*lm.Response, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		if f.leave(c) {
			return nil, ctx.Err()
		}
	}
	return f.result(c)
}

// result returns a caller's own copy of the reply, once the flight has ended.
func (f *flight) result(c *caller) (*lm.Response, error) {
	o := f.outcome
	switch {
	case o.panicked != nil:
		panic(o.panicked) // as if the caller had called the model itself
	case o.err != nil:
		return nil, o.err
	case o.hit || c != f.payer:
		return hit(o.resp), nil
	default:
		return o.resp.Clone(), nil
	}
}

// add shows the callers that stream one more event.
func (f *flight) add(e lm.Event) {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	f.events = append(f.events, e)
	close(f.more)
	f.more = make(chan struct{})
}

// since returns the events from number n on, and a channel that closes when there are more.
func (f *flight) since(n int) ([]lm.Event, <-chan struct{}) {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	return f.events[n:len(f.events):len(f.events)], f.more
}

// hit returns a copy of an answer as one that was not paid for.
func hit(r *lm.Response) *lm.Response {
	c := r.Clone()
	c.Cached = true
	c.Usage = lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
	return c
}
