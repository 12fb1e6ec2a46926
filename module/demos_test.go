package module_test

import (
	"context"
	"fmt"
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

// DSPy's LabeledFewShot keeps the texts of a CSV, and DSPy shows what a demo has.
func TestLoadDemosOfOtherTypes(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("q -> n: int, x: float, ok: bool, maybe: Optional[int], label: Literal['ham', 'spam'], tags: list[str], m: dict[str, int]")
	p := module.MustDynamic(sig)
	data := string(marshal(t, p))
	const demos = `"demos": [` +
		`{"q":"a","n":"5","x":"2.5","ok":"True","maybe":"7","label":"Spam","tags":"a, b","m":"{\"a\":1}"},` +
		`{"q":"b","n":"five","x":"","ok":"yes","maybe":[1],"label":3,"tags":{"a":1},"m":[]}]`
	report, err := module.Unmarshal([]byte(strings.Replace(data, `"demos": []`, demos, 1)), p)
	if err != nil {
		t.Fatal(err)
	}
	state := predictor(t, p, "self").State()
	want := []module.Demo{
		{Fields: signature.RecordOf("q", "a", "n", int64(5), "x", 2.5, "ok", true, "maybe", int64(7), "label", "Spam", "tags", "a, b", "m", signature.RecordOf("a", int64(1)))},
		{Fields: signature.RecordOf("q", "b", "n", "five", "x", "", "ok", "yes", "maybe", []signature.Value{int64(1)}, "label", int64(3), "tags", signature.RecordOf("a", int64(1)), "m", []signature.Value{})},
	}
	if diff := cmp.Diff(want, state.Demos); diff != "" {
		t.Errorf("demos (-want +got):\n%s", diff)
	}
	notes := fmt.Sprint(report.Notes)
	for _, note := range []string{
		`"n" of 1 demos is a text in the file, which was read as int`,
		`"n" of 1 demos is no value of its type int, and is shown as it is`,
		`"label" of 2 demos is no value of its type`,
		`"m" of 1 demos is a JSON text in the file`,
	} {
		if !strings.Contains(notes, note) {
			t.Errorf("no note %q in %s", note, notes)
		}
	}
	again := module.MustDynamic(sig)
	saved := marshal(t, p)
	if _, err := module.Unmarshal(saved, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(saved), string(marshal(t, again))); diff != "" {
		t.Errorf("saved, loaded and saved again:\n%s", diff)
	}
}

// What a predictor takes as its state can be saved and loaded.
func TestAcceptedDemosCanBeLoaded(t *testing.T) {
	t.Parallel()
	values := []signature.Value{"", "a", "5", "true", int64(3), 2.5, true, []signature.Value{"a", int64(1)}, signature.RecordOf("a", "b"), nil}
	for _, typ := range []string{
		"str", "int", "float", "bool", "Optional[int]", "Literal['a', 'b']", "list[int]", "dict[str, int]", "tuple[int, str]", "Union[int, bool]",
		"dspy.Image", "list[dspy.Image]", "dspy.Audio", "dspy.File", "dspy.History", "dspy.Code", "dspy.Tool", "list[dspy.Tool]", "dspy.Reasoning", "dspy.ToolCalls",
	} {
		for _, text := range []string{"f: " + typ + " -> a", "q -> f: " + typ} {
			sig, err := signature.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				p, err := module.NewDynamic(sig)
				if err != nil {
					continue // not a type for an output
				}
				if err := predictor(t, p, "self").SetState(module.State{Demos: []module.Demo{{Fields: signature.RecordOf("q", "q", "f", v, "a", "x")}}}); err != nil {
					continue
				}
				data, err := module.Marshal(p)
				if err == nil {
					_, err = module.Unmarshal(data, p)
				}
				if err != nil {
					t.Errorf("%s with %v: %v", text, v, err)
				}
			}
		}
	}
}

// A field named augmented takes the key under which DSPy keeps a demo's flag.
func TestFieldNamedAugmented(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"augmented -> a", "q -> augmented: bool"} {
		p, again := module.MustDynamic(signature.MustParse(text)), module.MustDynamic(signature.MustParse(text))
		fields := signature.RecordOf("augmented", "yes", "a", "x")
		if strings.HasPrefix(text, "q") {
			fields = signature.RecordOf("q", "x", "augmented", false)
		}
		if err := predictor(t, p, "self").SetState(module.State{Demos: []module.Demo{{Fields: fields, Augmented: true}}}); err != nil {
			t.Fatal(err)
		}
		var notes []module.Note
		data := marshal(t, p, module.SaveNotes(func(n module.Note) { notes = append(notes, n) }))
		if len(notes) != 1 || !strings.Contains(notes[0].Text, "augmented") {
			t.Errorf("%s: notes %v", text, notes)
		}
		if _, err := module.Unmarshal(data, again); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff([]module.Demo{{Fields: fields}}, predictor(t, again, "self").State().Demos); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// A load that resolves no language model leaves the one that an earlier one resolved.
func TestLoadKeepsTheLM(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(*lm.Request) (string, error) { return "[[ ## queries ## ]]\nx\n\n[[ ## completed ## ]]", nil })
	program := newComposite()
	data := golden(t, "state_composite")
	for _, opts := range [][]module.LoadOption{{module.Resolve(func(string) (lm.LM, error) { return model, nil })}, nil} {
		if _, err := module.Unmarshal(data, program, opts...); err != nil {
			t.Fatal(err)
		}
		if _, err := program.A.Run(t.Context(), compQuestion{"what?"}); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Unmarshal(data, program, module.Resolve(func(string) (lm.LM, error) { return model, nil })); err != nil {
		t.Fatal(err)
	}
	live, err := module.NewLive(t.Context(), resolvedProgram{program}, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Run(t.Context(), compQuestion{"what?"}); err != nil {
		t.Error(err)
	}
}

// resolvedProgram runs the first predictor of a composite.
type resolvedProgram struct{ *composite }

func (p resolvedProgram) Run(ctx context.Context, in compQuestion) (compQueries, error) {
	return p.A.Run(ctx, in)
}
