package module_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
