//go:build linux || darwin

package llamacpp

import (
	"errors"
	"os"
	"syscall"
)

// freeDisk is how many bytes may be written to the file system of a directory.
func freeDisk(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // their types differ between systems
}

// lockFile waits until no other process, and no other goroutine, holds the lock of this
// name. The system releases it when a process ends. Where it cannot be had, as on some
// network file systems, there is no lock.
func lockFile(name string) (unlock func(), locked bool) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return func() {}, false
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close() // it holds nothing
		return func() {}, false
	}
	return func() { _ = f.Close() }, true // which releases it
}
