package module

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm"
)

// MixtureOfAgents lets several programs answer and one more call make one answer of theirs
// (Wang et al., arXiv 2406.04692). Between them there may be further layers, in which each
// of several aggregators sees the input and all answers of the layer before. It is Self-MoA
// (Li et al., arXiv 2502.00674) with one proposer and Rollouts.
//
// All calls of a layer are made at the same time. The predictors are found under
// proposers[0], layers[0][1] and aggregator. Run and Call are safe for concurrent use.
//
// The prediction is that of the last aggregator, with the Usage of all calls. In the trace
// the calls of members whose answer it contradicts, as it has another choice, number or
// bool, are dropped; texts that differ say nothing. When more calls of a layer fail than
// MaxErrors, the error is a [*MemberError].
type MixtureOfAgents[In, Out any] struct {
	// Proposers are the first layer. None of the fields must be changed.
	Proposers []Program[In, Out]
	// Layers are those between: Layers[0] sees the answers of the Proposers.
	Layers [][]Program[Referenced[In, Out], Out]
	// Aggregator gives the answer.
	Aggregator Program[Referenced[In, Out], Out]

	rollouts    int
	temperature float64
	sampled     bool // the proposers' temperature is not their own
	maxErrors   int
	types       outputs
}

// Referenced is the input of an aggregator: that of the program, and the answers of the
// layer before, in the order of its members.
type Referenced[In, Out any] struct {
	In      In
	Answers []Out
}

// MixtureConfig configures a [MixtureOfAgents]. The zero value is one layer of proposers and
// an aggregator whose instructions are made from the fields' names.
type MixtureConfig[In, Out any] struct {
	// Instructions are the task's, for the aggregators; empty ones become the default of a
	// [Predict]. What an aggregator does is added to them.
	Instructions string
	// Options are those of the aggregators' predictors.
	Options []Option
	// Layers is how many layers of answers come before the last aggregator, the proposers'
	// included; 0 means 1.
	Layers int
	// Width is the number of aggregators in each layer between; 0 means as many as there
	// are proposers.
	Width int
	// Rollouts is how many times each proposer and each aggregator between is asked, as
	// rollouts of their own; 0 means 1.
	Rollouts int
	// Temperature is that of the layers between, where they make several calls, and of the
	// proposers, where Rollouts is more than 1. 0, at which all would say the same, means
	// 0.7. The last aggregator, and proposers that are asked once, have their own.
	Temperature float64
	// MaxErrors is how many calls of a layer may fail, with errors of other kinds than
	// lm.ErrBudget; their answers are then left out. The default, 0, is none.
	MaxErrors int
	// Between and Final replace the layers between and the last aggregator by other
	// programs; Layers and Width have no meaning beside Between. They are needed where In
	// and Out are records: see [NewDynamicAggregator].
	Between [][]Program[Referenced[In, Out], Out]
	Final   Program[Referenced[In, Out], Out]
}

