package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// reflectInput and reflectOutput are the fields of the call that writes new instructions.
type reflectInput struct {
	CurrentInstruction   string `desc:"The step's instruction as it is now"`
	ExamplesWithFeedback string `desc:"What the step was given and what it answered, each with feedback on what came of it"`
}

type reflectOutput struct {
	ProposedInstruction string `desc:"The whole new instruction, to be used as it stands"`
}

const reflectInstructions = `One step of a program asks a language model, by an instruction. Rewrite that instruction so that the step answers better.

Compare each example's answer with its feedback. Find out which rules the good answers followed and the bad ones broke, and write these rules down. The feedback may tell facts about the task that the step cannot know by itself: say them in the instruction. Keep what the present instruction does well. Write rules that also hold for inputs which you have not seen, and do not quote the examples. The step sees only the instruction and its own inputs, and nothing of this conversation.`

func newReflector() (*module.Dynamic, error) {
	sig, err := signature.Of[reflectInput, reflectOutput](reflectInstructions)
	if err != nil {
		return nil, err
	}
	return module.NewDynamic(sig)
}

// ask asks the prompt model for new instructions. A question that was asked before is asked
// as another rollout, or the answer store would give the same answer for ever.
func (g *evolution) ask(ctx context.Context, text, examples string) (string, error) {
	in, err := signature.Encode(reflectInput{text, examples})
	if err != nil {
		return "", err
	}
	key := text + "\x00" + examples
	rollout := g.asked[key]
	g.asked[key]++
	out, err := g.s.prompt(ctx, g.reflector, in, rollout, math.NaN())
	if err != nil {
		return "", err
	}
	var reply reflectOutput
	if err := signature.Decode(out, &reply); err != nil {
		return "", err
	}
	if text = strings.TrimSpace(reply.ProposedInstruction); text == "" {
		return "", errBlank
	}
	return text, nil
}

// examples tells what a predictor did in the answers, with the metric's feedback; "" where
// no answer shows it.
func (g *evolution) examples(predictor int, seen []answer) string {
	var b strings.Builder
	n := 0
	for _, a := range seen {
		step, ok := g.shown(predictor, a)
		if !ok {
			continue
		}
		n++
		fmt.Fprintf(&b, "Example %d\nInputs:\n", n)
		writeFields(&b, step.Inputs)
		if step.Err != nil {
			fmt.Fprintf(&b, "Reply:\n%s\nFeedback: %s\n\n", indented(step.Raw), g.formatFeedback(predictor, step.Err))
			continue
		}
		b.WriteString("Outputs:\n")
		writeFields(&b, step.Outputs)
		feedback := a.score.Feedback
		if strings.TrimSpace(feedback) == "" {
			feedback = fmt.Sprintf("The program's answer scored %s.", signature.FormatFloat(a.score.Value))
		}
		fmt.Fprintf(&b, "Feedback: %s\n\n", block(feedback))
	}
	return strings.TrimSpace(b.String())
}

// shown returns the call of a predictor that stands for an answer: the first that could not
// be read, where these are shown, else any one.
func (g *evolution) shown(predictor int, a answer) (module.Step, bool) {
	var calls []module.Step
	for _, st := range a.steps {
		if st.Predictor != g.s.named[predictor].Predictor || st.Dropped {
			continue
		}
		if st.Err == nil {
			calls = append(calls, st)
		} else if g.FormatFeedback && isUnread(st.Err) {
			return st, true
		}
	}
	// Where the program failed the metric has not seen an answer, and there is no feedback.
	if a.err != nil || len(calls) == 0 {
		return module.Step{}, false
	}
	return pyrand.Choice(g.picks, calls), true
}

// formatFeedback is what stands for feedback where a reply could not be read.
func (g *evolution) formatFeedback(predictor int, err error) string {
	problem := "it was cut off by the token limit"
	var parse *adapter.ParseError
	if errors.As(err, &parse) {
		problem = fmt.Sprintf("the field %s should have held %s", parse.Field, parse.Expected)
	}
	var fields []string
	for _, f := range g.s.named[predictor].Predictor.Signature().Outputs() {
		fields = append(fields, fmt.Sprintf("%s (%s)", f.Name, f.Type))
	}
	return fmt.Sprintf("This reply could not be read, so that the program failed: %s. A reply must hold these fields, in the form that was asked for: %s.", problem, strings.Join(fields, ", "))
}

// writeFields writes a line for each field, or several where the value has several.
func writeFields(b *strings.Builder, r signature.Record) {
	for name, v := range r.All() {
		text, ok := v.(string)
		if !ok {
			data, err := signature.MarshalValue(v)
			if err != nil {
				data = []byte(fmt.Sprint(v))
			}
			text = string(data)
		}
		fmt.Fprintf(b, "  %s: %s\n", name, block(text))
	}
}

// block returns a text of one line as it is, and one of several below, so that no line of it
// looks like one of ours.
func block(text string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	return "\n" + indented(text)
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ")
}

// isUnread reports a reply that could not be read.
func isUnread(err error) bool {
	var parse *adapter.ParseError
	var cut *module.TruncatedError
	return errors.As(err, &parse) || errors.As(err, &cut)
}
