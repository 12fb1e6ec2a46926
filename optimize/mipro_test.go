package optimize_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// smallMIPRO is a search that takes little.
var smallMIPRO = optimize.MIPROv2{Candidates: 4, Trials: 12, MinibatchSize: 10, FullEvalEvery: 4, MaxBootstrapped: 2, MaxLabeled: 2}

// compileMIPRO runs a search on the golden run's models.
func compileMIPRO(t *testing.T, opt optimize.MIPROv2, train int, opts ...optimize.Option) (*optimize.Result, *lmtest.Scripted) {
	t.Helper()
	prompts := miproProposing()
	p := newClassifier(lmtest.Answer(miproTask))
	opts = append([]optimize.Option{optimize.PromptModel(prompts)}, opts...)
	r, err := optimize.Compile(t.Context(), opt, p, messages(train), metric.Exact, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r, prompts
}

func TestMIPROv2String(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]optimize.MIPROv2{
		"MIPROv2(auto=light, bootstrapped=4, labeled=4, rounds=1, minibatch=35, full every 5, view=10, temperature=1, seed=9)": {},
		"MIPROv2(candidates=4, trials=12, bootstrapped=2, labeled=0, rounds=1, no minibatch, view=3, temperature=0.5, seed=2, without program+tip, choices given for 1 predictors)": {
			Candidates: 4, Trials: 12, MaxBootstrapped: 2, MaxLabeled: optimize.None, NoMinibatch: true, ViewData: 3, Temperature: 0.5, Seed: 2,
			Without: optimize.AidTip | optimize.AidProgram, Space: optimize.Space{"self": {}},
		},
		"MIPROv2(candidates=5, bootstrapped=4, labeled=4, rounds=1, minibatch=35, full every 5, view=10, temperature=1, seed=9)": {Candidates: 5},
	} {
		if got := opt.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for a, want := range map[optimize.Auto]string{optimize.AutoLight: "light", optimize.AutoMedium: "medium", optimize.AutoHeavy: "heavy", 7: "Auto(7)"} {
		if a.String() != want {
			t.Errorf("%s, want %s", a, want)
		}
	}
}

func TestMIPROv2Errors(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]optimize.MIPROv2{
		"Candidates is -1: want 1 or more":          {Candidates: optimize.None},
		"Trials is -2":                              {Trials: -2},
		"MinibatchSize is -1":                       {MinibatchSize: optimize.None},
		"FullEvalEvery is -1":                       {FullEvalEvery: optimize.None},
		"ViewData is -1":                            {ViewData: optimize.None},
		"both Auto and Candidates or Trials":        {Auto: optimize.AutoHeavy, Trials: 10},
		"Auto is 4: want one of optimize.AutoLight": {Auto: 4},
		"Trials is given without Candidates":        {Trials: 4},
		"both NoMinibatch and MinibatchSize":        {NoMinibatch: true, MinibatchSize: 2},
		"Temperature is -1":                         {Temperature: -1},
		"Without is 0x10":                           {Without: 16},
	} {
		r, err := optimize.Compile(t.Context(), opt, newClassifier(lmtest.Answer(miproTask)), messages(20), metric.Exact)
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	for want, opt := range map[string]optimize.MIPROv2{
		"minibatches of 35 of 16 validation examples":           {Candidates: 4},
		`choices for the predictor "none"`:                      {Space: optimize.Space{"none": {}}},
		"the space lacks demos or instructions of some predict": {Trials: 4, MinibatchSize: 4, Space: optimize.Space{"self": {Instructions: []string{"a"}}}},
	} {
		prompts := miproProposing()
		r, err := optimize.Compile(t.Context(), opt, newClassifier(lmtest.Answer(miproTask)), messages(20), metric.Exact, optimize.PromptModel(prompts))
		if err == nil || !strings.Contains(err.Error(), want) || r != nil && r.Calls.Requested != 0 {
			t.Errorf("%s: got %v and %v", want, r, err)
		}
	}
	r, err := optimize.Compile(t.Context(), optimize.MIPROv2{}, newClassifier(lmtest.Answer(miproTask)), messages(1), metric.Exact)
	if err == nil || !strings.Contains(err.Error(), "one training example and no validation examples") {
		t.Errorf("got %v and %v", r, err)
	}
}

// TestMIPROv2Schedule counts trials, kinds and sizes of the settings that DSPy names, and of
// the data where no validation examples are given.
func TestMIPROv2Schedule(t *testing.T) {
	t.Parallel()
	val := func(n int) optimize.Option { return optimize.Val(messages(60 + n)[60:]) }
	for name, c := range map[string]struct {
		opt                optimize.MIPROv2
		train              int
		val                []optimize.Option
		rows               int    // of a full evaluation
		batch              int    // of a minibatch
		kinds              string // f and m
		instructions, sets int
		prompts            int
	}{
		"light, split":           {optimize.MIPROv2{}, 100, nil, 80, 35, "f mmmmm f mmmmm f", 3, 6, 3 + 9},
		"light, few":             {optimize.MIPROv2{}, 50, nil, 40, 0, "f ffffffffff", 3, 6, 2 + 9},
		"light, many":            {optimize.MIPROv2{}, 20, []optimize.Option{val(120)}, 100, 35, "f mmmmm f mmmmm f", 3, 6, 3 + 9},
		"medium":                 {optimize.MIPROv2{Auto: optimize.AutoMedium}, 20, []optimize.Option{val(60)}, 60, 35, "f mmmmm f mmmmm f mmmmm f mmm f", 6, 12, 3 + 18},
		"heavy":                  {optimize.MIPROv2{Auto: optimize.AutoHeavy}, 20, []optimize.Option{val(51)}, 51, 35, "f mmmmm f mmmmm f mmmmm f mmmmm f mmmmm f mm f", 9, 18, 3 + 27},
		"light, no demos":        {optimize.MIPROv2{MaxBootstrapped: optimize.None, MaxLabeled: optimize.None}, 20, []optimize.Option{val(30)}, 30, 0, "f fffffffff", 6, 1, 3 + 18},
		"a batch of all":         {optimize.MIPROv2{Candidates: 3, Trials: 2, MinibatchSize: 30}, 20, []optimize.Option{val(30)}, 30, 30, "f mm f", 3, 3, 3 + 9},
		"trials by candidates":   {optimize.MIPROv2{Candidates: 2, MinibatchSize: 5}, 20, []optimize.Option{val(30)}, 30, 5, "f mmmm f", 2, 2, 3 + 6},
		"no minibatch":           {optimize.MIPROv2{Candidates: 3, Trials: 3, NoMinibatch: true}, 20, []optimize.Option{val(30)}, 30, 0, "f fff", 3, 3, 3 + 9},
		"without what helps":     {optimize.MIPROv2{Candidates: 3, Trials: 1, MinibatchSize: 3, Without: optimize.AidData | optimize.AidProgram}, 20, []optimize.Option{val(30)}, 30, 3, "f m f", 3, 3, 3},
		"calibrated, no batches": {optimize.MIPROv2{Candidates: 3, Trials: 3}, 20, []optimize.Option{val(30), optimize.Calibrated(optimize.Calibrate{})}, 30, 0, "", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prompts := miproProposing()
			model := lm.LM(lmtest.Answer(miproTask))
			if c.kinds == "" {
				model = biased(0.5)
			}
			r, err := optimize.Compile(t.Context(), c.opt, newClassifier(model), messages(c.train), metric.Exact, append(c.val, optimize.PromptModel(prompts))...)
			if err != nil {
				t.Fatal(err)
			}
			var kinds strings.Builder
			for i, trial := range r.Trials {
				kind := "m"
				if i == 0 || strings.HasPrefix(trial.Name, "full evaluation of ") || trial.Rows == nil || len(trial.Rows) == c.rows && c.batch != c.rows {
					kind = "f"
				}
				kinds.WriteString(kind)
				if want := map[string]int{"f": c.rows, "m": c.batch}[kind]; len(trial.Subscores) != want {
					t.Errorf("trial %d, %s, has %d rows, want %d", i, trial.Name, len(trial.Subscores), want)
				}
				rows := slices.Sorted(slices.Values(trial.Rows))
				if len(slices.Compact(rows)) != len(trial.Rows) {
					t.Errorf("trial %d repeats a row: %v", i, trial.Rows)
				}
				if choice := miproOneChoice.FindStringSubmatch(trial.Name); choice != nil && c.kinds != "" {
					var k, d int
					if _, err := fmt.Sscan(choice[1], &k); err != nil || k >= c.instructions {
						t.Errorf("trial %d is %s; there are %d", i, trial.Name, c.instructions)
					}
					if _, err := fmt.Sscan(choice[2], &d); err != nil || d >= c.sets {
						t.Errorf("trial %d is %s; there are %d", i, trial.Name, c.sets)
					}
				}
			}
			if c.kinds == "" { // all are full
				if kinds.String() != "ffff" {
					t.Errorf("the trials are %s", kinds.String())
				}
				return
			}
			if want := strings.ReplaceAll(c.kinds, " ", ""); kinds.String() != want {
				t.Errorf("the trials are %s, want %s", kinds.String(), want)
			}
			if r.Rows != c.rows || prompts.Calls() != c.prompts {
				t.Errorf("%d rows and %d prompts, want %d and %d", r.Rows, prompts.Calls(), c.rows, c.prompts)
			}
			if !strings.HasPrefix(r.Why, "all ") || r.Score < r.Baseline {
				t.Errorf("got %s", r)
			}
		})
	}
}

