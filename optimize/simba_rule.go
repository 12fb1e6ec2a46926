package optimize

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// simbaCase is what the prompt model reads: two runs of the program on one input.
type simbaCase struct {
	Predictor      string `desc:"The step that you write the rule for"`
	Program        string `desc:"All steps of the program, each with its fields and its present instructions"`
	ProgramInputs  string `desc:"What the program was given, the same in both runs"`
	KnownOutputs   string `desc:"What it should have answered, as far as that is known; the program does not see it"`
	WorseRun       string `desc:"What each step of the worse run read and wrote, in order"`
	WorseOutputs   string `desc:"What the program answered in it"`
	WorseScore     string `desc:"What that scored; more is better"`
	WorseFeedback  string `desc:"What was said of it"`
	BetterRun      string `desc:"What each step of the better run read and wrote, in order"`
	BetterOutputs  string `desc:"What the program answered in it"`
	BetterScore    string `desc:"What that scored"`
	BetterFeedback string `desc:"What was said of it"`
}

// simbaAdvice is what it writes.
type simbaAdvice struct {
	Comparison          string `json:"comparison" desc:"Where the runs part, and which step made the difference"`
	ProposedInstruction string `json:"proposed_instruction" desc:"The rule, in one to three sentences addressed to the step, or N/A where it did nothing wrong"`
}

const simbaTask = `A program that consists of steps, each a call of a language model, ran twice on the same input, and one run scored better than the other. Compare the two and write a rule for one of the steps, with which it would have worked as in the better run.

The rule is added to that step's instructions, and neither the runs nor your comparison are shown to it. So say in the rule what kind of input it is for, and what is to be done, or left undone, when such an input comes. It must also help with other inputs of that kind: do not name this one, and do not give away its answer. Leave out what any careful reader would do anyway, and what is another step's task.`

const simbaHidden = "not shown"

func simbaPrompt() (*module.Dynamic, error) {
	sig, err := signature.Of[simbaCase, simbaAdvice](simbaTask)
	if err != nil {
		return nil, err
	}
	return module.NewDynamic(sig)
}

// addRules ends the instructions of the predictors with what the prompt model makes of the
// difference of an example's best and worst run. It returns no program where all that came
// could not be read.
func (r *simbaRun) addRules(ctx context.Context, c candidate, b simbaBucket, from simbaSample) (candidate, string, error) {
	good, bad := b.answers[0], b.answers[len(b.answers)-1]
	if good.score.Value <= from.low || bad.score.Value >= from.high {
		return c, fmt.Sprintf("no rule from training example %s, as all its answers are among the batch's worst, or none is below its best", good.name), nil
	}
	if good.failed() {
		return c, fmt.Sprintf("no rule from training example %s, as its best answer failed", good.name), nil
	}
	in := r.simbaCase(c, good, bad)
	// Where no run was better the rule is from the one alone. Between the percentiles a
	// better one than that cannot be among the best, so it is this that is not shown.
	alone := good.score.Value <= bad.score.Value
	if alone {
		in.BetterRun, in.BetterOutputs, in.BetterScore, in.BetterFeedback = simbaHidden, simbaHidden, simbaHidden, simbaHidden
	}
	var notes []string
	asked, read := 0, 0
	for i, n := range r.named {
		if !simbaCalled(n.Predictor, bad) && (alone || !simbaCalled(n.Predictor, good)) {
			continue
		}
		asked++
		in.Predictor = n.Name
		rule, err := r.rule(ctx, in)
		switch {
		case err == nil:
		case ctx.Err() != nil, hopeless(err):
			return nil, "", fmt.Errorf("the rule for the predictor %q from training example %s: %w", n.Name, good.name, err)
		default:
			r.lost++
			notes = append(notes, fmt.Sprintf("the rule for %s could not be read (%s)", n.Name, brief(err)))
			continue
		}
		if read++; rule == "" {
			notes = append(notes, "no rule for "+n.Name)
			continue
		}
		c[i] = r.withInstructions(i, c[i], strings.TrimRight(r.instructionsOf(i, c[i]), "\n")+"\n\n"+rule)
		notes = append(notes, fmt.Sprintf("a rule for %s: %s", n.Name, rule))
	}
	if asked > 0 && read == 0 {
		return nil, "", nil
	}
	return c, fmt.Sprintf("from training example %s: %s", good.name, strings.Join(notes, "; ")), nil
}

// rule asks the prompt model; an empty rule is none.
func (r *simbaRun) rule(ctx context.Context, in simbaCase) (string, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return "", err
	}
	got, err := r.prompt(ctx, r.advise, rec, 0, math.NaN())
	if err != nil {
		return "", err
	}
	v, _ := got.Get("proposed_instruction")
	text, _ := v.(string)
	text = strings.TrimSpace(text)
	if none := strings.ToLower(strings.TrimRight(text, ".")); none == "n/a" || none == "none" {
		return "", nil
	}
	return text, nil
}

// simbaCase describes two runs.
func (r *simbaRun) simbaCase(c candidate, good, bad answer) simbaCase {
	steps := make([]string, len(r.named))
	for i, n := range r.named {
		steps[i] = fmt.Sprintf("%s (%s): %s", n.Name, n.Predictor.Signature(), r.instructionsOf(i, c[i]))
	}
	return simbaCase{
		Program:       strings.Join(steps, "\n\n"),
		ProgramInputs: simbaJSON(good.in), KnownOutputs: simbaJSON(good.truth),
		WorseRun: r.describeSteps(bad), WorseOutputs: simbaOutputs(bad),
		WorseScore: simbaScore(bad), WorseFeedback: simbaFeedback(bad),
		BetterRun: r.describeSteps(good), BetterOutputs: simbaOutputs(good),
		BetterScore: simbaScore(good), BetterFeedback: simbaFeedback(good),
	}
}

// describeSteps tells what the program's predictors did in a run.
func (r *simbaRun) describeSteps(a answer) string {
	var lines []string
	for _, st := range a.steps {
		i, ok := r.index[st.Predictor]
		if !ok {
			continue // a judge's, or a teacher's own
		}
		did := "wrote " + simbaJSON(st.Outputs)
		if st.Err != nil {
			did = "failed: " + st.Err.Error()
		}
		lines = append(lines, fmt.Sprintf("%s read %s and %s", r.named[i].Name, simbaJSON(st.Inputs), did))
	}
	if lines == nil {
		return "no step was called"
	}
	return strings.Join(lines, "\n")
}

// simbaCalled reports whether a run called a predictor.
func simbaCalled(p *module.Predictor, a answer) bool {
	return slices.ContainsFunc(a.steps, func(st module.Step) bool { return st.Predictor == p })
}

func simbaOutputs(a answer) string {
	if a.err != nil {
		return "It failed: " + a.err.Error()
	}
	return simbaJSON(a.out)
}

func simbaScore(a answer) string { return strconv.FormatFloat(a.score.Value, 'g', 4, 64) }

func simbaFeedback(a answer) string {
	if a.score.Feedback == "" {
		return "nothing"
	}
	return a.score.Feedback
}

// simbaJSON writes a record as prompts show it.
func simbaJSON(rec signature.Record) string {
	text, err := signature.MarshalPython(rec)
	if err != nil {
		return err.Error()
	}
	return text
}
