package starlark

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

func asFault(err error, fault **module.InterpreterError) bool { return errors.As(err, fault) }

const endless = "while True:\n  pass"

// TestCancel ends the context while code runs.
func TestCancel(t *testing.T) {
	t.Parallel()
	i := open(t, MaxSteps(1<<60))
	_, err := i.Execute(expired(t), endless, signature.Record{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
	var fault *module.InterpreterError
	if asFault(err, &fault) {
		t.Errorf("%v blames the code", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Execute(ctx, "x = 1", signature.Record{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	alive(t, i)
}

// TestChildHasNothing looks at the process itself, as code has no way to.
func TestChildHasNothing(t *testing.T) {
	t.Setenv("WHET_CANARY", "sings") // not parallel
	cmd := childProcess(t)
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	proc := filepath.Join("/proc", cmd.pid())
	env, err := os.ReadFile(filepath.Join(proc, "environ"))
	if err != nil || string(env) != marker+"=1\x00" {
		t.Errorf("environment %q, %v", env, err)
	}
	if dir, err := os.Readlink(filepath.Join(proc, "cwd")); err != nil || dir != "/" {
		t.Errorf("directory %q, %v", dir, err)
	}
	have, err := os.ReadFile(filepath.Join(proc, "limits"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Max open files            0 ", "Max file size             0 ", "Max core file size        0 "} {
		if !bytes.Contains(have, []byte(want)) {
			t.Errorf("no %q in\n%s", want, have)
		}
	}
}

// TestOrphan closes the pipe as the death of a parent does.
func TestOrphan(t *testing.T) {
	t.Parallel()
	cmd := childProcess(t)
	if err := cmd.in.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitOrphan {
		t.Errorf("exit code %d, want %d", code, exitOrphan)
	}
}

// started is a child that runs endless code.
type started struct {
	*exec.Cmd
	in io.WriteCloser
}

func (s started) pid() string { return strconv.Itoa(s.Process.Pid) }

// childProcess starts a child as the interpreter does, and waits until it runs.
func childProcess(t *testing.T) started {
	t.Helper()
	path, err := self()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env, cmd.Dir = []string{marker + "=1"}, "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := writeFrame(in, limits{Steps: 1 << 60, TimeoutMS: 60_000, Memory: 64 << 20, Output: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len(greeting))); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(in, program{Source: endless, Inputs: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	return started{cmd, in}
}

// TestWrongChildren has the interpreter start what is no child, or a broken one.
func TestWrongChildren(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	hello := `printf 'whet-starlark 1\n'; `
	for _, tt := range []struct {
		name, script string
		kind         module.InterpreterErrorKind // "" for a ChildError
		limit        module.CodeLimit
		want         string
	}{
		{"ends at once", "exit 0", "", "", "ended without a word"},
		{"fails", "echo no such library >&2; exit 127", "", "", "no such library"},
		{"another program", "echo hello, this is another program", "", "", "hello, this is"},
		{"another version", `printf 'whet-starlark 0\n'; sleep 60`, "", "", "of the version"},
		{"killed", hello + "kill -9 $$", module.ErrCodeCrashed, "", "killed"},
		{"ends too early", hello + "exit 3", module.ErrCodeCrashed, "", "exit status 3"},
		{"half a frame", hello + `printf '\0\0\0\100{'`, module.ErrCodeCrashed, "", "ended before"},
		{"no JSON", hello + `printf '\0\0\0\002{x'; sleep 60`, module.ErrCodeCrashed, "", "cannot be read"},
		{"a huge frame", hello + `printf '\377\377\377\377'; sleep 60`, module.ErrCodeCrashed, "", "want at most"},
		{"no value", hello + `printf '\0\0\0\024{"has_value":true   }'; sleep 60`, module.ErrCodeCrashed, "", "cannot be read"},
		{"silent", hello + "exec sleep 60", module.ErrCodeLimit, module.LimitTime, "longer than"},
		{"with a child of its own", hello + "sleep 60; true", module.ErrCodeLimit, module.LimitTime, "longer than"},
		{"out of memory", hello + "echo 'fatal error: runtime: out of memory' >&2; exit 2", module.ErrCodeLimit, module.LimitMemory, "MiB"},
		{"a flood of errors", hello + "head -c 3000000 /dev/zero >&2; exit 2", module.ErrCodeCrashed, "", "exit status 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "child")
			if err := writeProgram(path, "#!/bin/sh\n"+tt.script+"\n"); err != nil {
				t.Fatal(err)
			}
			i := open(t, Command(path), Timeout(50*time.Millisecond))
			_, err := run1(t, i, "x = 1")
			var fault *module.InterpreterError
			var child *ChildError
			switch {
			case tt.kind == "" && (!errors.As(err, &child) || asFault(err, &fault)):
				t.Errorf("%v, want a ChildError", err)
			case tt.kind != "" && (!asFault(err, &fault) || fault.Kind != tt.kind || fault.Limit != tt.limit):
				t.Errorf("%v, want kind %s, limit %q", err, tt.kind, tt.limit)
			case !strings.Contains(err.Error(), tt.want):
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// writeProgram writes a program in a process of its own: a file that this process writes
// may be open in a child that it starts meanwhile, and cannot be run then.
func writeProgram(path, text string) error {
	cmd := exec.Command("/bin/sh", "-c", `cat > "$0" && chmod 700 "$0"`, path)
	cmd.Stdin = strings.NewReader(text)
	return cmd.Run()
}

// TestNoZombies looks for ended children that nobody waited for.
func TestNoZombies(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	i := open(t, Timeout(20*time.Millisecond), MaxSteps(1<<60))
	for _, code := range []string{"SUBMIT(1)", endless, "max(range(1 << 40))", "def f():\n  f()\nf()", "fail()"} {
		_, _ = run1(t, i, code)
	}
	_, _ = i.Execute(expired(t), endless, signature.Record{})
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			t.Errorf("a child is left: %.60s", stat)
		}
	}
}
