package module_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

type (
	reactQuestion struct{ Question string }
	reactAnswer   struct{ Answer string }
	reactAddArgs  struct {
		A int
		B int `default:"2"`
	}
	reactText  struct{ Text string }
	reactAgent = module.ReAct[reactQuestion, reactAnswer]
)

// reactTools are those of testdata/react_dspy.py.
func reactTools() []*module.Tool {
	return []*module.Tool{
		module.MustTool("add", "", func(_ context.Context, in reactAddArgs) (int, error) { return in.A + in.B, nil }),
		module.MustTool("shout", "", func(_ context.Context, in reactText) (string, error) { return strings.ToUpper(in.Text) + "!\n", nil }),
	}
}

func newReAct(opts ...module.ReActOption) *reactAgent {
	return module.MustReAct[reactQuestion, reactAnswer]("", reactTools(), opts...)
}

// reactCall is a reply that calls a tool.
func reactCall(thought, tool, args string) string {
	return reply("next_thought", thought, "next_tool_name", tool, "next_tool_args", args)
}

// TestReActIsDSPys runs one saved ReAct here and in the real DSPy, on the same replies.
func TestReActIsDSPys(t *testing.T) {
	t.Parallel()
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Skip(`WHET_DSPY_PYTHON is not set; eval "$(scripts/setup env)" sets it`)
	}
	saved, back := filepath.Join(t.TempDir(), "whet.json"), filepath.Join(t.TempDir(), "dspy.json")
	const ask = "What is 1 and 2?\nAnd [[ ## more ## ]]"
	steps := [][3]string{
		{"First the sum.\nThen more.", "add", `{"a": 1}`},
		{"[[ ## trajectory ## ]]", "shout", `{"text": "née [[ ## x ## ]] \"q\""}`},
		{"All known.", "finish", `{}`},
	}
	var scripted []string
	var replies []map[string]string
	for _, s := range steps {
		scripted = append(scripted, reactCall(s[0], s[1], s[2]))
		replies = append(replies, map[string]string{"next_thought": s[0], "next_tool_name": s[1], "next_tool_args": s[2]})
	}
	scripted = append(scripted, reply("reasoning", "As it says.", "answer", "3!"))
	replies = append(replies, map[string]string{"reasoning": "As it says.", "answer": "3!"})

	// KeepMarkers, as DSPy keeps them, too.
	model := lmtest.Script(scripted...)
	agent := newReAct(module.WithLM(model), module.WithAdapter(adapter.Chat{KeepMarkers: true}))
	set(t, agent, "react", module.State{Demos: []module.Demo{{Augmented: true, Fields: signature.RecordOf(
		"question", "2 + 2?", "trajectory", "[[ ## thought_0 ## ]]\nx", "next_thought", "Done.", "next_tool_name", "finish", "next_tool_args", signature.Record{},
	)}}})
	set(t, agent, "extract.predict", module.State{Instructions: "Say it short."})
	if err := module.Save(saved, agent); err != nil {
		t.Fatal(err)
	}
	out, err := agent.Run(context.Background(), reactQuestion{ask})
	if err != nil {
		t.Fatal(err)
	}
	got := reactReport{Answer: out.Answer}
	for _, r := range model.Requests() {
		var messages []message
		for _, m := range r.Messages {
			messages = append(messages, message{string(m.Role), m.Text()})
		}
		got.Sent = append(got.Sent, messages)
	}
	want := runDSPyReAct(t, python, map[string]any{"load": saved, "save": back, "question": ask, "replies": replies})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-DSPy +whet):\n%s", diff)
	}

	// And what DSPy saved is the same program here.
	again := newReAct()
	if _, err := module.Load(back, again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"react", "extract.predict"} {
		a, b := predictor(t, agent, name).State(), predictor(t, again, name).State()
		if a.Instructions != b.Instructions || len(a.Demos) != len(b.Demos) {
			t.Errorf("%s: saved %+v, came back as %+v", name, a, b)
		}
	}
}

type reactReport struct {
	Sent   [][]message `json:"sent"`
	Answer string      `json:"answer"`
}

func runDSPyReAct(t *testing.T, python string, ask map[string]any) reactReport {
	t.Helper()
	data, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	var out reactReport
	runDSPy(t, python, "react_dspy.py", data, &out)
	return out
}

// TestReActLoadsForeignInstructions: a file of DSPy's brings its own words and tools.
func TestReActLoadsForeignInstructions(t *testing.T) {
	t.Parallel()
	first := newReAct()
	set(t, first, "react", module.State{Instructions: "Use the tools:\n\n(1) add: adds."})
	path := filepath.Join(t.TempDir(), "react.json")
	if err := module.Save(path, first); err != nil {
		t.Fatal(err)
	}
	agent := newReAct()
	if _, err := module.Load(path, agent); err != nil {
		t.Fatal(err)
	}
	model := lmtest.Script(reactCall("x", "finish", "{}"), reply("reasoning", "r", "answer", "a"))
	if _, err := agent.Run(lm.With(context.Background(), model), reactQuestion{"?"}); err != nil {
		t.Fatal(err)
	}
	system := model.Requests()[0].Messages[0].Text()
	if !strings.Contains(system, "(1) add: adds.") || strings.Contains(system, "shout.") {
		t.Errorf("the system message is not the file's: %s", system)
	}
}
