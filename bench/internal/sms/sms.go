// Package sms is the task of the SMS data for the benchmarks that need models: what a message
// and a verdict are, and where the rows come from. The rows are real messages, so that no
// program prints or keeps their text; see the data's README.
package sms

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// Message is what goes in.
type Message struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

// Verdict is what comes out.
type Verdict struct {
	Label string `json:"label" enum:"ham,spam,smishing" desc:"The predicted label"`
}

// Row is a message with its label.
type Row = module.Example[Message, Verdict]

// Instructions are those of the program that nobody has compiled.
const Instructions = "Given an SMS text, predict whether it is ham, spam, or smishing."

// DefaultDir is where the data lie beside a checkout.
const DefaultDir = "../shared/data/smishing"

// Reported is how many of the first rows of sms.csv are test rows of examples/smishing and of
// bench/compose: nothing may be chosen on them.
const Reported = 500

// Labels returns the three labels.
func Labels() []string { return []string{"ham", "spam", "smishing"} }

// MacroF1 is the mean of the labels' F1.
func MacroF1() metric.Objective[Verdict] {
	return metric.MacroF1(func(v Verdict) string { return v.Label }, Labels()...)
}

// Read reads a file of the data.
func Read(dir, name string) ([]Row, error) {
	return evaluate.ReadCSV[Message, Verdict](filepath.Join(dir, name),
		evaluate.Column("text", "TEXT"), evaluate.Column("label", "LABEL"),
		evaluate.Map("label", strings.ToLower)) // the file spells labels in five ways
}

// Without returns the rows that are none of seen, but for case and white space.
func Without(rows, seen []Row) []Row {
	known := map[string]bool{}
	for _, r := range seen {
		known[key(r)] = true
	}
	var out []Row
	for _, r := range rows {
		if !known[key(r)] {
			out = append(out, r)
		}
	}
	return out
}

func key(r Row) string { return strings.Join(strings.Fields(strings.ToLower(r.In.Text)), " ") }

// Balanced draws rows of which each label has a like share, as far as there are so many, in an
// order of its own. No two of them are the same but for case and white space.
func Balanced(rows []Row, n int, seed uint64) []Row {
	labels := Labels()
	left := map[string]int{}
	for i, label := range labels {
		left[label] = (n + len(labels) - 1 - i) / len(labels)
	}
	known := map[string]bool{}
	var out []Row
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(rows)) {
		r := rows[i]
		if left[r.Out.Label] > 0 && !known[key(r)] {
			left[r.Out.Label]--
			known[key(r)] = true
			out = append(out, r)
		}
	}
	return out
}

// DemoSet draws n rows of each label, as far as there are so many, in an order of its own.
func DemoSet(rows []Row, n int, seed uint64) []Row {
	left := map[string]int{}
	for _, label := range Labels() {
		left[label] = n
	}
	var out []Row
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(rows)) {
		if label := rows[i].Out.Label; left[label] > 0 {
			left[label]--
			out = append(out, rows[i])
		}
	}
	return out
}

// Demos makes demos of rows.
func Demos(rows []Row) []module.Demo {
	var demos []module.Demo
	for _, r := range rows {
		demos = append(demos, module.Demo{Fields: signature.RecordOf("text", r.In.Text, "label", r.Out.Label)})
	}
	return demos
}

// Model is a model of the benchmarks: its name, and the variable of the environment that has
// the path of its file.
type Model struct{ Name, Variable string }

// Models returns those that scripts/setup fetches.
func Models() []Model {
	return []Model{{"SmolLM2", "WHET_MODEL_SMOLLM2"}, {"Gemma", "WHET_MODEL_GEMMA"}}
}

// Path returns the path of the model's file.
func (m Model) Path(getenv func(string) string) (string, error) {
	if path := getenv(m.Variable); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("%s is not set; the benchmark's target of the Makefile sets it", m.Variable)
}
