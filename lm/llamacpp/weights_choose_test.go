package llamacpp

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeWorld is what a chooser works with in tests: files of a few kilobytes, rounds that
// take what the test says, on a clock that only they move.
type fakeWorld struct {
	mu     sync.Mutex
	clock  time.Time
	times  map[WeightType]time.Duration // of a round, by the file's name
	writes []WeightType
	opens  []string // names of files
	open   int      // samples that were not freed
	memory int64
	disk   int64
	fail   map[string]error // of write, open and round
	spoil  bool             // what is written is no model
}

func newWorld() *fakeWorld {
	return &fakeWorld{
		times: map[WeightType]time.Duration{
			WeightsAsShipped: time.Second, WeightsBF16: 400 * time.Millisecond,
			WeightsF16: 600 * time.Millisecond, WeightsQ8_0: 500 * time.Millisecond,
		},
		memory: 1 << 40, disk: 1 << 40, fail: map[string]error{},
	}
}

type fakeSample struct {
	world *fakeWorld
	form  WeightType
}

func (s fakeSample) round() error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.clock = s.world.clock.Add(s.world.times[s.form])
	return s.world.fail["round"]
}

func (s fakeSample) free() {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.open--
}

// chooser returns one for a 4-bit file.
func (w *fakeWorld) chooser(t *testing.T, path, cache string, want WeightType) *chooser {
	t.Helper()
	file, err := readWeights(path)
	if err != nil {
		t.Fatal(err)
	}
	return &chooser{
		path: path, file: file, want: want, cacheDir: cache, threads: 2, host: host{cpu: "c", llama: "l"},
		write: func(_, to string, f form) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.writes = append(w.writes, f.weights)
			data := typedGGUF(f.tensor)
			if w.spoil {
				data = make([]byte, len(data))
			}
			return errors.Join(os.WriteFile(to, data, 0o600), w.fail["write"])
		},
		open: func(path string, params uint64) (trialSample, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if err := w.fail["open"]; err != nil {
				return nil, err
			}
			w.opens = append(w.opens, filepath.Base(path))
			w.open++
			form := WeightType(strings.TrimSuffix(filepath.Base(path), ".gguf"))
			if _, ok := formOf(form); !ok {
				form = WeightsAsShipped
			}
			if params != 32+1024 {
				return nil, errors.New("wrong number of parameters")
			}
			return fakeSample{w, form}, nil
		},
		memory: func() (int64, bool) { return w.memory, w.memory >= 0 },
		disk:   func(string) (int64, bool) { return w.disk, w.disk >= 0 },
		now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.clock
		},
	}
}

// shippedFile writes a 4-bit model and returns its path and a directory for the cache.
func shippedFile(t *testing.T) (path, cache string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "model.gguf")
	if err := os.WriteFile(path, typedGGUF(3), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, filepath.Join(dir, "cache")
}

