package cache

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// checkPath returns the absolute path of a store's file, and whether there is none yet; its
// directory is made where it is not there.
//
// The file itself is never opened here: closing it would release the locks of another
// Store of this process on the same file, as POSIX locks are those of a process.
func checkPath(path string) (abs string, fresh bool, err error) {
	bad := func(message string, err error) (string, bool, error) {
		return "", false, &Error{Kind: ErrPath, Path: strings.ReplaceAll(path, "\x00", `\x00`), Message: message, Err: err}
	}
	switch {
	case path == "":
		return bad("the path is empty; give that of a file, or use cache.Memory", nil)
	case strings.ContainsRune(path, 0):
		return bad("the path holds a NUL byte", nil)
	case os.IsPathSeparator(path[len(path)-1]):
		return bad("the path is that of a directory; give that of a file in it", nil)
	}
	abs, err = filepath.Abs(path)
	if err != nil {
		return bad("the path cannot be made absolute", err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return bad("the path cannot be looked up", err)
	case info.IsDir():
		return bad("the path is that of a directory; give that of a file in it", nil)
	case !info.Mode().IsRegular():
		return bad("the path is that of a device, a pipe or a socket, and a store needs a regular file", nil)
	default:
		return abs, false, nil
	}
	if _, err := os.Lstat(abs); err == nil {
		return bad("the path is a symbolic link that leads nowhere; make its target's directory, or remove it", nil)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return bad("the directory cannot be made", err)
	}
	return abs, true, nil
}

// busyTimeout is how long SQLite waits for another process, in milliseconds.
const busyTimeout = "10000"

// dsn is the data source name of the file, in which SQLite would read "?", "#" and "%".
func dsn(abs string, pragmas []string) string {
	p := filepath.ToSlash(abs)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a drive of Windows
	}
	q := url.Values{
		"_txlock": {"immediate"},
		"_pragma": append([]string{
			"busy_timeout(" + busyTimeout + ")",
			"synchronous(NORMAL)",
			"trusted_schema(OFF)", // the file may be somebody else's
			"cell_size_check(ON)", // a damaged page is noticed when it is read
		}, pragmas...),
	}
	return "file:" + (&url.URL{Path: p}).EscapedPath() + "?" + q.Encode()
}
