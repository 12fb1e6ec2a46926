package optimize_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

type topic struct {
	Topic string `json:"topic"`
}

type topical struct {
	Text  string `json:"text"`
	Topic string `json:"topic"`
}

type judged struct {
	Label string `json:"label"`
}

// two is a program of two predictors.
type two struct {
	Topic *module.Predict[message, topic]
	Judge *module.ChainOfThought[topical, judged]
}

// newTwo reads replies as DSPy does: a text without a marker is no answer.
func newTwo(opts ...module.Option) *two {
	opts = append([]module.Option{module.WithAdapter(adapter.Chat{Strict: true})}, opts...)
	return &two{module.MustPredict[message, topic]("", opts...), module.MustChainOfThought[topical, judged]("", opts...)}
}

func (p *two) Run(ctx context.Context, in message) (judged, error) {
	t, err := p.Topic.Run(ctx, in)
	if err != nil {
		return judged{}, err
	}
	return p.Judge.Run(ctx, topical{in.Text, t.Topic})
}

func twoExamples(n int) []module.Example[message, judged] {
	out := make([]module.Example[message, judged], n)
	for i := range out {
		out[i] = module.Example[message, judged]{In: message{fmt.Sprintf("message %d", i)}, Out: judged{string(labels[i%3])}}
	}
	return out
}

// twoModel answers as the model of testdata/make_bootstrap_two.py.
func twoModel(r *lm.Request) (string, error) {
	last := question(r)
	i, err := strconv.Atoi(messageNumber.FindStringSubmatch(last)[1])
	if err != nil {
		return "", err
	}
	if !strings.Contains(last, "[[ ## topic ## ]]\n") {
		if i == 4 {
			return "no field here", nil
		}
		return fmt.Sprintf("[[ ## topic ## ]]\ntopic %d\n\n[[ ## completed ## ]]", i%2), nil
	}
	if hot := r.Temperature != nil && *r.Temperature == 1; i%3 == 2 && (!hot || i%4 == 0) {
		return fmt.Sprintf("[[ ## reasoning ## ]]\nbecause %d\n\n[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", i, labels[(i+1)%3]), nil
	}
	return fmt.Sprintf("[[ ## reasoning ## ]]\nbecause %d\n\n[[ ## label ## ]]\n%s\n\n[[ ## completed ## ]]", i, labels[i%3]), nil
}

type twoDemo struct {
	Augmented bool
	Fields    map[string]string
}

func twoDemos(t *testing.T, states []optimize.NamedState) map[string][]twoDemo {
	t.Helper()
	out := map[string][]twoDemo{}
	for _, s := range states {
		for _, d := range s.State.Demos {
			fields := map[string]string{}
			for name, v := range d.Fields.All() {
				fields[name] = fmt.Sprint(v)
			}
			out[s.Name] = append(out[s.Name], twoDemo{d.Augmented, fields})
		}
	}
	return out
}

func sameDemos(a, b map[string][]twoDemo) bool {
	return maps.EqualFunc(a, b, func(x, y []twoDemo) bool {
		return slices.EqualFunc(x, y, func(d, e twoDemo) bool {
			return d.Augmented == e.Augmented && maps.Equal(d.Fields, e.Fields)
		})
	})
}

