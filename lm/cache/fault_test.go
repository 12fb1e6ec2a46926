package cache_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm/cache"
)

// TestFullDisk lets the file have 20 pages: what is paid is returned all the same.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s, err := cache.Open(t.Context(), path, cache.Pragma("max_page_count(20)"))
	if err != nil {
		t.Fatal(err)
	}
	const keys = 100
	model := numberedModel()
	for n := range keys {
		if got := ask(t, s.Wrap(model), numbered(n)).Text; got != numberedReply(n) {
			t.Fatalf("the answer %d is %.40q", n, got)
		}
	}
	for n := range keys { // those that found no room are in memory
		if !ask(t, s.Wrap(mute("numbered")), numbered(n)).Cached {
			t.Errorf("the answer %d was not kept", n)
		}
	}
	st := s.Stats()
	if st.Errors < keys/2 || st.Errors == keys || st.Misses != keys {
		t.Errorf("Stats = %+v: want most answers not stored, and some", st)
	}
	for name, err := range map[string]error{"Err": s.Err(), "Close": s.Close()} {
		var typed *cache.Error
		if !errors.As(err, &typed) || typed.Kind != cache.ErrStorage || typed.Path != path || !strings.Contains(typed.Message, "full") {
			t.Errorf("%s returned %v", name, err)
		}
	}
	s = open(t, path)
	n := int64(0)
	for _, err := range s.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != keys-st.Errors {
		t.Errorf("%d entries are in the file, want %d", n, keys-st.Errors)
	}
}

// TestReadOnly opens a store that cannot write.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s, err := cache.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s.Wrap(echo("m")), prompt("old"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var told atomic.Int64
	s = open(t, path, cache.Pragma("query_only(1)"), cache.OnError(func(err error) {
		told.Add(1)
		var typed *cache.Error
		if !errors.As(err, &typed) || typed.Kind != cache.ErrStorage || typed.Path != path || !strings.Contains(typed.Message, "written") {
			t.Errorf("OnError was told %v", err)
		}
	}))
	if !ask(t, s.Wrap(mute("m")), prompt("old")).Cached {
		t.Error("the stored answer was not found")
	}
	if got := ask(t, s.Wrap(echo("m")), prompt("new")); got.Text != "m: new" || got.Cached {
		t.Errorf("got %+v", got)
	}
	if st := s.Stats(); st.Errors != 1 || told.Load() != 1 || s.Err() != nil {
		t.Errorf("Stats = %+v, OnError was told %d errors, Err is %v", st, told.Load(), s.Err())
	}
}

// TestReadOnlyDirectory needs a user whom permissions stop, and for the superuser a file
// system that nobody writes to.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if os.Getuid() == 0 {
		if runtime.GOOS != "linux" {
			t.Skip("the superuser may write everywhere")
		}
		dir = "/proc/self"
	} else if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := cache.Open(t.Context(), filepath.Join(dir, "answers.db"))
	var typed *cache.Error
	if !errors.As(err, &typed) || typed.Kind != cache.ErrStorage {
		t.Errorf("Open returned %v", err)
	}
}

// TestDamagedEntries changes each column of a row by hand.
func TestDamagedEntries(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		`response = replace(response, 'a', 'b')`, `response = ''`, `response = zeroblob(3)`, `checksum = upper(checksum)`, `checksum = ''`,
		`created = '2020-01-01T00:00:00.000Z'`, `fingerprint = 'fp_2'`, `rollout = 1`, `rollout = 'x'`, `model = 'other'`,
		`key = upper(key)`, `response = x'ff00'`,
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			path := tempFile(t)
			s, err := cache.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s.Wrap(numberedModel()), numbered(1))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, path, "UPDATE entries SET "+change)
			listed := cache.OnError(func(err error) {
				if !errors.Is(err, cache.ErrDamaged) {
					t.Errorf("OnError was told %v", err)
				}
			})
			// What is found by the key of the request is damaged, unless only what the
			// request knows itself was changed.
			s = open(t, path, listed)
			resp, err := s.Wrap(mute("numbered")).Generate(t.Context(), numbered(1))
			if err == nil && resp.Text != numberedReply(1) || err != nil && !errors.Is(err, errAsked) {
				t.Errorf("got %+v, %v", resp, err)
			}
			for e, err := range s.Entries(t.Context()) {
				t.Errorf("the entry is listed: %+v, %v", e, err)
			}
			if st := s.Stats(); st.Corrupt != 1 || st.Errors != 0 {
				t.Errorf("Stats = %+v", st)
			}
			// It is gone, and another answer takes its place.
			if got := ask(t, s.Wrap(numberedModel()), numbered(1)).Text; got != numberedReply(1) {
				t.Errorf("then the answer is %.40q", got)
			}
		})
	}
}

// TestRequestMayBeBlanked blanks what is there for people only.
func TestRequestMayBeBlanked(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s := open(t, path)
	ask(t, s.Wrap(echo("m")), prompt("a"))
	execute(t, path, "UPDATE entries SET request = ''")
	s = open(t, path)
	if !ask(t, s.Wrap(mute("m")), prompt("a")).Cached {
		t.Error("the answer is gone")
	}
}

// TestDropped removes the table under a store's feet: answers go on, errors are counted.
func TestDropped(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	s, err := cache.Open(t.Context(), path, cache.MemoryBytes(0))
	if err != nil {
		t.Fatal(err)
	}
	execute(t, path, "DROP TABLE entries")
	for n := range 3 {
		ask(t, s.Wrap(echo("m")), prompt(fmt.Sprint(n)))
	}
	if st := s.Stats(); st.Errors != 6 || st.Corrupt != 0 { // one to read and one to store
		t.Errorf("Stats = %+v", st)
	}
	if err := s.Close(); !errors.Is(err, cache.ErrStorage) {
		t.Errorf("Close returned %v", err)
	}
}