// TestMIPROv2Split takes demos and summary from the training examples that are left, and
// scores on the others.
func TestMIPROv2Split(t *testing.T) {
	t.Parallel()
	r, prompts := compileMIPRO(t, optimize.MIPROv2{Candidates: 4, Trials: 10, MinibatchSize: 5}, 20)
	if r.Rows != 16 {
		t.Errorf("%d validation examples, want 16", r.Rows)
	}
	for _, trial := range r.Trials {
		for _, d := range demosOf(t, trial.States[0].State) {
			if !slices.Contains([]string{"message 0", "message 1", "message 2", "message 3"}, d.Text) {
				t.Errorf("a demo is %v", d)
			}
		}
	}
	first := prompts.Requests()[0]
	if text := question(first); !strings.Contains(text, `{"text":"message 3","label":"ham"}`) || strings.Contains(text, "message 4") {
		t.Errorf("the first prompt is %s", text)
	}
}

// TestMIPROv2ZeroShot searches instructions alone, keeps the program's demos, and shows the
// prompt model bootstrapped ones.
func TestMIPROv2ZeroShot(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(miproTask))
	if r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 1}, p, messages(9), metric.Exact); err != nil || r.Apply(p) != nil {
		t.Fatal(err)
	}
	prompts := miproProposing()
	opt := optimize.MIPROv2{Candidates: 4, Trials: 6, MinibatchSize: 10, MaxBootstrapped: optimize.None, MaxLabeled: optimize.None}
	r, err := optimize.Compile(t.Context(), opt, p, messages(60)[:20], metric.Exact, optimize.Val(messages(60)[20:]), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, trial := range r.Trials {
		if demos := demosOf(t, trial.States[0].State); len(demos) != 1 || demos[0].Augmented {
			t.Errorf("%s: the demos are %v", trial.Name, demos)
		}
		if strings.Contains(trial.Name, "demos") {
			t.Errorf("a trial is %s", trial.Name)
		}
		seen[trial.States[0].State.Instructions] = true
	}
	if len(seen) < 3 || !seen[""] {
		t.Errorf("the instructions were %v", seen)
	}
	shown := 0
	for _, r := range prompts.Requests() {
		if _, asked := miproFields(r); asked[0] == "proposed_instruction" && strings.Contains(question(r), "text: message") {
			shown++
		}
	}
	if shown != 3 { // all but the first, which is replaced anyway
		t.Errorf("%d proposals were shown demos", shown)
	}
}

