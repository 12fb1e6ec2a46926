package optimize_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// TestFinetuneGolden writes what DSPy 3.4.1's ChatAdapter.format_finetune_data writes.
func TestFinetuneGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/finetune_chat.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Signature struct{ Instructions string }
		Result    json.RawMessage
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, golden.Result); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	p := module.MustPredict[message, verdict](golden.Signature.Instructions, module.WithLM(lmtest.Script("[[ ## label ## ]]\nham")))
	set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, []example{{In: message{"t"}, Out: verdict{"ham"}}}, metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := set.Train.Write(&got, optimize.FinetuneOpenAI); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// TestFinetuneKeepsWhatTheMetricAccepts has a model that is wrong about every fourth message,
// and looks at which records there are, in DSPy's order.
func TestFinetuneKeepsWhatTheMetricAccepts(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 8} {
		model := lmtest.Answer(golden)
		set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, newClassifier(model), messages(30)[:20], metric.Exact,
			optimize.Val(messages(30)[20:]), optimize.Concurrency(concurrency))
		if err != nil {
			t.Fatal(err)
		}
		var want, valid []string
		for i := range 30 {
			switch {
			case i%4 == 3:
			case i < 20:
				want = append(want, strconv.Itoa(i))
			default:
				valid = append(valid, strconv.Itoa(i))
			}
		}
		pyrand.Shuffle(pyrand.New(0), want)
		if got := exampleNames(set.Train); !slices.Equal(got, want) {
			t.Errorf("the training records are of %v, want %v", got, want)
		}
		if got := exampleNames(set.Valid); !slices.Equal(got, valid) {
			t.Errorf("the validation records are of %v, want %v", got, valid)
		}
		for _, r := range set.Train {
			i, err := strconv.Atoi(r.Example)
			if err != nil {
				t.Fatal(err)
			}
			asked, answer := r.Messages[len(r.Messages)-2], r.Messages[len(r.Messages)-1]
			if len(r.Messages) != 3 || r.Score != 1 || r.Predictor != "self" || !strings.Contains(asked.Content, "\nmessage "+r.Example+"\n") ||
				answer != (optimize.ChatMessage{Role: "assistant", Content: fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]\n", labels[i%3])}) {
				t.Errorf("the record of message %d is %+v", i, r)
			}
		}
		if n := set.Count(optimize.TrainSplit, optimize.DropRejected); n != 5 || set.Count(optimize.ValidSplit, optimize.DropRejected) != 2 || len(set.Dropped) != 7 {
			t.Errorf("dropped: %+v", set.Dropped)
		}
		if set.Calls != (optimize.Calls{Requested: 30, Paid: 30}) || model.Calls() != 30 || set.Usage.Calls != 30 {
			t.Errorf("calls %+v, usage %+v", set.Calls, set.Usage)
		}
		text := "train: 15 records; dropped 5 where the metric rejected the answer\n" +
			"valid: 8 records; dropped 2 where the metric rejected the answer\n30 calls requested, 30 paid"
		if set.String() != text {
			t.Errorf("the set is described as %q, want %q", set, text)
		}
	}
}

func exampleNames(records optimize.FinetuneRecords) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.Example)
	}
	return out
}

// TestFinetuneThreshold keeps scores from a threshold on, and with a nil metric all answers.
func TestFinetuneThreshold(t *testing.T) {
	t.Parallel()
	set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{Threshold: 2}, newClassifier(lmtest.Answer(golden)), messages(8), metric.Exact)
	if !errors.Is(err, optimize.ErrNoTraces) || set == nil || set.Count(optimize.TrainSplit, optimize.DropRejected) != 8 {
		t.Errorf("with a threshold that no score reaches: %v, %v", set, err)
	}
	set, err = optimize.FinetuneData(t.Context(), optimize.Finetune{}, newClassifier(lmtest.Answer(golden)), messages(8), nil)
	if err != nil || len(set.Train) != 8 {
		t.Errorf("without a metric: %v, %v; want all", set, err)
	}
}

