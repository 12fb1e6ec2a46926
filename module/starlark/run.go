package starlark

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	star "go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// filename stands for the code in positions.
const filename = "code"

// dialect is Starlark with what models expect of Python. All of it ends by the limits.
var dialect = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// errSubmitted ends the code that has handed its result over.
var errSubmitted = errors.New("submitted")

// run is the code at work.
type run struct {
	child  *child
	thread *star.Thread
	// stopped is the limit that was met first; nil for none.
	stopped atomic.Pointer[module.CodeLimit]
	value   star.Value // what was submitted, or nil
}

// run runs a program to its end.
func (c *child) run(p program) outcome {
	r := &run{child: c}
	r.thread = &star.Thread{
		Name:       filename,
		Print:      func(_ *star.Thread, text string) { r.print(text) },
		Load:       func(*star.Thread, string) (star.StringDict, error) { return nil, errLoad },
		OnMaxSteps: func(*star.Thread) { r.stop(module.LimitSteps) },
	}
	r.thread.SetMaxExecutionSteps(uint64(c.limits.Steps))
	timer := time.AfterFunc(time.Duration(c.limits.TimeoutMS)*time.Millisecond, func() { r.stop(module.LimitTime) })
	defer timer.Stop()
	o, err := r.execute(p)
	o.Output = c.printed.text()
	if err != nil {
		o = outcome{Output: o.Output, Fault: r.fault(err)}
	}
	return o
}

func (r *run) execute(p program) (outcome, error) {
	names, err := r.predeclared(p)
	if err != nil {
		return outcome{}, err
	}
	if strings.Contains(p.Source, "\x00") {
		return outcome{}, errNUL
	}
	file, err := dialect.Parse(filename, p.Source, 0)
	if err != nil {
		return outcome{}, err
	}
	// A chunk, whose names are variables: a file could not read an input and set it again.
	if err := star.ExecREPLChunk(file, r.thread, names); err != nil && !errors.Is(err, errSubmitted) {
		return outcome{}, err
	}
	if r.value == nil {
		return outcome{}, nil
	}
	text, err := writeValue(r.value, r.child.limits.Output)
	if err != nil {
		return outcome{}, err
	}
	return outcome{HasValue: true, Value: text}, nil
}

// predeclared are the names that the code finds.
func (r *run) predeclared(p program) (star.StringDict, error) {
	in, err := signature.ParseRecord(p.Inputs)
	if err != nil {
		return nil, err
	}
	names := star.StringDict{
		"json": json.Module,
		"math": math.Module,
		"pow":  star.NewBuiltin("pow", r.pow),
		"round": star.NewBuiltin("round", func(_ *star.Thread, b *star.Builtin, args star.Tuple, kwargs []star.Tuple) (star.Value, error) {
			return round(b, args, kwargs)
		}),
		"sum": star.NewBuiltin("sum", r.sum),
	}
	all := star.NewDict(in.Len())
	for name, v := range in.All() {
		names[name] = readValue(v)
		// A value of its own, so that changing one does not change the other.
		if err := all.SetKey(star.String(name), readValue(v)); err != nil {
			return nil, err
		}
	}
	names["inputs"] = all
	names["SUBMIT"] = star.NewBuiltin("SUBMIT", r.submit)
	return names, nil
}

// stop ends the code at its next step.
func (r *run) stop(limit module.CodeLimit) {
	if r.stopped.CompareAndSwap(nil, &limit) {
		r.thread.Cancel(string(limit))
	}
}

func (r *run) print(text string) {
	if !r.child.printed.add(text, r.child.limits.Output) {
		r.stop(module.LimitOutput)
	}
}

// output is what the code printed.
type output struct {
	mu   sync.Mutex
	data []byte
}

// add adds a line, and reports whether it fitted.
func (o *output) add(line string, limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := limit - len(o.data)
	if len(line)+1 > room {
		o.data = append(o.data, line[:min(len(line), room)]...)
		return false
	}
	o.data = append(append(o.data, line...), '\n')
	return true
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}