// TestMIPROv2Space searches among given choices, and makes none where all are given.
func TestMIPROv2Space(t *testing.T) {
	t.Parallel()
	all := messages(60)
	own := module.MustPredict[message, verdict]("").Predictor().Signature().Instructions()
	demos := [][]module.Demo{nil, {miproDemo(all[0])}, {miproDemo(all[1]), miproDemo(all[2]), miproDemo(all[3])}}
	opt := optimize.MIPROv2{Trials: 14, MinibatchSize: 10, Space: optimize.Space{"self": {
		Instructions: []string{own, "Follow instruction number 1.", "Follow instruction number 4."}, Demos: demos,
	}}}
	r, prompts := compileMIPRO(t, opt, 20, optimize.Val(all[20:]))
	if prompts.Calls() != 0 || r.Bootstrapping.Calls.Requested != 0 {
		t.Errorf("%d prompts, and bootstrapping cost %+v", prompts.Calls(), r.Bootstrapping.Calls)
	}
	if r.Calls.Requested != 40+14*10+3*40 {
		t.Errorf("%d calls", r.Calls.Requested)
	}
	// The best cell has instruction 1 and three demos.
	if st := r.States[0].State; r.Score < r.Baseline || st.Instructions == "" && len(st.Demos) == 0 {
		t.Errorf("got %s, %+v", r, st)
	}
	// With instructions given only demos are made.
	opt.Space["self"] = optimize.Choices{Instructions: []string{own, "Follow instruction number 1."}}
	opt.Candidates = 3
	r, prompts = compileMIPRO(t, opt, 20, optimize.Val(all[20:]))
	if prompts.Calls() != 0 || r.Bootstrapping.Calls.Requested == 0 {
		t.Errorf("%d prompts, and bootstrapping cost %+v", prompts.Calls(), r.Bootstrapping.Calls)
	}
	// With demos given only instructions are.
	opt.Space["self"] = optimize.Choices{Demos: demos}
	r, prompts = compileMIPRO(t, opt, 20, optimize.Val(all[20:]))
	if prompts.Calls() != 3+9 {
		t.Errorf("%d prompts", prompts.Calls())
	}
	for _, trial := range r.Trials {
		if n := len(trial.States[0].State.Demos); n == 2 {
			t.Errorf("%s has %d demos", trial.Name, n)
		}
	}
}

