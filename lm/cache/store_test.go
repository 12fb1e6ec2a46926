package cache_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestHit(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *cache.Store) {
		model := echo("m")
		cached := s.Wrap(model)
		first := ask(t, cached, prompt("a"))
		want := &lm.Response{Text: "m: a", Finish: lm.FinishStop, Model: "m", Usage: paid}
		if !reflect.DeepEqual(first, want) {
			t.Errorf("a miss is %+v, want the model's reply %+v", first, want)
		}
		want.Cached, want.Usage = true, lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
		for range 3 {
			got := ask(t, cached, prompt("a"))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("a hit is %+v, want %+v", got, want)
			}
			got.Text = "changed by the caller"
		}
		if n := model.calls.Load(); n != 1 {
			t.Errorf("the model was asked %d times, want once", n)
		}
		if st := s.Stats(); st.MemoryHits+st.DiskHits != 3 || st.Misses != 1 || st.Errors != 0 {
			t.Errorf("Stats = %+v", st)
		}
	})
}

func TestReopened(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	reply := fullResponse()
	model := &fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) { return reply, nil }}
	s, err := cache.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s.Wrap(model), prompt("a"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := fullResponse()
	want.Cached, want.Usage = true, lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
	s = open(t, path)
	if got := ask(t, s.Wrap(mute("m")), prompt("a")); !reflect.DeepEqual(got, want) {
		t.Errorf("after it was opened again the store gave %+v, want %+v", got, want)
	}
	if st := s.Stats(); st.DiskHits != 1 || st.MemoryEntries != 1 || st.MemoryBytes < 100 {
		t.Errorf("Stats = %+v", st)
	}
}

// TestKeys asks for each pair of different requests that both reach the model, and for each
// request that the second call does not.
func TestKeys(t *testing.T) {
	t.Parallel()
	type call struct {
		what string
		name string
		r    *lm.Request
	}
	calls := []call{{"plain", "m", prompt("a")}, {"another model", "n", prompt("a")}, {"a base URL", "m@http://localhost:1/v1", prompt("a")}}
	for what, change := range map[string]func(*lm.Request){
		"prompt":          func(r *lm.Request) { r.Prompt = "b" },
		"messages":        func(r *lm.Request) { r.Prompt, r.Messages = "", []lm.Message{lm.User("a")} },
		"role":            func(r *lm.Request) { r.Prompt, r.Messages = "", []lm.Message{lm.System("a")} },
		"temperature":     func(r *lm.Request) { r.Temperature = lm.Temperature(0.5) },
		"no temperature":  func(r *lm.Request) { r.Temperature = nil },
		"top-p":           func(r *lm.Request) { r.TopP = lm.Temperature(0.5) },
		"top-k":           func(r *lm.Request) { r.TopK = 3 },
		"min-p":           func(r *lm.Request) { r.MinP = lm.Temperature(0.5) },
		"seed":            func(r *lm.Request) { r.Seed = lm.Seed(0) },
		"max tokens":      func(r *lm.Request) { r.MaxTokens = 5 },
		"stop":            func(r *lm.Request) { r.Stop = []string{"x"} },
		"logprobs":        func(r *lm.Request) { r.Logprobs = true },
		"rollout":         func(r *lm.Request) { r.Rollout = 1 },
		"tools":           func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "t"}} },
		"tool's schema":   func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "t", Parameters: []byte(`{}`)}} },
		"tool choice":     func(r *lm.Request) { r.Tools, r.ToolChoice = []lm.Tool{{Name: "t"}}, lm.ToolChoiceRequired },
		"response format": func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{} },
		"schema":          func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{Schema: []byte(`{}`)} },
		"shape":           func(r *lm.Request) { r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleText}}} },
		"shape's name":    func(r *lm.Request) { r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleText, Name: "x"}}} },
	} {
		r := prompt("a")
		change(r)
		calls = append(calls, call{what, "m", r})
	}
	eachStore(t, func(t *testing.T, s *cache.Store) {
		for _, c := range calls {
			model := echo(c.name)
			ask(t, s.Wrap(model), c.r)
			if model.calls.Load() != 1 {
				t.Errorf("%s: the answer of another request was given", c.what)
			}
		}
		for _, c := range calls {
			if !ask(t, s.Wrap(mute(c.name)), c.r.Clone()).Cached {
				t.Errorf("%s: the answer was not stored", c.what)
			}
		}
		t.Logf("%d requests", len(calls))
	})
}

