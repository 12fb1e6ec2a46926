package cache_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// printed returns a model whose fingerprint is the prompt's first letter, and
// none where that is "-".
func printed(name string) *fake {
	return &fake{name: name, answer: func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		fp := "fp_" + r.Prompt[:1]
		if fp == "fp_-" {
			fp = ""
		}
		return &lm.Response{Text: r.Prompt, Fingerprint: fp}, nil
	}}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop=%v", drop), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			events := map[string][]string{} // by the test's own model name
			opts := []cache.Option{cache.OnFingerprint(func(model, old, current string) {
				mu.Lock()
				defer mu.Unlock()
				events[model] = append(events[model], old+">"+current)
			})}
			if drop {
				opts = append(opts, cache.DropOnNewFingerprint())
			}
			eachStore(t, func(t *testing.T, s *cache.Store) {
				name := t.Name()
				m := s.Wrap(printed(name))
				other := s.Wrap(printed(name + " other"))
				ask(t, other, prompt("z"))
				for _, p := range []string{"a1", "a2", "-1", "b1", "-2", "b2", "a3"} {
					ask(t, m, prompt(p))
				}
				mu.Lock()
				got := events[name]
				mu.Unlock()
				if want := []string{"fp_a>fp_b", "fp_b>fp_a"}; !slices.Equal(got, want) || s.Stats().Fingerprints != 2 {
					t.Errorf("the events are %v, want %v; Stats = %+v", got, want, s.Stats())
				}
				want := []string{"z", "a1", "a2", "-1", "b1", "-2", "b2", "a3"}
				if drop {
					want = []string{"z", "a3"}
				}
				var left []string
				for e, err := range s.Entries(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					left = append(left, e.Response.Text)
				}
				if !slices.Equal(left, want) {
					t.Errorf("left are %v, want %v", left, want)
				}
				silent := s.Wrap(mute(name))
				for _, p := range []string{"a1", "-1", "b2"} {
					if resp, err := silent.Generate(t.Context(), prompt(p)); (err == nil) == drop || !drop && resp.Text != p {
						t.Errorf("%s: %+v, %v", p, resp, err)
					}
				}
			}, opts...)
		})
	}
}

// TestFingerprintIsStored sees the change between two runs of a program.
func TestFingerprintIsStored(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s := open(t, path)
	ask(t, s.Wrap(printed("m")), prompt("a"))
	must(t, s.Close())
	var event string
	s = open(t, path, cache.OnFingerprint(func(model, old, current string) { event = model + " " + old + " " + current }))
	if got := ask(t, s.Wrap(printed("m")), prompt("a")); got.Fingerprint != "fp_a" || !got.Cached {
		t.Errorf("got %+v", got)
	}
	ask(t, s.Wrap(printed("m")), prompt("b"))
	if event != "m fp_a fp_b" {
		t.Errorf("the event is %q", event)
	}
}
