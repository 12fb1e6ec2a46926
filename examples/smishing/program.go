package main

import (
	"context"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/internal/bayes"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
)

// SMS is what goes in.
type SMS struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

// Label is one of three classes.
type Label string

// Enum lists the labels.
func (Label) Enum() []string { return []string{"ham", "spam", "smishing"} }

// Verdict is what comes out.
type Verdict struct {
	Label Label `json:"label" desc:"The predicted label"`
}

// Answer is a verdict without a type: whatever the model says.
type Answer struct {
	Label string `json:"label" desc:"The predicted label"`
}

const instructions = "Given an SMS text, predict whether it is ham, spam, or smishing."

// Classifier is the typed program: every answer is one of the labels.
type Classifier struct {
	Classify *module.Predict[SMS, Verdict]
}

func newClassifier(a adapter.Adapter, model lm.LM) (*Classifier, error) {
	p, err := module.NewPredict[SMS, Verdict](instructions, module.WithAdapter(a), module.WithLM(model))
	if err != nil {
		return nil, err
	}
	return &Classifier{p}, nil
}

// Run implements module.Program.
func (c *Classifier) Run(ctx context.Context, in SMS) (Verdict, error) {
	return c.Classify.Run(ctx, in)
}

// Naive asks for a string and takes what comes for the label, as one does before
// one has types.
type Naive struct {
	Classify *module.Predict[SMS, Answer]
}

func newNaive(a adapter.Adapter, model lm.LM) (*Naive, error) {
	p, err := module.NewPredict[SMS, Answer](instructions+" Output only the predicted label.",
		module.WithAdapter(a), module.WithLM(model), module.MaxTokens(8), module.Temperature(0))
	if err != nil {
		return nil, err
	}
	return &Naive{p}, nil
}

// Run implements module.Program.
func (n *Naive) Run(ctx context.Context, in SMS) (Verdict, error) {
	a, err := n.Classify.Run(ctx, in)
	return Verdict{Label(a.Label)}, err
}

// constant always gives the same label: the row that every other has to beat.
func constant(l Label) module.Program[SMS, Verdict] {
	return module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) { return Verdict{l}, nil })
}

// bayesProgram is naive Bayes trained on the same rows as the prompts.
func bayesProgram(train []row) module.Program[SMS, Verdict] {
	b := &bayes.Classifier{}
	for _, r := range train {
		b.Add(r.In.Text, string(r.Out.Label))
	}
	return module.Func[SMS, Verdict](func(_ context.Context, in SMS) (Verdict, error) {
		return Verdict{Label(b.Classify(in.Text))}, nil
	})
}
