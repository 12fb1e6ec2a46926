package optimize

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/lm"
)

var errUnfinished = errors.New("optimize: the language model did not return")

// rebiasable reports whether a request's last hole is a choice that is not
// drawn at random: a backend that scores choices takes the most likely one unless
// a temperature is asked for. Such a choice has the same log-probabilities under
// any biases, so that one answer serves them all.
func rebiasable(r *lm.Request) bool {
	if r.Shape == nil || (r.Temperature != nil && *r.Temperature != 0) {
		return false
	}
	i := canonical.LastHole(r.Shape)
	return i >= 0 && r.Shape.Segments[i].Hole == lm.HoleChoice
}

// rebias returns the answer that want would have got, given that asked, which
// differs from it at most in the biases of the last hole, got resp. It returns
// nil when resp does not tell: when the backend did not score the choice, or did
// not pick the most likely one.
func rebias(asked *lm.Request, resp *lm.Response, want *lm.Request) *lm.Response {
	out := resp.Clone()
	if asked.Shape == nil || sameBiases(asked.Shape, want.Shape) {
		return out
	}
	hole := canonical.LastHole(want.Shape)
	before, after := asked.Shape.Segments[hole].Choices, want.Shape.Segments[hole].Choices
	if !resp.Shaped || len(resp.Choices) == 0 {
		return nil
	}
	n := len(out.Choices) - 1
	choice := out.Choices[n]
	if choice.Name != want.Shape.Segments[hole].Name || len(choice.Options) != len(after) || choice.Picked < 0 || choice.Picked >= len(after) {
		return nil
	}
	for i, o := range choice.Options {
		if o.Text != after[i].Text || math.IsNaN(o.LogProb) {
			return nil
		}
	}
	if choice.Picked != pick(choice.Options, before) {
		return nil
	}
	var suffix strings.Builder
	for _, seg := range want.Shape.Segments[hole+1:] {
		suffix.WriteString(seg.Literal)
	}
	// A backend may leave out what follows the choice.
	tail := suffix.String()
	prefix, ok := strings.CutSuffix(resp.Text, choice.Options[choice.Picked].Text+tail)
	if !ok {
		tail = ""
		if prefix, ok = strings.CutSuffix(resp.Text, choice.Options[choice.Picked].Text); !ok {
			return nil
		}
	}
	choice.Options = slices.Clone(choice.Options)
	choice.Picked = pick(choice.Options, after)
	softmax(choice.Options, after)
	out.Choices[n] = choice
	out.Text = prefix + after[choice.Picked].Text + tail
	return out
}

func sameBiases(a, b *lm.Shape) bool {
	for i := range a.Segments {
		for j := range a.Segments[i].Choices {
			if a.Segments[i].Choices[j].Bias != b.Segments[i].Choices[j].Bias {
				return false
			}
		}
	}
	return true
}

// pick returns the option of the highest log-probability plus bias, the first of
// several.
func pick(options []lm.Option, biases []lm.Alternative) int {
	best := 0
	for i := range options {
		if options[i].LogProb+biases[i].Bias > options[best].LogProb+biases[best].Bias {
			best = i
		}
	}
	return best
}

// softmax sets the options' probabilities under the biases.
func softmax(options []lm.Option, biases []lm.Alternative) {
	top := math.Inf(-1)
	for i, o := range options {
		top = max(top, o.LogProb+biases[i].Bias)
	}
	if math.IsInf(top, 0) {
		return
	}
	sum := 0.0
	for i, o := range options {
		sum += math.Exp(o.LogProb + biases[i].Bias - top)
	}
	for i, o := range options {
		options[i].Prob = math.Exp(o.LogProb+biases[i].Bias-top) / sum
	}
}
