//go:build llamacpp

package llamacpp

import (
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

// reference is a second way to evaluate: an engine of its own, one sequence, no
// cache, no scheduler, and softmax in Go.
type reference struct {
	*llamaEngine
	b batch
}

func newReference(t *testing.T, path string, opts ...Option) *reference {
	t.Helper()
	cfg, err := newConfig(append([]Option{ContextSize(2048), Slots(1), Threads(1)}, opts...))
	if err != nil {
		t.Fatal(err)
	}
	e, reason := load(path, cfg)
	if e == nil {
		t.Fatal(reason)
	}
	r := &reference{llamaEngine: e.(*llamaEngine)}
	t.Cleanup(r.free)
	return r
}

// rows evaluates tokens from scratch and returns the logits after each from first on.
func (r *reference) rows(t *testing.T, tokens []int32, first int, look func(i int, row []float32)) {
	t.Helper()
	r.cutSeq(0, 0)
	for i, token := range tokens {
		if i < first && len(r.b.token) < r.facts.limits.batch-1 {
			r.b.add(token, i, 0)
			continue
		}
		r.b.add(token, i, 0)
		r.b.want(r.b.len()-1, wantRow)
		if err := r.decode(&r.b); err != nil {
			t.Fatal(err)
		}
		if i >= first {
			look(i, r.row(r.b.len()-1))
		}
		r.b.reset()
	}
}

// logProb returns the log-probability of tokens from first on, after those before:
// one sequence and one step.
func (r *reference) logProb(t *testing.T, tokens []int32, first int) float64 {
	t.Helper()
	r.cutSeq(0, 0)
	r.b.reset()
	for i, token := range tokens[:len(tokens)-1] {
		r.b.add(token, i, 0)
		if i >= first-1 {
			r.b.want(i, wantRow, tokens[i+1]) // named as a target, so that the step is filled up, see shim.c
		}
	}
	if err := r.decode(&r.b); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := first - 1; i < len(tokens)-1; i++ {
		row, total := r.row(i), 0.0
		for _, v := range row {
			total += math.Exp(float64(v))
		}
		sum += float64(row[tokens[i+1]]) - math.Log(total)
	}
	r.b.reset()
	return sum
}

// choiceTest is a request for one choice, and the same as tokens: each alternative
// with all that stands before it.
type choiceTest struct {
	text    string
	request *lm.Request
	all     [][]int32
}

func choiceTests(t *testing.T, m *Model) []choiceTest {
	t.Helper()
	shots := "Sort each message.\n\nText: WIN a cruise, text YES to 60600\nLabel: spam\n\nText: did you feed the cat?\nLabel: ham\n\nText: Your card is blocked, confirm at bnk.example/pin\nLabel: smishing\n\n"
	options := []string{"ham", "spam", "spammer", "smishing"}
	var tests []choiceTest
	for i, text := range []string{
		"see you at noon", "FREE tones! reply STOP to end", "Parcel held: pay 1.50 at prcl.example", "ok",
		"who won?", "Dinner is at eight, bring the good knife", "Claim your prize at win.example now", "running late, sorry!!",
		"Tax office: refund of 312.40 waits, enter your card", "can you call me back",
		"Sale today only, 80% off all shoes", "happy birthday from all of us",
	} {
		r := &lm.Request{Prompt: shots + "Text: " + text + "\nLabel:"}
		if i%2 == 1 {
			r = &lm.Request{Messages: []lm.Message{lm.System("Sort messages into ham, spam, spammer and smishing."), lm.User(text)}}
		}
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Literal: " "}, {Hole: lm.HoleChoice, Name: "label", Choices: labels(options...)}, {Literal: "\n"}}}
		head, tail, _, err := m.prompt(r)
		if err != nil {
			t.Fatal(err)
		}
		test := choiceTest{text: text, request: r}
		for _, o := range options {
			test.all = append(test.all, append(slices.Clone(head), m.engine.tokenize(tail+" "+o+"\n", false)...))
		}
		tests = append(tests, test)
	}
	return tests
}

// compare returns the largest difference between the probabilities of a reply and
// those of the reference.
func (c choiceTest) compare(t *testing.T, ref *reference, got *lm.Response, tolerance float64) float64 {
	t.Helper()
	shared := len(c.all[0])
	for _, tokens := range c.all {
		shared = min(shared, common(c.all[0], tokens))
	}
	scores := make([]float64, len(c.all))
	for k, tokens := range c.all {
		scores[k] = ref.logProb(t, tokens, shared)
	}
	worst := 0.0
	for k, p := range softmax(scores, 1) {
		o := got.Choices[0].Options[k]
		worst = max(worst, math.Abs(o.Prob-p))
		if math.Abs(o.Prob-p) > tolerance {
			t.Errorf("%q, %s: probability %.4f, evaluated from scratch %.4f", c.text, o.Text, o.Prob, p)
		}
	}
	return worst
}

