package cassette_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
)

// fullLimit is how many bytes a file of the child may have, as on a disk that is full then.
const fullLimit = 4096

// TestFullDisk records in a process whose files may have fullLimit bytes. What was paid
// comes back with the error, and the file stays whole.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if path := os.Getenv("WHET_CASSETTE_FULL"); path != "" {
		recordUntilFull(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "tape.jsonl")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), "WHET_CASSETTE_FULL="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := replay(t, path)
	n := len(p.Unused())
	if n < 3 {
		t.Errorf("%d calls are there", n)
	}
	for i := range n {
		if got := generate(t, p, fmt.Sprint("question ", i)); got != fmt.Sprint("QUESTION ", i) {
			t.Errorf("the reply %d is %q", i, got)
		}
	}
}

func recordUntilFull(t *testing.T, path string) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // so that a write fails instead
	limit := syscall.Rlimit{Cur: fullLimit, Max: fullLimit}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	rec := record(t, path)
	inner := echo()
	m := rec.Wrap(inner)
	for i := 0; ; i++ {
		text := fmt.Sprint("question ", i)
		_, err := m.Generate(t.Context(), prompt(text))
		if err == nil && i < fullLimit {
			continue
		}
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != lm.ErrUnavailable || lm.IsRetryable(err) || e.Partial == nil || e.Partial.Text != strings.ToUpper(text) {
			t.Errorf("call %d: the error is %#v, want one that has the reply", i, err)
		}
		wantFile(t, err, cassette.ErrUnreadable, path, 0)
		break
	}
	// The next call would be lost as well, so it is not made.
	before := inner.Calls()
	if _, err := m.Generate(t.Context(), prompt("more")); !errors.Is(err, lm.ErrUnavailable) || inner.Calls() != before {
		t.Errorf("after that: %v, and %d calls more", err, inner.Calls()-before)
	}
}