// TestFinetuneTwoPredictors makes a record of each call, and knows whose it is.
func TestFinetuneTwoPredictors(t *testing.T) {
	t.Parallel()
	p := newTwo(module.WithLM(lmtest.Answer(twoModel)))
	set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, twoExamples(12), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	// Message 4 cannot be read, and 2, 5, 8 and 11 are answered wrongly.
	topics, judges := set.Train.Of("topic"), set.Train.Of("judge.predict")
	if len(topics) != 7 || len(judges) != 7 || len(set.Train) != 14 {
		t.Fatalf("%d records of topic and %d of judge in %d", len(topics), len(judges), len(set.Train))
	}
	for _, r := range judges {
		answer := r.Messages[len(r.Messages)-1].Content
		if !strings.HasPrefix(answer, "[[ ## reasoning ## ]]\nbecause ") || !strings.Contains(r.Messages[1].Content, "[[ ## topic ## ]]\ntopic ") {
			t.Errorf("the record %+v", r)
		}
	}
	if set.Count(optimize.TrainSplit, optimize.DropFailed) != 1 || set.Count(optimize.TrainSplit, optimize.DropRejected) != 4 {
		t.Errorf("dropped: %s", set)
	}
	i := slices.IndexFunc(set.Dropped, func(d optimize.FinetuneDrop) bool { return d.Why == optimize.DropFailed })
	if d := set.Dropped[i]; d.Example != "number 5" || d.Split != optimize.TrainSplit || d.Err == nil {
		t.Errorf("the run that failed is %+v", d)
	}
}

// TestFinetuneDemos leaves the demos of the predictors in, or out.
func TestFinetuneDemos(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	result, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 2}, p, messages(4), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Apply(p); err != nil {
		t.Fatal(err)
	}
	for _, exclude := range []bool{false, true} {
		set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{ExcludeDemos: exclude}, p, messages(20)[8:], metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		want := 7
		if exclude {
			want = 3
		}
		if n := len(set.Train[0].Messages); n != want {
			t.Errorf("exclude demos: %t: %d messages, want %d", exclude, n, want)
		}
	}
	if n := len(p.Predictor().State().Demos); n != 2 {
		t.Errorf("the program has %d demos now", n)
	}
	// A demo that is a validation example is trained on, if the records show it.
	val := optimize.Val(messages(4))
	_, err = optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, messages(20)[8:], metric.Exact, val)
	var leak *optimize.LeakError
	if !errors.As(err, &leak) || !strings.Contains(leak.Train, `demo 1 of the predictor "self"`) && !strings.Contains(leak.Train, `demo 2 of the predictor "self"`) || leak.More != 1 {
		t.Errorf("demos that are validation examples: %v", err)
	}
	if _, err := optimize.FinetuneData(t.Context(), optimize.Finetune{ExcludeDemos: true}, p, messages(20)[8:], metric.Exact, val); err != nil {
		t.Errorf("without these demos: %v", err)
	}
}

// TestFinetuneTeacher runs another model, and another program, in place of the program's own.
func TestFinetuneTeacher(t *testing.T) {
	t.Parallel()
	own, teacher := lmtest.Script(), lmtest.Answer(golden)
	set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, newClassifier(own), messages(8), metric.Exact, optimize.Teacher(teacher))
	if err != nil || len(set.Train) != 6 || own.Calls() != 0 || teacher.Calls() != 8 {
		t.Errorf("%v, %v; %d calls of the program's model and %d of the teacher", set, err, own.Calls(), teacher.Calls())
	}
	if set, err = optimize.FinetuneData(t.Context(), optimize.Finetune{}, module.MustPredict[message, verdict](""), messages(8), metric.Exact, optimize.Teacher(teacher)); err != nil || len(set.Train) != 6 {
		t.Errorf("a program without a model: %v, %v", set, err)
	}

	predict := module.MustPredict[message, judged]("", module.WithLM(wordy()))
	taught, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, &plain{predict}, hams(4), metric.Exact,
		optimize.TeacherProgram(assert.Wrap(&brief{predict})))
	if err != nil {
		t.Fatal(err)
	}
	// Messages 0 and 2 are answered twice: what is learnt is the last answer to the usual prompt.
	if len(taught.Train) != 3 || taught.Count(optimize.TrainSplit, optimize.DropUnused) != 2 || taught.Count(optimize.TrainSplit, optimize.DropRejected) != 1 {
		t.Errorf("of the asserting teacher: %s", taught)
	}
	for _, r := range taught.Train {
		if len(r.Messages) != 3 || strings.Contains(r.Messages[1].Content, "feedback") || !strings.HasPrefix(r.Messages[2].Content, "[[ ## label ## ]]\nham\n") {
			t.Errorf("the record %+v", r)
		}
	}
}

