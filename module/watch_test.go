package module_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/module"
)

// watched is a live program that is watched, in a bubble of synctest.
type watched struct {
	live *module.Live[question, versions]
	path string

	mu     sync.Mutex
	events []string
}

// after lets the time go on and returns what was told since.
func (w *watched) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// watch runs test with a program that is watched.
func watch(t *testing.T, test func(t *testing.T, w *watched), opts ...module.LiveOption) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{path: filepath.Join(dir, "program.json")}
		save(t, w.path, 1)
		ids := map[string]string{}
		for n := range 9 {
			ids[identity(t, n)] = fmt.Sprint(n)
		}
		tell := module.OnReload(func(e module.LiveEvent) {
			kind := "runs "
			if e.Err != nil {
				kind = "refused, still "
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, kind+ids[e.Version])
		})
		ctx, stop := context.WithCancel(context.Background())
		var err error
		if w.live, err = module.NewLive(ctx, newTwin(func() {}), w.path, append(opts, tell)...); err != nil {
			t.Fatal(err)
		}
		var done error
		go func() { done = w.live.Watch(ctx) }()
		test(t, w)
		stop()
		synctest.Wait()
		if !errors.Is(done, context.Canceled) {
			t.Errorf("Watch returned %v", done)
		}
	})
}

func wantEvents(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	watch(t, func(t *testing.T, w *watched) {
		wantEvents(t, w.after(time.Minute))
		save(t, w.path, 2)
		wantEvents(t, w.after(time.Second)) // the default is every 2 seconds
		wantEvents(t, w.after(time.Second), "runs 2")
		wantRun(t, w.live, context.Background(), 2)

		// Written in place, slowly.
		overwrite(t, w.path, 3, 0.2)
		wantEvents(t, w.after(2*time.Second), "refused, still 2")
		wantEvents(t, w.after(time.Minute)) // once is enough
		overwrite(t, w.path, 3, 0.6)
		wantEvents(t, w.after(2*time.Second), "refused, still 2")
		wantRun(t, w.live, context.Background(), 2)
		overwrite(t, w.path, 3, 1)
		wantEvents(t, w.after(2*time.Second), "runs 3")
		wantRun(t, w.live, context.Background(), 3)

		// Away, and back as it was.
		if err := os.Rename(w.path, w.path+".away"); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, w.after(time.Minute), "refused, still 3")
		if err := os.Rename(w.path+".away", w.path); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, w.after(time.Minute), "runs 3")

		// Watch does not tell of what Reload took over.
		save(t, w.path, 4)
		if err := w.live.Reload(context.Background()); err != nil {
			t.Error(err)
		}
		wantEvents(t, w.after(time.Minute), "runs 4")
	})
}

func TestWatchInterval(t *testing.T) {
	t.Parallel()
	watch(t, func(t *testing.T, w *watched) {
		save(t, w.path, 2)
		wantEvents(t, w.after(59*time.Minute))
		wantEvents(t, w.after(time.Minute), "runs 2")
	}, module.PollEvery(time.Hour))
}

// A change that size and time do not show is seen when the file is fresh; a file
// that has rested is not read again.
func TestWatchCoarseTimes(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, w *watched, when time.Time) {
		t.Helper()
		if err := os.Chtimes(w.path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	watch(t, func(t *testing.T, w *watched) {
		fresh := time.Now().Add(3 * time.Second)
		overwrite(t, w.path, 2, 1)
		at(t, w, fresh)
		wantEvents(t, w.after(2*time.Second), "runs 2")
		overwrite(t, w.path, 3, 1) // as many bytes
		at(t, w, fresh)
		wantEvents(t, w.after(2*time.Second), "runs 3")
		w.after(time.Minute)

		overwrite(t, w.path, 4, 1)
		at(t, w, fresh)
		wantEvents(t, w.after(time.Minute))
		at(t, w, fresh.Add(time.Second))
		wantEvents(t, w.after(2*time.Second), "runs 4")

		// Another file under the name.
		overwrite(t, w.path+".new", 5, 1)
		if err := os.Rename(w.path+".new", w.path); err != nil {
			t.Fatal(err)
		}
		at(t, w, fresh.Add(time.Second))
		wantEvents(t, w.after(2*time.Second), "runs 5")
	})
}

// When watching ends while a version is verified, that version was not refused: who
// watches next sees it.
func TestWatchEndsWhileVerifying(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "program.json")
		save(t, path, 1)
		slow := module.Verify(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Minute):
				return nil
			}
		})
		told := 0
		live, err := module.NewLive(context.Background(), newTwin(func() {}), path, slow, module.OnReload(func(module.LiveEvent) { told++ }))
		if err != nil {
			t.Fatal(err)
		}
		save(t, path, 2)
		first, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := live.Watch(first); !errors.Is(err, context.DeadlineExceeded) || told != 0 || live.Version() != identity(t, 1) {
			t.Errorf("Watch returned %v and told %d times", err, told)
		}
		second, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if err := live.Watch(second); !errors.Is(err, context.DeadlineExceeded) || told != 1 || live.Version() != identity(t, 2) {
			t.Errorf("Watch returned %v and told %d times", err, told)
		}
	})
}
