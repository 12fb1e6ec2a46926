package lmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const synthPeers = "../../../shared/peers"

// synthPython runs Python with the program that DSPy's side of the figures was made with.
func synthPython(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	if _, err := os.Stat(filepath.Join(synthPeers, "synthlm.py")); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no %s/synthlm.py: SynthLM is not compared with the Python program", synthPeers)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("no python3: SynthLM is not compared with the Python program: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return out
}

// TestSynthPythonVectors holds what the Python program prints to testdata and the page.
func TestSynthPythonVectors(t *testing.T) {
	if !*update {
		t.Parallel()
	}
	out := synthPython(t, nil, filepath.Join(synthPeers, "synthlm.py"), "vectors")
	holdSynth(t, "synthlm1_python.jsonl", string(out))
}

// TestSynthPythonFile computes the vectors that the Python program has printed.
func TestSynthPythonFile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/synthlm1_python.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range bytes.Lines(data) {
		var v answerVector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Prompt == "" {
			continue
		}
		seen++
		got := v
		modelSource{SynthBasic}.answer(t, &got)
		if got != v {
			t.Errorf("SynthLM has %+v, want %+v", got, v)
		}
	}
	m := modelSource{SynthBasic}.open(t, SynthConfig{})
	var last struct {
		Hash uint64 `json:"h_label_0"`
		Sum  int    `json:"zero_shot_expected_bp_sum"`
		Dev  int    `json:"dev_zero_shot_right"`
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
		t.Fatal(err)
	}
	sum, dev := 0, 0
	for i := SynthHeldOut; i < SynthHeldOutEnd; i++ {
		sum += m.P(0, nil, i)
	}
	for i := SynthDev; i < SynthDevEnd; i++ {
		if m.Answer(0, nil, i, 0) == m.Label(i) {
			dev++
		}
	}
	if hash := m.h("label|0"); seen != 6 || hash != last.Hash || sum != last.Sum || dev != last.Dev {
		t.Errorf("%d vectors, hash %d, sum %d, right on dev %d; want 6 and %+v", seen, hash, sum, dev, last)
	}
}

// pythonVectors computes, by the Python program's World, the vectors it is given.
const pythonVectors = `
import json, sys
sys.path.insert(0, sys.argv[1])
import synthlm as s

def prompt(key):
    head, _, rest = key.partition("/")
    pairs = (d.split(":") for d in rest.split(",") if d)
    return int(head[1:]), [(int(i), s.LABELS.index(a)) for i, a in pairs]

def world(v):
    return s.World(v["world"], v.get("base", 5000), v.get("rugged", 0))

v = json.load(sys.stdin)
for a in v["answers"]:
    w, (strategy, demos), q = world(a), prompt(a["prompt"]), a["query"]
    a["type"], a["label"], a["p"] = w.type(q), s.LABELS[w.label(q)], w.p(strategy, demos, q)
    a["answer"] = s.LABELS[w.answer(strategy, demos, q, str(a.get("rollout", "")))]
for e in v["expected"]:
    e["expected_bp"] = round(world(e).expected(*prompt(e["prompts"][0])) * 10000 * 2000)
for p in v["proposals"]:
    p["proposed"] = "Answer the question with one label. Use strategy-%02d." % (1 + world(p).h("propose", p["k"]) % 31)
for g in v["grids"]:
    instructions, sets = s.grid(world(g), 9, 3, 8)
    g["instructions"] = instructions
    g["sets"] = [",".join("%04d:%s" % (i, s.LABELS[a]) for i, a in d) for d in sets]
json.dump(v, sys.stdout)
`

// TestSynthPython computes the vectors of testdata/synthlm1.json by the Python program.
func TestSynthPython(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/synthlm1.json")
	if err != nil {
		t.Fatal(err)
	}
	var v synthVectors
	if err := json.Unmarshal(synthPython(t, data, "-c", pythonVectors, synthPeers), &v); err != nil {
		t.Fatal(err)
	}
	if got := v.text(t); got != string(data) {
		t.Errorf("the Python program has\n%s\nwant\n%s", got, data)
	}
}
