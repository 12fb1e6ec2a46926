package module_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

type (
	rateIn  struct{ Text, Label string }
	rateOut struct {
		Urgent bool
		Words  []string
	}
	// two is a program of two predictors, as in testdata/dspy_render.py.
	two struct {
		Classify *module.ChainOfThought[sms, verdict]
		Rate     *module.Predict[rateIn, rateOut]
	}
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// TestDSPyLoadsWhatWhetSaves saves programs, loads them in the real DSPy and
// compares the messages that both would send.
func TestDSPyLoadsWhatWhetSaves(t *testing.T) {
	t.Parallel()
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Skip(`WHET_DSPY_PYTHON is not set; eval "$(scripts/setup env)" sets it`)
	}
	demos := []module.Demo{
		{Fields: signature.RecordOf("text", "Lunch at noon? Bring \"Jo\" & <me>", "reasoning", "Two friends.\nNo link.", "label", "ham"), Augmented: true},
		{Fields: signature.RecordOf("text", "Gagné! 50 % off ☃ — reply STOP", "label", "spam")},
		{Fields: signature.RecordOf("text", "Your parcel waits, pay at once", "label", "smishing")},
	}
	predict := newSMS()
	set(t, predict, "self", module.State{Demos: demos[1:], Instructions: "Sort the text.\n\nThink of the sender."})
	cot := newCoT()
	set(t, cot, "predict", module.State{Demos: demos, Descriptions: map[string]string{"label": "what it is"}})
	prog := &two{newCoT(), module.MustPredict[rateIn, rateOut]("")}
	set(t, prog, "classify.predict", module.State{Demos: demos, Biases: map[string]map[string]float64{"label": {"ham": 1}}})
	set(t, prog, "rate", module.State{Demos: []module.Demo{
		{Fields: signature.RecordOf("text", "Call now", "label", "spam", "urgent", true, "words", []string{"call", "nöw \"x\""})},
	}})
	in := signature.RecordOf("text", "See you at 8,\nMum")
	rate := signature.RecordOf("text", "Come quick", "label", "ham")
	tests := []struct {
		name    string
		program any
		inputs  map[string]signature.Record
	}{
		{"predict", predict, map[string]signature.Record{"self": in}},
		{"cot", cot, map[string]signature.Record{"predict": in}},
		{"two", prog, map[string]signature.Record{"classify.predict": in, "rate": rate}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "program.json")
			if err := module.Save(path, tt.program); err != nil {
				t.Fatal(err)
			}
			ask, err := json.Marshal(map[string]any{"program": tt.name, "file": path, "inputs": tt.inputs})
			if err != nil {
				t.Fatal(err)
			}
			want := dspyMessages(t, python, ask)
			got := map[string][]message{}
			for name, rec := range tt.inputs {
				got[name] = sentMessages(t, predictor(t, tt.program, name), rec)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("messages (-DSPy +whet):\n%s", diff)
			}
		})
	}
}

func set(t *testing.T, program any, name string, s module.State) {
	t.Helper()
	if err := predictor(t, program, name).SetState(s); err != nil {
		t.Fatal(err)
	}
}

// dspyMessages runs the kept script.
func dspyMessages(t *testing.T, python string, ask []byte) map[string][]message {
	t.Helper()
	out := map[string][]message{}
	runDSPy(t, python, "dspy_render.py", ask, &out)
	return out
}

// runDSPy runs a script of testdata with the real DSPy, and reads what it prints.
func runDSPy(t *testing.T, python, script string, ask []byte, out any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", script))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(ask), &stdout, &stderr
	cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+t.TempDir())
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
}

// sentMessages returns what the predictor sends. The reply is of no use, and so
// neither is the error.
func sentMessages(t *testing.T, p *module.Predictor, in signature.Record) []message {
	t.Helper()
	model := lmtest.Script("no answer")
	_, _ = p.Call(lm.With(context.Background(), model), in)
	requests := model.Requests()
	if len(requests) != 1 {
		t.Fatalf("%d requests", len(requests))
	}
	var out []message
	for _, m := range requests[0].Messages {
		out = append(out, message{string(m.Role), m.Text()})
	}
	return out
}