// TestBootstrapGolden compares with the real DSPy on a program of two
// predictors, with rounds, an error, and without labeled demos.
func TestBootstrapGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/bootstrap_two.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Runs []struct {
			Args struct {
				Bootstrapped int `json:"max_bootstrapped_demos"`
				Labeled      int `json:"max_labeled_demos"`
				Rounds       int `json:"max_rounds"`
			}
			Calls int `json:"lm_calls"`
			Demos map[string][]twoDemo
		}
		Labeled map[string][]twoDemo `json:"labeled_k3"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Runs {
		t.Run(fmt.Sprintf("%+v", w.Args), func(t *testing.T) {
			t.Parallel()
			p := newTwo(module.WithAdapter(adapter.Chat{Strict: true}), module.WithLM(lmtest.Answer(twoModel)))
			opt := optimize.BootstrapFewShot{MaxBootstrapped: w.Args.Bootstrapped, MaxLabeled: w.Args.Labeled, MaxRounds: w.Args.Rounds}
			if w.Args.Labeled == 0 {
				opt.MaxLabeled = optimize.None
			}
			r, err := optimize.Compile(t.Context(), opt, p, twoExamples(14), metric.Exact)
			if err != nil {
				t.Fatal(err)
			}
			if got := twoDemos(t, r.States); !sameDemos(got, w.Demos) {
				t.Errorf("got the demos\n%v\nwant\n%v", got, w.Demos)
			}
			if r.Calls.Requested != w.Calls {
				t.Errorf("%d calls, want %d", r.Calls.Requested, w.Calls)
			}
			if r.Scored || r.Winner != 0 || r.Improved() {
				t.Errorf("without validation examples, got %s", r)
			}
		})
	}
	p := newTwo(module.WithLM(lmtest.Answer(twoModel)))
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 3}, p, twoExamples(14), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if got := twoDemos(t, r.States); !sameDemos(got, want.Labeled) || r.Calls.Requested != 0 {
		t.Errorf("got the labeled demos\n%v\nwith %d calls, want\n%v", got, r.Calls.Requested, want.Labeled)
	}
}

// TestBootstrapHidesTheAnswer checks that no request of a bootstrapping run
// shows the example that it is to answer.
func TestBootstrapHidesTheAnswer(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden)
	p := module.MustPredict[message, verdict]("", module.WithLM(model))
	// Every example is a demo of the teacher's, but for the one in question.
	opt := optimize.BootstrapFewShot{MaxBootstrapped: 12, MaxLabeled: 12}
	if _, err := optimize.Compile(t.Context(), opt, p, messages(12), metric.Exact); err != nil {
		t.Fatal(err)
	}
	if model.Calls() != 12 {
		t.Errorf("%d calls, want 12", model.Calls())
	}
	for _, r := range model.Requests() {
		q := messageNumber.FindString(question(r))
		demos := 0
		for _, m := range r.Messages[:len(r.Messages)-1] {
			if m.Role != lm.RoleUser {
				continue
			}
			demos++
			if messageNumber.FindString(m.Text()) == q {
				t.Errorf("the answer to %q stands among the demos", q)
			}
		}
		if demos != 11 {
			t.Errorf("%d demos for %q, want 11", demos, q)
		}
	}
}

// TestTeacher checks that the teacher's model makes the demos and the program's
// own the answers that are scored, and that a threshold is kept.
func TestTeacher(t *testing.T) {
	t.Parallel()
	student, teacher := lmtest.Answer(golden), lmtest.Answer(golden)
	p := module.MustPredict[message, verdict]("", module.WithLM(student))
	graded := func(_ context.Context, ex example, got verdict, _ *trace.Trace) (metric.Score, error) {
		if got != ex.Out {
			return metric.Score{Value: 0.1}, nil
		}
		return metric.Score{Value: 0.9}, nil
	}
	opt := optimize.BootstrapFewShot{MaxBootstrapped: 20, MaxLabeled: 1, Threshold: 0.5} // 3 is answered wrongly
	r, err := optimize.Compile(t.Context(), opt, p, messages(8), graded, optimize.Teacher(teacher), optimize.Val(messages(8)))
	if err != nil {
		t.Fatal(err)
	}
	if teacher.Calls() != 8 || student.Calls() != 16 {
		t.Errorf("%d calls of the teacher and %d of the student, want 8 and 16", teacher.Calls(), student.Calls())
	}
	for _, d := range demosOf(t, r.States[0].State) {
		i, err := strconv.Atoi(strings.TrimPrefix(d.Text, "message "))
		if err != nil || d.Label != string(labels[i%3]) {
			t.Errorf("a wrong answer became a demo: %v", d)
		}
	}
	if r.States[0].State.LM != nil {
		t.Error("the teacher's model got into the result")
	}
}

// TestRepeatedPredictor keeps the last call's demo.
func TestRepeatedPredictor(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		return fmt.Sprintf("[[ ## topic ## ]]\n%s again\n\n[[ ## completed ## ]]", messageNumber.FindString(question(r))), nil
	})
	inner := module.MustPredict[message, topic]("", module.WithLM(model))
	p := &loop{inner}
	train := []module.Example[message, topic]{{In: message{"message 1"}, Out: topic{"message 1 again"}}}
	r, err := optimize.Compile(t.Context(), optimize.BootstrapFewShot{MaxLabeled: optimize.None}, p, train, metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	demos := r.States[0].State.Demos
	if len(demos) != 1 {
		t.Fatalf("got %d demos, want 1", len(demos))
	}
	if text, _ := demos[0].Fields.Get("text"); text != "message 1 again" {
		t.Errorf("the demo is %v, want the second call's", demos[0].Fields)
	}
}

type loop struct {
	Step *module.Predict[message, topic]
}

func (l *loop) Run(ctx context.Context, in message) (topic, error) {
	out, err := l.Step.Run(ctx, in)
	if err != nil {
		return out, err
	}
	return l.Step.Run(ctx, message{out.Topic})
}

func TestBootstrapErrors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, tt := range []struct {
		name  string
		max   int
		calls int
	}{{"default", 0, 10}, {"none", optimize.None, 1}, {"three", 3, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := lmtest.Answer(func(*lm.Request) (string, error) { return "", boom })
			p := module.MustPredict[message, verdict]("", module.WithLM(model))
			r, err := optimize.Compile(t.Context(), optimize.BootstrapFewShot{MaxErrors: tt.max}, p, messages(20), metric.Exact)
			if !errors.Is(err, boom) || r == nil {
				t.Fatalf("got %v and %v, want the model's error and a result", r, err)
			}
			if model.Calls() != tt.calls {
				t.Errorf("%d calls, want %d", model.Calls(), tt.calls)
			}
		})
	}
}
