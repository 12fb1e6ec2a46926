package starlark

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/whetgo/whet/module"
)

// process is one child and its code.
type process struct {
	interpreter *Interpreter
	program     program
	cmd         *exec.Cmd
	stderr      head
	// begun says that the child set its limits; all after that is the code's doing.
	begun bool
}

// Causes for which a child is killed.
var (
	errDone  = errors.New("done")
	errLate  = errors.New("the time was up")
	errStart = fmt.Errorf("it did not begin within %v", startWithin)
)

// run starts a child, has it run the program, and waits for its end.
func (p *process) run(ctx context.Context) (*outcome, error) {
	// The death of the thread that started a child kills the child on Linux, so the thread is
	// kept until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	alive, kill := context.WithCancelCause(ctx)
	defer kill(errDone)
	p.cmd = exec.CommandContext(alive, p.interpreter.path)
	p.cmd.Args = []string{"whet-starlark"}
	p.cmd.Env = []string{marker + "=1"}
	p.cmd.Dir = string(filepath.Separator)
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = killAfter
	detach(p.cmd)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, p.noChild(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, p.noChild(err)
	}
	if err := p.cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, p.noChild(err)
	}

	var tasks sync.WaitGroup
	tasks.Go(func() {
		// An error is seen by its consequence: the child ends without an outcome.
		if writeFrame(stdin, p.interpreter.limits()) == nil {
			_ = writeFrame(stdin, p.program)
		}
		<-alive.Done() // the child ends when its input does
	})
	var got *outcome
	var fault error
	timer := time.AfterFunc(startWithin, func() { kill(errStart) })
	tasks.Go(func() {
		got, fault = p.read(stdout, func() {
			timer.Stop()
			timer = time.AfterFunc(p.interpreter.options.timeout+killAfter, func() { kill(errLate) })
		})
		timer.Stop()
		kill(errDone) // whatever it says: nothing more is wanted of it
	})
	<-alive.Done()
	// A grandchild, which only a wrong Command can have, does not keep us.
	_, _ = stdin.Close(), stdout.Close()
	tasks.Wait()
	_ = p.cmd.Wait()
	return p.judge(ctx, got, fault, context.Cause(alive))
}

// read reads what the child writes.
func (p *process) read(r io.Reader, begin func()) (*outcome, error) {
	hello := make([]byte, len(greeting))
	if _, err := io.ReadFull(r, hello); err != nil {
		return nil, err
	}
	if string(hello) != greeting {
		return nil, fmt.Errorf("it answered %q; is it whet-starlark, of the version of this package?", hello)
	}
	p.begun = true
	begin()
	// JSON writes a byte as six at most, and there are two texts and a message.
	limit := 12*int64(p.interpreter.options.output) + 1<<16
	var o outcome
	if err := readFrame(r, limit, &o); err != nil {
		return nil, err
	}
	return &o, nil
}

// judge says what came of it all.
func (p *process) judge(ctx context.Context, got *outcome, fault, cause error) (*outcome, error) {
	switch {
	case got != nil:
		return got, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(cause, errLate):
		return nil, p.interpreter.limit(module.LimitTime)
	case errors.Is(cause, errStart):
		return nil, p.noChild(errStart)
	case !p.begun:
		if errors.Is(fault, io.EOF) || errors.Is(fault, io.ErrUnexpectedEOF) {
			fault = errors.New("it ended without a word; does it call starlark.Child first thing in main? " + p.cmd.ProcessState.String())
		}
		return nil, p.noChild(fault)
	case errors.Is(fault, io.EOF) || errors.Is(fault, io.ErrUnexpectedEOF):
		return nil, p.interpreter.died(p.cmd.ProcessState, p.stderr.String())
	}
	return nil, &module.InterpreterError{Language: language, Kind: module.ErrCodeCrashed, Message: "the interpreter answered what cannot be read", Err: fault}
}

func (p *process) noChild(err error) error {
	return &ChildError{Path: p.interpreter.path, Stderr: p.stderr.String(), Err: err}
}

// head keeps the beginning of what is written to it, and takes the rest, too.
type head struct {
	mu   sync.Mutex
	data []byte
}

const headSize = 4 << 10

func (h *head) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.data = append(h.data, b[:min(len(b), headSize-len(h.data))]...)
	return len(b), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.data)
}
