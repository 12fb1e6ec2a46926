package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/internal/llamaserver"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// note, place and finder are the program of testdata/winner.py.
type note struct {
	Text string `json:"text" desc:"A note of a traveller"`
}

type place struct {
	City string `json:"city" enum:"Oslo,Paris,Rome" desc:"The city that it is about"`
}

type finder struct {
	Find *module.Predict[note, place]
}

// Run implements module.Program.
func (f *finder) Run(ctx context.Context, in note) (place, error) { return f.Find.Run(ctx, in) }

// noteTokens is how long a reply may be.
const noteTokens = 16

// newFinder makes a program that asks and reads as DSPy does: the server is not told the form
// of the reply, nothing is forgiven, and a reply that cannot be read is asked for as JSON.
func newFinder(t *testing.T, model lm.LM) *finder {
	t.Helper()
	p, err := module.NewPredict[note, place]("Find the city.", module.WithLM(model),
		module.WithAdapter(adapter.Chat{Strict: true, KeepMarkers: true}), module.NoShape(), module.JSONFallback(),
		module.Temperature(0), module.MaxTokens(noteTokens))
	if err != nil {
		t.Fatal(err)
	}
	return &finder{p}
}

func notes() []module.Example[note, place] {
	var out []module.Example[note, place]
	for _, n := range [][2]string{
		{"The train to Rome leaves at nine.", "Rome"},
		{"We saw the ships in the harbour of Oslo.", "Oslo"},
		{"In Paris it rained all day.", "Paris"},
		{"My sister has a flat in Oslo, close to the park.", "Oslo"},
		{"Rome was too hot for me.", "Rome"},
		{"The bakers of Paris open at six.", "Paris"},
		{"Nobody sleeps in June in Oslo.", "Oslo"},
		{"I left my umbrella in Paris.", "Paris"},
		{"A cat lives in every ruin of Rome.", "Rome"},
		{"From Paris we went home by bus.", "Paris"},
		{"The museum in Oslo was closed.", "Oslo"},
		{"Dinner in Rome never begins before eight.", "Rome"},
	} {
		out = append(out, module.Example[note, place]{In: note{n[0]}, Out: place{n[1]}})
	}
	return out
}

// thrifty is the share of the requests that led to a right answer: a program whose replies
// have to be asked for twice is half as good.
func thrifty(_ context.Context, ex module.Example[note, place], got place, t *trace.Trace) (metric.Score, error) {
	calls := 0
	for _, s := range module.Steps(t) {
		calls += s.Usage.Calls
	}
	if got != ex.Out || calls == 0 {
		return metric.Score{}, nil
	}
	return metric.Score{Value: 1 / float64(calls)}, nil
}

