package optimize_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// awkward are records whose texts hold what JSON Lines must not break at.
func awkward() optimize.FinetuneRecords {
	return optimize.FinetuneRecords{
		{Messages: []optimize.ChatMessage{{Role: "system", Content: "Say <ham> & \"spam\"."}, {Role: "user", Content: "a\nb\u2028c\u2029d \U0001F600"}, {Role: "assistant", Content: "ham\n"}}, Predictor: "secret-name", Example: "secret-row", Score: 1},
		{Messages: []optimize.ChatMessage{{Role: "user", Content: "e"}, {Role: "assistant", Content: "spam"}}},
	}
}

func TestFinetuneWrite(t *testing.T) {
	t.Parallel()
	for _, f := range []optimize.FinetuneFormat{optimize.FinetuneOpenAI, optimize.FinetuneMLX, optimize.FinetuneTorchtune} {
		var b strings.Builder
		if err := awkward().Write(&b, f); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.Contains(text, "secret") || strings.ContainsAny(text, "\u2028\u2029") || !strings.Contains(text, "<ham> &") {
			t.Errorf("%s: %s", f, text)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != 2 {
			t.Fatalf("%s: %d lines", f, len(lines))
		}
		for i, line := range lines {
			var got struct {
				Messages      []optimize.ChatMessage
				Conversations []struct{ From, Value string }
			}
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			roles := map[string]string{"system": "system", "human": "user", "gpt": "assistant"}
			for _, c := range got.Conversations {
				got.Messages = append(got.Messages, optimize.ChatMessage{Role: roles[c.From], Content: c.Value})
			}
			if (f == optimize.FinetuneTorchtune) != (len(got.Conversations) > 0) || !slices.Equal(got.Messages, awkward()[i].Messages) {
				t.Errorf("%s: line %d is %s", f, i, line)
			}
		}
	}
	if err := awkward().Write(&strings.Builder{}, optimize.FinetuneFormat(7)); err == nil || !strings.Contains(err.Error(), "FinetuneFormat(7)") {
		t.Errorf("an unknown format: %v", err)
	}
	if err := awkward().Write(failing{}, optimize.FinetuneOpenAI); !errors.Is(err, errWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errWrite = errors.New("the disk is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errWrite }

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

func TestFinetuneWriteDir(t *testing.T) {
	t.Parallel()
	set := &optimize.FinetuneSet{Train: awkward(), Valid: awkward()[1:]}
	dir := filepath.Join(t.TempDir(), "data", "new")
	for range 2 { // the second time the files are there
		if err := set.WriteDir(dir, optimize.FinetuneMLX); err != nil {
			t.Fatal(err)
		}
		files := filesIn(t, dir)
		if len(files) != 2 || strings.Count(files["train.jsonl"], "\n") != 2 || files["valid.jsonl"] != `{"messages":[{"role":"user","content":"e"},{"role":"assistant","content":"spam"}]}`+"\n" {
			t.Fatalf("the files are %v", files)
		}
	}
	before := filesIn(t, dir)
	alone := &optimize.FinetuneSet{Train: awkward()}
	for name, err := range map[string]error{
		"MLX without validation records":         alone.WriteDir(t.TempDir(), optimize.FinetuneMLX),
		"another set's valid.jsonl":              alone.WriteDir(dir, optimize.FinetuneOpenAI),
		"no training records":                    (&optimize.FinetuneSet{Valid: awkward()}).WriteDir(dir, optimize.FinetuneOpenAI),
		"an unknown format":                      set.WriteDir(dir, optimize.FinetuneFormat(-1)),
		"a file in the place of the folder":      set.WriteDir(filepath.Join(dir, "train.jsonl"), optimize.FinetuneOpenAI),
		"a folder in the place of the last file": folderInTheWay(t, set),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "optimize: ") {
			t.Errorf("%s: %v, want an error of this package", name, err)
		}
	}
	for name, text := range filesIn(t, dir) {
		if before[name] != text {
			t.Errorf("%s has changed", name)
		}
	}
	if err := alone.WriteDir(filepath.Join(dir, "alone"), optimize.FinetuneTorchtune); err != nil {
		t.Error(err)
	} else if files := filesIn(t, filepath.Join(dir, "alone")); len(files) != 1 || !strings.Contains(files["train.jsonl"], `{"from":"gpt","value":"spam"}`) {
		t.Errorf("the files are %v", files)
	}
}

// folderInTheWay returns the error of writing where a file has no place, and looks at whether
// anything is left of it.
func folderInTheWay(t *testing.T, set *optimize.FinetuneSet) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "valid.jsonl", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := set.WriteDir(dir, optimize.FinetuneOpenAI)
	entries, rerr := os.ReadDir(dir)
	if rerr != nil {
		t.Fatal(rerr)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	return err
}

func ExampleFinetuneData() {
	ctx := context.Background()
	classify := module.MustPredict[message, verdict]("Is the message ham or spam?", module.WithLM(lmtest.Answer(golden)))
	set, err := optimize.FinetuneData(ctx, optimize.Finetune{}, classify, messages(8), metric.Exact, optimize.Val(messages(12)[8:]))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set)
	dir, err := os.MkdirTemp("", "finetune")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := set.WriteDir(dir, optimize.FinetuneMLX); err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.Open(filepath.Join(dir, "valid.jsonl"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		_, answer, _ := strings.Cut(lines.Text(), `"role":"assistant",`)
		fmt.Println(answer)
	}
	// Output:
	// train: 6 records; dropped 2 where the metric rejected the answer
	// valid: 3 records; dropped 1 where the metric rejected the answer
	// 12 calls requested, 12 paid
	// "content":"[[ ## label ## ]]\nsmishing\n\n[[ ## completed ## ]]\n"}]}
	// "content":"[[ ## label ## ]]\nham\n\n[[ ## completed ## ]]\n"}]}
	// "content":"[[ ## label ## ]]\nspam\n\n[[ ## completed ## ]]\n"}]}
}