// NewMixtureOfAgents makes a MixtureOfAgents of at least one proposer.
func NewMixtureOfAgents[In, Out any](proposers []Program[In, Out], c MixtureConfig[In, Out]) (*MixtureOfAgents[In, Out], error) {
	const name = "MixtureOfAgents"
	if err := checkPrograms(name, proposers); err != nil {
		return nil, err
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"Layers", c.Layers}, {"Width", c.Width}, {"Rollouts", c.Rollouts}, {"MaxErrors", c.MaxErrors}} {
		if n.value < 0 {
			return nil, fmt.Errorf("module: %s: %s is %d; want 0 or more", name, n.name, n.value)
		}
	}
	made := max(c.Layers, 1) - 1 // layers of aggregators
	switch {
	case c.Between != nil && (c.Layers != 0 || c.Width != 0):
		return nil, fmt.Errorf("module: %s: Between are the layers, so Layers and Width must be 0", name)
	case c.Width != 0 && made == 0:
		return nil, fmt.Errorf("module: %s: Width is %d, and there is no layer between that could have it: set Layers to 2 or more", name, c.Width)
	case c.Temperature != 0 && c.Rollouts <= 1 && made == 0 && c.Between == nil:
		return nil, fmt.Errorf("module: %s: Temperature is for proposers that are asked several times (Rollouts) and for layers between; give a proposer its own with the option module.Temperature", name)
	case c.Final != nil && made == 0 && (c.Instructions != "" || c.Options != nil):
		return nil, fmt.Errorf("module: %s: Instructions and Options are for aggregators that are made here, and there are none beside Final", name)
	}
	temperature, err := samplingTemperature(name, c.Temperature)
	if err != nil {
		return nil, err
	}
	m := &MixtureOfAgents[In, Out]{
		Proposers: proposers, Layers: c.Between, Aggregator: c.Final,
		rollouts: max(c.Rollouts, 1), temperature: temperature, sampled: c.Rollouts > 1, maxErrors: c.MaxErrors,
		types: outputsOf[In, Out](),
	}
	width := c.Width
	if width == 0 {
		width = len(proposers)
	}
	for range made {
		layer := make([]Program[Referenced[In, Out], Out], width)
		for i := range layer {
			if layer[i], err = NewAggregator[In, Out](c.Instructions, c.Options...); err != nil {
				return nil, err
			}
		}
		m.Layers = append(m.Layers, layer)
	}
	for l, layer := range m.Layers {
		if len(layer) == 0 {
			return nil, fmt.Errorf("module: %s: layers[%d] is empty", name, l)
		}
		for i, p := range layer {
			if p == nil {
				return nil, fmt.Errorf("module: %s: layers[%d][%d] is nil", name, l, i)
			}
		}
	}
	if m.Aggregator == nil {
		if m.Aggregator, err = NewAggregator[In, Out](c.Instructions, c.Options...); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// MustMixtureOfAgents is NewMixtureOfAgents for program start-up: it panics where that
// returns an error.
func MustMixtureOfAgents[In, Out any](proposers []Program[In, Out], c MixtureConfig[In, Out]) *MixtureOfAgents[In, Out] {
	return must(NewMixtureOfAgents(proposers, c))
}

// Run returns the answer.
func (m *MixtureOfAgents[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(m.Call(ctx, in))
}

// Call returns the answer and how it came about.
func (m *MixtureOfAgents[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	var calls []panelist[Out]
	for i, p := range m.Proposers {
		for r := range m.rollouts {
			call := panelistOf(fmt.Sprintf("proposers[%d]", i), i, p, in)
			if m.sampled {
				call = rolloutOf(call, r, m.temperature)
				call.name += fmt.Sprintf(", rollout %d", r)
			}
			calls = append(calls, call)
		}
	}
	run := &mixing[Out]{maxErrors: m.maxErrors, rests: func(Out) bool { return false }}
	defer run.join()
	preds, err := run.layer(ctx, calls)
	if err != nil {
		return nil, err
	}
	for l, layer := range m.Layers {
		ref := Referenced[In, Out]{in, answersOf(preds)}
		calls = calls[:0:0]
		for i, p := range layer {
			for r := range m.rollouts {
				call := panelistOf(fmt.Sprintf("layers[%d][%d]", l, i), i, p, ref)
				if len(layer)*m.rollouts > 1 {
					// Aggregators that are alike say something else only as other rollouts.
					call = rolloutOf(call, i*m.rollouts+r, m.temperature)
				}
				calls = append(calls, call)
			}
		}
		if preds, err = run.layer(ctx, calls); err != nil {
			return nil, err
		}
	}
	last := panelistOf("aggregator", 0, m.Aggregator, Referenced[In, Out]{in, answersOf(preds)})
	if preds, err = run.layer(ctx, []panelist[Out]{last}); err != nil {
		return nil, err
	}
	pred := *preds[0]
	pred.Usage = lm.Usage{}
	for _, layer := range run.layers {
		pred.Usage = pred.Usage.Add(layer.usage())
	}
	run.rests = func(out Out) bool { return !m.types.contradicts(out, pred.Out) }
	return &pred, nil
}

// mixing is one run of a mixture: the layers so far.
type mixing[Out any] struct {
	maxErrors int
	layers    []*panel[Out]
	rests     func(Out) bool // whether the answer rests on one of a member
}

// layer makes the calls of a layer.
func (m *mixing[Out]) layer(ctx context.Context, calls []panelist[Out]) ([]*Prediction[Out], error) {
	all := &panel[Out]{module: "MixtureOfAgents", members: calls, maxErrors: m.maxErrors}
	m.layers = append(m.layers, all)
	if err := all.ask(ctx); err != nil {
		return nil, err
	}
	var preds []*Prediction[Out]
	for _, r := range all.replies {
		if r.err == nil {
			preds = append(preds, r.pred)
		}
	}
	return preds, nil
}

// join adds all calls to the trace.
func (m *mixing[Out]) join() {
	for _, layer := range m.layers {
		layer.join(func(i int) bool { return m.rests(layer.replies[i].pred.Out) })
	}
}

func answersOf[Out any](preds []*Prediction[Out]) []Out {
	out := make([]Out, len(preds))
	for i, p := range preds {
		out[i] = p.Out
	}
	return out
}
