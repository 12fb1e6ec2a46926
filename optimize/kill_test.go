package optimize_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
	childSearch = "WHET_TEST_KILL_SEARCH"
	inFlight    = 4
)

// killed is a search that is killed so many times.
type killed struct {
	name  string
	opt   optimize.Optimizer
	kills int
}

var killSearches = []killed{
	{"RandomSearch", optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 3, Candidates: 5}, 20},
	{"BootstrapFewShot", optimize.BootstrapFewShot{MaxBootstrapped: 4, MaxLabeled: optimize.None}, 2},
	{"MIPROv2", optimize.MIPROv2{Candidates: 4, Trials: 5, MaxBootstrapped: 2, NoMinibatch: true}, 4},
	{"Race", optimize.Race{Instructions: 3, Demos: 4, MaxDemos: 2, MaxRuns: 60}, 4},
	{"COPRO", optimize.COPRO{Breadth: 3, Depth: 2}, 4},
	{"OPRO", optimize.OPRO{Steps: 3, Proposals: 2, Rows: 8, EvalEvery: 1}, 4},
	{"SIMBA", optimize.SIMBA{BatchSize: 8, Candidates: 2, Steps: 2}, 4},
	{"GEPA", optimize.GEPA{MaxMetricCalls: 90}, 4},
}

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
	at := slices.IndexFunc(killSearches, func(k killed) bool { return k.name == os.Getenv(childSearch) })
	result, err := optimize.Compile(t.Context(), killSearches[at].opt,
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

var killField = regexp.MustCompile(`\[\[ ## (\w+) ## \]\]`)

// killAnswer has a label, or words of what else is asked for, that depend on the whole request
// and on nothing else.
func killAnswer(a *lmtest.Asked) string {
	h := fnv.New32a()
	_, _ = h.Write(a.Body)
	label := "ham"
	if h.Sum32()%3 == 0 {
		label = "spam"
	}
	_, asked, _ := strings.Cut(a.Prompt(), "Respond with the corresponding output fields")
	var b strings.Builder
	for _, found := range killField.FindAllStringSubmatch(asked, -1) {
		value := label
		if found[1] == "completed" {
			value = ""
		} else if found[1] != "label" {
			value = fmt.Sprintf("Words number %d.", h.Sum32()%1000)
		}
		fmt.Fprintf(&b, "%s\n%s\n\n", found[0], value)
	}
	return b.String()
}

// Searches that are killed, at any point, and run again end with the identical program, and
// have paid twice for no more than the calls that were in flight.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, k := range killSearches {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			want, total := killedSearch(t, k.name, 0)
			t.Logf("%d requests", total)
			if total < 3*k.kills {
				t.Fatalf("%d requests are too few to be killed in", total)
			}
			for i := range k.kills {
				at := 1 + i*(total-1)/(k.kills-1)
				got, paid := killedSearch(t, k.name, at)
				if !bytes.Equal(got, want) {
					t.Errorf("killed after %d requests, the search ends with another program", at)
				}
				if paid > total+inFlight {
					t.Errorf("killed after %d requests, %d were paid, and %d without: %d may be paid twice", at, paid, total, inFlight)
				}
			}
		})
	}
}

// killedSearch runs the search in a process of its own, which is killed when its server
// has got that many requests and is then started again, and returns the program and how
// many requests there were. 0 kills nothing.
func killedSearch(t *testing.T, search string, at int) (program []byte, paid int) {
	t.Helper()
	server := lmtest.NewServer(killAnswer)
	defer server.Close()
	folder := t.TempDir()
	start := func() (*exec.Cmd, *strings.Builder) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
		cmd.Env = append(os.Environ(), childFolder+"="+folder, childURL+"="+server.URL, childSearch+"="+search)
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
