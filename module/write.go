package module

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// writeFile puts data in the place of a file, so that a reader sees the old bytes
// or the new ones. A new file has the permissions that the process gives its files.
func writeFile(path string, data []byte) error {
	target := behindLinks(path)
	info, err := os.Stat(target)
	// Nobody may read the new bytes who may not read the file: a new one has its
	// permissions from the start, and one that is there gives them when all is written.
	perm := fs.FileMode(0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info, perm = nil, 0o666
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("there is something that is no file, and it was left as it is: %s", info.Mode())
	}
	tmp, err := createBeside(target, perm)
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if info != nil {
		err = errors.Join(err, tmp.Chmod(info.Mode().Perm()))
	}
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	syncFolder(filepath.Dir(target))
	return nil
}

// behindLinks returns the path of the file that path names, which need not be there.
func behindLinks(path string) string {
	for range 40 { // more make a loop
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return target
		}
		link, err := os.Readlink(path)
		if err != nil {
			return path // nothing there yet
		}
		if !filepath.IsAbs(link) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return path
			}
			link = filepath.Join(dir, link)
		}
		path = link
	}
	return path
}

// createBeside creates a hidden file of a new name in the folder of target, with
// the permissions that the process's umask leaves of perm.
func createBeside(target string, perm fs.FileMode) (*os.File, error) {
	for try := 0; ; try++ {
		name := fmt.Sprintf(".%s.%08x", filepath.Base(target), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(target), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return f, err
		}
	}
}

// syncFolder makes a rename last. Not every system can do it for a folder, and the
// file is whole either way, so that a failure is none of the save.
func syncFolder(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	_ = f.Sync()
}
