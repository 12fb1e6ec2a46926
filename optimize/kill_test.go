package optimize_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

const (
	childFolder = "WHET_TEST_KILL_FOLDER"
	childURL    = "WHET_TEST_KILL_URL"
	inFlight    = 4
	kills       = 20
)

// TestKilledChild is the process that TestKilled kills.
func TestKilledChild(t *testing.T) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		t.Skip("it is run by TestKilled")
	}
	store, err := cache.Open(t.Context(), filepath.Join(folder, "answers.db"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := openai.New("test", openai.BaseURL(os.Getenv(childURL)), openai.Key("none"))
	if err != nil {
		t.Fatal(err)
	}
	program := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(model))
	result, err := optimize.Compile(t.Context(), optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 3, Candidates: 5},
		program, killData(), metric.Exact, optimize.Through(store.Wrap), optimize.Concurrency(inFlight))
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Apply(program); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(filepath.Join(folder, "program.json"), program); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := model.Close(); err != nil {
		t.Fatal(err)
	}
}

func killData() []example {
	out := make([]example, 14)
	for i := range out {
		want := label("ham")
		if i%3 == 0 {
			want = "spam"
		}
		out[i] = example{In: message{fmt.Sprintf("message %d about the boat", i)}, Out: verdict{want}}
	}
	return out
}

// killAnswer is a label that depends on the whole request and on nothing else.
func killAnswer(a *lmtest.Asked) string {
	h := fnv.New32a()
	_, _ = h.Write(a.Body)
	label := "ham"
	if h.Sum32()%3 == 0 {
		label = "spam"
	}
	return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]"
}

// A search that is killed, at any point, and run again ends with the identical program,
// and has paid twice for no more than the calls that were in flight.
func TestKilled(t *testing.T) {
	t.Parallel()
	want, total := killedSearch(t, 0)
	if total < 3*kills {
		t.Fatalf("%d requests are too few to be killed in", total)
	}
	for i := range kills {
		at := 1 + i*(total-1)/(kills-1)
		got, paid := killedSearch(t, at)
		if !bytes.Equal(got, want) {
			t.Errorf("killed after %d requests, the search ends with another program", at)
		}
		if paid > total+inFlight {
			t.Errorf("killed after %d requests, %d were paid, and %d without: %d may be paid twice", at, paid, total, inFlight)
		}
	}
}

// killedSearch runs the search in a process of its own, which is killed when its server
// has got that many requests and is then started again, and returns the program and how
// many requests there were. 0 kills nothing.
func killedSearch(t *testing.T, at int) (program []byte, paid int) {
	t.Helper()
	server := lmtest.NewServer(killAnswer)
	defer server.Close()
	folder := t.TempDir()
	start := func() (*exec.Cmd, *strings.Builder) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
		cmd.Env = append(os.Environ(), childFolder+"="+folder, childURL+"="+server.URL)
		out := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, out
	}
	if at > 0 {
		cmd, _ := start()
		ended := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { // it may end before: then there is nothing left to kill
			defer close(ended)
			_ = cmd.Wait()
			cancel()
		}()
		_ = server.Await(ctx, at)
		_ = cmd.Process.Kill()
		<-ended
		cancel()
	}
	cmd, out := start()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(folder, "program.json"))
	if err != nil {
		t.Fatal(err)
	}
	return program, server.Count()
}
