package cache_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/whetgo/whet/lm/cache"
)

// childJob names the variable that makes the test binary a child: "write FROM TO PATH".
const childJob = "WHET_CACHE_CHILD"

// child stores the answers to a range of numbered requests, and prints "open" before it opens
// the store and each number once its answer is stored.
func child(job string) error {
	var from, to int
	var path string
	if _, err := fmt.Sscanf(job, "write %d %d %s", &from, &to, &path); err != nil {
		return err
	}
	fmt.Println("open")
	store, err := cache.Open(context.Background(), path)
	if err != nil {
		return err
	}
	model := store.Wrap(numberedModel())
	for n := from; n < to; n++ {
		if _, err := model.Generate(context.Background(), numbered(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
	return store.Close()
}

// childCommand makes the command of a child.
func childCommand(ctx context.Context, t *testing.T, from, to int, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=write %d %d %s", childJob, from, to, path))
	return cmd
}
