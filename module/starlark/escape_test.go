package starlark

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/module"
)

// TestEscapes is what code might try to get out, or to take down what runs it. All of it
// ends in a typed error, and the interpreter works as before.
func TestEscapes(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, tt := range []struct {
		name, code string
		kind       module.InterpreterErrorKind
		limit      module.CodeLimit
		opts       []Option
	}{
		{"load", `load("//lib.star", "x")`, module.ErrCodeForbidden, "", nil},
		{"load a path", `load("/etc/passwd", "root")`, module.ErrCodeForbidden, "", nil},
		{"load later", "print(1)\nif True:\n  load('a.star', 'x')", module.ErrCodeForbidden, "", nil},
		{"import", "import os\nos.system('true')", module.ErrCodeForbidden, "", nil},
		{"from import", "from os import environ", module.ErrCodeForbidden, "", nil},
		{"__import__", "__import__('os')", module.ErrCodeForbidden, "", nil},
		{"read a file", "SUBMIT(open('/etc/passwd').read())", module.ErrCodeForbidden, "", nil},
		{"write a file", "open('/tmp/x', 'w').write('x')", module.ErrCodeForbidden, "", nil},
		{"process", "subprocess.run(['true'])", module.ErrCodeForbidden, "", nil},
		{"fork", "while True:\n  os.fork()", module.ErrCodeForbidden, "", nil},
		{"network", "socket.socket()", module.ErrCodeForbidden, "", nil},
		{"eval", "eval('1')", module.ErrCodeForbidden, "", nil},
		{"environment", "print(os.environ)", module.ErrCodeForbidden, "", nil},
		{"attributes", "getattr(len, '__globals__')", module.ErrCodeRuntime, "", nil},
		{"class of a value", "().__class__", module.ErrCodeRuntime, "", nil},
		{"module members", "json.os", module.ErrCodeRuntime, "", nil},
		{"changing a builtin", "math.pi = 3", module.ErrCodeRuntime, "", nil},

		{"endless while", "while True:\n  pass", module.ErrCodeLimit, module.LimitSteps, []Option{MaxSteps(100_000)}},
		{"endless for", "for x in range(1 << 40):\n  pass", module.ErrCodeLimit, module.LimitSteps, []Option{MaxSteps(100_000)}},
		{"endless time", "while True:\n  pass", module.ErrCodeLimit, module.LimitTime, []Option{Timeout(30 * time.Millisecond), MaxSteps(1 << 60)}},
		{"endless sum", "sum(range(1 << 40))", module.ErrCodeLimit, module.LimitSteps, []Option{MaxSteps(100_000)}},
		{"endless sum, time", "sum(range(1 << 40))", module.ErrCodeLimit, module.LimitTime, []Option{Timeout(30 * time.Millisecond), MaxSteps(1 << 60)}},
		{"endless builtin", "max(range(1 << 40))", module.ErrCodeLimit, module.LimitTime, []Option{Timeout(30 * time.Millisecond)}},

		{"list doubling", "x = [1]\nwhile True:\n  x = x + x", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"string doubling", "x = 'a'\nwhile True:\n  x = x + x", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"dictionary", "d = {}\nwhile True:\n  d[len(d)] = 'x' * 100", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"closures", "f = lambda: 0\nfs = []\nwhile True:\n  fs.append(lambda y=[1] * 1000: f)", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"a list of all", "list(range(1 << 40))", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"one huge text", "x = 'a' * ((1 << 30) - 1)", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"one huge list", "x = [0] * ((1 << 30) - 1)", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(32 * mib)}},
		{"more than there is", `x = "a" * 10000000000`, module.ErrCodeRuntime, "", nil},
		{"shift", "x = 1 << (1 << 30)", module.ErrCodeRuntime, "", nil},
		{"deep value", "x = []\nwhile True:\n  x = [x]", module.ErrCodeLimit, module.LimitMemory, []Option{MaxMemory(16 * mib)}},

		{"deep recursion", "def f(n):\n  return f(n + 1) + 1\nf(0)", module.ErrCodeLimit, module.LimitDepth, nil},
		{"mutual recursion", "def f(n):\n  return g(n) + 1\ndef g(n):\n  return f(n) + 1\nf(0)", module.ErrCodeLimit, module.LimitDepth, nil},
		{"brackets", "x = " + strings.Repeat("(", 400_000) + strings.Repeat(")", 400_000), module.ErrCodeLimit, module.LimitDepth, nil},
		{"lists", "x = " + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), module.ErrCodeLimit, module.LimitDepth, nil},
		{"signs", "x = " + strings.Repeat("-", 1_000_000) + "1", module.ErrCodeLimit, module.LimitDepth, nil},
		{"sums", "x = 1" + strings.Repeat("+1", 500_000), module.ErrCodeLimit, module.LimitDepth, nil},
		{"calls", "x = int" + strings.Repeat("()", 500_000), module.ErrCodeLimit, module.LimitDepth, nil},
		{"blocks", deepBlocks(1000), module.ErrCodeLimit, module.LimitDepth, nil},
		{"text of a deep value", "x = []\nfor i in range(30000):\n  x = [x]\nstr(x)", module.ErrCodeLimit, module.LimitDepth, []Option{MaxMemory(8 * mib)}},
		{"deep JSON", "json.decode('[' * 3000000)", module.ErrCodeLimit, module.LimitDepth, nil},

		{"print flood", "while True:\n  print('x' * 100)", module.ErrCodeLimit, module.LimitOutput, nil},
		{"one long line", "print('x' * 100000)", module.ErrCodeLimit, module.LimitOutput, nil},
		{"large result", "SUBMIT('x' * 100000)", module.ErrCodeLimit, module.LimitOutput, nil},
		{"wide result", "x = [1] * 1000\ny = [x] * 1000\nSUBMIT([y] * 1000)", module.ErrCodeLimit, module.LimitOutput, nil},
		{"large integer", "SUBMIT(pow(7, 1000000))", module.ErrCodeLimit, module.LimitOutput, nil},
		{"long code", strings.Repeat("x = 1\n", 200_000), module.ErrCodeLimit, module.LimitSource, nil},
		{"control characters", "x = 1\n\x01\xff", module.ErrCodeSyntax, "", nil},
		{"an end before the end", "x = 1\n\x00\nfail()", module.ErrCodeSyntax, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS != "linux" && strings.HasPrefix(tt.name, "one huge") {
				t.Skip("only Linux bounds the memory before it is there")
			}
			i := open(t, tt.opts...)
			fault := wantFault(t, i, tt.code, tt.kind, tt.limit)
			if fault.Message == "" || strings.Contains(fault.Message, "goroutine") || len(fault.Output) > defaults().output {
				t.Errorf("message %q, %d bytes printed", fault.Message, len(fault.Output))
			}
			if tt.name == "print flood" && !strings.HasPrefix(fault.Output, "xxxx") {
				t.Errorf("printed %.20q", fault.Output)
			}
			alive(t, i)
		})
	}
}

// TestNumbersGrow multiplies until time or memory ends it: neither can be interrupted.
func TestNumbersGrow(t *testing.T) {
	t.Parallel()
	i := open(t, Timeout(100*time.Millisecond), MaxMemory(16<<20))
	_, err := run1(t, i, "x = 7\nwhile True:\n  x = x * x")
	fault := &module.InterpreterError{}
	if !asFault(err, &fault) || fault.Limit != module.LimitTime && fault.Limit != module.LimitMemory {
		t.Errorf("%v, want a limit of time or memory", err)
	}
}

// TestGarbageIsFree allocates far more than the limit, and holds little.
func TestGarbageIsFree(t *testing.T) {
	t.Parallel()
	i := open(t, MaxMemory(16<<20))
	got, err := run1(t, i, "n = 0\nfor i in range(2000):\n  x = 'a' * 100000\n  n += len(x)\nSUBMIT(n)")
	if err != nil || got.Value != int64(200_000_000) {
		t.Errorf("%+v, %v", got, err)
	}
}

// deepBlocks is code with blocks within each other.
func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if True:\n")
	}
	return b.String() + strings.Repeat(" ", n) + "pass\n"
}