// relay is a program whose second predictor sees only what the first one says.
type relay struct {
	Topic *module.Predict[message, topic]
	Label *module.Predict[topic, judged]
	extra module.Program[message, topic]
}

func (p *relay) Run(ctx context.Context, in message) (judged, error) {
	t, err := p.Topic.Run(ctx, in)
	if err != nil {
		return judged{}, err
	}
	if p.extra != nil {
		if _, err := p.extra.Run(ctx, in); err != nil {
			return judged{}, err
		}
	}
	return p.Label.Run(ctx, t)
}

func newRelay() *relay {
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		last := question(r)
		if m := messageNumber.FindStringSubmatch(last); m != nil {
			i, err := strconv.Atoi(m[1])
			return fmt.Sprintf("[[ ## topic ## ]]\ntopic %d", i%5), err
		}
		return "[[ ## label ## ]]\nham", nil
	})
	return &relay{
		Topic: module.MustPredict[message, topic]("", module.WithLM(model)),
		Label: module.MustPredict[topic, judged]("", module.WithLM(model)),
	}
}

// TestFinetuneSharedPrompts has steps between that are the same in both splits, and a call of
// a predictor that is not the program's.
func TestFinetuneSharedPrompts(t *testing.T) {
	t.Parallel()
	p := newRelay()
	p.extra = newTwo(module.WithLM(lmtest.Script())).Topic
	if _, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, hams(3), nil); err == nil || !errors.Is(err, lm.ErrUnavailable) || !errors.Is(err, optimize.ErrNoTraces) {
		t.Errorf("every run fails: %v, want ErrNoTraces and the first error", err)
	}
	p.extra = newTwo(module.WithLM(lmtest.Answer(twoModel))).Topic
	set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, hams(3), nil, optimize.Val(hams(8)[5:]))
	if err != nil {
		t.Fatal(err)
	}
	// Messages 5, 6 and 7 have the topics of 0, 1 and 2.
	if len(set.Train) != 6 || len(set.Valid) != 3 || len(set.Valid.Of("topic")) != 3 || set.Count(optimize.ValidSplit, optimize.DropShared) != 3 {
		t.Errorf("got %s", set)
	}
	if n := set.Count(optimize.TrainSplit, optimize.DropForeign); n != 3 {
		t.Errorf("%d calls of another predictor, want 3: %s", n, set)
	}
}

// TestFinetuneLeaks finds validation examples that are trained on, before any call.
func TestFinetuneLeaks(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden)
	train := []example{{In: message{"Free entry!"}, Out: verdict{"spam"}, ID: "a:1"}, {In: message{"see you"}, Out: verdict{"ham"}, ID: "a:2"}, {In: message{"!!"}, Out: verdict{"ham"}, ID: "a:3"}}
	row := func(id, text string) example { return example{In: message{text}, Out: verdict{"ham"}, ID: id} }
	for _, tt := range []struct {
		name string
		near bool
		val  []example
		want *optimize.LeakError
	}{
		{"the same text with another label", false, []example{row("b:1", "new"), row("b:2", "Free entry!")}, &optimize.LeakError{Train: "the training example a:1", Valid: "b:2"}},
		{"two leaks", false, []example{row("b:1", "see you"), row("", "Free entry!")}, &optimize.LeakError{Train: "the training example a:2", Valid: "b:1", More: 1}},
		{"nearly the same, not asked for", false, []example{row("b:1", "FREE  entry")}, nil},
		{"nearly the same", true, []example{row("b:1", "FREE  entry")}, &optimize.LeakError{Train: "the training example a:1", Valid: "b:1", Near: true}},
		{"the same, where near ones count", true, []example{row("b:1", "see you")}, &optimize.LeakError{Train: "the training example a:2", Valid: "b:1"}},
		{"another text without letters", true, []example{row("b:1", "??")}, nil},
		{"other words", true, []example{row("b:1", "free entry 2")}, nil},
	} {
		err := func() error {
			_, err := optimize.FinetuneData(t.Context(), optimize.Finetune{NearDuplicates: tt.near}, newClassifier(model), train, nil, optimize.Val(tt.val))
			return err
		}()
		var leak *optimize.LeakError
		errors.As(err, &leak)
		if tt.want != nil && (leak == nil || *leak != *tt.want || !strings.Contains(err.Error(), tt.want.Train) || !strings.Contains(err.Error(), tt.want.Valid)) || tt.want == nil && leak != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	fresh := lmtest.Answer(golden)
	if _, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, newClassifier(fresh), train, nil, optimize.Val(train[:1])); err == nil || fresh.Calls() != 0 {
		t.Errorf("%v after %d calls, want an error before the first", err, fresh.Calls())
	}
}