func miproDemo(ex example) module.Demo {
	return module.Demo{Fields: signature.RecordOf("text", ex.In.Text, "label", string(ex.Out.Label))}
}

// TestMIPROv2KeepsTheBaseline where no choice is better.
func TestMIPROv2KeepsTheBaseline(t *testing.T) {
	t.Parallel()
	prompts := miproProposing()
	p := newClassifier(lmtest.Answer(func(r *lm.Request) (string, error) {
		if len(r.Messages) > 2 || strings.Contains(r.Messages[0].Text(), "instruction number") {
			return "[[ ## label ## ]]\nspam\n\n[[ ## completed ## ]]", nil
		}
		return golden(r)
	}))
	r, err := optimize.Compile(t.Context(), smallMIPRO, p, messages(60)[:20], metric.Exact, optimize.Val(messages(60)[20:]), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	if r.Winner != -1 || r.Score != r.Baseline || !strings.Contains(r.Why, "no choice was better") || !r.Interval.Contains(r.Score) {
		t.Errorf("got %s, winner %d", r, r.Winner)
	}
	if st := r.States[0].State; st.Instructions != "" || len(st.Demos) != 0 {
		t.Errorf("the program became %+v", st)
	}
}

// TestMIPROv2Deterministic depends on the seed alone.
func TestMIPROv2Deterministic(t *testing.T) {
	t.Parallel()
	run := func(seed int64, concurrency int) string {
		opt := smallMIPRO
		opt.Seed = seed
		r, _ := compileMIPRO(t, opt, 60, optimize.Concurrency(concurrency))
		return miproTrials(r)
	}
	first := run(4, 1)
	if again := run(4, 16); again != first {
		t.Errorf("got\n%s\nand\n%s", first, again)
	}
	if other := run(5, 1); other == first {
		t.Error("another seed is the same search")
	}
}

func miproTrials(r *optimize.Result) string {
	var b bytes.Buffer
	for _, t := range r.Trials {
		fmt.Fprintln(&b, t.Name, t.Score, t.Rows, t.Parents, t.Note, t.States[0].State.Instructions)
	}
	fmt.Fprintln(&b, r.Winner, r.Score)
	return b.String()
}
