package module_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// growing streams the replies of another model, a word at a time.
type growing struct {
	lm.LM
	thoughts string
	// stop, where it is not nil, is closed when a stream is left before its end.
	stop chan struct{}
}

func (g growing) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		resp, err := g.Generate(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		if g.thoughts != "" && !yield(&lm.Event{Reasoning: g.thoughts}, nil) {
			return
		}
		for _, word := range strings.SplitAfter(resp.Text, " ") {
			if ctx.Err() != nil {
				if g.stop != nil {
					close(g.stop)
				}
				yield(nil, ctx.Err())
				return
			}
			if !yield(&lm.Event{Text: word}, nil) {
				if g.stop != nil {
					close(g.stop)
				}
				return
			}
		}
		yield(&lm.Event{Response: resp}, nil)
	}
}

// shown collects a stream: the texts by predictor, call and field, and the prediction.
func shown[Out any](t *testing.T, events iter.Seq2[*module.StreamEvent[Out], error]) (map[string]string, []string, *module.Prediction[Out]) {
	t.Helper()
	texts, done := map[string]string{}, []string(nil)
	var pred *module.Prediction[Out]
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		if pred != nil {
			t.Error("an event comes after the prediction")
		}
		key := fmt.Sprintf("%s %d %s", e.Predictor, e.Call, e.Field)
		switch {
		case e.Prediction != nil:
			pred = e.Prediction
			continue
		case e.Thought != "":
			texts[key] += "(" + e.Thought + ")"
		}
		texts[key] += e.Text
		if e.Done {
			done = append(done, key)
		}
	}
	return texts, done, pred
}

func TestStreamProgram(t *testing.T) {
	t.Parallel()
	model := growing{LM: numbered(), thoughts: "hm"}
	p := newTwoSteps(module.WithLM(model))
	ctx, tr := trace.Start(context.Background())
	texts, done, pred := shown(t, module.Stream(ctx, p, question{"?"}))
	want := map[string]string{
		"note 0 ": "(hm)", "note 0 note": "n0",
		"answer.predict 1 ": "(hm)", "answer.predict 1 reasoning": "as noted", "answer.predict 1 a": "0",
	}
	if fmt.Sprint(texts) != fmt.Sprint(want) {
		t.Errorf("shown were %q, want %q", texts, want)
	}
	if got := strings.Join(done, ", "); got != "note 0 note, answer.predict 1 reasoning, answer.predict 1 a" {
		t.Errorf("ended: %s", got)
	}
	if pred == nil || pred.Out.A != "0" || pred.Reasoning != "as noted" || pred.Usage.Calls != 2 || len(module.Steps(tr)) != 2 {
		t.Errorf("the prediction is %+v, the trace has %d steps", pred, len(module.Steps(tr)))
	}
}

// TestStreamParts has a first part before the model has written all.
func TestStreamParts(t *testing.T) {
	t.Parallel()
	p := module.MustChainOfThought[question, answer]("", module.WithLM(growing{LM: lmtest.Script(reply("reasoning", "one two three", "a", "four"))}))
	var parts []string
	for e, err := range p.Stream(t.Context(), question{"?"}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Field == "reasoning" && e.Text != "" {
			parts = append(parts, e.Text)
		}
	}
	if strings.Join(parts, "|") != "one| two| three" {
		t.Errorf("the reasoning came as %q", parts)
	}
}

// TestStreamRetry begins anew with another call, and a model that does not stream shows
// its reply at once.
func TestStreamRetry(t *testing.T) {
	t.Parallel()
	p := module.MustPredict[sms, verdict]("", module.Retry(1), module.WithLM(lmtest.Script(reply("label", "unsure"), reply("label", "spam"))))
	texts, _, pred := shown(t, p.Stream(t.Context(), sms{"x"}))
	if texts["self 0 label"] != "unsure" || texts["self 1 label"] != "spam" || pred.Out.Label != "spam" || len(pred.Rejected) != 1 {
		t.Errorf("shown were %q, and the prediction is %+v", texts, pred)
	}
}

