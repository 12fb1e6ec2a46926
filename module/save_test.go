package module_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

func newSMS() *module.Predict[sms, verdict] { return module.MustPredict[sms, verdict](smsInstructions) }

func newCoT() *module.ChainOfThought[sms, verdict] {
	return module.MustChainOfThought[sms, verdict](smsInstructions)
}

// composite is the program of testdata/state_composite.json.
type composite struct {
	A     *module.Predict[compQuestion, compQueries]
	Steps []any
	D     map[string]*module.Predict[compXY, compZ]
}

type (
	compQuestion struct{ Question string }
	compQueries  struct{ Queries string }
	compB        struct{ B string }
	compXY       struct{ X, Y string }
	compZ        struct{ Z string }
)

func newComposite() *composite {
	return &composite{
		A: module.MustPredict[compQuestion, compQueries](""),
		Steps: []any{
			module.MustChainOfThought[question, answer](""),
			module.MustPredict[answer, compB](""),
		},
		D: map[string]*module.Predict[compXY, compZ]{"k": module.MustPredict[compXY, compZ]("")},
	}
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// states cuts a saved program before its metadata.
func states(t *testing.T, data []byte) string {
	t.Helper()
	before, _, ok := bytes.Cut(data, []byte("\n  \"metadata\": {"))
	if !ok {
		t.Fatalf("no metadata in %s", data)
	}
	return string(before)
}

func marshal(t testing.TB, program any, opts ...module.SaveOption) []byte {
	t.Helper()
	data, err := module.Marshal(program, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func predictor(t testing.TB, program any, name string) *module.Predictor {
	t.Helper()
	named, err := module.Predictors(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range named {
		if n.Name == name {
			return n.Predictor
		}
	}
	t.Fatalf("no predictor %q in %v", name, named)
	return nil
}

func TestGoldenFilesRoundTrip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file    string
		program any
		kept    []string
		demos   map[string]int
	}{
		{"state_predict", module.MustPredict[question, answer](""), nil, map[string]int{"self": 0}},
		{"state_cot_uncompiled", newCoT(), nil, map[string]int{"predict": 0}},
		{"state_cot_bootstrapped", newCoT(), nil, map[string]int{"predict": 4}},
		{"state_labeled_fewshot", newSMS(), nil, map[string]int{"self": 3}},
		{"state_composite", newComposite(), []string{"a"}, map[string]int{"d['k']": 0}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", tt.file+".json")
			report, err := module.Load(path, tt.program)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&module.LoadReport{Format: "DSPy 3.4.1", KeptLM: tt.kept}, report); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			for name, n := range tt.demos {
				if got := len(predictor(t, tt.program, name).State().Demos); got != n {
					t.Errorf("%s has %d demos, want %d", name, got, n)
				}
			}
			want, got := golden(t, tt.file), marshal(t, tt.program)
			if diff := cmp.Diff(states(t, want), states(t, got)); diff != "" {
				t.Errorf("saved again (-DSPy +whet):\n%s", diff)
			}
		})
	}
}