// TestWinnerInDSPy optimizes a program here, on a llama-server, saves what wins, loads that in
// the real DSPy, and has both answer the same notes on the same server: each request, each
// reply and the score have to be the same. So they have for the program as it was, whose
// replies are all asked for twice.
func TestWinnerInDSPy(t *testing.T) {
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Skip(`WHET_DSPY_PYTHON is not set; scripts/setup dspy and eval "$(scripts/setup env)" set it`)
	}
	// One request at a time, without a store of prompts: what a request finds computed is the
	// request before it.
	server := record(t, llamaserver.Start(t, "-np", "1", "--cache-ram", "0"))
	model, err := openai.New("llama-server/smollm2", openai.BaseURL(server.URL), openai.Getenv(func(string) string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	rows, dir := notes(), t.TempDir()
	own, winner := newFinder(t, model), newFinder(t, model)

	search := optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 2, Candidates: 2}
	result, err := optimize.Compile(t.Context(), search, winner, rows[:5], thrifty, optimize.Concurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(result)
	if result.Winner < 1 || len(result.States[0].State.Demos) == 0 {
		t.Error("the program without demos has won, so the demos of a file are not tested")
	}
	if err := result.Apply(winner); err != nil {
		t.Fatal(err)
	}
	runs := []*winnerRun{
		{name: "winner", program: winner, File: filepath.Join(dir, "winner.json"), examples: rows},
		{name: "program as it was", program: own, File: filepath.Join(dir, "own.json"), examples: rows[:2]},
	}
	server.begin()
	for _, r := range runs {
		if err := module.Save(r.File, r.program); err != nil {
			t.Fatal(err)
		}
		if r.report, err = evaluate.Run(t.Context(), r.program, r.examples, metric.Exact, evaluate.Concurrency(1)); err != nil {
			t.Fatal(err)
		}
		for _, ex := range r.examples {
			r.Rows = append(r.Rows, object{"text": ex.In.Text, "city": ex.Out.City})
		}
	}
	ours := server.exchanges()

	server.begin()
	results := runWinner(t, python, server.URL, runs)
	theirs := server.exchanges()

	sameExchanges(t, ours, theirs)
	asked := 0
	for i, r := range runs {
		r.compare(t, results[i])
		asked += r.report.Usage.Calls
	}
	if len(ours) != asked {
		t.Errorf("%d requests were seen, and %d calls counted", len(ours), asked)
	}
	if calls := runs[1].report.Usage.Calls; calls <= len(runs[1].examples) {
		t.Errorf("the program as it was made %d calls, so the fallback to JSON is not tested", calls)
	}
}

// winnerRun is a program, the file that it was saved to, and what it answers.
type winnerRun struct {
	File string   `json:"file"`
	Rows []object `json:"rows"`

	name     string
	program  *finder
	examples []module.Example[note, place]
	report   *evaluate.Report[note, place]
}

// winnerResult is what testdata/winner.py prints of a run.
type winnerResult struct {
	Answers []string
	Right   []float64
	Score   float64
}

func (r *winnerRun) compare(t *testing.T, dspy winnerResult) {
	t.Helper()
	if len(dspy.Answers) != len(r.Rows) || len(dspy.Right) != len(r.Rows) {
		t.Errorf("%s: DSPy answers %d of %d notes", r.name, len(dspy.Answers), len(r.Rows))
		return
	}
	for i, row := range r.report.Rows {
		if row.Out.City != dspy.Answers[i] || row.Score.Value != dspy.Right[i] {
			t.Errorf("%s: note %d: %q here, with the score %g; %q in DSPy, with %g", r.name, i, row.Out.City, row.Score.Value, dspy.Answers[i], dspy.Right[i])
		}
	}
	// DSPy gives a percentage, rounded to two places.
	if math.Abs(100*r.report.Score-dspy.Score) > 0.005001 {
		t.Errorf("%s: the score is %g here and %g %% in DSPy", r.name, r.report.Score, dspy.Score)
	}
	t.Logf("%s: score %.4f, DSPy's %.2f %%; %d calls for %d notes", r.name, r.report.Score, dspy.Score, r.report.Usage.Calls, len(r.Rows))
}

// sameExchanges compares what two clients asked, and what they were answered.
func sameExchanges(t *testing.T, ours, theirs []exchange) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Errorf("%d requests here, %d of DSPy", len(ours), len(theirs))
	}
	for i := range min(len(ours), len(theirs)) {
		if diff := cmp.Diff(theirs[i].request, ours[i].request); diff != "" {
			t.Errorf("request %d (-DSPy +whet):\n%s", i, diff)
		}
		if ours[i].text() != theirs[i].text() || ours[i].text() == "" {
			t.Errorf("reply %d is %q here and %q in DSPy", i, ours[i].text(), theirs[i].text())
		}
	}
}

// runWinner has DSPy load the files and answer the rows.
func runWinner(t *testing.T, python, server string, runs []*winnerRun) []winnerResult {
	t.Helper()
	ask, err := json.Marshal(object{"server": server, "max_tokens": noteTokens, "runs": runs})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", "winner.py"))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(ask), &stdout, &stderr
	cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+t.TempDir(), "PYTHONUTF8=1")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var results []winnerResult
	if err := json.Unmarshal(stdout.Bytes(), &results); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	if len(results) != len(runs) {
		t.Fatalf("DSPy ran %d of %d programs", len(results), len(runs))
	}
	return results
}
