package cache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm/cache"
)

// execute runs statements on a file, as any user of SQLite may.
func execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestRefusedPaths opens what no store can be at, and what is none. Nothing is changed.
func TestRefusedPaths(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		make func(t *testing.T, path string) // what is at the path
		path func(path string) string        // nil: as it is
		want cache.ErrorKind
	}{
		"empty":      {path: func(string) string { return "" }, want: cache.ErrPath},
		"NUL":        {path: func(p string) string { return p + "\x00" }, want: cache.ErrPath},
		"directory":  {make: func(t *testing.T, p string) { must(t, os.Mkdir(p, 0o700)) }, want: cache.ErrPath},
		"with slash": {path: func(p string) string { return p + "/" }, want: cache.ErrPath},
		"device":     {path: func(string) string { return os.DevNull }, want: cache.ErrPath},
		"too long":   {path: func(p string) string { return p + strings.Repeat("x", 5000) }, want: cache.ErrPath},
		"under a file": {
			make: func(t *testing.T, p string) { write(t, p, "x") },
			path: func(p string) string { return filepath.Join(p, "answers.db") }, want: cache.ErrPath,
		},
		"link to nothing": {make: func(t *testing.T, p string) { must(t, os.Symlink(p+"-gone", p)) }, want: cache.ErrPath},
		"text":            {make: func(t *testing.T, p string) { write(t, p, "my notes\n") }, want: cache.ErrForeign},
		"long text":       {make: func(t *testing.T, p string) { write(t, p, strings.Repeat("my notes\n", 9999)) }, want: cache.ErrForeign},
		"zeros":           {make: func(t *testing.T, p string) { write(t, p, strings.Repeat("\x00", 8192)) }, want: cache.ErrForeign},
		"another program's": {
			make: func(t *testing.T, p string) { execute(t, p, "CREATE TABLE birds (name TEXT)") }, want: cache.ErrForeign,
		},
		"another program's, with our tables": {
			make: func(t *testing.T, p string) {
				execute(t, p, "CREATE TABLE entries (key TEXT)", "PRAGMA user_version = 1")
			}, want: cache.ErrForeign,
		},
		"newer":         {make: stored("PRAGMA user_version = 2"), want: cache.ErrNewer},
		"version 0":     {make: stored("PRAGMA user_version = 0"), want: cache.ErrDamaged},
		"table changed": {make: stored("ALTER TABLE entries ADD COLUMN more TEXT"), want: cache.ErrDamaged},
		"table dropped": {make: stored("DROP TABLE models"), want: cache.ErrDamaged},
		"cut off": {
			make: func(t *testing.T, p string) {
				stored("PRAGMA user_version = 1")(t, p)
				must(t, os.Truncate(p, 2000))
			},
			want: cache.ErrDamaged,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := tempFile(t)
			if tt.make != nil {
				tt.make(t, path)
			}
			before := snapshot(t, filepath.Dir(path))
			if tt.path != nil {
				path = tt.path(path)
			}
			s, err := cache.Open(t.Context(), path)
			var typed *cache.Error
			if !errors.As(err, &typed) || !errors.Is(err, tt.want) || typed.Message == "" {
				t.Fatalf("Open returned %v, %v, want an error of kind %q", s, err, tt.want)
			}
			if path != "" && !strings.Contains(err.Error(), filepath.Base(strings.TrimSuffix(strings.TrimSuffix(path, "\x00"), "/"))) {
				t.Errorf("the error does not name the path: %v", err)
			}
			if tt.path == nil {
				if after := snapshot(t, filepath.Dir(path)); after != before {
					t.Errorf("the files were changed from\n%.300s\nto\n%.300s", before, after)
				}
			}
		})
	}
}

// stored makes a store of one answer and runs a statement on its file.
func stored(statement string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		s, err := cache.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		ask(t, s.Wrap(echo("m")), prompt("a"))
		must(t, s.Close())
		execute(t, path, statement)
	}
}

// snapshot lists the files of a directory with their content.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			data = []byte(e.Type().String())
		}
		fmt.Fprintf(&b, "%s: %q\n", e.Name(), data)
	}
	return b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestOddPaths opens stores whose names SQLite would take for something else.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{":memory:", "a?mode=memory", "a%41", "a#b", "file:x", "ü und ö.db", "a b", "-", `a"b'c`, ".." + string(filepath.Separator) + "up.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "in")
			path := dir + string(filepath.Separator) + name
			must(t, os.Mkdir(dir, 0o700))
			s, err := cache.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s.Wrap(echo("m")), prompt("a"))
			must(t, s.Close())
			if info, err := os.Stat(path); err != nil || info.Size() == 0 {
				t.Errorf("the file is not there: %v", err)
			}
			if !ask(t, open(t, path).Wrap(mute("m")), prompt("a")).Cached {
				t.Error("the answer is not there")
			}
		})
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	dir := filepath.Join(t.TempDir(), "made", "too")
	path := filepath.Join(dir, "answers.db")
	s := open(t, path)
	ask(t, s.Wrap(echo("m")), prompt("a"))
	for p, want := range map[string]os.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, dir: 0o700 | os.ModeDir, filepath.Dir(dir): 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(p)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", p, info.Mode(), err, want)
		}
	}
	// A link to a store is one.
	link := filepath.Join(t.TempDir(), "link.db")
	must(t, os.Symlink(path, link))
	if !ask(t, open(t, link).Wrap(mute("m")), prompt("a")).Cached {
		t.Error("the answer is not there through a link")
	}
	// The mode of a file that is there stays.
	must(t, s.Close())
	must(t, os.Chmod(path, 0o640))
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("the mode of a file that was there became %v, %v", info.Mode(), err)
	}
}