func TestNotStored(t *testing.T) {
	t.Parallel()
	failure := errors.New("no luck")
	for name, answer := range map[string]func() (*lm.Response, error){
		"error": func() (*lm.Response, error) { return nil, failure },
		"error, partial": func() (*lm.Response, error) {
			return nil, &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "ha"}}
		},
		"nothing": func() (*lm.Response, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, s *cache.Store) {
				model := &fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) { return answer() }}
				for range 2 {
					resp, err := s.Wrap(model).Generate(t.Context(), prompt("a"))
					if resp != nil || !errors.Is(err, failure) && !errors.Is(err, lm.ErrBackend) {
						t.Errorf("got %v, %v", resp, err)
					}
				}
				if model.calls.Load() != 2 || s.Stats().Misses != 2 {
					t.Errorf("the model was asked %d times, want 2; Stats = %+v", model.calls.Load(), s.Stats())
				}
			})
		})
	}
}

func TestCutReplyIsStored(t *testing.T) {
	t.Parallel()
	s := cache.Memory()
	script := lmtest.Script("one two three")
	r := &lm.Request{Prompt: "count", MaxTokens: 2}
	for range 2 {
		if got := ask(t, s.Wrap(script), r); got.Finish != lm.FinishLength {
			t.Errorf("Finish = %q", got.Finish)
		}
	}
}

func TestSampledIsStoredPerRollout(t *testing.T) {
	t.Parallel()
	s := cache.Memory()
	model := s.Wrap(lmtest.Script("first", "second"))
	for _, want := range []struct {
		rollout int
		text    string
	}{{0, "first"}, {1, "second"}, {0, "first"}, {1, "second"}} {
		if got := ask(t, model, &lm.Request{Prompt: "name one", Rollout: want.rollout}); got.Text != want.text {
			t.Errorf("rollout %d: %q, want %q", want.rollout, got.Text, want.text)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := cache.Memory()
	nameless := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return &lm.Response{Text: "x"}, nil })
	for name, m := range map[string]lm.LM{"nameless": s.Wrap(nameless), "empty name": s.With(cache.Name(""))(echo("m")), "nil": s.Wrap(nil)} {
		if _, err := m.Generate(t.Context(), prompt("a")); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: %v, want an error of kind %q", name, err, lm.ErrInvalidRequest)
		}
		for _, err := range lm.Stream(t.Context(), m, prompt("a")) {
			if !errors.Is(err, lm.ErrInvalidRequest) {
				t.Errorf("%s, streamed: %v, want an error of kind %q", name, err, lm.ErrInvalidRequest)
			}
		}
	}
	named := lm.Chain(nameless, s.With(cache.Name("given")))
	ask(t, named, prompt("a"))
	if !ask(t, named, prompt("a")).Cached || lm.NameOf(named) != "given" {
		t.Errorf("a model with a given name is not stored, or its name is %q", lm.NameOf(named))
	}
	own := echo("own")
	if m := s.Wrap(own); lm.NameOf(m) != "own" || m.(lm.Wrapper).Unwrap() != lm.LM(own) {
		t.Errorf("the wrapped model has the name %q, or does not show the one behind it", lm.NameOf(m))
	}
	if _, err := s.Wrap(own).Generate(t.Context(), nil); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("no request: %v", err)
	}
}

