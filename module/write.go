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
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // nothing there yet, or a link to nothing
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info = nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("there is something that is no file, and it was left as it is: %s", info.Mode())
	}
	tmp, err := createBeside(target)
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

// createBeside creates a hidden file of a new name in the folder of target.
// Unlike os.CreateTemp, it leaves the permissions to the process's umask.
func createBeside(target string) (*os.File, error) {
	for try := 0; ; try++ {
		name := fmt.Sprintf(".%s.%08x", filepath.Base(target), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(target), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
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
