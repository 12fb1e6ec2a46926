package module

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// crash is how a program ended its goroutine before it returned. Where that is one of
// ours, the crash is raised again in the caller's, once all others have ended: so a panic
// of a member is the caller's to recover from, as it is where the program is called
// directly.
type crash struct {
	value any // of the panic; nil after runtime.Goexit
	stack []byte
}

// watch calls f, and tells caught how it ended where it did not return.
func watch(caught func(*crash), f func()) {
	returned := false
	defer func() {
		if !returned {
			caught(&crash{recover(), debug.Stack()})
		}
	}()
	f()
	returned = true
}

// raise does again what the program did; it does nothing where c is nil.
func (c *crash) raise() {
	switch {
	case c == nil:
		return
	case c.value == nil:
		runtime.Goexit()
	}
	panic(c)
}

// Error returns what the program panicked with, and where.
func (c *crash) Error() string { return fmt.Sprintf("%v\n\nfirst in:\n%s", c.value, c.stack) }

// Unwrap returns what the program panicked with, where that is an error.
func (c *crash) Unwrap() error {
	err, _ := c.value.(error)
	return err
}