// cold returns the reply to each of the choiceTests from a model of its own, in which
// nothing is cached.
func (tm *testModel) cold(t *testing.T, tests []choiceTest) []*lm.Response {
	t.Helper()
	tm.coldOnce.Do(func() {
		for _, test := range tests {
			m, err := Open(modelPath(t, tm.variable), append([]Option{ContextSize(1024), Threads(1), Weights(WeightsAsShipped)}, tm.options...)...)
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Generate(t.Context(), test.request)
			m.Close()
			if err != nil {
				t.Fatal(err)
			}
			tm.replies = append(tm.replies, r)
		}
	})
	if len(tm.replies) != len(tests) {
		t.Fatal("another test could not get the replies of a fresh model")
	}
	return tm.replies
}

// together sends all requests at once and returns their replies.
func together(t *testing.T, m *Model, tests []choiceTest) []*lm.Response {
	t.Helper()
	out := make([]*lm.Response, len(tests))
	var wg sync.WaitGroup
	for i, test := range tests {
		wg.Go(func() {
			var err error
			if out[i], err = m.Generate(t.Context(), test.request); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// The probability of each choice is that of an evaluation from scratch, to 1e-2 where
// that one's steps are filled up like the scheduler's, see shim.c, and near it where
// they are left as llama-server has them.
func TestChoiceProbabilities(t *testing.T) {
	onModels(t, func(t *testing.T, tm *testModel, m *Model) {
		tests := choiceTests(t, m)
		cold := tm.cold(t, tests)
		for _, ref := range []struct {
			name      string
			bare      bool
			tolerance float64
		}{{"filled up", false, 1e-2}, {"not filled up", true, 5e-2}} {
			r := newReference(t, modelPath(t, tm.variable), func(c *config) { c.bare = ref.bare })
			worst := 0.0
			for i, test := range tests[:6] {
				worst = max(worst, test.compare(t, r, cold[i], ref.tolerance))
			}
			t.Logf("the largest difference is %.1e from a reference whose steps are %s", worst, ref.name)
		}
	})
}

// So it is with requests that run together and share prefixes. llama.cpp rounds what
// it multiplies with quantised weights to 8 bits, so that the order of a sum can
// change a logit by some tenths: to see that what is computed is the same, the same
// weights are used as 32-bit numbers here.
func TestChoiceProbabilitiesTogether(t *testing.T) {
	onModels(t, func(t *testing.T, tm *testModel, _ *Model) {
		path := filepath.Join(t.TempDir(), tm.name+"-f32.gguf")
		if err := quantize(modelPath(t, tm.variable), path, typeF32); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path, append([]Option{ContextSize(2048), Threads(1), Weights(WeightsAsShipped)}, tm.options...)...)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		tests := choiceTests(t, m)
		got := together(t, m, tests)
		ref := newReference(t, path)
		worst, cached := 0.0, 0
		for i, r := range got {
			worst = max(worst, tests[i].compare(t, ref, r, 5e-3))
			cached += r.Usage.CachedTokens
		}
		if cached == 0 {
			t.Error("no prefix was shared")
		}
		t.Logf("the largest difference is %.1e, with %d tokens cached", worst, cached)
	})
}

// With the models as they are shipped the company of a request shifts its
// probabilities. The bounds are what doc.go says under "Repeatability".
func TestChoiceProbabilitiesShift(t *testing.T) {
	onModels(t, func(t *testing.T, tm *testModel, shared *Model) {
		tests := choiceTests(t, shared)
		cold := tm.cold(t, tests)
		m, err := Open(modelPath(t, tm.variable), append([]Option{ContextSize(2048), Threads(1), Weights(WeightsAsShipped)}, tm.options...)...)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		first := together(t, m, tests)
		again := together(t, m, tests)
		var one []*lm.Response
		for _, test := range tests {
			one = append(one, together(t, m, []choiceTest{test})...)
		}
		for _, run := range []struct {
			name string
			got  []*lm.Response
		}{{"together", first}, {"together, with a warm cache", again}, {"one by one, with a warm cache", one}} {
			var shifts []float64
			flips, cached := 0, 0
			for i, r := range run.got {
				a, b := cold[i].Choices[0], r.Choices[0]
				for k := range a.Options {
					shifts = append(shifts, math.Abs(a.Options[k].Prob-b.Options[k].Prob))
				}
				if a.Picked != b.Picked {
					flips++
				}
				cached += r.Usage.CachedTokens
			}
			slices.Sort(shifts)
			largest, median := shifts[len(shifts)-1], shifts[len(shifts)/2]
			t.Logf("%s: a probability differs from a fresh model's by %.1e at most, in the median by %.1e; %d of %d picks are others; %d tokens cached",
				run.name, largest, median, flips, len(run.got), cached)
			if largest > tm.shift {
				t.Errorf("%s: a probability differs from a fresh model's by %.3f", run.name, largest)
			}
			if median > 0.03 {
				t.Errorf("%s: the median difference from a fresh model is %.3f", run.name, median)
			}
			if cached == 0 {
				t.Errorf("%s: no prefix was shared", run.name)
			}
		}
	})
}
