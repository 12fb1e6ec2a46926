package cache_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "answers")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for range 2 { // two runs of a program; the script has one reply
		store, err := cache.Open(ctx, filepath.Join(dir, "answers.db"))
		if err != nil {
			fmt.Println(err)
			return
		}
		model := store.Wrap(lmtest.Script("Paris"))
		resp, err := model.Generate(ctx, &lm.Request{Prompt: "The capital of France is"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text, resp.Cached, resp.Usage.CachedCalls)
		if err := store.Close(); err != nil { // an answer that could not be stored
			fmt.Println(err)
		}
	}
	// Output:
	// Paris false 0
	// Paris true 1
}

func ExampleMemory() {
	store := cache.Memory(cache.MemoryBytes(8 << 20))
	model := store.Wrap(lmtest.Script("heads", "tails"))
	for _, rollout := range []int{0, 1, 0} {
		resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Toss a coin.", Rollout: rollout})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text)
	}
	fmt.Println(store.Stats().MemoryHits, "hit and", store.Stats().Misses, "misses")
	// Output:
	// heads
	// tails
	// heads
	// 1 hit and 2 misses
}

func ExampleStore_With() {
	store := cache.Memory()
	answer := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: "42"}, nil
	})
	model := lm.Chain(answer, store.With(cache.Name("deep-thought")))
	resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "The answer?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(lm.NameOf(model), resp.Text)
	// Output: deep-thought 42
}

func ExampleStore_Prune() {
	ctx := context.Background()
	store := cache.Memory()
	if _, err := store.Wrap(lmtest.Script("Paris")).Generate(ctx, &lm.Request{Prompt: "The capital of France is"}); err != nil {
		fmt.Println(err)
		return
	}
	removed, err := store.Prune(ctx, cache.Limit{MaxAge: 30 * 24 * time.Hour})
	fmt.Println(removed, err)
	for entry, err := range store.Entries(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %s %s\n", entry.Model, entry.Request, entry.Response.Text)
	}
	// Output:
	// 0 <nil>
	// scripted {"prompt":"The capital of France is"} Paris
}
