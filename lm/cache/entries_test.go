package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// clock is a clock that goes on by a minute whenever it is looked at.
func clock() func() time.Time {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	eachStoreWithMemory(t, func(t *testing.T, s *cache.Store) {
		const keys = 150 // more than two batches
		m := s.Wrap(echo("m"))
		for n := range keys {
			r := prompt(fmt.Sprint(n))
			r.Rollout = n
			ask(t, m, r)
		}
		n := 0
		for e, err := range s.Entries(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			request := fmt.Sprintf(`{"prompt":"%d","temperature":0`, n)
			if e.Model != "m" || e.Rollout != n || !e.Created.Equal(now) || len(e.Key) != 64 ||
				!strings.HasPrefix(string(e.Request), request) || e.Response.Text != fmt.Sprintf("m: %d", n) || e.Response.Usage != paid || e.Response.Cached {
				t.Fatalf("entry %d is %+v, %s, %+v", n, e, e.Request, e.Response)
			}
			n++
		}
		if n != keys {
			t.Errorf("%d entries, want %d", n, keys)
		}
		for range s.Entries(t.Context()) {
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for e, err := range s.Entries(ctx) {
			if e != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %+v, %v", e, err)
			}
		}
	}, cache.Clock(func() time.Time { return now }))
}

func eachStoreWithMemory(t *testing.T, test func(t *testing.T, s *cache.Store), opts ...cache.Option) {
	t.Run("memory", func(t *testing.T) { t.Parallel(); test(t, cache.Memory(opts...)) })
	t.Run("file", func(t *testing.T) { t.Parallel(); test(t, open(t, tempFile(t), opts...)) })
}

func TestOmitRequests(t *testing.T) {
	t.Parallel()
	eachStoreWithMemory(t, func(t *testing.T, s *cache.Store) {
		ask(t, s.Wrap(echo("m")), prompt("a"))
		for e, err := range s.Entries(t.Context()) {
			if err != nil || e.Request != nil {
				t.Errorf("%+v, %v", e, err)
			}
		}
		if !ask(t, s.Wrap(mute("m")), prompt("a")).Cached {
			t.Error("the answer is not found")
		}
	}, cache.OmitRequests())
}

func TestDelete(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *cache.Store) {
		m := s.Wrap(echo("m"))
		ask(t, m, prompt("a"))
		ask(t, m, prompt("b"))
		for _, want := range []bool{true, false} {
			if found, err := s.Delete(t.Context(), "m", prompt("a")); found != want || err != nil {
				t.Errorf("Delete returned %v, %v, want %v", found, err, want)
			}
		}
		if found, err := s.Delete(t.Context(), "n", prompt("b")); found || err != nil {
			t.Errorf("Delete of another model's returned %v, %v", found, err)
		}
		if _, err := s.Delete(t.Context(), "m", nil); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("Delete of no request returned %v", err)
		}
		if ask(t, m, prompt("a")).Cached || !ask(t, m, prompt("b")).Cached {
			t.Error("the wrong answer was removed")
		}
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T, s *cache.Store) {
		for n := range 10 { // each a minute after the other
			ask(t, s.Wrap(echo("m")), prompt(fmt.Sprint(n)+strings.Repeat("x", 10_000)))
		}
	}
	left := func(t *testing.T, s *cache.Store) string {
		var b strings.Builder
		for e, err := range s.Entries(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(e.Response.Text[3:4])
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		keep cache.Limit
		want string
	}{
		"nothing":  {cache.Limit{}, "0123456789"},
		"age":      {cache.Limit{MaxAge: 3*time.Minute + time.Second}, "789"},
		"size":     {cache.Limit{MaxBytes: 45_000}, ""},
		"both":     {cache.Limit{MaxAge: 7*time.Minute + time.Second, MaxBytes: 1 << 30}, "3456789"},
		"all":      {cache.Limit{MaxBytes: 1}, "-"},
		"all, age": {cache.Limit{MaxAge: 1}, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []*cache.Store{cache.Memory(cache.Clock(clock())), open(t, tempFile(t), cache.Clock(clock()))} {
				fill(t, s)
				n, err := s.Prune(t.Context(), tt.keep)
				got := left(t, s)
				if err != nil || n != 10-len(got) {
					t.Errorf("Prune returned %d, %v, and %q is left", n, err, got)
				}
				switch {
				case tt.want == "": // what a row takes differs by where it is
					if len(got) < 2 || len(got) > 4 || !strings.HasSuffix("0123456789", got) {
						t.Errorf("%q is left, want the last ones", got)
					}
				case got != strings.Trim(tt.want, "-"):
					t.Errorf("%q is left, want %q", got, tt.want)
				}
				if n > 0 && ask(t, s.Wrap(echo("m")), prompt("0"+strings.Repeat("x", 10_000))).Cached {
					t.Error("what was removed is found")
				}
			}
		})
	}
	if _, err := cache.Memory().Prune(t.Context(), cache.Limit{MaxAge: -1}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("a negative age: %v", err)
	}
}

// TestPruneShrinksTheFile and does not move what is listed meanwhile.
func TestPruneShrinksTheFile(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s := open(t, path, cache.Clock(clock()))
	for n := range 200 {
		ask(t, s.Wrap(echo("m")), prompt(fmt.Sprint(n)+strings.Repeat("x", 5_000)))
	}
	seen := 0
	for _, err := range s.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 5 {
			if _, err := s.Prune(t.Context(), cache.Limit{MaxAge: 50 * time.Minute}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen < 64+48 || seen > 64+50 { // the batch that was read, and what is left
		t.Errorf("%d entries were listed while they were pruned", seen)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 1_000_000 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}
