package cache_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// slow returns a model that answers after a second, or when its context ends.
func slow() *fake {
	return &fake{name: "slow", answer: func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		select {
		case <-time.After(time.Second):
			return &lm.Response{Text: "slow: " + r.Prompt, Usage: paid}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

// TestSingleFlight has 100 goroutines ask the same at once: one request is made, one caller
// carries its cost.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), slow()
		var mu sync.Mutex
		var total lm.Usage
		cached := 0
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				resp, err := s.Wrap(model).Generate(t.Context(), prompt("a"))
				if err != nil || resp.Text != "slow: a" {
					t.Errorf("got %+v, %v", resp, err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				total = total.Add(resp.Usage)
				if resp.Cached {
					cached++
				}
			})
		}
		wg.Wait()
		want := paid.Add(lm.Usage{Calls: 99, CachedCalls: 99, PricedCalls: 99})
		if model.calls.Load() != 1 || cached != 99 || total != want {
			t.Errorf("%d requests, %d cached, usage %+v; want 1, 99, %+v", model.calls.Load(), cached, total, want)
		}
		if st := s.Stats(); st.Misses != 1 || st.Shared != 99 {
			t.Errorf("Stats = %+v", st)
		}
	})
}

// TestOneLeaves cancels the one of 100 callers that came first: the others get the answer.
func TestOneLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), slow()
		m := s.Wrap(model)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			if _, err := m.Generate(ctx, prompt("a")); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second/2 {
				t.Errorf("the one that left got %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		var costs atomic.Int64
		for range 99 {
			wg.Go(func() {
				resp, err := m.Generate(t.Context(), prompt("a"))
				if err != nil || resp.Text != "slow: a" {
					t.Errorf("got %+v, %v", resp, err)
					return
				}
				costs.Add(int64(resp.Usage.Cost))
			})
		}
		time.Sleep(time.Second / 2)
		cancel()
		wg.Wait()
		if model.calls.Load() != 1 || costs.Load() != int64(paid.Cost) {
			t.Errorf("%d requests of a cost of %d, want one of %d", model.calls.Load(), costs.Load(), paid.Cost)
		}
	})
}

// TestAllLeave has every caller leave: the call ends, and the next one asks again.
func TestAllLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), slow()
		ended := make(chan error, 2)
		answer := model.answer
		model.answer = func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			resp, err := answer(ctx, r)
			ended <- err
			return resp, err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
		defer cancel()
		for range 10 {
			go func() {
				if _, err := s.Wrap(model).Generate(ctx, prompt("a")); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			}()
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v, want that it is cancelled", err)
		}
		synctest.Wait()
		if resp, err := s.Wrap(model).Generate(t.Context(), prompt("a")); err != nil || resp.Cached || model.calls.Load() != 2 {
			t.Errorf("the next call: %+v, %v, after %d requests", resp, err, model.calls.Load())
		}
	})
}

// TestPaidIsStoredThoughNobodyWaits has a model answer although its context has ended.
func TestPaidIsStoredThoughNobodyWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *cache.Store) {
		release := make(chan struct{})
		model := &fake{name: "m", answer: func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
			<-release
			return &lm.Response{Text: "late"}, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		model2 := &fake{name: "m", answer: func(c context.Context, r *lm.Request) (*lm.Response, error) {
			cancel()
			return model.answer(c, r)
		}}
		if _, err := s.Wrap(model2).Generate(ctx, prompt("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left got %v", err)
		}
		close(release)
		for s.Stats().MemoryEntries == 0 && !isStored(t, s) {
			runtime.Gosched()
		}
		if got := ask(t, s.Wrap(mute("m")), prompt("a")); got.Text != "late" {
			t.Errorf("got %q", got.Text)
		}
	})
}

func isStored(t *testing.T, s *cache.Store) bool {
	for _, err := range s.Entries(t.Context()) {
		return err == nil
	}
	return false
}

// TestValues has the call see the values of the caller's context, and not its end.
func TestValues(t *testing.T) {
	t.Parallel()
	type mark struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), mark{}, "here"), time.Hour)
	defer cancel()
	model := &fake{name: "m", answer: func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
		_, limited := ctx.Deadline()
		if ctx.Value(mark{}) != "here" || limited {
			t.Errorf("the call has the value %v, and a deadline: %v", ctx.Value(mark{}), limited)
		}
		return &lm.Response{}, nil
	}}
	if _, err := cache.Memory().Wrap(model).Generate(ctx, prompt("a")); err != nil {
		t.Fatal(err)
	}
}

func TestErrorIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("no luck")
		model := &fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) {
			time.Sleep(time.Second)
			return nil, failure
		}}
		m := cache.Memory().Wrap(model)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := m.Generate(t.Context(), prompt("a")); !errors.Is(err, failure) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if model.calls.Load() != 1 {
			t.Errorf("%d requests, want 1", model.calls.Load())
		}
	})
}

// TestPanic has a model panic, or end its goroutine: nobody waits for ever, and a panic goes
// on in the caller.
func TestPanic(t *testing.T) {
	t.Parallel()
	m := cache.Memory().Wrap(&fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) { panic("ouch") }})
	func() {
		defer func() {
			if p := recover(); p != "ouch" {
				t.Errorf("the caller saw the panic %v", p)
			}
		}()
		_, err := m.Generate(t.Context(), prompt("a"))
		t.Errorf("the model panicked, and the caller got %v", err)
	}()
	m = cache.Memory().Wrap(&fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) {
		runtime.Goexit()
		return nil, nil
	}})
	if _, err := m.Generate(t.Context(), prompt("a")); !errors.Is(err, lm.ErrBackend) {
		t.Errorf("a model that ended its goroutine: %v", err)
	}
}

// TestCallerChangesRequest has a caller leave and change its request while the model reads it.
func TestCallerChangesRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := cache.Memory()
		model := &fake{name: "m", answer: func(_ context.Context, r *lm.Request) (*lm.Response, error) {
			time.Sleep(time.Second)
			return &lm.Response{Text: r.Messages[0].Text()}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		r := &lm.Request{Messages: []lm.Message{lm.User("before")}}
		if _, err := s.Wrap(model).Generate(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		r.Messages[0].Parts[0].Text = "after"
		time.Sleep(time.Second)
		synctest.Wait()
		if got := ask(t, s.Wrap(mute("m")), &lm.Request{Messages: []lm.Message{lm.User("before")}}).Text; got != "before" {
			t.Errorf("stored was %q", got)
		}
	})
}

// TestCloseWaits has Close wait for a call in flight.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), slow()
		var answered atomic.Bool
		go func() {
			if _, err := s.Wrap(model).Generate(t.Context(), prompt("a")); err != nil {
				t.Errorf("got %v", err)
			}
			answered.Store(true)
		}()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !answered.Load() {
			t.Error("Close returned before the call had its answer")
		}
	})
}
