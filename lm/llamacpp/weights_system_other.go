//go:build !linux && !darwin

package llamacpp

func freeDisk(string) (int64, bool) { return 0, false }

// lockFile has no lock to offer: two processes may do the same work at once, and each
// puts a whole file into place.
func lockFile(string) (unlock func(), locked bool) { return func() {}, false }