func TestBadOption(t *testing.T) {
	t.Parallel()
	if _, err := cache.Open(t.Context(), tempFile(t), cache.MemoryBytes(-1)); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("Open: %v", err)
	}
	if _, err := cache.Memory(cache.MemoryBytes(-1)).Wrap(echo("m")).Generate(t.Context(), prompt("a")); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("the first call: %v", err)
	}
}

func TestMemoryBytes(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	s := cache.Memory(cache.MemoryBytes(limit))
	m := s.Wrap(echo("m"))
	for n := range 100 {
		ask(t, m, prompt(fmt.Sprint(n)))
		ask(t, m, prompt("0")) // stays, as it is used
	}
	st := s.Stats()
	if st.MemoryBytes > limit || st.MemoryEntries < 5 || st.MemoryEntries > 30 || st.Misses != 100 {
		t.Errorf("Stats = %+v with a limit of %d bytes", st, limit)
	}
	if ask(t, m, prompt("1")).Cached {
		t.Error("the answer used longest ago is still there")
	}
	// An answer that is larger than all of the memory drives nothing out.
	before := s.Stats().MemoryEntries
	ask(t, m, prompt(string(make([]byte, limit))))
	if got := s.Stats().MemoryEntries; got != before {
		t.Errorf("%d entries after a large one, want %d", got, before)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for _, s := range []*cache.Store{cache.Memory(), open(t, tempFile(t))} {
		m := s.Wrap(echo("m"))
		ask(t, m, prompt("a"))
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		for _, p := range []string{"a", "b"} {
			if _, err := m.Generate(t.Context(), prompt(p)); !errors.Is(err, lm.ErrUnavailable) {
				t.Errorf("after Close: %v, want an error of kind %q", err, lm.ErrUnavailable)
			}
		}
	}
}

// TestManyKeys stores 10,000 answers, by several goroutines at once, and reads each back
// from the file.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	const keys, workers = 10_000, 8
	s := open(t, tempFile(t), cache.MemoryBytes(0))
	each := func(m lm.LM) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for n := w; n < keys; n += workers {
					r := prompt(fmt.Sprint("key ", n))
					if resp, err := m.Generate(t.Context(), r); err != nil || resp.Text != "m: "+r.Prompt {
						t.Errorf("key %d: %+v, %v", n, resp, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	each(s.Wrap(echo("m")))
	each(s.Wrap(mute("m")))
	if st := s.Stats(); st.Misses != keys || st.DiskHits != keys || st.MemoryEntries != 0 || st.Errors+st.Corrupt != 0 {
		t.Errorf("Stats = %+v", st)
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := cache.Memory()
	model := echo("m")
	ask(t, s.Wrap(model), prompt("a"))
	if _, err := s.Wrap(model).Generate(ctx, prompt("a")); !errors.Is(err, context.Canceled) || model.calls.Load() != 1 {
		t.Errorf("%v, after %d calls", err, model.calls.Load())
	}
}

// fresh gives each request a rollout of its own, so that a store never knows the answer.
type fresh struct {
	lm.LM
	rollouts *atomic.Int64
}

func (f fresh) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	c := r.Clone()
	c.Rollout = int(f.rollouts.Add(1))
	return f.LM.Generate(ctx, c)
}

// TestSuite runs the suite of all backends on a scripted model behind a store: one that
// knows no answer, and one that answers what comes again.
func TestSuite(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) lm.LM {
		s := cache.Memory()
		t.Cleanup(func() { s.Close() })
		return s.Wrap(lmtest.Answer(func(*lm.Request) (string, error) { return "one two three four", nil }))
	}
	c := lmtest.Capabilities{Messages: true, Prompt: true}
	t.Run("misses", func(t *testing.T) {
		lmtest.Suite(t, func(t *testing.T) lm.LM { return fresh{open(t), new(atomic.Int64)} }, c)
	})
	t.Run("hits", func(t *testing.T) { lmtest.Suite(t, open, c) })
}