// held lists the files of the cache, verdicts by their kind.
func held(t *testing.T, cache string) []string {
	t.Helper()
	var out []string
	names, err := filepath.Glob(filepath.Join(cache, "weights", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		name = filepath.Base(name)
		if strings.HasPrefix(name, "verdict-") {
			name = "verdict"
		}
		if name != "lock" {
			out = append(out, name)
		}
	}
	return out
}

func TestChooseWinner(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	w := newWorld()
	got, err := w.chooser(t, path, cache, WeightsAuto).choose()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Type != WeightsBF16 || got.Stored || got.hash != hash || len(got.Timings) != 4 || got.Shipped != "Q4_1" || !strings.Contains(got.Reason, "0.40") {
		t.Errorf("chosen: %+v", got)
	}
	if got.Path != filepath.Join(cache, "weights", hash, "bf16.gguf") || checkFile(got.Path) != nil {
		t.Errorf("the file is %s", got.Path)
	}
	if want := []string{"bf16.gguf", "bf16.json", "verdict"}; !slices.Equal(held(t, cache), want) {
		t.Errorf("the cache holds %v, want %v", held(t, cache), want)
	}
	if want := []string{"model.gguf", "bf16.gguf", "f16.gguf", "q8_0.gguf"}; !slices.Equal(w.opens, want) || w.open != 0 {
		t.Errorf("%v were measured, want %v; %d are still open", w.opens, want, w.open)
	}
	// The second time, all is read: without a lock, and without room for more.
	if err := os.Remove(filepath.Join(filepath.Dir(got.Path), "lock")); err != nil {
		t.Log(err) // there is none on this system
	}
	w.fail["write"], w.fail["open"], w.memory = errBroken, errBroken, 0
	again, err := w.chooser(t, path, cache, WeightsAuto).choose()
	if err != nil || again.Type != WeightsBF16 || !again.Stored || again.Path != got.Path || again.Reason != got.Reason || len(again.Timings) != 4 {
		t.Errorf("from the cache: %+v, %v", again, err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(got.Path), "lock")); err == nil {
		t.Error("the cache was locked, which one that is read-only does not allow")
	}
	// The same CPU with another number of threads is tried for itself, and the winner's
	// file, which is there, is taken.
	w = newWorld()
	other := w.chooser(t, path, cache, WeightsAuto)
	other.threads = 1
	if got, err := other.choose(); err != nil || got.Stored || slices.Contains(w.writes, WeightsBF16) {
		t.Errorf("one thread: %+v, %v, written: %v", got, err, w.writes)
	}
}

func TestChooseShipped(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	w := newWorld()
	w.times[WeightsAsShipped] = 420 * time.Millisecond
	for _, stored := range []bool{false, true} {
		got, err := w.chooser(t, path, cache, WeightsAuto).choose()
		if err != nil || got.Type != WeightsAsShipped || got.Path != path || got.Stored != stored || len(got.Timings) != 4 || !strings.Contains(got.Reason, "0.95") {
			t.Errorf("chosen: %+v, %v", got, err)
		}
	}
	if want := []string{"verdict"}; !slices.Equal(held(t, cache), want) || len(w.opens) != 4 {
		t.Errorf("the cache holds %v, want %v", held(t, cache), want)
	}
}

// Whatever stands in the way of a trial, the file is computed as shipped, the report
// says why, and nothing is left behind.
func TestChooseWithoutTrial(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*fakeWorld, *chooser)
		reason string
	}{
		{"asked for", func(_ *fakeWorld, c *chooser) { c.want = WeightsAsShipped }, "asks for it"},
		{"GPU", func(_ *fakeWorld, c *chooser) { c.onGPU, c.host.gpu = true, true }, "GPULayers(0)"},
		{"too large", func(_ *fakeWorld, c *chooser) { c.file.parameters = maxTrialParams + 1 }, "1.5e+09 parameters"},
		{"nothing as exact", func(_ *fakeWorld, c *chooser) { c.file.matrices = map[uint32]uint64{0: 1024} }, "as exact"},
		{"little memory", func(w *fakeWorld, _ *chooser) { w.memory = 1024 * 2 * 4 }, "of the memory that is free"},
		{"unknown memory", func(w *fakeWorld, _ *chooser) { w.memory = -1 }, "does not tell how much memory"},
		{"little disk", func(w *fakeWorld, _ *chooser) { w.disk = 1000 }, "of the disk space that is free"},
		{"unknown disk", func(w *fakeWorld, _ *chooser) { w.disk = -1 }, "does not tell how much disk space"},
		{"no directory", func(_ *fakeWorld, c *chooser) { c.cacheDir = c.path }, "not a directory"},
		{"failed write", func(w *fakeWorld, _ *chooser) { w.fail["write"] = errBroken }, "broken on purpose"},
		{"unseen full disk", func(w *fakeWorld, _ *chooser) { w.spoil = true }, "is there room"},
		{"failed load", func(w *fakeWorld, _ *chooser) { w.fail["open"] = errBroken }, "broken on purpose"},
		{"failed round", func(w *fakeWorld, _ *chooser) { w.fail["round"] = errBroken }, "broken on purpose"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, cache := shippedFile(t)
			w := newWorld()
			c := w.chooser(t, path, cache, WeightsAuto)
			tt.change(w, c)
			got, err := c.choose()
			if err != nil || got.Type != WeightsAsShipped || got.Path != c.path || len(got.Timings) != 0 || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("chosen: %+v, %v, want the reason %q", got, err, tt.reason)
			}
			if left := held(t, cache); len(left) != 0 || w.open != 0 {
				t.Errorf("the cache holds %v, %d samples are open", left, w.open)
			}
		})
	}
}

// A GPU that llama.cpp has does not count when nothing is put on it, nor do layers
// without a GPU.
func TestChooseOnCPU(t *testing.T) {
	t.Parallel()
	for _, onGPU := range []bool{false, true} {
		path, cache := shippedFile(t)
		c := newWorld().chooser(t, path, cache, WeightsAuto)
		c.onGPU, c.host.gpu = onGPU, !onGPU
		if got, err := c.choose(); err != nil || got.Type != WeightsBF16 {
			t.Errorf("chosen: %+v, %v", got, err)
		}
	}
}

func TestChooseFixed(t *testing.T) {
	t.Parallel()
	path, cache := shippedFile(t)
	w := newWorld()
	w.memory, w.disk = 0, 0 // they bound trials only
	for range 2 {
		got, err := w.chooser(t, path, cache, WeightsQ8_0).choose()
		if err != nil || got.Type != WeightsQ8_0 || filepath.Base(got.Path) != "q8_0.gguf" || got.hash == "" || !strings.Contains(got.Reason, "asks for it") {
			t.Errorf("chosen: %+v, %v", got, err)
		}
	}
	if !slices.Equal(w.writes, []WeightType{WeightsQ8_0}) || len(w.opens) != 0 {
		t.Errorf("written: %v, measured: %v", w.writes, w.opens)
	}
	already := w.chooser(t, writeTo(t, path, typedGGUF(30)), cache, WeightsBF16)
	if got, err := already.choose(); err != nil || got.Type != WeightsAsShipped || got.Path != already.path || !strings.Contains(got.Reason, "has it") {
		t.Errorf("what the file has: %+v, %v", got, err)
	}
	for name, change := range map[string]func(*chooser){
		"broken on purpose": func(*chooser) { w.fail["write"] = errBroken },
		"not a directory":   func(c *chooser) { c.cacheDir = c.path },
	} {
		c := w.chooser(t, path, cache, WeightsF16)
		change(c)
		if got, err := c.choose(); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "CacheDir") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// writeTo writes another model beside one, and returns its path.
func writeTo(t *testing.T, beside string, data []byte) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(beside), "other.gguf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