func TestStreamLeft(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	p := module.MustPredict[question, answer]("", module.WithLM(growing{LM: lmtest.Script(reply("a", "one two three four")), stop: stop}))
	for e, err := range p.Stream(t.Context(), question{"?"}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Text != "" {
			break
		}
	}
	select {
	case <-stop:
	default:
		t.Error("the request was not cancelled when the loop was left")
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	ended := func(events iter.Seq2[*module.StreamEvent[answer], error]) (n int, last error) {
		for _, err := range events {
			n++
			last = err
		}
		return n, last
	}
	if n, err := ended(module.Stream[question, answer](t.Context(), nil, question{})); n != 1 || err == nil {
		t.Errorf("no program: %d events, %v", n, err)
	}
	if _, err := ended(module.Stream(t.Context(), newTwoSteps(module.WithLM(growing{LM: lmtest.Script(reply("note", "n"))})), question{"?"})); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("a model that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ended(module.Stream(ctx, newTwoSteps(module.WithLM(numbered())), question{"?"})); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	f := module.Func[question, answer](func(context.Context, question) (answer, error) { return answer{"x"}, nil })
	texts, _, pred := shown(t, module.Stream(t.Context(), f, question{}))
	if len(texts) != 0 || pred.Out.A != "x" {
		t.Errorf("a function: %v, %+v", texts, pred)
	}
}

// rawAdapter is one that knows nothing of streams.
type rawAdapter struct{ adapter.Chat }

func (r rawAdapter) Prepare(p adapter.Program) (adapter.Template, error) {
	t, err := r.Chat.Prepare(p)
	return struct{ adapter.Template }{t}, err
}

func TestStreamOtherAdapters(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("q -> a, n: int")
	for name, tt := range map[string]struct {
		a     adapter.Adapter
		reply string
		want  map[string]string
	}{
		"json":    {adapter.JSON{}, `{"a": "one two", "n": 3}`, map[string]string{"self 0 a": "one two", "self 0 n": "3"}},
		"compact": {adapter.Compact{}, "one two\nN: 3", map[string]string{"self 0 a": "one two", "self 0 n": "3"}},
		"custom":  {rawAdapter{}, reply("a", "x", "n", "3"), map[string]string{"self 0 ": reply("a", "x", "n", "3")}},
	} {
		p := module.MustDynamic(sig, module.WithAdapter(tt.a), module.WithLM(growing{LM: lmtest.Script(tt.reply)}))
		texts, _, pred := shown(t, p.Stream(t.Context(), signature.RecordOf("q", "?")))
		if fmt.Sprint(texts) != fmt.Sprint(tt.want) {
			t.Errorf("%s: shown were %q, want %q", name, texts, tt.want)
		}
		if n, _ := pred.Out.Get("n"); n != int64(3) {
			t.Errorf("%s: the prediction is %v", name, pred.Out)
		}
	}
}

// TestStreamConcurrent tells the calls of predictors that write at once apart.
func TestStreamConcurrent(t *testing.T) {
	t.Parallel()
	p := newTwoSteps(module.WithLM(growing{LM: numbered()}))
	both := &fourTimes{p}
	texts, _, pred := shown(t, module.Stream(t.Context(), both, question{"?"}))
	if len(texts) != 12 || pred.Out.A != "0" {
		t.Errorf("shown were %q", texts)
	}
}

// fourTimes runs a program four times at once.
type fourTimes struct{ P *twoSteps }

func (p *fourTimes) Run(ctx context.Context, q question) (answer, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var out answer
	var first error
	for range 4 {
		wg.Go(func() {
			a, err := p.P.Run(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			out = a
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	return out, first
}

func ExampleStream() {
	model := growing{LM: lmtest.Script("[[ ## reasoning ## ]]\nMum asks nicely.\n\n[[ ## folder ## ]]\nfamily\n\n[[ ## completed ## ]]")}
	sort := module.MustChainOfThought[Mail, Folder]("Sort the mail.", module.WithLM(model))
	for event, err := range module.Stream(context.Background(), sort, Mail{Text: "Dinner on Sunday?"}) {
		switch {
		case err != nil:
			fmt.Println(err)
			return
		case event.Prediction != nil:
			fmt.Println("answer:", event.Prediction.Out.Folder)
		case event.Text != "":
			fmt.Printf("%s: %q\n", event.Field, event.Text)
		}
	}
	// Output:
	// reasoning: "Mum"
	// reasoning: " asks"
	// reasoning: " nicely."
	// folder: "family"
	// answer: family
}
