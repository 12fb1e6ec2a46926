package starlark

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/resolve"
	star "go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/whetgo/whet/module"
)

// errLoad is the answer to load.
var errLoad = errors.New("load is not allowed: json, math, sum, round and pow are there without it, and there is nothing else")

// errNUL is code that the interpreter would take for its end.
var errNUL = errors.New("the code has a NUL byte")

// fault says what was wrong with the code.
func (r *run) fault(err error) *fault {
	if limit := r.stopped.Load(); limit != nil {
		return limitFault(*limit, r.child.limits)
	}
	var limit limitError
	var eval *star.EvalError
	var syntaxError syntax.Error
	var names resolve.ErrorList
	switch {
	case errors.As(err, &limit):
		return limitFault(module.CodeLimit(limit), r.child.limits)
	case errors.Is(err, errNUL):
		return &fault{Kind: module.ErrCodeSyntax, Message: errNUL.Error()}
	case errors.As(err, &syntaxError) && strings.Contains(syntaxError.Msg, "excessive nesting"):
		return limitFault(module.LimitDepth, r.child.limits)
	case errors.As(err, &eval):
		return evalFault(eval)
	case errors.As(err, &syntaxError):
		return syntaxFault(syntaxError)
	case errors.As(err, &names) && len(names) > 0:
		return namesFault(names)
	}
	return &fault{Kind: module.ErrCodeRuntime, Message: short(err.Error())}
}

func limitFault(limit module.CodeLimit, l limits) *fault {
	return &fault{Kind: module.ErrCodeLimit, Limit: limit, Message: limitMessage(limit, l)}
}

// limitMessage tells the model what limit its code met.
func limitMessage(limit module.CodeLimit, l limits) string {
	switch limit {
	case module.LimitSteps:
		return fmt.Sprintf("the code took more than %d steps; it may be endless, or there is a faster way", l.Steps)
	case module.LimitTime:
		return fmt.Sprintf("the code ran longer than %v; it may be endless, or there is a faster way", time.Duration(l.TimeoutMS)*time.Millisecond)
	case module.LimitMemory:
		return fmt.Sprintf("the code held more than %d MiB at once", l.Memory>>20)
	case module.LimitDepth:
		return "calls, values or brackets were nested too deep; an endless recursion, or use a loop"
	case module.LimitOutput:
		return fmt.Sprintf("the code printed or handed over more than %d bytes", l.Output)
	case module.LimitSource:
		return fmt.Sprintf("the code is longer than %d bytes", maxSource)
	}
	return "a limit was met: " + string(limit)
}

// evalFault names the line of the code that failed, and who called it.
func evalFault(e *star.EvalError) *fault {
	f := &fault{Kind: module.ErrCodeRuntime, Message: short(e.Msg)}
	if errors.Is(e, errLoad) {
		f.Kind, f.Message = module.ErrCodeForbidden, errLoad.Error()
	}
	in := ""
	for i := range e.CallStack {
		at := e.CallStack.At(i)
		switch {
		case at.Pos.Filename() != filename:
			continue // a builtin
		case f.Line == 0:
			f.Line, f.Column, in = int(at.Pos.Line), int(at.Pos.Col), at.Name
		default:
			f.Message += fmt.Sprintf(" (in %s, called in line %d)", in, at.Pos.Line)
			return f
		}
	}
	return f
}

// hints tell a model that writes Python what to write instead, by what the error says.
var hints = []struct{ problem, hint string }{
	{"'**'", "there is no operator **; use pow(x, y)"},
	{"got string literal", "there are no f-strings; use \"{}\".format(x) or \"%d\" % x"},
	{"got try", "there are no exceptions; test what could fail beforehand"},
	{"got except", "there are no exceptions; test what could fail beforehand"},
	{"got raise", "there are no exceptions; fail(text) ends the code"},
	{"got class", "there are no classes; use functions and dictionaries"},
	{"got with", "there is no with"},
	{"got yield", "there are no generators; return a list"},
	{"got global", "there is no global; functions cannot set outer variables, but can change a list or dictionary"},
	{"got nonlocal", "there is no nonlocal; functions cannot set outer variables, but can change a list or dictionary"},
	{"got is", "there is no is; use =="},
	{"got del", "there is no del; use pop"},
	{"got async", "there is no async"},
	{"undefined: isinstance", "use type(x) == \"int\""},
	{"undefined: map", "use a list comprehension"},
	{"undefined: filter", "use a list comprehension"},
	{"undefined: divmod", "use x // y and x % y"},
	{"undefined: iter", "use a for loop"},
	{"undefined: next", "use a for loop"},
}

func hint(problem string) string {
	for _, h := range hints {
		if strings.Contains(problem, h.problem) {
			return problem + ": " + h.hint
		}
	}
	return problem
}

func syntaxFault(e syntax.Error) *fault {
	f := &fault{Kind: module.ErrCodeSyntax, Message: short(hint(e.Msg)), Line: int(e.Pos.Line), Column: int(e.Pos.Col)}
	if strings.Contains(e.Msg, "got import") || strings.Contains(e.Msg, "got from") {
		f.Kind, f.Message = module.ErrCodeForbidden, "import is not allowed: json, math, sum, round and pow are there without it, and there is nothing else"
	}
	return f
}

// outside are names of Python that reach out of the code.
var outside = []string{
	"open", "exec", "eval", "compile", "input", "globals", "locals", "vars", "breakpoint",
	"__import__", "__builtins__", "__loader__", "importlib", "os", "sys", "io", "subprocess",
	"socket", "shutil", "pathlib", "glob", "ctypes", "signal", "threading", "multiprocessing",
	"requests", "urllib", "http",
}

// namesFault tells all names that are not there, up to five.
func namesFault(list resolve.ErrorList) *fault {
	f := &fault{Kind: module.ErrCodeSyntax, Line: int(list[0].Pos.Line), Column: int(list[0].Pos.Col)}
	var problems []string
	for i, e := range list {
		problem := hint(e.Msg)
		if strings.Contains(e.Msg, "load statement") {
			f.Kind, problem = module.ErrCodeForbidden, errLoad.Error()
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(e.Msg, "undefined: "), " ")
		if slices.Contains(outside, name) {
			f.Kind = module.ErrCodeForbidden
			problem = e.Msg + ": the code has no files, processes or network"
		}
		if i > 0 {
			problem = fmt.Sprintf("line %d: %s", e.Pos.Line, problem)
		}
		if len(problems) < 5 && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	f.Message = short(strings.Join(problems, "\n"))
	return f
}

// maxMessage bounds, in bytes, what an error says: code can make it as long as it likes.
const maxMessage = 1000

func short(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
