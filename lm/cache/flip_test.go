package cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm/cache"
)

// TestFlippedBits flips single bits of a store's file, and of its log, and reads all
// answers: each is right, a miss, or the store does not open.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	const keys = 24
	dir := t.TempDir()
	whole, logged := filepath.Join(dir, "whole.db"), filepath.Join(dir, "logged.db")
	for _, path := range []string{whole, logged} {
		store, err := cache.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		model := store.Wrap(numberedModel())
		for n := range keys {
			ask(t, model, numbered(n))
		}
		if path == logged { // as a killed process leaves it
			for _, suffix := range []string{"", "-wal"} {
				copyFile(t, path+suffix, filepath.Join(dir, "killed.db"+suffix))
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, base, flipped string
		flips               int
	}{
		{"file", whole, "", 1000},
		{"log", filepath.Join(dir, "killed.db"), "-wal", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(tt.base + "-wal"); (err == nil) != (tt.flipped != "") {
				t.Fatalf("the log: %v", err)
			}
			var counts flipCounts
			t.Run("shards", func(t *testing.T) {
				const shards = 4
				for shard := range shards {
					t.Run(fmt.Sprint(shard), func(t *testing.T) {
						t.Parallel()
						rnd := rand.New(rand.NewPCG(11, uint64(shard)))
						for range tt.flips / shards {
							flip(t, rnd, tt.base, tt.flipped, keys, &counts)
						}
					})
				}
			})
			t.Logf("%d files did not open, %d answers were right, %d missing, of these %d damaged",
				counts.refused.Load(), counts.right.Load(), counts.missing.Load(), counts.damaged.Load())
			if counts.right.Load() == 0 || counts.missing.Load() == 0 && counts.refused.Load() == 0 {
				t.Error("the flips have shown nothing")
			}
		})
	}
}

type flipCounts struct{ refused, right, missing, damaged atomic.Int64 }

// flip flips one bit of a copy and reads all answers.
func flip(t *testing.T, rnd *rand.Rand, base, flipped string, keys int, counts *flipCounts) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "answers.db")
	if flipped != "" {
		copyFile(t, base, path)
	}
	data, err := os.ReadFile(base + flipped)
	if err != nil {
		t.Fatal(err)
	}
	at, bit := rnd.IntN(len(data)), rnd.IntN(8)
	data[at] ^= 1 << bit
	if err := os.WriteFile(path+flipped, data, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(path))
	store, err := cache.Open(t.Context(), path, cache.OnError(func(error) {}))
	if err != nil {
		var typed *cache.Error
		if !errors.As(err, &typed) || typed.Path == "" || typed.Message == "" {
			t.Fatalf("bit %d of byte %d: Open returned %v", bit, at, err)
		}
		counts.refused.Add(1)
		return
	}
	defer store.Close()
	model := store.Wrap(mute("numbered"))
	for n := range keys {
		resp, err := model.Generate(t.Context(), numbered(n))
		switch {
		case err == nil && resp.Text != numberedReply(n):
			t.Fatalf("bit %d of byte %d: the answer %d is %.40q", bit, at, n, resp.Text)
		case err == nil:
			counts.right.Add(1)
		case errors.Is(err, errAsked):
			counts.missing.Add(1)
		default:
			t.Fatalf("bit %d of byte %d: %v", bit, at, err)
		}
	}
	for e, err := range store.Entries(t.Context()) {
		if err != nil {
			var typed *cache.Error
			if !errors.As(err, &typed) {
				t.Fatalf("bit %d of byte %d: Entries: %v", bit, at, err)
			}
			break
		}
		var n int
		if _, err := fmt.Sscanf(e.Response.Text, "answer %d", &n); err != nil || e.Response.Text != numberedReply(n) {
			t.Fatalf("bit %d of byte %d: an entry holds %.40q", bit, at, e.Response.Text)
		}
	}
	counts.damaged.Add(store.Stats().Corrupt)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
