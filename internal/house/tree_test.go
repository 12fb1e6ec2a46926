package house_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file is a file of the repository.
type file struct {
	path string // from the root, with slashes
	data []byte
}

func (f file) isGo() bool       { return strings.HasSuffix(f.path, ".go") }
func (f file) isTest() bool     { return strings.HasSuffix(f.path, "_test.go") }
func (f file) isTestdata() bool { return strings.Contains("/"+f.path, "/testdata/") }

// isProgram reports whether the file belongs to a program, which may import
// anything and starts contexts.
func (f file) isProgram() bool {
	return bytes.Contains(append([]byte("\n"), f.data...), []byte("\npackage main\n")) || slices.ContainsFunc([]string{"examples/", "cmd/", "internal/cmd/", "bench/"}, func(dir string) bool { return strings.HasPrefix(f.path, dir) })
}

// left is what a developer, a build or an editor leaves in the tree: what
// .gitignore names, and no part of the repository.
var left = []string{".git", "bin", "dist", "__pycache__", ".venv", ".idea", ".vscode"}

// tree reads all text files of the repository.
func tree(t *testing.T) []file {
	t.Helper()
	var files []file
	top := filepath.Join("..", "..")
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(left, d.Name()):
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > 4<<20 {
			return err // a model, not a text
		}
		data, err := os.ReadFile(p)
		if err != nil || slices.Contains(data, 0) {
			return err
		}
		rel, err := filepath.Rel(top, p)
		files = append(files, file{filepath.ToSlash(rel), data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
