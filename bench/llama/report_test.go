package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm/llamacpp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestFigureOf(t *testing.T) {
	t.Parallel()
	same := func(v float64) float64 { return v }
	assert.Equal(t, figure{3, 1, 8}, figureOf([]float64{8, 1, 3}, same))
	assert.Equal(t, figure{2, 1, 8}, figureOf([]float64{8, 1, 3, 1}, same))
	assert.Equal(t, figure{5, 5, 5}, figureOf([]float64{5}, same))
}

func TestEachConfigurationIsComparedWithOneThatRuns(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range configs() {
		assert.False(t, known[c.name()], "%s is there twice", c.name())
		known[c.name()] = true
	}
	for _, c := range configs() {
		if !c.peer {
			assert.True(t, known[c.against().name()], "%s is compared with %s", c.name(), c.against().name())
		}
	}
	auto := config{weights: llamacpp.WeightsAuto, program: "cot-compact"}
	assert.Equal(t, "dspy/as-shipped/cot", auto.against().name())
}

// finished is a benchmark that has run.
func finished() *bench {
	other := func(v float64) *float64 { return &v }
	b := &bench{
		settings: settings{rounds: 3, threads: 2, serverContext: 32768}, path: "/home/someone/model.gguf",
		weights: map[llamacpp.WeightType]prepared{llamacpp.WeightsBF16: {"/home/someone/bf16.gguf", llamacpp.WeightsBF16, "Q4_1", "it was asked for"}},
		fits:    map[string]fitted{"whet/bf16/compact": {Wall: 6.5, Calls: 100, MacroF1: 0.8, OtherCPU: other(0.2)}},
	}
	runs := func(peak float64, prompts string, walls ...float64) []measured {
		var out []measured
		for _, w := range walls {
			out = append(out, measured{
				Rows: 50, Wall: w, PromptTokens: 4000, ComputedTokens: 900, CompletionTokens: 30, FailedRows: 1,
				Accuracy: 0.5, MacroF1: 0.25, PeakMB: peak, OtherCPU: other(w / 1000), Prompts: prompts, DSPy: "3.4.1",
			})
		}
		return out
	}
	b.runs = map[string][]measured{
		"dspy/bf16/predict": runs(1000, "a", 30, 32, 60),
		"whet/bf16/chat":    runs(500, "a", 11, 10, 9),
		"whet/bf16/compact": runs(400, "", 3, 3.2, 2),
		"whet/auto/compact": runs(400, "", 2),
	}
	for _, c := range configs() {
		if len(b.runs[c.name()]) > 0 {
			b.configs = append(b.configs, c)
		}
	}
	return b
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := finished().report()
	r.Machine = "a machine, 2 CPUs"
	var text bytes.Buffer
	require.NoError(t, r.print(&text))
	golden(t, "report.txt", text.String())

	require.Len(t, r.Summaries, 4)
	chat := r.Summaries[1]
	assert.Equal(t, figure{20, 18, 22}, chat.Seconds)
	assert.InDelta(t, 3.2, chat.Speedup, 1e-9)
	assert.InDelta(t, 0.5, chat.Memory, 1e-9)
	assert.Zero(t, r.Summaries[3].Speedup, "the file as shipped did not run, so there is nothing to compare with")

	path := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, r.write(path))
	data := readFile(t, path)
	assert.NotContains(t, data, "someone", "a path of the user's")
	require.NoError(t, json.Unmarshal([]byte(data), &report{}))
}

func TestPromptsThatDiffer(t *testing.T) {
	t.Parallel()
	b := finished()
	require.True(t, *b.samePrompts())
	b.runs["whet/bf16/chat"][0].Prompts = "b"
	assert.False(t, *b.samePrompts())
	delete(b.runs, "dspy/bf16/predict")
	assert.Nil(t, b.samePrompts())
}

func TestReportWithoutPeer(t *testing.T) {
	t.Parallel()
	b := &bench{settings: settings{only: regexp.MustCompile("/chat$|predict"), peer: true}}
	b.choose()
	var names []string
	for _, c := range b.configs {
		names = append(names, c.name())
	}
	assert.Equal(t, []string{"whet/as-shipped/chat", "whet/bf16/chat", "whet/auto/chat"}, names)
	var text bytes.Buffer
	require.NoError(t, b.report().print(&text))
	assert.Contains(t, text.String(), "DSPy + llama-server did not run: there is no DSPy (make dspy) and llama-server (make server)")
}

func TestSearchReport(t *testing.T) {
	t.Parallel()
	b := &bench{settings: settings{search: true, only: regexp.MustCompile("")}}
	b.choose()
	require.Len(t, b.configs, 2)
	busy := 0.5
	b.searches = map[string][]searched{"whet/auto/compact": {
		{Candidates: 19, Rows: 100, Wall: 120, Requested: 1950, Paid: 1940, Score: 0.8, Baseline: 0.1, PeakMB: 400, OtherCPU: &busy},
		{Candidates: 19, Rows: 100, Wall: 180, Requested: 1950, Paid: 1940, Score: 0.8, Baseline: 0.1, PeakMB: 420},
	}}
	r := b.report()
	r.Machine = "a machine, 2 CPUs"
	var text bytes.Buffer
	require.NoError(t, r.print(&text))
	golden(t, "search.txt", text.String())
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]string{{"-only", "("}, {"-rounds", "0"}, {"-limit", "-1"}, {"-threads", "0"}, {"more"}} {
		_, err := parseFlags(bad, io.Discard)
		assert.Error(t, err, "%v", bad)
	}
	s, err := parseFlags([]string{"-only", "bf16", "-peer=false"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, 3, s.rounds)
	assert.False(t, s.peer)
	assert.True(t, s.only.MatchString("whet/bf16/chat"))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	assert.Equal(t, readFile(t, path), got)
}
