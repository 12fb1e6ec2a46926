package starlark

import (
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whetgo/whet/module"
)

// marker is the environment variable that makes a child of a process.
const marker = "WHET_STARLARK_CHILD"

// hooked says that this process calls Child, so that it can be its own child. It is a fact
// about the process, not a setting.
var hooked atomic.Bool

// Exit codes of a child that has no outcome to give.
const (
	exitProtocol = 3 // the parent wrote what is no program
	exitOrphan   = 4 // the parent has gone
)

// Child makes a child process of this process when an [Interpreter] started it: it runs
// the code that it is sent, and ends the process. Otherwise it returns at once. It
// belongs at the very beginning of main, before flags are read and files are opened, and
// of TestMain in tests.
func Child() {
	if os.Getenv(marker) == "" {
		hooked.Store(true)
		return
	}
	os.Clearenv()
	os.Exit(serve(os.Stdin, os.Stdout)) //nolint:forbidigo // a child process is nothing but this
}

// serve is a child's whole life; it returns the exit code.
func serve(in io.Reader, out io.Writer) int {
	var l limits
	if err := readFrame(in, 1<<12, &l); err != nil {
		return exitProtocol
	}
	c := &child{limits: l, out: out, exit: os.Exit} //nolint:forbidigo // a child process is nothing but this
	if err := c.bound(); err != nil {
		return exitProtocol
	}
	if _, err := io.WriteString(out, greeting); err != nil {
		return exitOrphan
	}
	// The watch begins before the program is read: its inputs count.
	go c.watch()
	var p program
	if err := readFrame(in, math.MaxUint32, &p); err != nil {
		return exitProtocol
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // ends with the parent
		c.exit(exitOrphan)
	}()
	c.finish(c.run(p))
	return 0
}

// child is what runs in a child process.
type child struct {
	limits limits
	out    io.Writer
	exit   func(int)
	// base is the heap before the code.
	base uint64

	printed output
	once    sync.Once
}

// bound sets the limits of the process.
func (c *child) bound() error {
	runtime.GOMAXPROCS(2) // one for the code, one for who watches it
	runtime.GC()
	c.base = heap()
	stack := min(64<<20, c.limits.Memory/2)
	if ^uint(0)>>32 == 0 {
		stack = min(stack, 16<<20)
	}
	debug.SetMaxStack(int(stack))
	debug.SetMemoryLimit(int64(mapped()) + c.limits.Memory)
	return boundProcess(c.limits)
}

// finish tells the parent the outcome, unless it knows one already.
func (c *child) finish(o outcome) {
	c.once.Do(func() {
		if err := writeFrame(c.out, o); err != nil {
			c.exit(exitOrphan)
		}
		c.exit(0)
	})
}

// watchEvery is how often the memory is looked at.
const watchEvery = 5 * time.Millisecond

// watch ends the process when the code holds too much memory. What is not held any
// more may be there still, so it is collected before that is said.
func (c *child) watch() {
	over := func() bool {
		h := heap()
		return h > c.base && h-c.base > uint64(c.limits.Memory)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for range tick.C {
		if !over() {
			continue
		}
		if runtime.GC(); over() {
			c.finish(outcome{Output: c.printed.text(), Fault: limitFault(module.LimitMemory, c.limits)})
		}
	}
}

func heap() uint64 { return metric("/memory/classes/heap/objects:bytes") }

// mapped is what the memory limit of the runtime counts.
func mapped() uint64 {
	return metric("/memory/classes/total:bytes") - metric("/memory/classes/heap/released:bytes")
}

func metric(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}
