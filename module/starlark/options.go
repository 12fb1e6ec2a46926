package starlark

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// maxSource is how long code may be, in bytes.
const maxSource = 1 << 20

// ErrNoChild is returned by [New] where nothing says how a child process is started.
var ErrNoChild = errors.New("starlark: nothing says how a child process is started: call starlark.Child() first thing in main (in tests in TestMain), or name the program whet-starlark with starlark.Command")

// Option configures an [Interpreter].
type Option func(*options)

type options struct {
	command     string
	steps       int64
	timeout     time.Duration
	memory      int64
	output      int
	concurrency int
}

// Command names the program to run as child process: the path of whet-starlark, which
// `go install github.com/whetgo/whet/module/starlark/cmd/whet-starlark@latest` makes, of
// the version of this package. It is looked up in PATH where it has no slash. The default
// is the program itself: see [Child].
func Command(path string) Option { return func(o *options) { o.command = path } }

// MaxSteps bounds the steps of the interpreter; the default is 50,000,000, some seconds.
func MaxSteps(n int64) Option { return func(o *options) { o.steps = n } }

// Timeout bounds how long the code may run, from a millisecond; the default is 5 s.
// Starting the child does not count.
func Timeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// MaxMemory bounds, in bytes, what the code holds at once, from 1 MiB; the default is
// 128 MiB. What the process needs itself does not count.
func MaxMemory(bytes int64) Option { return func(o *options) { o.memory = bytes } }

// MaxOutput bounds, in bytes, what the code prints, and also what it hands over as its
// result; the default is 32 KiB, about 10,000 tokens.
func MaxOutput(bytes int) Option { return func(o *options) { o.output = bytes } }

// Concurrency bounds how many children run at once; the default is GOMAXPROCS.
func Concurrency(n int) Option { return func(o *options) { o.concurrency = n } }

func (o *options) check() error {
	wrong := func(name string, got, want any) error {
		return fmt.Errorf("starlark: %s(%v): want %v", name, got, want)
	}
	switch {
	case o.steps < 1:
		return wrong("MaxSteps", o.steps, "1 or more")
	case o.timeout < time.Millisecond || o.timeout > time.Hour:
		return wrong("Timeout", o.timeout, "1 ms to 1 h")
	case o.memory < 1<<20 || o.memory > 1<<40:
		return wrong("MaxMemory", o.memory, "1 MiB to 1 TiB, in bytes")
	case o.output < 1 || o.output > 1<<28:
		return wrong("MaxOutput", o.output, "1 byte to 256 MiB, in bytes")
	case o.concurrency < 1:
		return wrong("Concurrency", o.concurrency, "1 or more")
	}
	return nil
}

func defaults() options {
	return options{
		steps: 50_000_000, timeout: 5 * time.Second, memory: 128 << 20, output: 32 << 10,
		concurrency: runtime.GOMAXPROCS(0),
	}
}
