package cache_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// streamer streams the words of its text, one each second.
type streamer struct {
	fake
	words []string
	fails error // after the words, in place of the whole reply
	mute  bool  // ends without a whole reply
}

func newStreamer(words ...string) *streamer {
	return &streamer{fake: fake{name: "streamer"}, words: words}
}

func (s *streamer) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	for e, err := range s.Stream(ctx, r) {
		if err != nil {
			return nil, err
		}
		if e.Response != nil {
			return e.Response, nil
		}
	}
	return nil, nil
}

func (s *streamer) Stream(ctx context.Context, _ *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		s.calls.Add(1)
		for _, w := range s.words {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			if !yield(&lm.Event{Text: w}, nil) {
				return
			}
		}
		switch {
		case s.fails != nil:
			yield(nil, s.fails)
		case !s.mute:
			yield(&lm.Event{Response: &lm.Response{Text: strings.Join(s.words, ""), Usage: paid}}, nil)
		}
	}
}

// collect reads a stream: the texts of its events, joined by "|", and the whole reply.
func collect(ctx context.Context, m lm.LM, r *lm.Request) (string, *lm.Response, error) {
	var texts []string
	var resp *lm.Response
	for e, err := range lm.Stream(ctx, m, r) {
		if err != nil {
			return strings.Join(texts, "|"), nil, err
		}
		texts = append(texts, e.Text)
		resp = e.Response
	}
	return strings.Join(texts, "|"), resp, nil
}

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), newStreamer("one ", "two ", "three")
		m := s.Wrap(model)
		start := time.Now()
		for e, err := range lm.Stream(t.Context(), m, prompt("a")) {
			if err != nil || e.Text != "one " || time.Since(start) != time.Second {
				t.Errorf("the first event is %+v, %v after %v", e, err, time.Since(start))
			}
			break
		}
		synctest.Wait()
		texts, resp, err := collect(t.Context(), m, prompt("a"))
		want := &lm.Response{Text: "one two three", Usage: paid}
		if err != nil || texts != "one |two |three|" || !reflect.DeepEqual(resp, want) {
			t.Errorf("a miss streamed %q, %+v, %v", texts, resp, err)
		}
		want.Cached, want.Usage = true, lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
		texts, resp, err = collect(t.Context(), m, prompt("a"))
		if err != nil || texts != "one two three" || !reflect.DeepEqual(resp, want) {
			t.Errorf("a hit streamed %q, %+v, %v", texts, resp, err)
		}
		if model.calls.Load() != 2 { // the first one was left
			t.Errorf("%d requests, want 2", model.calls.Load())
		}
	})
}

// TestStreamsJoin has a stream, and a call, join a stream on its way.
func TestStreamsJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, model := cache.Memory(), newStreamer("one ", "two ", "three")
		m := s.Wrap(model)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if texts, _, err := collect(ctx, m, prompt("a")); texts != "one |two " || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the stream that left saw %q, %v", texts, err)
			}
		})
		time.Sleep(1500 * time.Millisecond)
		wg.Go(func() {
			texts, resp, err := collect(t.Context(), m, prompt("a"))
			if texts != "one |two |three|" || err != nil || resp.Usage != paid {
				t.Errorf("the stream that joined saw %q, %+v, %v", texts, resp, err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			resp, err := m.Generate(t.Context(), prompt("a"))
			if err != nil || resp.Text != "one two three" || !resp.Cached {
				t.Errorf("the call that joined got %+v, %v", resp, err)
			}
		})
		wg.Wait()
		if model.calls.Load() != 1 {
			t.Errorf("%d requests, want 1", model.calls.Load())
		}
	})
}

func TestStreamJoinsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := cache.Memory().Wrap(slow())
		var wg sync.WaitGroup
		wg.Go(func() { ask(t, m, prompt("a")) })
		synctest.Wait()
		if texts, resp, err := collect(t.Context(), m, prompt("a")); texts != "slow: a" || err != nil || !resp.Cached {
			t.Errorf("saw %q, %+v, %v", texts, resp, err)
		}
		wg.Wait()
	})
}

func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken, silent := newStreamer("one ", "two"), newStreamer("one")
		broken.fails = &lm.Error{Kind: lm.ErrTimeout, Partial: &lm.Response{Text: "one two"}}
		silent.mute = true
		for name, tt := range map[string]struct {
			m     *streamer
			texts string
			kind  lm.ErrorKind
		}{"broken": {broken, "one |two", lm.ErrTimeout}, "without an end": {silent, "one", lm.ErrBackend}} {
			s := cache.Memory()
			for range 2 {
				if texts, _, err := collect(t.Context(), s.Wrap(tt.m), prompt("a")); texts != tt.texts || !errors.Is(err, tt.kind) {
					t.Errorf("%s: saw %q, %v", name, texts, err)
				}
			}
			if st := s.Stats(); st.Misses != 2 || st.MemoryEntries != 0 {
				t.Errorf("%s: Stats = %+v", name, st)
			}
		}
	})
}
