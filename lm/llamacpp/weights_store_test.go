package llamacpp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A file in the cache that is not what was put there is made anew, without a trial, and
// so is a trial whose result cannot be read.
func TestDamagedCache(t *testing.T) {
	t.Parallel()
	flip := func(at func(int) int) func(string) error {
		return func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				data[at(len(data))] ^= 1
				err = os.WriteFile(path, data, 0o600)
			}
			return err
		}
	}
	cut := func(path string) error { return os.Truncate(path, 100) }
	empty := func(path string) error { return os.Truncate(path, 0) }
	for _, tt := range []struct {
		name, file string
		damage     func(string) error
		writes     []WeightType
	}{
		{"nothing", "bf16.gguf", func(string) error { return nil }, nil},
		{"a weight", "bf16.gguf", flip(func(n int) int { return n - 1 }), []WeightType{WeightsBF16}},
		{"the header", "bf16.gguf", flip(func(int) int { return 8 }), []WeightType{WeightsBF16}},
		{"cut", "bf16.gguf", cut, []WeightType{WeightsBF16}},
		{"empty", "bf16.gguf", empty, []WeightType{WeightsBF16}},
		{"removed", "bf16.gguf", os.Remove, []WeightType{WeightsBF16}},
		{"no record", "bf16.json", os.Remove, []WeightType{WeightsBF16}},
		{"an empty record", "bf16.json", empty, []WeightType{WeightsBF16}},
		{"the record of another file", "bf16.json", func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(data), `"source": "`, `"source": "0`, 1)), 0o600)
		}, []WeightType{WeightsBF16}},
		{"no verdict", "verdict-*", os.Remove, []WeightType{WeightsF16, WeightsQ8_0}},
		{"an empty verdict", "verdict-*", empty, []WeightType{WeightsF16, WeightsQ8_0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, cache := shippedFile(t)
			first, err := newWorld().chooser(t, path, cache, WeightsAuto).choose()
			if err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(first.Path)
			if err != nil {
				t.Fatal(err)
			}
			names, err := filepath.Glob(filepath.Join(filepath.Dir(first.Path), tt.file))
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			if err := tt.damage(names[0]); err != nil {
				t.Fatal(err)
			}
			w := newWorld()
			got, err := w.chooser(t, path, cache, WeightsAuto).choose()
			if err != nil || got.Type != WeightsBF16 || got.Path != first.Path || !slices.Equal(w.writes, tt.writes) {
				t.Errorf("chosen: %+v, %v; written: %v, want %v", got, err, w.writes, tt.writes)
			}
			if data, err := os.ReadFile(got.Path); err != nil || !bytes.Equal(data, whole) {
				t.Errorf("the file is another than before: %v", err)
			}
			if want := []string{"bf16.gguf", "bf16.json", "verdict"}; !slices.Equal(held(t, cache), want) {
				t.Errorf("the cache holds %v, want %v", held(t, cache), want)
			}
		})
	}
}

// When the winner is gone and cannot be made again, the file is computed as shipped.
func TestLostWinner(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	w := newWorld()
	first, err := w.chooser(t, path, cache, WeightsAuto).choose()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(first.Path); err != nil {
		t.Fatal(err)
	}
	w.fail["write"] = errBroken
	got, err := w.chooser(t, path, cache, WeightsAuto).choose()
	if err != nil || got.Type != WeightsAsShipped || got.Path != path || !strings.Contains(got.Reason, "broken on purpose") {
		t.Errorf("chosen: %+v, %v", got, err)
	}
}

// What a process that was killed has left is removed by the next that writes.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	hash, err := hashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	store := newWeightStore(cache, hash)
	left := filepath.Join(store.dir, "tmp-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "bf16.gguf"), typedGGUF(30), 0o600); err != nil {
		t.Fatal(err)
	}
	// Killed between the file and its record.
	if err := os.WriteFile(store.path(WeightsBF16), typedGGUF(1), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * tmpAge) // where there are no locks, only what is old goes
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	if got, err := w.chooser(t, path, cache, WeightsAuto).choose(); err != nil || got.Type != WeightsBF16 || !slices.Contains(w.writes, WeightsBF16) {
		t.Errorf("chosen: %+v, %v", got, err)
	}
	if want := []string{"bf16.gguf", "bf16.json", "verdict"}; !slices.Equal(held(t, cache), want) {
		t.Errorf("the cache holds %v, want %v", held(t, cache), want)
	}
}

// Goroutines that open a file at once wait for one trial.
func TestChooseTogether(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	w := newWorld()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := w.chooser(t, path, cache, WeightsAuto).choose(); err != nil || got.Type != WeightsBF16 {
				t.Errorf("chosen: %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if hasLocks() && (len(w.opens) != 4 || len(w.writes) != 3) {
		t.Errorf("%d files were measured and %d written, want one trial", len(w.opens), len(w.writes))
	}
	if want := []string{"bf16.gguf", "bf16.json", "verdict"}; !slices.Equal(held(t, cache), want) {
		t.Errorf("the cache holds %v, want %v", held(t, cache), want)
	}
}

func hasLocks() bool { return runtime.GOOS == "linux" || runtime.GOOS == "darwin" }

const processVariable = "WHET_TEST_WEIGHTS_PROCESS"

// So do processes: this test runs itself in several.
func TestChooseInProcesses(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(processVariable); dir != "" {
		w := newWorld()
		got, err := w.chooser(t, filepath.Join(dir, "model.gguf"), filepath.Join(dir, "cache"), WeightsAuto).choose()
		if err != nil || got.Type != WeightsBF16 {
			t.Errorf("chosen: %+v, %v", got, err)
		}
		if !got.Stored {
			if err := os.WriteFile(filepath.Join(dir, "trial-"+filepath.Base(t.TempDir())+time.Now().Format(".000000000")), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
		return
	}
	path, cache := shippedFile(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChooseInProcesses$", "-test.count=1")
			cmd.Env = append(os.Environ(), processVariable+"="+filepath.Dir(path))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	trials, err := filepath.Glob(filepath.Join(filepath.Dir(path), "trial-*"))
	if err != nil || len(trials) == 0 || hasLocks() && len(trials) != 1 {
		t.Errorf("there were %d trials, %v", len(trials), err)
	}
	if want := []string{"bf16.gguf", "bf16.json", "verdict"}; !slices.Equal(held(t, cache), want) {
		t.Errorf("the cache holds %v, want %v", held(t, cache), want)
	}
}

func TestCacheRoot(t *testing.T) {
	if got, err := cacheRoot("here"); err != nil || got != "here" {
		t.Errorf("an option: %s, %v", got, err)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	if got, err := cacheRoot(""); err != nil || got != filepath.Join(user, "whet") {
		t.Errorf("the default: %s, %v", got, err)
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	if got, err := cacheRoot(""); hasLocks() && (err == nil || !strings.Contains(err.Error(), "CacheDir")) {
		t.Errorf("without a home: %s, %v", got, err)
	}
}