// TestFinetuneAdapters refuses predictors that ask in another way than they would be trained.
func TestFinetuneAdapters(t *testing.T) {
	t.Parallel()
	for _, a := range []adapter.Adapter{adapter.JSON{}, adapter.Compact{}, adapter.Compact{Turns: true}} {
		model := lmtest.Answer(golden)
		p := newTwo(module.WithLM(model))
		p.Judge = module.MustChainOfThought[topical, judged]("", module.WithLM(model), module.WithAdapter(a))
		_, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, twoExamples(3), metric.Exact)
		var other *optimize.FinetuneAdapterError
		if !errors.As(err, &other) || other.Predictor != "judge.predict" || model.Calls() != 0 {
			t.Errorf("%s: %v after %d calls", a.Name(), err, model.Calls())
		}
	}
	for _, a := range []adapter.Chat{{}, {Strict: true}, {KeepMarkers: true}} {
		p := module.MustPredict[message, verdict]("", module.WithLM(lmtest.Answer(golden)), module.WithAdapter(a))
		if _, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, messages(3), metric.Exact); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// TestFinetuneEndsEarly keeps what has run when the context ends or a budget is spent.
func TestFinetuneEndsEarly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if strings.Contains(question(r), "message 6") {
			cancel()
		}
		return golden(r)
	})
	set, err := optimize.FinetuneData(ctx, optimize.Finetune{}, newClassifier(model), messages(20), metric.Exact, optimize.Concurrency(1))
	if !errors.Is(err, context.Canceled) || set == nil || len(set.Train) < 5 || len(set.Train) > 6 {
		t.Errorf("cancelled: %v, %v; want the records of messages before the end", set, err)
	}
	set, err = optimize.FinetuneData(t.Context(), optimize.Finetune{}, newClassifier(lmtest.Answer(golden)), messages(20), metric.Exact,
		optimize.Concurrency(1), optimize.Within(optimize.Budget{Calls: 7}))
	if !errors.Is(err, lm.ErrBudget) || set == nil || len(set.Train) != 6 || set.Calls.Paid < 7 {
		t.Errorf("a budget of 7 calls: %v, %v", set, err)
	}
}

func TestFinetuneErrors(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	run := func(train []example, opts ...optimize.Option) error {
		set, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, p, train, metric.Exact, opts...)
		if set != nil {
			t.Errorf("there is a set: %v", set)
		}
		return err
	}
	if err := run(nil); !errors.Is(err, evaluate.ErrNoData) {
		t.Errorf("no examples: %v", err)
	}
	for name, opt := range map[string]optimize.Option{
		"Confirm": optimize.Confirm(messages(3)), "By": optimize.By(metric.Mean[verdict]()), "Calibrated": optimize.Calibrated(optimize.Calibrate{}),
		"Val of another type": optimize.Val(twoExamples(3)), "Val of none": optimize.Val([]example{}), "Concurrency": optimize.Concurrency(0),
		"TeacherProgram of another type":  optimize.TeacherProgram(newTwo()),
		"TeacherProgram of other modules": optimize.TeacherProgram(newClassifier(lmtest.Script())),
	} {
		if err := run(messages(5)[3:], opt); err == nil || !strings.HasPrefix(err.Error(), "optimize: ") {
			t.Errorf("%s: %v, want an error of this package", name, err)
		}
	}
	if _, err := optimize.FinetuneData(t.Context(), optimize.Finetune{}, module.MustPredict[message, verdict](""), messages(3), metric.Exact); !errors.Is(err, module.ErrNoLM) {
		t.Errorf("no model: %v", err)
	}
}
