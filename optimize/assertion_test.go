package optimize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// brief is a program whose answer is to be one word.
type brief struct {
	Label *module.Predict[message, judged]
}

const oneWord = "one word"

func (p *brief) Run(ctx context.Context, in message) (judged, error) {
	out, err := p.Label.Run(ctx, in)
	if err != nil {
		return out, err
	}
	if err := assert.Suggest(ctx, !strings.Contains(out.Label, " "), oneWord); err != nil {
		return out, err
	}
	return out, nil
}

// plain is brief without its assertion, on the same predictor.
type plain struct {
	Label *module.Predict[message, judged]
}

func (p *plain) Run(ctx context.Context, in message) (judged, error) { return p.Label.Run(ctx, in) }

// wordy answers even messages with too many words until it is told, message 3 wrongly.
func wordy() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		text := question(r)
		number := messageNumber.FindStringSubmatch(text)[1]
		label := "ham"
		switch told := strings.Contains(text, "[[ ## feedback ## ]]"); {
		case strings.ContainsAny(number[len(number)-1:], "02468") && !told:
			label = "it is " + number
		case number == "3":
			label = "wrong"
		}
		return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]", nil
	})
}

func hams(n int) []module.Example[message, judged] {
	out := make([]module.Example[message, judged], n)
	for i := range out {
		out[i] = module.Example[message, judged]{In: message{fmt.Sprintf("message %d", i)}, Out: judged{"ham"}}
	}
	return out
}

func recordsOf(t *testing.T, r *optimize.Result) []signature.Record {
	t.Helper()
	var out []signature.Record
	for _, d := range r.States[0].State.Demos {
		if !d.Augmented {
			t.Errorf("the demo %v is not augmented", d.Fields)
		}
		out = append(out, d.Fields)
	}
	return out
}

var (
	repaired0 = signature.RecordOf("text", "message 0", "feedback", oneWord, "label", "ham")
	right1    = signature.RecordOf("text", "message 1", "label", "ham")
	repaired2 = signature.RecordOf("text", "message 2", "feedback", oneWord, "label", "ham")
)

func recordsEqual(a, b []signature.Record) bool {
	return slices.EqualFunc(a, b, signature.Record.Equal)
}

// TestBootstrapWithAssertions makes demos of final tries, with the assertions in the
// teacher alone and in both.
func TestBootstrapWithAssertions(t *testing.T) {
	t.Parallel()
	bootstrap := optimize.BootstrapFewShot{MaxBootstrapped: 3, MaxLabeled: optimize.None}
	want := []signature.Record{repaired0, right1, repaired2}
	for _, student := range []string{"plain, no teacher", "plain", "asserting"} {
		model := wordy()
		predict := module.MustPredict[message, judged]("", module.WithLM(model))
		var program module.Program[message, judged] = &plain{predict}
		asserting := assert.Wrap(&brief{predict})
		opts := []optimize.Option{optimize.Val(hams(8)), optimize.Concurrency(1)}
		switch student {
		case "plain":
			opts = append(opts, optimize.TeacherProgram(asserting))
		case "asserting":
			program = asserting
		}
		r, err := optimize.Compile(t.Context(), bootstrap, program, hams(6), metric.Exact, opts...)
		if err != nil {
			t.Fatal(err)
		}
		got := recordsOf(t, r)
		if student == "plain, no teacher" {
			if !recordsEqual(got, []signature.Record{right1, signature.RecordOf("text", "message 5", "label", "ham")}) {
				t.Errorf("%s: the demos are %v", student, got)
			}
		} else if !recordsEqual(got, want) {
			t.Errorf("%s: the demos are %v, want %v", student, got, want)
		}
		// Scored without the assertions, or with them: 0, 2, 4 and 6 are wrong without, 3 always.
		if wantScore := map[bool]float64{true: 7. / 8, false: 3. / 8}[student == "asserting"]; r.Score != wantScore {
			t.Errorf("%s: the score is %v, want %v", student, r.Score, wantScore)
		}
		if err := r.Apply(&brief{predict}); err != nil {
			t.Errorf("%s: %v", student, err)
		}
	}
}

