package module_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// The programs of the old files.
type (
	judged struct {
		Predict *module.ChainOfThought[sms, verdict]
		P2      *module.Predict[label, verdictText]
	}
	label       struct{ Label string }
	verdictText struct{ Verdict string }

	// talk is the program of the talk: a TypedPredictor of DSPy 2.5.
	talk struct {
		GenerateAnswer *module.Predict[talkIn, talkOut]
	}
	talkIn struct {
		Input struct{ Text string }
	}
	talkOut struct {
		Output struct {
			Label string `enum:"ham,spam,smishing"`
		}
	}
)

const talkInstructions = "Given an SMS text, predict whether it is ham, spam, or smishing.\nOutput only the predicted label."

func newJudged() *judged {
	return &judged{newCoT(), module.MustPredict[label, verdictText]("")}
}

func newTalk() *talk {
	return &talk{module.MustPredict[talkIn, talkOut](talkInstructions)}
}

func demo(augmented bool, pairs ...any) module.Demo {
	return module.Demo{Fields: signature.RecordOf(pairs...), Augmented: augmented}
}

func typed(augmented bool, text, label string) module.Demo {
	return demo(augmented, "input", signature.RecordOf("text", text), "output", signature.RecordOf("label", label))
}

func TestOldFiles(t *testing.T) {
	t.Parallel()
	bootstrapped := []module.Demo{
		demo(true, "text", "message 0", "reasoning", "because 0", "label", "ham"),
		demo(true, "text", "message 1", "reasoning", "because 1", "label", "spam"),
		demo(false, "text", "message 4", "label", "spam"),
		demo(false, "text", "message 8", "label", "smishing"),
	}
	labelled := []module.Demo{demo(false, "text", "message 4", "label", "spam"), demo(false, "text", "message 8", "label", "smishing")}
	noVersion := "the file names no version of DSPy; its form is that of "
	tests := []struct {
		file    string
		program any
		format  string
		notes   []string
		states  map[string]module.State
	}{
		{
			"state_old_2.4.17_module", newJudged(), "DSPy 2.4 to 2.5.2",
			[]string{
				noVersion + "DSPy 2.4 to 2.5.2",
				`predictor "predict.predict": it is "predict" in the file`,
				`predictor "predict.predict": the file holds only the instructions and the last prefix of its signature, so its other fields could not be compared`,
				`predictor "predict.predict": "rationale" of 2 demos is "reasoning" here`,
				`predictor "p2": the file holds only the instructions and the last prefix of its signature, so its other fields could not be compared`,
			},
			map[string]module.State{"predict.predict": {Demos: bootstrapped}, "p2": {Demos: labelled}},
		},
		{
			"state_old_2.4.17_module_field_meta", newJudged(), "DSPy 2.4 to 2.5.2",
			[]string{
				noVersion + "DSPy 2.4 to 2.5.2",
				`predictor "predict.predict": it is "predict" in the file`,
				`predictor "predict.predict": the field "rationale" is "reasoning" here`,
				`predictor "predict.predict": the prefix "Reasoning: Let's think step by step in order to" of "reasoning" is that of older versions and was left out`,
				`predictor "predict.predict": the description "${produce the label}. We ..." of "reasoning" is that of older versions and was left out`,
				`predictor "predict.predict": "rationale" of 2 demos is "reasoning" here`,
			},
			map[string]module.State{
				"predict.predict": {Demos: bootstrapped, Descriptions: map[string]string{"label": "one of ham, spam, smishing"}},
				"p2":              {Demos: labelled},
			},
		},
		{
			"state_old_2.5.43_cot", newCoT(), "DSPy 2.5.43",
			[]string{
				`predictor "predict": it is "self" in the file`,
				`predictor "predict": the prefix "Reasoning: Let's think step by step in order to" of "reasoning" is that of older versions and was left out`,
			},
			map[string]module.State{"predict": {Demos: []module.Demo{
				demo(false, "text", "message 3", "label", "ham"), demo(false, "text", "message 6", "label", "ham"),
				demo(false, "text", "message 1", "label", "spam"), demo(false, "text", "message 10", "label", "spam"),
			}}},
		},
		{
			"state_old_2.5.43_predict", newSMS(), "DSPy 2.5.43", nil,
			map[string]module.State{"self": {Demos: []module.Demo{
				demo(false, "text", "message 6", "label", "ham"), demo(false, "text", "message 11", "label", "smishing"),
			}}},
		},
		{
			// Of the same form as the programs of the talk, with messages of our own.
			"state_old_2.5.14_typed", newTalk(), "DSPy 2.5.3 to 2.5.42",
			[]string{
				noVersion + "DSPy 2.5.3 to 2.5.42",
				`predictor "generate_answer": it is "generate_answer.predictor" in the file`,
				`predictor "generate_answer": "input" of 4 demos is a JSON text in the file, which was read as Input`,
				`predictor "generate_answer": "output" of 4 demos is a JSON text in the file, which was read as Output`,
			},
			map[string]module.State{"generate_answer": {Demos: []module.Demo{
				typed(true, "Dinner at eight? Bring the good cheese, café is shut", "ham"),
				typed(true, "Prize! Call 09000 000000 now to claim 500 pounds 🎉", "spam"),
				typed(false, `Your parcel waits. Pay the fee at http://parcel.example.test/pay "today"`, "smishing"),
				typed(false, "\tRunning late, start without me", "ham"),
			}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			report, err := module.Load(filepath.Join("testdata", tt.file+".json"), tt.program)
			if err != nil {
				t.Fatal(err)
			}
			if report.Format != tt.format {
				t.Errorf("format %q, want %q", report.Format, tt.format)
			}
			var notes []string
			for _, n := range report.Notes {
				notes = append(notes, n.String())
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.states, statesOf(t, tt.program)); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			// Out comes the form of DSPy 3, to which nothing has to be adapted.
			saved := marshal(t, tt.program)
			report, err = module.Unmarshal(saved, tt.program)
			if err != nil || len(report.Notes) > 0 || report.Format != "whet, schema 1" {
				t.Errorf("saved again: %+v, %v", report, err)
			}
			if diff := cmp.Diff(string(saved), string(marshal(t, tt.program))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func statesOf(t testing.TB, program any) map[string]module.State {
	t.Helper()
	named, err := module.Predictors(program)
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]module.State{}
	for _, n := range named {
		states[n.Name] = n.Predictor.State()
	}
	return states
}

// The forms that no golden shows, made of those that do.
func TestOldForms(t *testing.T) {
	t.Parallel()
	const oldPrefix = "Reasoning: Let's think step by step in order to"
	field := func(prefix, desc string) string {
		return `{"prefix":"` + prefix + `","description":"` + desc + `"}`
	}
	sig := func(instructions, reasoning string) string {
		return `{"instructions":"` + instructions + `","fields":[` + field("Text:", "${text}") + reasoning + `,` + field("Label:", "one of the three labels") + `]}`
	}
	reasoning := "," + field(oldPrefix, "${produce the label}. We ...")
	flat := `"signature_instructions":"Sort.","signature_prefix":"Label:"`
	tests := []struct {
		name, data   string
		program      any
		opts         []module.LoadOption
		format       string
		instructions string
		note         string
	}{
		{
			"extended signature wins", `{"self":{"demos":[],"signature":` + sig("Sort.", "") + `,"extended_signature":` + sig("Sort well.", reasoning) + `}}`,
			newCoT(), nil, "DSPy 2.5.3 to 2.5.42", "Sort well.", `the signature is the file's "extended_signature"; "signature" was left out`,
		},
		{
			"flat extended instructions win", `{"predict":{"demos":[],` + flat + `,"extended_signature_instructions":"Sort well.","extended_signature_prefix":"Label:"}}`,
			newCoT(), nil, "DSPy 2.4 to 2.5.2", "Sort well.", `"signature_instructions" of its state was left out for "extended_signature_instructions", which differs`,
		},
		{
			"bare and flat", `{"lm":null,"traces":[],"train":[],"demos":[],` + flat + `}`,
			newSMS(), nil, "DSPy 2.4 to 2.5.2", "Sort.", "the file holds only the instructions",
		},
		{
			"bare with metadata", `{"demos":[],"signature":` + sig("Sort.", "") + `,"lm":null,"metadata":{"dependency_versions":{"dspy":"2.6.27","python":"3.12"}}}`,
			newSMS(), nil, "DSPy 2.6.27", "Sort.", "",
		},
		{
			"metadata without a version", `{"self":{"demos":[],"signature":` + sig("Sort.", "") + `},"metadata":{"saved_by":"me"}}`,
			newSMS(), nil, "DSPy 2.5.3 to 2.5.42", "Sort.", `the key "saved_by" of the metadata is not known and was left out`,
		},
		{
			"the predictor of a typed chain of thought", `{"classify.predictor":{"demos":[],"signature":` + sig("Sort.", reasoning) + `}}`,
			&struct{ Classify any }{newCoT()}, nil, "DSPy 2.5.3 to 2.5.42", "Sort.", `it is "classify.predictor" in the file`,
		},
		{
			"a new name in an old program", `{"classify.predict":{"demos":[],"signature":` + sig("Sort.", "") + `}}`,
			&struct{ Classify any }{newSMS()}, nil, "DSPy 2.5.3 to 2.5.42", "Sort.", `it is "classify.predict" in the file`,
		},
		{
			"a predictor named as a key of states", `{"signature":{"demos":[],"signature":` + sig("Sort.", "") + `}}`,
			&struct{ Signature any }{newSMS()}, nil, "DSPy 2.5.3 to 2.5.42", "Sort.", "",
		},
		{
			"prefixes of its own", `{"self":{"demos":[],"signature":{"instructions":"Sort.","fields":[` + field("Message:", "") + `,` + field("The label is:", "${label}") + `]}}}`,
			newSMS(),
			[]module.LoadOption{module.IgnorePrefixes()},
			"DSPy 2.5.3 to 2.5.42", "Sort.", `field 1 of its signature has the prefix "The label is:" in the file, which was left out, and "Label:" in the program`,
		},
		{
			"no instructions", `{"self":{"demos":[],"signature":` + sig(" ", "") + `}}`,
			newSMS(), nil, "DSPy 2.5.3 to 2.5.42", "", "it has no instructions in the file and keeps the program's",
		},
		{
			"what nothing reads", `{"self":{"demos":[],"traces":[[1]],"train":[{"text":"a"},{}],"signature":` + sig("Sort.", "") + `,"note":"hello"}}`,
			newSMS(), nil, "DSPy 2.5.3 to 2.5.42", "Sort.", `the key "note" of its state is not known and was left out|1 entries of "traces" were left out|2 entries of "train" were left out`,
		},
		{
			"decisions of DSPy 3", `{"self":{"demos":[],"signature":` + sig("Sort.", "") + `,"fields":{"label":{}}}}`,
			newSMS(), nil, "DSPy 2.5.3 to 2.5.42", "Sort.", `the key "fields" of its state, which holds decisions of DSPy 3, was left out`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			report, err := module.Unmarshal([]byte(tt.data), tt.program, tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if report.Format != tt.format {
				t.Errorf("format %q, want %q", report.Format, tt.format)
			}
			for name, s := range statesOf(t, tt.program) {
				if s.Instructions != tt.instructions {
					t.Errorf("instructions of %s are %q, want %q", name, s.Instructions, tt.instructions)
				}
			}
			var notes strings.Builder
			for _, n := range report.Notes {
				notes.WriteString(n.Text + "\n")
			}
			for _, want := range strings.Split(tt.note, "|") {
				if !strings.Contains(notes.String(), want) {
					t.Errorf("no note %q in\n%s", want, notes.String())
				}
			}
		})
	}
}

// What DSPy 2.5.43 saved goes through whet into the real DSPy of today, and both send
// the same messages.
func TestDSPyLoadsConvertedFiles(t *testing.T) {
	t.Parallel()
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Skip(`WHET_DSPY_PYTHON is not set; eval "$(scripts/setup env)" sets it`)
	}
	for name, program := range map[string]struct {
		file, predictor string
		program         any
	}{
		"cot":     {"state_old_2.5.43_cot", "predict", newCoT()},
		"predict": {"state_old_2.5.43_predict", "self", newSMS()},
	} {
		t.Run(program.file, func(t *testing.T) {
			t.Parallel()
			if _, err := module.Load(filepath.Join("testdata", program.file+".json"), program.program); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "program.json")
			if err := module.Save(path, program.program); err != nil {
				t.Fatal(err)
			}
			in := signature.RecordOf("text", "Lunch?")
			ask, err := json.Marshal(map[string]any{"program": name, "file": path, "inputs": map[string]any{program.predictor: in}})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]message{program.predictor: sentMessages(t, predictor(t, program.program, program.predictor), in)}
			if diff := cmp.Diff(dspyMessages(t, python, ask), got); diff != "" {
				t.Errorf("messages (-DSPy +whet):\n%s", diff)
			}
		})
	}
}

// The seven programs of the talk, which are real data and no part of this
// repository.
func TestProgramsOfTheTalk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "shared", "data", "smishing", "programs")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the saved programs of the talk are not there: %v", err)
	}
	// Demos that a model made, and all demos.
	want := map[string][2]int{
		"sms_classifier-gemma2-9b.json": {2, 8}, "sms_classifier-llama3.1-8b.json": {4, 8}, "sms_classifier-qwen2.5-0.5b.json": {2, 8},
		"sms_classifier-qwen2.5:1.5b.json": {3, 8}, "sms_classifier-qwen2.5-3b.json": {4, 8}, "sms_classifier-qwen2.5-7b.json": {2, 8},
		"bck/sms_classifier-gemma2-9b.json": {2, 4},
	}
	for name, count := range want {
		program := newTalk()
		report, err := module.Load(filepath.Join(dir, filepath.FromSlash(name)), program)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(report.Notes) != 4 {
			t.Errorf("%s: notes %v", name, report.Notes)
		}
		s := program.GenerateAnswer.Predictor().State()
		augmented := 0
		for _, d := range s.Demos {
			if d.Augmented {
				augmented++
			}
			in, _ := d.Fields.Get("input")
			if r, ok := in.(signature.Record); !ok || r.Len() != 1 {
				t.Errorf("%s: the input %v of a demo is no object of one field", name, in)
			}
		}
		if got := [2]int{augmented, len(s.Demos)}; got != count || s.Instructions != "" {
			t.Errorf("%s: %v demos, want %v; instructions %q", name, got, count, s.Instructions)
		}
		model := lmtest.Script("[[ ## output ## ]]\n{\"label\": \"ham\"}\n\n[[ ## completed ## ]]")
		in := talkIn{}
		in.Input.Text = "Lunch?"
		out, err := program.GenerateAnswer.Run(lm.With(context.Background(), model), in)
		if err != nil || out.Output.Label != "ham" {
			t.Errorf("%s: Run returned %v, %v", name, out, err)
		}
		asked := model.Requests()[0].Messages
		if !regexp.MustCompile(`\{"text": ?"Lunch\?"\}`).MatchString(asked[len(asked)-1].Text()) || len(asked) != 2+2*len(s.Demos) {
			t.Errorf("%s: %d messages, the last %q", name, len(asked), asked[len(asked)-1].Text())
		}
	}
}
