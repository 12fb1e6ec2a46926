package cassette_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
)

// childJob names the variable that makes the test binary a child that records: "FROM PATH".
const childJob = "WHET_CASSETTE_CHILD"

// numbered is the prompt of a number, of up to 8 KB, so that a line takes a while.
func numbered(n int) string { return fmt.Sprint("question ", n, strings.Repeat(" why", n*37%2000)) }

// child records calls without end, and prints the number of each that has returned.
func child(job string) error {
	var from int
	var path string
	if _, err := fmt.Sscanf(job, "%d %s", &from, &path); err != nil {
		return err
	}
	rec, err := cassette.Record(path, cassette.Append(), cassette.TolerateCut())
	if err != nil {
		return err
	}
	m := rec.Wrap(echo())
	for n := from; ; n++ {
		if _, err := m.Generate(context.Background(), prompt(numbered(n))); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKilledRecorder kills a process that records at 50 random moments, ten after each
// other in one file. Each call that had returned can be replayed, and a last line that was
// cut is told. The kills are the one place where real time passes.
func TestKilledRecorder(t *testing.T) {
	t.Parallel()
	for lane := range 5 {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(5, uint64(lane)))
			path := filepath.Join(t.TempDir(), "tape.jsonl")
			var all []int
			for i := range 10 {
				all = append(all, killRecorder(t, rnd, 100_000*i, path)...)
				checkReplay(t, path, all)
			}
			if len(all) < 10 {
				t.Errorf("only %d calls were recorded, so the kills came too early", len(all))
			}
			t.Logf("%d calls were recorded in 10 processes that were killed", len(all))
		})
	}
}

// killRecorder starts a child, kills it, and returns the numbers that it has printed.
func killRecorder(t *testing.T, rnd *rand.Rand, from int, path string) []int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", childJob, from, path))
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	var numbers []int
	for lines := bufio.NewReader(out); ; {
		var n int
		if _, err := fmt.Fscanln(lines, &n); err != nil {
			break
		}
		if timer == nil {
			timer = time.AfterFunc(time.Duration(rnd.Int64N(int64(20*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		}
		numbers = append(numbers, n)
	}
	err = cmd.Wait()
	if timer == nil || timer.Stop() {
		t.Fatalf("the child ended before it was killed: %v\n%s", err, failure.String())
	}
	return numbers[:len(numbers)-1] // the last may be half of a number
}

// checkReplay asks for each call, of a cassette that tells of a cut line or has none.
func checkReplay(t *testing.T, path string, numbers []int) {
	t.Helper()
	data := read(t, path)
	cut := !strings.HasSuffix(data, "\n")
	_, err := cassette.Replay(path)
	if cut && !errors.Is(err, cassette.ErrTruncated) || !cut && err != nil {
		t.Fatalf("a cut line, %v: the error is %v", cut, err)
	}
	if cut {
		wantFile(t, err, cassette.ErrTruncated, path, 1+strings.Count(data, "\n"))
	}
	p := replay(t, path, cassette.TolerateCut())
	for _, n := range numbers {
		if got, want := generate(t, p, numbered(n)), strings.ToUpper(numbered(n)); got != want {
			t.Fatalf("the reply %d is %.40q", n, got)
		}
	}
	for _, e := range p.Unused() {
		resp, err := p.Generate(t.Context(), e.Request)
		if err != nil || resp.Text != strings.ToUpper(e.Request.Prompt) {
			t.Fatalf("line %d is replayed as %+v, %v", e.Line, resp, err)
		}
	}
}

// TestCutLineIsTold has a line that a kill has cut for sure.
func TestCutLineIsTold(t *testing.T) {
	t.Parallel()
	path := write(t, head, entry("a", "A"), entry("b", "B")[:30])
	checkReplay(t, path, nil)
	if got := generate(t, replay(t, path, cassette.TolerateCut()), "a"); got != "A" {
		t.Errorf("the reply is %q", got)
	}
	rec := record(t, path, cassette.Append(), cassette.TolerateCut())
	if _, err := rec.Wrap(echo()).Generate(t.Context(), &lm.Request{Prompt: "c"}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); !strings.HasPrefix(got, head+entry("a", "A")+`{"model":"scripted","request":{"prompt":"c"}`) {
		t.Errorf("the file holds\n%s", got)
	}
}
