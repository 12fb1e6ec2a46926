package module_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/module"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestSavePermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// What the process gives its new files, whatever the umask is.
	plain := filepath.Join(dir, "plain")
	f, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	path := filepath.Join(dir, "p.json")
	if err := module.Save(path, newSMS()); err != nil {
		t.Fatal(err)
	}
	if got, want := mode(t, path), mode(t, plain); got != want {
		t.Errorf("a new file has the mode %v, want %v", got, want)
	}
	for _, want := range []fs.FileMode{0o600, 0o640, 0o444, 0o755} {
		if err := os.Chmod(path, want); err != nil {
			t.Fatal(err)
		}
		if err := module.Save(path, withState(t)); err != nil {
			t.Fatal(err)
		}
		if got := mode(t, path); got != want {
			t.Errorf("a file of mode %v has %v when it was saved again", want, got)
		}
	}
}

func TestSaveThroughLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "v1"), 0o700); err != nil {
		t.Fatal(err)
	}
	target, link := filepath.Join(dir, "v1", "p.json"), filepath.Join(dir, "current.json")
	if err := module.Save(target, newSMS()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("v1", "p.json"), link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if err := module.Save(link, withState(t)); err != nil {
		t.Fatal(err)
	}
	if mode(t, link)&fs.ModeSymlink == 0 {
		t.Error("the link is no link any more")
	}
	if _, err := module.Load(target, newCoT()); err != nil {
		t.Errorf("the file behind the link was not written: %v", err)
	}
}

// A link to nothing yet names the file to be.
func TestSaveThroughDanglingLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "v1"), 0o700); err != nil {
		t.Fatal(err)
	}
	link, second := filepath.Join(dir, "current.json"), filepath.Join(dir, "v1", "link.json")
	if err := os.Symlink(filepath.Join("v1", "link.json"), link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if err := os.Symlink("p.json", second); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(link, withState(t)); err != nil {
		t.Fatal(err)
	}
	if mode(t, link)&mode(t, second)&fs.ModeSymlink == 0 {
		t.Error("a link is no link any more")
	}
	if _, err := module.Load(filepath.Join(dir, "v1", "p.json"), newCoT()); err != nil {
		t.Errorf("the file that the link names was not written: %v", err)
	}
	loop := filepath.Join(dir, "loop.json")
	if err := os.Symlink("loop.json", loop); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(loop, newSMS()); err == nil || mode(t, loop)&fs.ModeSymlink == 0 {
		t.Errorf("Save through a loop of links: %v", err)
	}
}

// The new bytes of a private file are private before they are in its place, too.
func TestSaveStaysPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "p.json")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newSMS()
	demos := []module.Demo{demo(false, "text", strings.Repeat("x", 1<<20), "label", "ham")}
	if err := predictor(t, p, "self").SetState(module.State{Demos: demos}); err != nil {
		t.Fatal(err)
	}
	saved := make(chan error)
	go func() {
		var err error
		for range 5 {
			err = errors.Join(err, module.Save(path, p))
		}
		saved <- err
	}()
	for {
		select {
		case err := <-saved:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %v", f.Name(), info.Mode())
			}
		}
	}
}

// The rename would put a file in the place of the device.
func TestSaveOverNoFile(t *testing.T) {
	t.Parallel()
	if mode(t, os.DevNull).IsRegular() {
		t.Skip("no device to try it on")
	}
	link := filepath.Join(t.TempDir(), "null.json")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if err := module.Save(link, newSMS()); err == nil || mode(t, os.DevNull).IsRegular() {
		t.Errorf("Save over a device: %v", err)
	}
}

// A save that fails leaves the file before it.
func TestSaveKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "p.json")
	if err := module.Save(path, withState(t)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	err = module.Save(path, newSMS())
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Save into a folder that is read only: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed: %s, %v", after, err)
	}
}
