package module_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
)

// twin asks two predictors in turn. With versionLM it answers with the versions of
// the instructions that both had.
type twin struct {
	First, Second *module.Predict[question, answer]
}

type versions struct{ First, Second string }

func (p *twin) Run(ctx context.Context, in question) (versions, error) {
	first, err := p.First.Run(ctx, in)
	if err != nil {
		return versions{}, err
	}
	second, err := p.Second.Run(ctx, in)
	return versions{first.A, second.A}, err
}

var versionText = regexp.MustCompile(`version \d+`)

// newTwin returns a program whose model answers with the version that stands in the
// instructions; before is called first.
func newTwin(before func()) *twin {
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		before()
		return &lm.Response{Text: "[[ ## a ## ]]\n" + versionText.FindString(r.Messages[0].Text()) + "\n\n[[ ## completed ## ]]"}, nil
	})
	return &twin{
		module.MustPredict[question, answer]("version 0", module.WithLM(model)),
		module.MustPredict[question, answer]("version 0", module.WithLM(model)),
	}
}

func versionStates(t testing.TB, p *twin, n int) module.States {
	t.Helper()
	var states module.States
	for _, predict := range []*module.Predict[question, answer]{p.First, p.Second} {
		var err error
		if states, err = states.With(predict.Predictor(), module.State{Instructions: fmt.Sprintf("version %d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	return states
}

// version returns a program of that version, for its bytes and identity.
func version(t testing.TB, n int) *twin {
	t.Helper()
	p := newTwin(func() {})
	versionStates(t, p, n).Apply()
	return p
}

func identity(t testing.TB, n int) string {
	t.Helper()
	v, err := module.Version(version(t, n))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// save writes a version as one should, and overwrite as one should not: in the
// file's place, its first bytes alone or all.
func save(t testing.TB, path string, n int) {
	t.Helper()
	if err := module.Save(path, version(t, n)); err != nil {
		t.Error(err)
	}
}

func overwrite(t testing.TB, path string, n int, part float64) {
	t.Helper()
	data := marshal(t, version(t, n))
	if err := os.WriteFile(path, data[:int(part*float64(len(data)))], 0o600); err != nil {
		t.Error(err)
	}
}

func newLive(t testing.TB, p *twin, opts ...module.LiveOption) (*module.Live[question, versions], string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.json")
	save(t, path, 1)
	live, err := module.NewLive(context.Background(), p, path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return live, path
}

func wantRun(t testing.TB, live module.Program[question, versions], ctx context.Context, n int) { //nolint:revive // t goes first in tests
	t.Helper()
	v := fmt.Sprintf("version %d", n)
	if got, err := live.Run(ctx, question{"?"}); err != nil || got != (versions{v, v}) {
		t.Errorf("Run = %v, %v; want %s twice", got, err, v)
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	program := newTwin(func() {})
	var events []module.LiveEvent
	live, path := newLive(t, program, module.OnReload(func(e module.LiveEvent) { events = append(events, e) }))
	ctx := context.Background()
	wantRun(t, live, ctx, 1)
	if live.Version() != identity(t, 1) || live.Report().Format != "whet, schema 1" {
		t.Errorf("version %s, report %v", live.Version(), live.Report())
	}

	save(t, path, 2)
	wantRun(t, live, ctx, 1) // nobody has looked yet
	if err := live.Reload(ctx); err != nil {
		t.Error(err)
	}
	wantRun(t, live, ctx, 2)

	overwrite(t, path, 3, 0.7)
	err := live.Reload(ctx)
	wantLoadError(t, err, "", path, "unexpected end")
	wantRun(t, live, ctx, 2)
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
	if err := live.Reload(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	wantRun(t, live, ctx, 2)

	if len(events) != 3 || events[0].Err != nil || events[0].Report == nil || !errors.Is(events[1].Err, err) || events[2].Report != nil {
		t.Errorf("events %+v", events)
	}
	for _, e := range events {
		if e.Version != identity(t, 2) {
			t.Errorf("version %s in %+v", e.Version, e)
		}
	}
	// The program itself is as it was.
	wantRun(t, program, ctx, 0)
	if s, ok := live.States().Of(program.First.Predictor()); !ok || s.Instructions != "version 2" {
		t.Errorf("States holds %v, %v", s, ok)
	}
}

// A version that comes while a program runs is for the next run.
func TestLivePinsAVersion(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var live *module.Live[question, versions]
	next := 2
	var path string
	reload := func() {
		save(t, path, next)
		next++
		if err := live.Reload(ctx); err != nil {
			t.Error(err)
		}
	}
	program := newTwin(func() { reload() })
	live, path = newLive(t, program)
	wantRun(t, live, ctx, 1) // and loads 2 and 3
	wantRun(t, live, ctx, 3)
}

// nested runs the live program within its own run.
type nested struct {
	First, Second *module.Predict[question, answer]

	live    *module.Live[question, versions]
	inner   versions
	entered bool
}

func (p *nested) Run(ctx context.Context, in question) (out versions, err error) {
	if !p.entered {
		p.entered = true
		if err = p.live.Reload(ctx); err == nil {
			p.inner, err = p.live.Run(ctx, in)
		}
		if err != nil {
			return out, err
		}
	}
	return (&twin{p.First, p.Second}).Run(ctx, in)
}

func TestLiveInARun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "program.json")
	save(t, path, 1)
	inner := newTwin(func() {})
	p := &nested{First: inner.First, Second: inner.Second}
	live, err := module.NewLive(context.Background(), p, path)
	if err != nil {
		t.Fatal(err)
	}
	p.live = live
	save(t, path, 2)
	wantRun(t, live, context.Background(), 1)
	if p.inner != (versions{"version 1", "version 1"}) {
		t.Errorf("the inner run had %v, want the outer one's version", p.inner)
	}
	wantRun(t, live, context.Background(), 2)
}

// A candidate of the caller's goes before the file.
func TestLiveUnderStates(t *testing.T) {
	t.Parallel()
	program := newTwin(func() {})
	live, _ := newLive(t, program)
	ctx := module.WithStates(context.Background(), versionStates(t, program, 7))
	wantRun(t, live, ctx, 7)
	wantRun(t, live, context.Background(), 1)
	half, err := module.States{}.With(program.Second.Predictor(), module.State{Instructions: "version 8"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := live.Run(module.WithStates(context.Background(), half), question{"?"})
	if err != nil || got != (versions{"version 1", "version 8"}) {
		t.Errorf("Run = %v, %v", got, err)
	}
}

func TestLiveVerify(t *testing.T) {
	t.Parallel()
	program := newTwin(func() {})
	odd := errors.New("an odd version")
	verify := module.Verify(func(ctx context.Context) error {
		got, err := program.Run(ctx, question{"?"})
		if err == nil && got.Second == "version 3" {
			err = odd
		}
		return err
	})
	live, path := newLive(t, program, verify)
	ctx := context.Background()
	save(t, path, 3)
	if err := live.Reload(ctx); !errors.Is(err, odd) {
		t.Errorf("Reload returned %v", err)
	}
	wantRun(t, live, ctx, 1)
	if _, err := module.NewLive(ctx, program, path, verify); !errors.Is(err, odd) {
		t.Errorf("NewLive returned %v", err)
	}
	save(t, path, 4)
	if err := live.Reload(ctx); err != nil {
		t.Error(err)
	}
	wantRun(t, live, ctx, 4)
}

func TestValidateLive(t *testing.T) {
	t.Parallel()
	live, _ := newLive(t, newTwin(func() {}))
	if err := module.Validate(t.Context(), live); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "p.json")
	bare := module.MustPredict[question, answer]("")
	if err := module.Save(path, bare); err != nil {
		t.Fatal(err)
	}
	noLM, err := module.NewLive(t.Context(), bare, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := module.Validate(t.Context(), noLM); !errors.Is(err, module.ErrNoLM) {
		t.Errorf("a Live without a language model: %v, want ErrNoLM", err)
	}
}

func TestNewLiveFails(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "program.json")
	_, err := module.NewLive(ctx, newTwin(func() {}), path)
	wantLoadError(t, err, "", path)
	if err := module.Save(path, newCoT()); err != nil {
		t.Fatal(err)
	}
	_, err = module.NewLive(ctx, newTwin(func() {}), path)
	wantLoadError(t, err, "first", path)
	none := module.Func[question, answer](func(context.Context, question) (answer, error) { return answer{}, nil })
	if _, err := module.NewLive(ctx, none, path); !errors.Is(err, module.ErrNoPredictors) {
		t.Errorf("a program of nothing: %v", err)
	}
	large := module.LoadWith(module.MaxFileSize(10))
	if _, err := module.NewLive(ctx, newCoT(), path, large); !errors.Is(err, module.ErrFileTooLarge) {
		t.Errorf("a limit of 10 bytes: %v", err)
	}
}

// Many calls while the file is written well and badly: no call has two versions, or
// one that was never written whole.
func TestLiveWhileCallsRun(t *testing.T) {
	t.Parallel()
	live, path := newLive(t, newTwin(func() {}))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := live.Run(context.Background(), question{"?"})
				if err != nil || got.First != got.Second || !versionText.MatchString(got.First) || got.First == "version 0" {
					t.Errorf("Run = %v, %v", got, err)
					return
				}
			}
		})
	}
	for n := 2; n < 60; n++ {
		if n%2 == 0 {
			save(t, path, n)
		} else {
			before := live.Version()
			overwrite(t, path, n, float64(n)/60)
			if err := live.Reload(ctx); err == nil || live.Version() != before {
				t.Errorf("a file that is not complete: %v", err)
			}
			overwrite(t, path, n, 1)
		}
		if err := live.Reload(ctx); err != nil || live.Version() != identity(t, n) {
			t.Errorf("version %d: %v", n, err)
		}
	}
	stop()
	wg.Wait()
}

func ExampleNewLive() {
	dir, err := os.MkdirTemp("", "whet")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "sorter.json")
	sort := module.MustPredict[Mail, Folder]("Sort the mail.")
	if err := module.Save(path, sort); err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	live, err := module.NewLive(ctx, sort, path, module.OnReload(func(e module.LiveEvent) {
		fmt.Println("another version:", e.Err)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	// A server answers with live.Run and starts go live.Watch(ctx). Here the file is
	// written by another program, and read at once.
	other := module.MustPredict[Mail, Folder]("Sort the mail; advertising is junk.")
	if err := module.Save(path, other); err != nil {
		fmt.Println(err)
		return
	}
	before := live.Version()
	if err := live.Reload(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(before != live.Version())
	// Output:
	// another version: <nil>
	// true
}
