package optimize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// TestSIMBASpread has Python's round, which takes halves to the even number.
func TestSIMBASpread(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		last, n int
		want    []int
	}{
		{8, 7, []int{0, 1, 3, 4, 5, 7, 8}},
		{3, 7, []int{0, 1, 2, 3}},
		{1, 7, []int{0, 1}},
		{5, 3, []int{0, 2, 5}},
		{0, 7, []int{0}},
		{4, 2, []int{0, 4}},
	} {
		if got := simbaSpread(tt.last, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("%d of 0 to %d: %v, want %v", tt.n, tt.last, got, tt.want)
		}
	}
}

func TestSIMBABuckets(t *testing.T) {
	t.Parallel()
	score := func(name string, v float64) answer { return answer{name: name, score: metric.Score{Value: v}} }
	// Four examples, three rounds.
	s := simbaBuckets([]answer{
		score("same", 0.5), score("wide", 0), score("high", 1), score("low", 0.2),
		score("same", 0.5), score("wide", 1), score("high", 0.6), score("low", 0.6),
		score("same", 0.5), score("wide", 0), score("high", 0.6), score("low", 0.6),
	}, 4)
	var names []string
	for _, b := range s.buckets {
		names = append(names, b.answers[0].name)
		if !slices.IsSortedFunc(b.answers, func(a, b answer) int { return int(10*b.score.Value) - int(10*a.score.Value) }) {
			t.Errorf("%s is not in order", b.answers[0].name)
		}
	}
	// "high" and "low" differ by as much, and the best of the former is better.
	if !slices.Equal(names, []string{"wide", "high", "low", "same"}) {
		t.Errorf("the order is %v", names)
	}
	// numpy.percentile of the twelve scores: 0.02 and 0.96.
	if math.Abs(s.low-0.02) > 1e-12 || math.Abs(s.high-0.96) > 1e-12 {
		t.Errorf("the percentiles are %v and %v", s.low, s.high)
	}
	if b := s.buckets[0]; b.gap != 1 || b.most != 1 || math.Abs(b.excess-2.0/3) > 1e-12 {
		t.Errorf("got %+v", b)
	}
}

// newSIMBARun returns a run of a program of one predictor with so many demos.
func newSIMBARun(t *testing.T, o SIMBA, demos int) *simbaRun {
	t.Helper()
	advise, err := simbaPrompt()
	if err != nil {
		t.Fatal(err)
	}
	p := module.MustDynamic(signature.MustParse("text -> label"), module.WithLM(lmtest.Script()))
	s := &session{task: &task{}, named: []module.Named{{Name: "self", Predictor: p.Predictor()}}, index: map[*module.Predictor]int{p.Predictor(): 0}}
	st := module.State{}
	for i := range demos {
		st.Demos = append(st.Demos, module.Demo{Fields: signature.RecordOf("text", i)})
	}
	s.own = candidate{st}
	return &simbaRun{session: s, cfg: o.config(), advise: advise, rng: pyrand.New(1), drops: rand.New(rand.NewPCG(1, 0)), pool: []simbaProgram{{c: s.own}}}
}

// TestSIMBADrops compares the numbers of dropped demos with their distribution.
func TestSIMBADrops(t *testing.T) {
	t.Parallel()
	const n = 20_000
	r := newSIMBARun(t, SIMBA{}, 2)
	sum, square := 0.0, 0.0
	for range n {
		k := float64(r.poisson(2.5, 1000))
		sum, square = sum+k, square+k*k
	}
	mean := sum / n
	if variance := square/n - mean*mean; math.Abs(mean-2.5) > 0.05 || math.Abs(variance-2.5) > 0.12 {
		t.Errorf("mean %v and variance %v, want 2.5", mean, variance)
	}
	if got := r.poisson(50, 3); got != 3 {
		t.Errorf("%d of at most 3", got)
	}
	// Below the limit there may be none to drop, from there on at least one.
	least := map[int]int{}
	for _, demos := range []int{0, 2, 4, 9} {
		r := newSIMBARun(t, SIMBA{}, demos)
		least[demos] = demos
		for range 200 {
			c, dropped := r.dropDemos(r.own)
			if len(c[0].Demos)+dropped != demos || len(r.own[0].Demos) != demos {
				t.Fatalf("of %d demos %d were dropped and %d are left", demos, dropped, len(c[0].Demos))
			}
			least[demos] = min(least[demos], dropped)
		}
	}
	if least[2] != 0 || least[4] != 1 || least[9] != 1 {
		t.Errorf("at least so many were dropped: %v", least)
	}
}