func TestLoadKeepsAugmented(t *testing.T) {
	t.Parallel()
	cot := newCoT()
	if _, err := module.Load("testdata/state_cot_bootstrapped.json", cot); err != nil {
		t.Fatal(err)
	}
	var got []bool
	for _, d := range predictor(t, cot, "predict").State().Demos {
		got = append(got, d.Augmented)
		if _, ok := d.Fields.Get("augmented"); ok {
			t.Error("the mark augmented is among the fields")
		}
	}
	if diff := cmp.Diff([]bool{true, true, false, false}, got); diff != "" {
		t.Error(diff)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	program := newComposite()
	model := lmtest.Script("[[ ## queries ## ]]\nx\n\n[[ ## completed ## ]]")
	var asked []string
	report, err := module.Unmarshal(golden(t, "state_composite"), program, module.Resolve(func(name string) (lm.LM, error) {
		asked = append(asked, name)
		return model, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(report.KeptLM) != 0 {
		t.Errorf("KeptLM = %v, want none: all were resolved", report.KeptLM)
	}
	if diff := cmp.Diff([]string{"openai/gpt-4o-mini"}, asked); diff != "" {
		t.Error(diff)
	}
	out, err := program.A.Run(context.Background(), compQuestion{"what?"})
	if err != nil || out.Queries != "x" {
		t.Errorf("Run = %v, %v", out, err)
	}
	// The entry of the file is written again.
	if diff := cmp.Diff(states(t, golden(t, "state_composite")), states(t, marshal(t, program))); diff != "" {
		t.Error(diff)
	}
}

func TestResolveFails(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such model here")
	_, err := module.Unmarshal(golden(t, "state_composite"), newComposite(), module.Resolve(func(string) (lm.LM, error) { return nil, cause }))
	wantLoadError(t, err, "a", "openai/gpt-4o-mini")
	if !errors.Is(err, cause) {
		t.Errorf("%v does not wrap the cause", err)
	}
	_, err = module.Unmarshal([]byte(`{"traces":[],"train":[],"demos":[],"signature":{"instructions":"i","fields":[{"prefix":"Q:","description":"${q}"},{"prefix":"A:","description":"${a}"}]},"lm":{"temperature":1}}`),
		module.MustPredict[question, answer](""), module.Resolve(func(string) (lm.LM, error) { return lmtest.Script(), nil }))
	wantLoadError(t, err, "self", "names no model")
}

func wantLoadError(t *testing.T, err error, predictor string, texts ...string) {
	t.Helper()
	var le *module.LoadError
	if !errors.As(err, &le) {
		t.Fatalf("got %v (%T), want a *LoadError", err, err)
	}
	if le.Predictor != predictor {
		t.Errorf("predictor %q, want %q, in %v", le.Predictor, predictor, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q lacks %q", err, text)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	boot, comp := string(golden(t, "state_cot_bootstrapped")), string(golden(t, "state_composite"))
	replace := func(s, old, to string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(s, old, to, 1)
	}
	tests := []struct {
		name, data string
		program    any
		predictor  string
		texts      []string
	}{
		{"other signature, other count", boot, struct{ Predict any }{newSMS()}, "predict", []string{"3 fields in the file and 2 in the program", "text -> label"}},
		{"other signature, other name", string(golden(t, "state_predict")), newSMS(), "self", []string{`"Q:"`, `"Text:"`}},
		{"unknown predictor", replace(comp, `"d['k']"`, `"e"`), newComposite(), "d['k']", []string{"the file lacks it", "steps[0].predict, steps[1], e"}},
		{"one predictor too many", comp, &composite{A: module.MustPredict[compQuestion, compQueries]("")}, "steps[0].predict", []string{"no such predictor", "it has a"}},
		{"missing predictor", boot, struct{ Predict, Other any }{newCoT(), newSMS()}, "other", []string{"the file lacks it"}},
		{"duplicate predictor", replace(comp, `"steps[1]"`, `"a"`), newComposite(), "a", []string{"line 55", `the key "a" stands twice`}},
		{"duplicate key in a state", replace(boot, `"train"`, `"traces"`), newCoT(), "predict", []string{`the key "traces" stands twice`}},
		{"truncated", boot[:strings.Index(boot, `"signature"`)], newCoT(), "", []string{"not a saved program"}},
		{"syntax error", replace(boot, `"text": "message 1",`, `"text": "message 1"`), newCoT(), "", []string{"line 15"}},
		{"demo that is no object", `{"predict":{"traces":[],"train":[],"demos":[7],"signature":{"instructions":"","fields":[{"prefix":"Text:"},{"prefix":"Reasoning:"},{"prefix":"Label:"}]},"lm":null}}`, newCoT(), "predict", []string{"demo 0"}},
		{"schema from the future", replace(boot, `"metadata": {`, `"metadata": {"whet": {"schema": 9},`), newCoT(), "", []string{"schema 9", "newer"}},
		{"metadata malformed", replace(boot, `"metadata": {`, `"metadata": {"whet": 7,`), newCoT(), "", []string{"metadata"}},
		{"no object", `[]`, newCoT(), "", []string{"not a saved program"}},
		{"empty", ``, newCoT(), "", []string{"not a saved program"}},
		{"text behind", boot + "{}", newCoT(), "", []string{"line 54", "after top-level value"}},
		{"state no object", `{"predict": 3}`, newCoT(), "predict", []string{"malformed"}},
		{"state of other types", replace(boot, `"traces": []`, `"traces": 3`), newCoT(), "predict", []string{`"traces"`, "malformed", "got 3"}},
		{"bias for no field", replace(boot, `"lm": null`, `"lm": null, "whet": {"biases": {"kind": {"ham": 1}}}`), newCoT(), "predict", []string{`"kind"`}},
		{"bias for no choice", replace(boot, `"lm": null`, `"lm": null, "whet": {"biases": {"label": {"junk": 1}}}`), newCoT(), "predict", []string{`"junk"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := marshal(t, tt.program)
			path := filepath.Join(t.TempDir(), "program.json")
			if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
				t.Fatal(err)
			}
			report, err := module.Load(path, tt.program)
			wantLoadError(t, err, tt.predictor, append(tt.texts, path)...)
			if report != nil {
				t.Errorf("a report together with an error: %v", report)
			}
			if diff := cmp.Diff(string(before), string(marshal(t, tt.program))); diff != "" {
				t.Errorf("the program was changed:\n%s", diff)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "no.json")
	_, err := module.Load(path, newSMS())
	wantLoadError(t, err, "", path)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

// withState returns a ChainOfThought with everything set that a file keeps.
func withState(t *testing.T) *module.ChainOfThought[sms, verdict] {
	t.Helper()
	cot := newCoT()
	err := predictor(t, cot, "predict").SetState(module.State{
		Instructions: "Say what the <message> & its \"sender\" want:\nä 😀",
		Descriptions: map[string]string{"label": "the verdict", "text": "what came"},
		Demos: []module.Demo{
			{Fields: signature.RecordOf("text", "Dinner at 8?", "reasoning", "A friend asks.", "label", "ham"), Augmented: true},
			{Fields: signature.RecordOf("text", "<b>Win</b> & \\ \u2028 now", "label", "spam")},
		},
		Biases:  map[string]map[string]float64{"label": {"spam": -0.25, "ham": 0.5}},
		SavedLM: []byte(`{"model":"openai/m","temperature":0.0}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return cot
}

func TestSaveAndLoadEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "p.json")
	provenance := module.Provenance{
		Optimizer: "bootstrap", Seed: 7, Model: "m", Data: "rows", DataHash: "sha256:0", Score: 0.9, Metric: "acc",
		Interval: &module.ScoreInterval{Low: 0.8, High: 0.95, Level: 0.95},
	}
	cot := withState(t)
	if err := module.Save(path, cot, module.WithProvenance(provenance)); err != nil {
		t.Fatal(err)
	}
	// Saving over a file works too, and no temporary file stays behind.
	if err := module.Save(path, cot, module.WithProvenance(provenance)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", files, err)
	}
	again := newCoT()
	report, err := module.Load(path, again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&module.LoadReport{Format: "whet, schema 1", Provenance: &provenance, KeptLM: []string{"predict"}}, report); diff != "" {
		t.Error(diff)
	}
	want, got := predictor(t, cot, "predict").State(), predictor(t, again, "predict").State()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-saved +loaded):\n%s", diff)
	}
	if diff := cmp.Diff(string(marshal(t, cot)), string(marshal(t, again))); diff != "" {
		t.Error(diff)
	}
}

func TestSaveFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := module.Save(filepath.Join(dir, "no", "p.json"), newSMS()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Save into no folder: %v", err)
	}
	// The target is a folder: the rename fails and leaves nothing behind.
	if err := os.MkdirAll(filepath.Join(dir, "taken", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := module.Save(filepath.Join(dir, "taken"), newSMS()); err == nil {
		t.Error("Save over a folder succeeded")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if err := module.Save(filepath.Join(dir, "x.json"), struct{}{}); !errors.Is(err, module.ErrNoPredictors) {
		t.Errorf("Save of nothing: %v", err)
	}
}

func TestMarshalIsStable(t *testing.T) {
	t.Parallel()
	first, second := marshal(t, withState(t)), marshal(t, withState(t))
	if !bytes.Equal(first, second) {
		t.Errorf("two saves differ:\n%s\n%s", first, second)
	}
	if !bytes.HasSuffix(first, []byte("}\n")) {
		t.Error("the file does not end with a line end")
	}
	// As in DSPy's files, nothing is escaped that JSON allows.
	for _, text := range []string{"<b>Win</b> & ", "ä 😀", "the <message> & its"} {
		if !bytes.Contains(first, []byte(text)) {
			t.Errorf("the file lacks %q:\n%s", text, first)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	version := func(program any) string {
		v, err := module.Version(program)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a, b, plain := version(withState(t)), version(withState(t)), version(newCoT())
	if a != b || len(a) != 64 {
		t.Errorf("versions %q and %q of equal programs", a, b)
	}
	if a == plain {
		t.Error("another state has the same version")
	}
	if _, err := module.Version(3); !errors.Is(err, module.ErrNoPredictors) {
		t.Errorf("Version of nothing: %v", err)
	}
}
