package optimize

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// completedMarker is what adapter.Chat ends every answer with, and asks for at the end of
// every question.
const completedMarker = "[[ ## completed ## ]]"

// FinetuneAdapterError is the error of a predictor that does not use adapter.Chat.
type FinetuneAdapterError struct {
	// Predictor is its name in the program.
	Predictor string
}

// Error names the predictor.
func (e *FinetuneAdapterError) Error() string {
	return fmt.Sprintf("optimize: FinetuneData: the predictor %q does not ask by adapter.Chat, and only that writes conversations to train on; make it without module.WithAdapter", e.Predictor)
}

var (
	errCaptured    = errors.New("the request is all that was wanted")
	errIntercepted = errors.New("something answers in the predictor's place (module.Intercept), so that its prompt cannot be seen")
	errMedia       = errors.New("a message holds an image, a sound or a file")
	errNoAnswer    = errors.New("its inputs and outputs make no demo, so that the answer cannot be written")
)

// capture stands in the place of a model, keeps what it is asked and never answers.
type capture struct {
	model   lm.LM
	request *lm.Request
}

// Generate implements lm.LM.
func (c *capture) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	c.request = r.Clone()
	return nil, errCaptured
}

// requestOf returns what a predictor in that state would ask, and which model, without asking
// it.
func requestOf(ctx context.Context, p *module.Predictor, st module.State, in signature.Record) (*lm.Request, lm.LM, error) {
	states, err := module.States{}.With(p, st)
	if err != nil {
		return nil, nil, err
	}
	c := &capture{}
	// The wrapper that comes last is the first to see a request, so none reaches another one.
	ctx = lm.Wrap(trace.Stop(module.WithStates(ctx, states)), func(m lm.LM) lm.LM {
		c.model = m
		return c
	})
	_, err = p.Call(ctx, in)
	switch {
	case c.request != nil:
		return c.request, c.model, nil
	case err == nil:
		return nil, nil, errIntercepted
	}
	return nil, nil, err
}

// checkChat returns an error where a predictor does not ask as adapter.Chat does.
func checkChat(ctx context.Context, n module.Named, st module.State) error {
	r, _, err := requestOf(ctx, n.Predictor, st, signature.Record{})
	if err != nil {
		return fmt.Errorf("optimize: FinetuneData: the prompt of the predictor %q: %w", n.Name, err)
	}
	if k := len(r.Messages); k == 0 || !strings.HasSuffix(r.Messages[k-1].Text(), "`"+completedMarker+"`.") {
		return &FinetuneAdapterError{Predictor: n.Name}
	}
	return nil
}

// conversation returns what a step asked and answered, as a predictor in that state asks it:
// DSPy's ChatAdapter.format_finetune_data.
func conversation(ctx context.Context, step module.Step, st module.State) ([]ChatMessage, error) {
	asked, _, err := requestOf(ctx, step.Predictor, st, step.Inputs)
	if err != nil {
		return nil, err
	}
	messages := make([]ChatMessage, 0, len(asked.Messages)+1)
	for _, m := range asked.Messages {
		for _, part := range m.Parts {
			if part.Blob != nil {
				return nil, errMedia
			}
		}
		messages = append(messages, ChatMessage{string(m.Role), m.Text()})
	}
	answer, err := answerText(ctx, step, st)
	if err != nil {
		return nil, err
	}
	return append(messages, ChatMessage{string(lm.RoleAssistant), answer}), nil
}

// answerText returns a step's outputs as the adapter writes an answer: that of a demo, which
// comes after the system message and the demo's question.
func answerText(ctx context.Context, step module.Step, st module.State) (string, error) {
	st.Demos = []module.Demo{{Fields: step.Inputs.Merge(step.Outputs)}}
	r, _, err := requestOf(ctx, step.Predictor, st, step.Inputs)
	if err != nil {
		return "", err
	}
	const at = 2
	if len(r.Messages) <= at+1 || r.Messages[at].Role != lm.RoleAssistant {
		return "", errNoAnswer
	}
	return r.Messages[at].Text(), nil
}