// TestSIMBADraws prefers better programs, and keeps that as it was among them.
func TestSIMBADraws(t *testing.T) {
	t.Parallel()
	r := newSIMBARun(t, SIMBA{Candidates: 3}, 0)
	if got := r.leaders(); !slices.Equal(got, []int{0}) {
		t.Errorf("the leaders are %v", got)
	}
	for _, score := range []float64{0.2, 0.6, 0.4, 0.6} {
		r.pool = append(r.pool, simbaProgram{score: score})
	}
	if got := r.leaders(); !slices.Equal(got, []int{2, 4, 0}) {
		t.Errorf("the leaders are %v, want 2, 4 and 0", got)
	}
	const n = 20_000
	drawn := map[int]float64{}
	for range n {
		drawn[r.draw([]int{2, 3, 0}, 0.2)] += 1.0 / n
	}
	sum := 1 + math.Exp(-1) + math.Exp(-3)
	for p, want := range map[int]float64{2: 1 / sum, 3: math.Exp(-1) / sum, 0: math.Exp(-3) / sum} {
		if math.Abs(drawn[p]-want) > 0.015 {
			t.Errorf("program %d is drawn with %v, want %v", p, drawn[p], want)
		}
	}
	for _, scale := range []float64{1e3, 1e300} { // no number overflows
		r.pool = []simbaProgram{{}, {score: scale}}
		if got := r.draw([]int{1, 0}, 1e-3); got != 1 {
			t.Errorf("with scores of %g: %d", scale, got)
		}
	}
}

func TestSIMBACutsInputs(t *testing.T) {
	t.Parallel()
	r := newSIMBARun(t, SIMBA{MaxInput: 3}, 0)
	got := r.cut(signature.RecordOf("a", "äöüß", "b", "äöü", "n", 123456))
	if want := signature.RecordOf("a", "äöü [...]", "b", "äöü", "n", 123456); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.cfg.input = 0
	if text, _ := r.cut(signature.RecordOf("a", "äöüß")).Get("a"); text != "äöüß" {
		t.Errorf("without a limit: %v", text)
	}
}

func TestSIMBAPlan(t *testing.T) {
	t.Parallel()
	r := newSIMBARun(t, SIMBA{}, 0)
	r.sizes[valSet] = 100
	if got, want := (SIMBA{}).plan(r.session), (plan{proposing: 28, searching: 8*13*32 + 700}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	r.options.teacher = lmtest.Script()
	if got, want := (SIMBA{Steps: 2, MaxDemos: None}).plan(r.session), (plan{bootstrapping: 64, proposing: 14, searching: 2*12*32 + 300}); got != want {
		t.Errorf("with a teacher: got %+v, want %+v", got, want)
	}
}

// TestSIMBASkips adds nothing of an example that does not tell.
func TestSIMBASkips(t *testing.T) {
	t.Parallel()
	r := newSIMBARun(t, SIMBA{}, 1)
	step := module.Step{Predictor: r.named[0].Predictor, Inputs: signature.RecordOf("text", "x"), Outputs: signature.RecordOf("label", "y")}
	dropped, failed, other := step, step, step
	dropped.Dropped, failed.Err, other.Predictor = true, errNoScore, nil
	good := answer{name: "7", score: metric.Score{Value: 0.5}, steps: []module.Step{step, dropped, failed, other}}
	bad := answer{name: "7", score: metric.Score{Value: 0.25}}
	b := simbaBucket{answers: []answer{good, bad}}
	for _, tt := range []struct {
		low   float64
		demos int
		note  string
	}{
		{0.4, 2, "a demo of training example 7"},
		{0.5, 1, "no demo of training example 7, as its best answer is among the batch's worst"},
	} {
		c, note := r.addDemo(r.own.clone(), b, tt.low)
		if len(c[0].Demos) != tt.demos || note != tt.note || len(r.own[0].Demos) != 1 {
			t.Errorf("above %v: %d demos, %q", tt.low, len(c[0].Demos), note)
		}
	}
	// Where scores are negative a run that failed counts most.
	lost := good
	lost.err, lost.score = errNoScore, metric.Score{}
	failing := simbaBucket{answers: []answer{lost, {name: "7", score: metric.Score{Value: -1}}}}
	if c, note := r.addDemo(r.own.clone(), failing, -1); len(c[0].Demos) != 1 || note != "no demo of training example 7, as its best answer failed" {
		t.Errorf("of a run that failed: %d demos, %q", len(c[0].Demos), note)
	}
	if c, note, err := r.addRules(t.Context(), r.own.clone(), failing, simbaSample{low: -1, high: 0}); err != nil || c[0].Instructions != "" || note != "no rule from training example 7, as its best answer failed" {
		t.Errorf("from a run that failed: %v, %q and %v", c, note, err)
	}
	// There is no prompt model, so a rule that is asked for is an error.
	for _, tt := range []struct {
		low, high float64
		asked     bool
	}{{0.4, 0.3, true}, {0.5, 1, false}, {0.4, 0.25, false}} {
		c, _, err := r.addRules(t.Context(), r.own.clone(), b, simbaSample{low: tt.low, high: tt.high})
		if (err != nil) != tt.asked || err == nil && c[0].Instructions != "" {
			t.Errorf("between %v and %v: %v and %v", tt.low, tt.high, c, err)
		}
	}
}
