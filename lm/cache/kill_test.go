package cache_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm/cache"
)

// TestKilledWriter kills a process that stores answers at 200 random moments, some of them
// while it opens the store. Each time the store opens again, and every answer that the
// process had reported as stored is there. The kills are the one place where real time
// passes.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	const lanes, kills = 8, 25 // of one file each
	var mu sync.Mutex
	stored := 0
	t.Run("lanes", func(t *testing.T) {
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				path := tempFile(t)
				if lane%2 == 1 { // a process that has the file open sees the other die
					open(t, path)
				}
				rnd := rand.New(rand.NewPCG(7, uint64(lane)))
				var all []int
				for i := range kills {
					n := killWriter(t, rnd, 100_000*i, path)
					checkStored(t, path, n)
					all = append(all, n...)
				}
				checkStored(t, path, all)
				mu.Lock()
				defer mu.Unlock()
				stored += len(all)
			})
		}
	})
	if stored < lanes*kills {
		t.Errorf("all writers together have stored %d answers, so they were killed too early to see anything", stored)
	}
	t.Logf("%d answers were stored in %d processes", stored, lanes*kills)
}

// killWriter starts a writer, kills it, and returns the numbers of the answers that it had
// reported as stored.
func killWriter(t *testing.T, rnd *rand.Rand, from int, path string) []int {
	t.Helper()
	cmd := childCommand(t.Context(), t, from, from+100_000, path)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	delay := time.Millisecond + time.Duration(rnd.Int64N(int64(19*time.Millisecond)))
	after := 2 // lines: the first answer is stored
	if rnd.IntN(5) == 0 {
		after = 1 // it opens the store
	}
	var numbers []int
	lines := bufio.NewReader(out)
	var timer *time.Timer
	for seen := 1; ; seen++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what is half a line was not reported
		}
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			numbers = append(numbers, n)
		}
		if seen == after {
			timer = time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	if timer == nil || timer.Stop() {
		t.Fatalf("the writer ended before it was killed: %v\n%s", err, failure.Bytes())
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Success() {
		t.Fatalf("the writer was not killed: %v", err)
	}
	return numbers
}

// checkStored opens the store and asks for the answers, of a model that has none.
func checkStored(t *testing.T, path string, numbers []int) {
	t.Helper()
	store, err := cache.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	model := store.Wrap(mute("numbered"))
	for _, n := range numbers {
		if got := ask(t, model, numbered(n)).Text; got != numberedReply(n) {
			t.Fatalf("the answer %d is %.40q", n, got)
		}
	}
	for e, err := range store.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(e.Response.Text, "answer %d", &n); err != nil || e.Response.Text != numberedReply(n) {
			t.Fatalf("an entry holds %.40q", e.Response.Text)
		}
	}
	if s := store.Stats(); s.Corrupt+s.Errors+s.Misses > 0 || s.DiskHits != int64(len(numbers)) {
		t.Errorf("after %d answers: %+v", len(numbers), s)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestProcessesAtOnce lets four processes, and this one, make one store at the same moment
// and fill it, each with answers of its own and with some that others store, too.
func TestProcessesAtOnce(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	const processes, each = 4, 60
	var wg sync.WaitGroup
	for p := range processes {
		wg.Go(func() {
			if out, err := childCommand(t.Context(), t, p*each/2, p*each/2+each, path).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", p, err, out)
			}
		})
	}
	store := open(t, path)
	model := store.Wrap(numberedModel())
	for n := range each {
		if got := ask(t, model, numbered(n)).Text; got != numberedReply(n) {
			t.Errorf("the answer %d is %.40q", n, got)
		}
	}
	wg.Wait()
	last := (processes-1)*each/2 + each
	var all []int
	for n := range last {
		all = append(all, n)
	}
	checkStored(t, path, all)
	var keys []string
	for e, err := range store.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != last || len(keys) != last {
		t.Errorf("%d entries of %d keys, want %d", len(keys), n, last)
	}
}
