package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// The same as in the peer's program, to the byte.
const (
	instructions = "Given an SMS text, predict whether it is ham, spam, or smishing.\nOutput only the predicted label."
	maxTokens    = 64
	demoCount    = 8
)

type sms struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

type label string

func labels() []string { return []string{"ham", "spam", "smishing"} }

// Enum lists the labels.
func (label) Enum() []string { return labels() }

type verdict struct {
	Label label `json:"label" desc:"The predicted label"`
}

type row = module.Example[sms, verdict]

var macroF1 = metric.MacroF1(func(v verdict) label { return v.Label })

func readRows(dir, file string) ([]row, error) {
	return evaluate.ReadCSV[sms, verdict](filepath.Join(dir, file),
		evaluate.Column("text", "TEXT"), evaluate.Column("label", "LABEL"),
		evaluate.Map("label", func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }))
}

func firstRows(rows []row, n int) []row {
	if n > 0 && n < len(rows) {
		return rows[:n]
	}
	return rows
}

// pickDemos returns the first rows of each label in turn, as the peer's program does.
func pickDemos(rows []row, n int) []row {
	byLabel := map[string][]row{}
	for _, r := range rows {
		byLabel[string(r.Out.Label)] = append(byLabel[string(r.Out.Label)], r)
	}
	var out []row
	for found := true; found && len(out) < n; {
		found = false
		for _, l := range labels() {
			if rest := byLabel[l]; len(rest) > 0 && len(out) < n {
				out, byLabel[l], found = append(out, rest[0]), rest[1:], true
			}
		}
	}
	return out
}

// variant is a program of ours that is measured.
type variant struct {
	name   string
	layout adapter.Adapter
	// plain keeps the form of the reply from the engine; what cannot be read is asked
	// for again through JSON, as DSPy does.
	plain bool
	// calibrated gives the choices biases that were fitted on the training rows.
	calibrated bool
	reasons    bool // ChainOfThought in place of Predict
}

func variants() []variant {
	compact := adapter.Compact{Terse: true}
	return []variant{
		{name: "chat", layout: adapter.Chat{}},
		{name: "chat-noshape", layout: adapter.Chat{}, plain: true},
		{name: "compact", layout: compact, calibrated: true},
		{name: "compact-noshape", layout: compact, plain: true},
		{name: "cot-chat", layout: adapter.Chat{}, reasons: true},
		{name: "cot-compact", layout: compact, reasons: true},
	}
}

func variantOf(name string) (variant, error) {
	for _, v := range variants() {
		if v.name == name {
			return v, nil
		}
	}
	return variant{}, fmt.Errorf("there is no program %q", name)
}

// classifier is a Predict or a ChainOfThought.
type classifier struct {
	Classify module.Program[sms, verdict]
}

func (v variant) program(model lm.LM, state module.State) (*classifier, error) {
	opts := []module.Option{
		module.WithAdapter(v.layout), module.WithLM(model), module.Temperature(0), module.MaxTokens(maxTokens),
	}
	if v.plain {
		opts = append(opts, module.NoShape(), module.JSONFallback())
	}
	c := &classifier{}
	var err error
	if v.reasons {
		c.Classify, err = module.NewChainOfThought[sms, verdict](instructions, opts...)
	} else {
		c.Classify, err = module.NewPredict[sms, verdict](instructions, opts...)
	}
	if err != nil {
		return nil, err
	}
	named, err := module.Predictors(c)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		if err := n.Predictor.SetState(state); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Run implements module.Program.
func (c *classifier) Run(ctx context.Context, in sms) (verdict, error) {
	return c.Classify.Run(ctx, in)
}

// biases are a predictor's, by field and choice.
type biases = map[string]map[string]float64

// stateOf shows the rows as demos; the biases may be nil.
func stateOf(demos []row, b biases) module.State {
	s := module.State{Biases: b}
	for _, d := range demos {
		fields := signature.RecordOf("text", d.In.Text, "label", string(d.Out.Label))
		s.Demos = append(s.Demos, module.Demo{Fields: fields})
	}
	return s
}