func TestCounterExamples(t *testing.T) {
	t.Parallel()
	sent := map[bool][]*lm.Request{}
	for _, counter := range []bool{false, true} {
		model := wordy()
		predict := module.MustPredict[message, judged]("", module.WithLM(model))
		program := assert.Wrap(&plainSuggest{predict})
		o := optimize.BootstrapFewShot{MaxBootstrapped: 2, MaxLabeled: optimize.None, CounterExamples: counter}
		r, err := optimize.Compile(t.Context(), o, program, hams(6), metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.Optimizer, "counter-examples") != counter {
			t.Errorf("the optimizer is %s", r.Optimizer)
		}
		got := recordsOf(t, r)
		want := []signature.Record{repaired0, right1}
		if counter {
			want[0] = signature.RecordOf("text", "message 0", "feedback", oneWord, "past_label", "it is 0", "label", "ham")
		}
		if !recordsEqual(got, want) {
			t.Fatalf("counter %v: the demos are %v, want %v", counter, got, want)
		}
		if err := r.Apply(program); err != nil {
			t.Fatal(err)
		}
		before := model.Calls()
		if _, err := program.Run(t.Context(), message{"message 4"}); err != nil {
			t.Fatal(err)
		}
		sent[counter] = model.Requests()[before:]
		if counter {
			checkSaved(t, predict)
		}
	}
	if len(sent[true]) != 2 || len(sent[false]) != 2 {
		t.Fatalf("%d and %d requests, want 2", len(sent[true]), len(sent[false]))
	}
	if d := cmp.Diff(sent[false][0], sent[true][0]); d != "" {
		t.Errorf("the usual prompt differs with counter-examples:\n%s", d)
	}
	var usual, again strings.Builder
	for _, m := range sent[true][0].Messages {
		usual.WriteString(m.Text())
	}
	if strings.Contains(usual.String(), "it is 0") || strings.Contains(usual.String(), oneWord) || !strings.Contains(usual.String(), "message 0") {
		t.Errorf("the usual prompt is %s", &usual)
	}
	for _, m := range sent[true][1].Messages {
		again.WriteString(m.Text() + "\n")
	}
	if shown := "[[ ## text ## ]]\nmessage 0\n\n[[ ## past_label ## ]]\nit is 0\n\n[[ ## feedback ## ]]\n" + oneWord; !strings.Contains(again.String(), shown) {
		t.Errorf("the retry prompt is %s", &again)
	}
}

// plainSuggest is brief under another name of its field, so that it is one predictor.
type plainSuggest struct {
	*module.Predict[message, judged]
}

func (p *plainSuggest) Run(ctx context.Context, in message) (judged, error) {
	return (&brief{p.Predict}).Run(ctx, in)
}

// checkSaved saves a predictor with counter-examples and loads it here and in DSPy.
func checkSaved(t *testing.T, p *module.Predict[message, judged]) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.json")
	if err := module.Save(path, p); err != nil {
		t.Fatal(err)
	}
	model := lmtest.Answer(func(*lm.Request) (string, error) { return "[[ ## label ## ]]\nham", nil })
	loaded := module.MustPredict[message, judged]("", module.WithLM(model))
	report, err := module.Load(path, loaded)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Notes) > 0 {
		t.Errorf("notes of loading: %v", report.Notes)
	}
	was, is := p.Predictor().State().Demos, loaded.Predictor().State().Demos
	if !slices.EqualFunc(was, is, func(a, b module.Demo) bool { return a.Augmented == b.Augmented && a.Fields.Equal(b.Fields) }) {
		t.Errorf("saved %v and loaded %v", was, is)
	}
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Log(`not compared with DSPy: WHET_DSPY_PYTHON is not set; eval "$(scripts/setup env)" sets it`)
		return
	}
	if _, err := loaded.Run(t.Context(), message{"message 9"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", "dspy_render_counter.py"), path, "message 9")
	cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+t.TempDir())
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("DSPy does not load the file: %v", err)
	}
	var want []struct{ Role, Content string }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	got := model.Requests()[0].Messages
	if len(got) != len(want) {
		t.Fatalf("%d messages, of DSPy %d", len(got), len(want))
	}
	for i, m := range want {
		if string(got[i].Role) != m.Role || got[i].Text() != m.Content {
			t.Errorf("message %d (-DSPy +whet):\n%s", i, cmp.Diff(m.Content, got[i].Text()))
		}
	}
}

func TestTeacherProgramErrors(t *testing.T) {
	t.Parallel()
	model := wordy()
	predict := module.MustPredict[message, judged]("", module.WithLM(model))
	other := module.MustPredict[message, judged]("", module.WithLM(model))
	for _, tt := range []struct {
		teacher optimize.Option
		want    string
	}{
		{optimize.TeacherProgram(&plain{other}), "has no predictor of the program that is compiled"},
		{optimize.TeacherProgram(module.Func[message, judged](nil)), "no predictor found"},
		{optimize.TeacherProgram(module.MustPredict[message, verdict]("", module.WithLM(model))), "which answers no optimize_test.message with a optimize_test.judged"},
	} {
		_, err := optimize.Compile(t.Context(), optimize.BootstrapFewShot{}, &plain{predict}, hams(2), metric.Exact, tt.teacher)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
	if model.Calls() != 0 {
		t.Error("a call was made all the same")
	}
}
