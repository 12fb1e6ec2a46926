package llamacpp

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	maxTrialParams = 1_500_000_000
	maxShare       = 4 // the largest rewritten file may be 1/maxShare of what is free
)

// chooser decides which file is computed in place of the one that was opened. Its
// functions are llama.cpp's and the system's; tests have others.
type chooser struct {
	path     string // as shipped
	file     shippedWeights
	want     WeightType
	cacheDir string // of the option
	threads  int
	onGPU    bool // whether layers would be on a GPU, if there is one

	host   host
	write  func(from, to string, f form) error
	open   func(path string, params uint64) (trialSample, error)
	memory func() (int64, bool)
	disk   func(dir string) (int64, bool)
	now    func() time.Time
}

// newChooser returns one for a file that was found to be whole.
func newChooser(path string, file shippedWeights, cfg config) *chooser {
	system := os.DirFS("/")
	c := &chooser{
		path: path, file: file, want: cfg.weights, cacheDir: cfg.cacheDir, threads: cfg.threads, onGPU: cfg.gpuLayers != 0,
		write:  func(from, to string, f form) error { return quantize(from, to, f.fileType) },
		open:   func(path string, params uint64) (trialSample, error) { return openSample(path, cfg, params) },
		memory: func() (int64, bool) { return freeMemory(system) },
		disk:   freeDisk,
		now:    time.Now,
	}
	if c.want != WeightsAsShipped {
		c.host = thisHost()
		c.host.cpu = cpuModel(system)
	}
	return c
}

// choose returns the file to compute. It fails only where a fixed form cannot be had, or
// where the file as shipped cannot be read.
func (c *chooser) choose() (weightChoice, error) {
	shipped := weightChoice{WeightReport: WeightReport{Type: WeightsAsShipped, Shipped: c.file.name(), Path: c.path}}
	if c.want == WeightsAsShipped {
		return shipped.because("Weights(WeightsAsShipped) asks for it"), nil
	}
	if f, fixed := formOf(c.want); fixed {
		return c.fixed(shipped, f)
	}
	if why := c.hopeless(); why != "" {
		return shipped.because(why), nil
	}
	var err error
	if shipped.hash, err = hashFile(c.path); err != nil {
		return weightChoice{}, err
	}
	out, err := c.auto(shipped)
	if err != nil {
		return shipped.because(fmt.Sprintf("no other form could be tried: %v", err)), nil
	}
	return out, nil
}

// hopeless says why no other form would be tried, whatever there is in the cache, or "".
func (c *chooser) hopeless() string {
	switch {
	case c.onGPU && c.host.gpu:
		return "layers are on a GPU, and trials are for CPUs; GPULayers(0) computes all on the CPU"
	case c.file.parameters > maxTrialParams:
		return fmt.Sprintf("the model has %.2g parameters, and no more than %.2g are rewritten unasked", float64(c.file.parameters), float64(maxTrialParams))
	case len(c.file.candidates()) == 0:
		return "no other form is as exact as the file's"
	}
	return ""
}

// roomy returns an error if the memory or the disk is too full for a trial.
func (c *chooser) roomy(dir string) error {
	need := int64(0)
	for _, f := range c.file.candidates() {
		need = max(need, c.file.sizeAs(f))
	}
	memory, memoryKnown := c.memory()
	disk, diskKnown := c.disk(dir)
	for _, r := range []struct {
		what  string
		free  int64
		known bool
	}{{"memory", memory, memoryKnown}, {"disk space", disk, diskKnown}} {
		if !r.known {
			return fmt.Errorf("the system does not tell how much %s is free; a fixed form can be had with Weights", r.what)
		}
		if need > r.free/maxShare {
			return fmt.Errorf("a file of %d MB is more than 1/%d of the %s that is free, %d MB", need>>20, maxShare, r.what, r.free>>20)
		}
	}
	return nil
}

func (c *chooser) fixed(shipped weightChoice, f form) (weightChoice, error) {
	why := fmt.Sprintf("Weights(%q) asks for it", f.weights)
	if c.file.all(f) {
		return shipped.because(why + ", and the file has it"), nil
	}
	fail := func(err error) (weightChoice, error) {
		return weightChoice{}, fmt.Errorf("its weights cannot be had as %s: %w; see Weights and CacheDir", f.weights, err)
	}
	root, err := cacheRoot(c.cacheDir)
	if err != nil {
		return fail(err)
	}
	if shipped.hash, err = hashFile(c.path); err != nil {
		return fail(err)
	}
	path, err := c.make(newWeightStore(root, shipped.hash), f)
	if err != nil {
		return fail(err)
	}
	return shipped.rewritten(f, path, why), nil
}

