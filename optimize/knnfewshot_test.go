package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// byNumber embeds "message 17" as a direction that turns with the number, so that messages
// with close numbers are near.
type byNumber struct{ fail error }

func (e byNumber) Embed(ctx context.Context, texts []string) (*lm.Embeddings, error) {
	if err := errors.Join(ctx.Err(), e.fail); err != nil {
		return nil, err
	}
	out := &lm.Embeddings{Usage: lm.Usage{Calls: 1, PromptTokens: len(texts)}}
	for _, text := range texts {
		m := messageNumber.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("no message in %q", text)
		}
		i, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		out.Vectors = append(out.Vectors, []float32{100, float32(i)})
	}
	return out, nil
}

// shownNumbers are the messages that a request shows as demos, in order.
func shownNumbers(r *lm.Request) []string {
	var out []string
	for _, m := range r.Messages[:len(r.Messages)-1] {
		if found := messageNumber.FindStringSubmatch(m.Text()); m.Role == lm.RoleUser && found != nil {
			out = append(out, found[1])
		}
	}
	return out
}

// everyFifth are messages 0, 5, 10, ...
func everyFifth(n int) []example {
	out := make([]example, n)
	for i := range out {
		out[i] = messages(5*i + 1)[5*i]
	}
	return out
}

// TestKNNFewShot looks at what the teacher is asked, and what the program is shown.
func TestKNNFewShot(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden) // wrong for 15, 35, 55, ... without a neighbour among the demos
	program := newClassifier(model)
	p, err := optimize.NewKNNFewShot(t.Context(), program, everyFifth(20), metric.Exact, 3, byNumber{}, optimize.BootstrapFewShot{MaxLabeled: optimize.None})
	if err != nil {
		t.Fatal(err)
	}
	if p.Usage().Calls != 1 || p.Usage().PromptTokens != 20 || model.Calls() != 0 {
		t.Errorf("the start has cost %+v and %d calls", p.Usage(), model.Calls())
	}
	ctx, steps := trace.Start(t.Context())
	pred, err := p.Call(ctx, message{"message 16"})
	if err != nil {
		t.Fatal(err)
	}
	// The nearest are 15, 20 and 10, of which the teacher answers 15 wrongly.
	requests := model.Requests()
	if len(requests) != 4 {
		t.Fatalf("%d calls, want 4", len(requests))
	}
	for i, want := range []string{"15", "20", "10"} {
		if got := messageNumber.FindStringSubmatch(question(requests[i]))[1]; got != want || len(shownNumbers(requests[i])) != 0 {
			t.Errorf("the teacher's call %d is of %s with the demos %v, want %s", i, got, shownNumbers(requests[i]), want)
		}
	}
	if got := shownNumbers(requests[3]); !slices.Equal(got, []string{"20", "10"}) || pred.Out.Label != labels[16%3] {
		t.Errorf("the program was shown %v and said %v", got, pred.Out)
	}
	if pred.Usage.Calls != 5 { // an embedding, three bootstraps, the answer
		t.Errorf("the usage is %+v", pred.Usage)
	}
	var kept, dropped int
	for _, st := range module.Steps(steps) {
		if st.Dropped {
			dropped++
		} else {
			kept++
		}
	}
	if kept != 1 || dropped != 3 || len(module.Lookups(steps)) != 1 {
		t.Errorf("the trace has %d steps on which the answer rests and %d others", kept, dropped)
	}
	if len(program.Predictor().State().Demos) != 0 {
		t.Error("the program was changed")
	}
	// Labeled ones fill up, and the teacher is never shown the example that it is to answer.
	model = lmtest.Answer(golden)
	full, err := optimize.NewKNNFewShot(t.Context(), newClassifier(model), everyFifth(20), metric.Exact, 3, byNumber{}, optimize.BootstrapFewShot{MaxBootstrapped: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := full.Run(t.Context(), message{"message 16"}); err != nil {
		t.Fatal(err)
	}
	requests = model.Requests()
	last := shownNumbers(requests[len(requests)-1])
	slices.Sort(last)
	if !slices.Equal(last, []string{"10", "15", "20"}) || slices.Contains(shownNumbers(requests[0]), "15") || len(shownNumbers(requests[0])) != 2 {
		t.Errorf("the program was shown %v, the teacher at 15 %v", last, shownNumbers(requests[0]))
	}
}

// TestKNNFewShotAtOnce asks from many goroutines, under states of the context's own, and
// through an answer store that knows what was bootstrapped before.
func TestKNNFewShotAtOnce(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden)
	program := newClassifier(model)
	store := cache.Memory()
	p, err := optimize.NewKNNFewShot(t.Context(), program, everyFifth(20), metric.Exact, 2, byNumber{},
		optimize.BootstrapFewShot{MaxLabeled: optimize.None}, optimize.Through(store.Wrap))
	if err != nil {
		t.Fatal(err)
	}
	states, err := module.States{}.With(program.Predictor(), module.State{Instructions: "Mind the number."})
	if err != nil {
		t.Fatal(err)
	}
	ctx := module.WithStates(t.Context(), states)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			n := 2 * i
			got, err := p.Run(ctx, message{fmt.Sprintf("message %d", n)})
			if err != nil || got.Label != labels[n%3] { // an even number is none of those that are wrong
				t.Errorf("message %d: %v and %v", n, got, err)
			}
		})
	}
	wg.Wait()
	// At most 20 examples were bootstrapped, once each, for 40 answers.
	if model.Calls() > 60 {
		t.Errorf("%d calls for 40 answers", model.Calls())
	}
	for _, r := range model.Requests() {
		if !strings.Contains(r.Messages[0].Text(), "Mind the number.") {
			t.Fatal("a call was made without the context's states")
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKNNFewShotPredictors finds the program's under the same names, at the top and within
// another program.
func TestKNNFewShotPredictors(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(twoModel)
	p, err := optimize.NewKNNFewShot(t.Context(), newTwo(module.WithLM(model)), twoExamples(9), metric.Exact, 3, byNumber{}, optimize.BootstrapFewShot{})
	if err != nil {
		t.Fatal(err)
	}
	one, err := optimize.NewKNNFewShot(t.Context(), newClassifier(lmtest.Answer(golden)), messages(9), metric.Exact, 3, byNumber{}, optimize.BootstrapFewShot{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		program any
		want    []string
	}{
		{p, []string{"topic", "judge.predict"}},
		{one, []string{"self"}},
		{&struct{ Classify any }{one}, []string{"classify"}},
		{&struct{ Sort any }{p}, []string{"sort.topic", "sort.judge.predict"}},
	} {
		named, err := module.Predictors(tt.program)
		var got []string
		for _, n := range named {
			got = append(got, n.Name)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%T: the predictors are %v (%v), want %v", tt.program, got, err, tt.want)
		}
	}
	// Each predictor has demos of its own.
	if _, err := p.Run(t.Context(), message{"message 6"}); err != nil {
		t.Fatal(err)
	}
	last := model.Requests()[model.Calls()-1]
	if !strings.Contains(question(last), "[[ ## topic ## ]]") || len(shownNumbers(last)) != 3 || !strings.Contains(last.Messages[4].Text(), "because 6") {
		t.Errorf("the second predictor was asked %v", last.Messages)
	}
	// A search scores it as any program.
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 2}, one, messages(9), metric.Exact, optimize.Val(messages(12)))
	if err != nil || len(r.States) != 1 || len(r.States[0].State.Demos) != 2 {
		t.Errorf("compiled: %v and %v", r, err)
	}
}

// TestKNNFewShotTeacher has another model, and another program, make the demos.
func TestKNNFewShotTeacher(t *testing.T) {
	t.Parallel()
	student, teacher := lmtest.Answer(golden), lmtest.Answer(golden)
	program := newClassifier(student)
	other := &wrapped{Inner: program}
	p, err := optimize.NewKNNFewShot(t.Context(), program, messages(9), metric.Exact, 2, byNumber{}, optimize.BootstrapFewShot{},
		optimize.Teacher(teacher), optimize.TeacherProgram[message, verdict](other))
	if err != nil {
		t.Fatal(err)
	}
	ctx, steps := trace.Start(t.Context())
	if _, err := p.Run(ctx, message{"message 4"}); err != nil {
		t.Fatal(err)
	}
	if student.Calls() != 1 || teacher.Calls() != 2 || other.runs != 2 || len(module.Steps(steps)) != 3 {
		t.Errorf("%d calls of the student and %d of the teacher in %d runs, %d steps", student.Calls(), teacher.Calls(), other.runs, len(module.Steps(steps)))
	}
}

// wrapped is a program around another one.
type wrapped struct {
	Inner module.Program[message, verdict]
	runs  int
}

func (w *wrapped) Run(ctx context.Context, in message) (verdict, error) {
	w.runs++
	return w.Inner.Run(ctx, in)
}

// TestKNNFewShotDynamic runs a program whose fields are known only when it runs.
func TestKNNFewShotDynamic(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden)
	train := make([]module.Example[signature.Record, signature.Record], 9)
	for i := range train {
		train[i].In, train[i].Out = signature.RecordOf("text", fmt.Sprintf("message %d", i)), signature.RecordOf("label", string(labels[i%3]))
	}
	p, err := optimize.NewKNNFewShot(t.Context(), module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(model)), train, metric.Exact, 2, byNumber{}, optimize.BootstrapFewShot{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(t.Context(), signature.RecordOf("text", "message 3"))
	if label, _ := got.Get("label"); err != nil || label != "ham" {
		t.Errorf("got %v and %v", got, err)
	}
}

func TestKNNFewShotErrors(t *testing.T) {
	t.Parallel()
	ctx, broken := t.Context(), errors.New("broken")
	program := newClassifier(lmtest.Answer(golden))
	few := optimize.BootstrapFewShot{}
	exact := metric.Exact[message, verdict]
	var none module.Program[message, verdict]
	for name, tt := range map[string]struct {
		make func() (*optimize.KNNFewShot[message, verdict], error)
		want error
		text string
	}{
		"program": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, none, messages(3), exact, 1, byNumber{}, few)
		}, nil, "the program is nil"},
		"metric": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](program), messages(3), nil, 1, byNumber{}, few)
		}, nil, "the metric is nil"},
		"predictors": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](module.Func[message, verdict](program.Run)), messages(3), exact, 1, byNumber{}, few)
		}, module.ErrNoPredictors, ""},
		"k": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](program), messages(3), exact, 0, byNumber{}, few)
		}, nil, "want at least 1"},
		"embedder": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](program), messages(3), exact, 1, byNumber{broken}, few)
		}, broken, ""},
		"example": {func() (*optimize.KNNFewShot[message, verdict], error) {
			bad := append(messages(3), example{In: message{"message 3"}, Out: verdict{"egg"}, ID: "row 4"})
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](program), bad, exact, 1, byNumber{}, few)
		}, nil, "row 4"},
		"option": {func() (*optimize.KNNFewShot[message, verdict], error) {
			return optimize.NewKNNFewShot(ctx, module.Program[message, verdict](program), messages(3), exact, 1, byNumber{}, few, optimize.Val(messages(3)))
		}, nil, "takes Teacher, TeacherProgram and Through"},
	} {
		p, err := tt.make()
		if err == nil || p != nil || !errors.Is(err, tt.want) && tt.want != nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v and %v", name, p, err)
		}
	}

	dead := newClassifier(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return nil, broken }))
	p, err := optimize.NewKNNFewShot(ctx, dead, messages(3), exact, 2, byNumber{}, optimize.BootstrapFewShot{MaxErrors: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(ctx, message{"message 1"}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "KNNFewShot: bootstrapping from the 2 nearest examples") {
		t.Errorf("a model that fails: %v", err)
	}
	good, err := optimize.NewKNNFewShot(ctx, program, messages(3), exact, 2, byNumber{}, few)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := good.Run(ctx, message{"no number"}); err == nil {
		t.Error("an input that cannot be embedded was answered")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := good.Run(cancelled, message{"message 1"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// In the middle of the bootstrapping, too.
	middle, stop := context.WithCancel(ctx)
	ending, err := optimize.NewKNNFewShot(ctx, newClassifier(lmtest.Answer(func(r *lm.Request) (string, error) {
		stop()
		return golden(r)
	})), messages(3), exact, 2, byNumber{}, few)
	if err != nil {
		t.Fatal(err)
	}
	report, err := evaluate.Run(middle, ending, messages(3), exact, evaluate.Concurrency(1))
	if !errors.Is(err, context.Canceled) || report.Failed != 0 {
		t.Errorf("cancelled in the middle: %v and %v", report, err)
	}
}
