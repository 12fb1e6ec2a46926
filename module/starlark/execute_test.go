package starlark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

func TestExecute(t *testing.T) {
	t.Parallel()
	i := open(t)
	for _, tt := range []struct{ name, code, output, value string }{
		{"print", "print(1, 'a', [2.5])", "1 a [2.5]\n", ""},
		{"nothing", "x = 1", "", ""},
		{"submit", "print('so')\nSUBMIT(1)\nprint('never')", "so\n", "1"},
		{"submit named", "SUBMIT(b=2, a=None)", "", `{"b":2,"a":null}`},
		{"submit in a function", "def f():\n  SUBMIT([True])\n  fail('no')\nf()", "", "[true]"},
		{"types", `SUBMIT({"t": (1, 2), "s": set([3]), "f": 1.0, "d": {}, "b": False, "text": "ä\n"})`, "", `{"t":[1,2],"s":[3],"f":1.0,"d":{},"b":false,"text":"ä\n"}`},
		{"keys", `SUBMIT({1: "a", None: 2, True: 3})`, "", `{"1":"a","null":2,"true":3}`},
		{"big integer", "SUBMIT([1 << 62, 1 << 64])", "", `[4611686018427387904,"18446744073709551616"]`},
		{"range", "SUBMIT(range(3))", "", "[0,1,2]"},
		{"top level", "x = 0\nwhile x < 3:\n  x += 1\nfor i in range(2):\n  x = x + i\nif x == 4:\n  SUBMIT(x)", "", "4"},
		{"recursion", "def fib(n):\n  return n if n < 2 else fib(n-1) + fib(n-2)\nSUBMIT(fib(15))", "", "610"},
		{"sum", "SUBMIT([sum([1, 2.5]), sum([[1], [2]], []), sum(range(4), 10)])", "", "[3.5,[1,2],16]"},
		{"pow", "SUBMIT([pow(2, 10), pow(3, -1), pow(2.0, 3), pow(7, 100, 13), pow(0, 0)])", "", "[1024,0.3333333333333333,8.0,9,1]"},
		{"round", "SUBMIT([round(2.5), round(3.5), round(2.675, 2), round(7), round(-0.5), round(5, 2), round(1.005, None)])", "", "[2,4,2.67,7,0,5,1]"},
		{"math", "SUBMIT([math.sqrt(16), math.floor(2.7)])", "", "[4.0,2]"},
		{"inputs set again", "text = text + '!'\nif n:\n  n = [x for x in n if x > 1]\nsum = sum(n)\nSUBMIT([text, n, sum])", "", `["ä!",[2],2]`},
		{"json", `SUBMIT(json.decode('{"a": [1, 2]}')["a"][1])`, "", "2"},
		{"inputs", "n.append(4)\nSUBMIT([n, text, inputs['from'], inputs['n'], rec['k']])", "", `[[1,2,4],"ä","me",[1,2],null]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := run1(t, i, tt.code, "n", []signature.Value{int64(1), int64(2)}, "text", "ä", "from", "me", "rec", signature.RecordOf("k", nil))
			if err != nil {
				t.Fatal(err)
			}
			value := ""
			if got.HasValue {
				text, err := signature.MarshalValue(got.Value)
				if err != nil {
					t.Fatal(err)
				}
				value = string(text)
			}
			if got.Output != tt.output || value != tt.value {
				t.Errorf("printed %q, value %s; want %q, %s", got.Output, value, tt.output, tt.value)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	i := open(t)
	for _, tt := range []struct {
		name, code, message string
		kind                module.InterpreterErrorKind
		line                int
	}{
		{"syntax", "x = 1\ny = = 2", "got '='", module.ErrCodeSyntax, 2},
		{"indentation", "def f():\nreturn 1", "want indent", module.ErrCodeSyntax, 2},
		{"name", "x = 1\nSUBMIT(y + z)", "undefined: y\nline 2: undefined: z", module.ErrCodeSyntax, 2},
		{"power operator", "x = 2 ** 3", "use pow", module.ErrCodeSyntax, 1},
		{"f-string", "x = f'{1}'", "no f-strings", module.ErrCodeSyntax, 1},
		{"try", "try:\n  x = 1\nexcept:\n  pass", "no exceptions", module.ErrCodeSyntax, 1},
		{"class", "class A:\n  pass", "no classes", module.ErrCodeSyntax, 1},
		{"division", "print('a')\nx = 1 // 0", "division by zero", module.ErrCodeRuntime, 2},
		{"in a function", "def f(x):\n  return x[3]\n\nf([1])", "list index 3 out of range [-1:0] (in f, called in line 4)", module.ErrCodeRuntime, 2},
		{"in a builtin", "x = [1]\nx.remove(2)", "not found", module.ErrCodeRuntime, 2},
		{"fail", "fail('my words')", "my words", module.ErrCodeRuntime, 1},
		{"a long failure", "fail('x' * 100000)", "...", module.ErrCodeRuntime, 1},
		{"types", "x = 'a' + 1", "string + int", module.ErrCodeRuntime, 1},
		{"sum of texts", "sum(['a'])", "int + string", module.ErrCodeRuntime, 1},
		{"large power", "pow(10, 10000000)", "too large", module.ErrCodeRuntime, 1},
		{"submit nothing", "SUBMIT()", "want one value", module.ErrCodeRuntime, 1},
		{"submit a function", "SUBMIT(len)", "no result", module.ErrCodeRuntime, 0},
		{"submit infinity", "SUBMIT(float('inf'))", "no finite number", module.ErrCodeRuntime, 0},
		{"submit itself", "x = []\nx.append(x)\nSUBMIT(x)", "holds itself", module.ErrCodeRuntime, 0},
		{"submit two keys", "SUBMIT({1: 2, '1': 3})", "two keys", module.ErrCodeRuntime, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fault := wantFault(t, i, tt.code, tt.kind, "")
			if !strings.Contains(fault.Message, tt.message) || fault.Line != tt.line || len(fault.Message) > maxMessage+100 {
				t.Errorf("line %d: %s; want line %d: %s", fault.Line, fault.Message, tt.line, tt.message)
			}
			if tt.name == "division" && fault.Output != "a\n" {
				t.Errorf("printed %q before", fault.Output)
			}
		})
	}
}

func TestFreshState(t *testing.T) {
	t.Parallel()
	i := open(t)
	if _, err := run1(t, i, "left = 1\nmath_e = math.e\nlist_of = [left]"); err != nil {
		t.Fatal(err)
	}
	fault := wantFault(t, i, "SUBMIT(left)", module.ErrCodeSyntax, "")
	if !strings.Contains(fault.Message, "undefined: left") {
		t.Error(fault)
	}
}

func TestConcurrently(t *testing.T) {
	t.Parallel()
	i := open(t)
	var wg sync.WaitGroup
	for n := range 24 { // eight at once
		wg.Go(func() {
			if n%6 == 5 {
				var fault *module.InterpreterError
				_, err := i.Execute(t.Context(), "fail(str(n))", signature.RecordOf("n", n))
				if !errors.As(err, &fault) || fault.Message != fmt.Sprintf("fail: %d", n) {
					t.Errorf("%d: %v", n, err)
				}
				return
			}
			got, err := i.Execute(t.Context(), "print(n)\nSUBMIT(n * n)", signature.RecordOf("n", n))
			if err != nil || got.Value != int64(n*n) || got.Output != fmt.Sprintln(n) {
				t.Errorf("%d: %+v, %v", n, got, err)
			}
		})
	}
	wg.Wait()
}

func TestConcurrencyWaits(t *testing.T) {
	t.Parallel()
	i := open(t, Concurrency(1))
	i.running <- struct{}{} // taken
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []context.Context{ctx, expired(t)} {
		if _, err := i.Execute(c, "x = 1", signature.Record{}); !errors.Is(err, c.Err()) || err == nil {
			t.Errorf("%v, want %v", err, c.Err())
		}
	}
	<-i.running
	alive(t, i)
}

// expired returns a context that ends in a moment.
func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		opt  Option
		want string
	}{
		{MaxSteps(0), "MaxSteps(0): want 1"},
		{Timeout(0), "Timeout(0s): want 1 ms"},
		{MaxMemory(1), "MaxMemory(1): want 1 MiB"},
		{MaxOutput(-1), "MaxOutput(-1)"},
		{Concurrency(0), "Concurrency(0)"},
		{Command("/no/such/program"), "Command:"},
		{nil, "an option is nil"},
	} {
		if _, err := New(tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must did not panic")
		}
	}()
	Must(MaxSteps(-1))
}

// TestNoChild is not parallel: it takes back what TestMain said.
func TestNoChild(t *testing.T) {
	hooked.Store(false)
	defer hooked.Store(true)
	if _, err := New(); !errors.Is(err, ErrNoChild) {
		t.Errorf("%v, want ErrNoChild", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	i, err := New(Command(self), Concurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	alive(t, i)
}