// make returns the path of the file in this form, and writes it if it is not there or
// damaged.
func (c *chooser) make(store weightStore, f form) (string, error) {
	if path, ok := store.find(f); ok {
		return path, nil
	}
	unlock, err := store.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if path, ok := store.find(f); ok { // by the process that had the lock
		return path, nil
	}
	dir, remove, err := store.workspace()
	if err != nil {
		return "", err
	}
	defer remove()
	made, err := c.rewrite(dir, f)
	if err != nil {
		return "", err
	}
	return store.keep(f, made, c.host.llama)
}

// rewrite writes the file in another form to a folder. llama.cpp does not report every
// failed write, hence the check.
func (c *chooser) rewrite(dir string, f form) (string, error) {
	made := filepath.Join(dir, string(f.weights)+".gguf")
	if err := c.write(c.path, made, f); err != nil {
		return "", fmt.Errorf("%w; is there room in %s?", err, filepath.Dir(dir))
	}
	if err := checkFile(made); err != nil {
		return "", fmt.Errorf("what llama.cpp wrote as %s cannot be used: %w; is there room in %s?", f.weights, err, filepath.Dir(dir))
	}
	return made, nil
}

// auto takes the form that a trial finds fastest, or has found before.
func (c *chooser) auto(shipped weightChoice) (weightChoice, error) {
	root, err := cacheRoot(c.cacheDir)
	if err != nil {
		return weightChoice{}, err
	}
	store := newWeightStore(root, shipped.hash)
	key := trialKey{Trial: trialVersion, File: shipped.hash, Threads: c.threads, CPU: c.host.cpu, Llama: c.host.llama}
	if v, ok := store.readVerdict(key); ok {
		return c.follow(shipped, store, v, "")
	}
	unlock, err := store.lock()
	if err != nil {
		return weightChoice{}, err
	}
	v, stored := store.readVerdict(key) // of the process that had the lock
	kept := ""
	if !stored {
		v, kept, err = c.trial(store, key)
	}
	unlock()
	if err != nil {
		return weightChoice{}, err
	}
	out, err := c.follow(shipped, store, v, kept)
	out.Stored = stored
	return out, err
}

// follow does what a verdict says. The winner's file was just kept, or is to be found.
func (c *chooser) follow(shipped weightChoice, store weightStore, v verdict, kept string) (weightChoice, error) {
	shipped.Timings, shipped.Stored = v.timings(), true
	f, rewritten := formOf(v.Winner)
	if !rewritten {
		return shipped.because(v.Reason), nil
	}
	if kept == "" {
		var err error
		if kept, err = c.make(store, f); err != nil {
			return weightChoice{}, err
		}
	}
	return shipped.rewritten(f, kept, v.Reason), nil
}

// trial writes the file in all forms, measures them and keeps the verdict and, if it is
// none as shipped, the winner's file.
func (c *chooser) trial(store weightStore, key trialKey) (v verdict, kept string, err error) {
	if err := c.roomy(store.dir); err != nil {
		return v, "", err
	}
	dir, remove, err := store.workspace()
	if err != nil {
		return v, "", err
	}
	defer remove() // and with it the losers
	var all []contestant
	defer func() {
		for _, each := range all {
			each.sample.free()
		}
	}()
	enter := func(w WeightType, path string) error {
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		s, err := c.open(path, c.file.parameters)
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
		all = append(all, contestant{WeightTiming{Type: w, Bytes: st.Size()}, path, s})
		return nil
	}
	if err := enter(WeightsAsShipped, c.path); err != nil { // first: the file may not be fit at all
		return v, "", err
	}
	for _, f := range c.file.candidates() {
		path, ok := store.find(f)
		if !ok {
			if path, err = c.rewrite(dir, f); err != nil {
				return v, "", err
			}
		}
		if err := enter(f.weights, path); err != nil {
			return v, "", err
		}
	}
	timings, err := compete(all, c.now)
	if err != nil {
		return v, "", err
	}
	v = judge(key, timings)
	for _, each := range all {
		f, rewritten := formOf(each.Type)
		if !rewritten || each.Type != v.Winner {
			continue
		}
		if kept = store.path(f.weights); each.path != kept {
			if kept, err = store.keep(f, each.path, key.Llama); err != nil {
				return v, "", err
			}
		}
	}
	return v, kept, store.writeVerdict(v)
}
