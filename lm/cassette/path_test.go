package cassette_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm/cassette"
)

// TestRefusedPaths has what no cassette can be at, for reading and for writing, in each of
// the ways to open one.
func TestRefusedPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	pipe := filepath.Join(dir, "loop")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, pipe); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"empty":              "",
		"NUL":                filepath.Join(dir, "a\x00b"),
		"very long name":     filepath.Join(dir, strings.Repeat("x", 300)),
		"very long path":     filepath.Join(dir, strings.Repeat("x/", 4000), "tape.jsonl"),
		"directory":          dir,
		"with a slash":       filepath.Join(dir, "tape") + string(filepath.Separator),
		"device":             os.DevNull,
		"under a file":       filepath.Join(file, "tape.jsonl"),
		"no directory":       filepath.Join(dir, "no", "tape.jsonl"),
		"up to no directory": filepath.Join(dir, "no") + "/../no/tape.jsonl",
		"link to itself":     pipe,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cassette.Replay(path)
			wantFile(t, err, cassette.ErrUnreadable, path, 0)
			_, err = cassette.Record(path, cassette.Overwrite())
			wantFile(t, err, cassette.ErrUnreadable, path, 0)
			_, err = cassette.Record(path, cassette.Append())
			wantFile(t, err, cassette.ErrUnreadable, path, 0)
			_, err = cassette.Open(path, echo(), cassette.ModeAuto)
			wantFile(t, err, cassette.ErrUnreadable, path, 0)
		})
	}
}

// TestPaths are ways to write a path that are all right.
func TestPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.jsonl")
	if err := os.Symlink(filepath.Join(dir, "target.jsonl"), link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "target.jsonl"), []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"absolute": filepath.Join(dir, "a.jsonl"),
		"..":       filepath.Join(dir, "in") + "/../b.jsonl",
		"link":     link,
		"odd":      filepath.Join(dir, "ü und ?#%41*.jsonl"),
	} {
		rec := record(t, path, cassette.Append())
		generate(t, rec.Wrap(echo()), "a")
		if err := rec.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := generate(t, replay(t, path), "a"); got != "A" {
			t.Errorf("%s: the reply is %q", name, got)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}

// TestReadOnlyDirectory needs a user whom permissions stop, and as the superuser a file
// system that nobody writes to.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if os.Getuid() == 0 {
		if runtime.GOOS != "linux" {
			t.Skip("the superuser may write everywhere")
		}
		dir = "/proc/self"
	} else if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tape.jsonl")
	_, err := cassette.Record(path)
	wantFile(t, err, cassette.ErrUnreadable, path, 0)
	_, err = cassette.Open(path, echo(), cassette.ModeAuto)
	wantFile(t, err, cassette.ErrUnreadable, path, 0)
}
