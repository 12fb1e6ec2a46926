package module

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/whetgo/whet/lm"
)

// poll takes votes.
type poll[Out any] struct {
	module    string
	types     outputs
	classes   int
	key       func(Out) (string, error)
	field     string // whose log-probabilities are summed; "" for votes
	early     bool
	batch     int
	maxErrors int
}

func newPoll[In, Out any](module string, members int, v Voting[Out]) (*poll[Out], error) {
	p := &poll[Out]{module: module, types: outputsOf[In, Out](), classes: v.Classes, field: v.LogProbs, early: v.EarlyExit, batch: v.Batch, maxErrors: v.MaxErrors}
	if p.classes == 0 {
		p.classes = p.types.classes()
	}
	fail := func(format string, args ...any) (*poll[Out], error) {
		return nil, fmt.Errorf("module: "+module+": "+format, args...)
	}
	switch {
	case v.Size < 0 || v.Size > members:
		return fail("Size is %d; want 0, for all, to %d", v.Size, members)
	case v.Batch < 0:
		return fail("Batch is %d; want 0, for all, or more", v.Batch)
	case v.MaxErrors < 0:
		return fail("MaxErrors is %d; want 0 or more", v.MaxErrors)
	case v.Classes < 0 || v.Classes == 1:
		return fail("Classes is %d; want at least 2", v.Classes)
	case v.LogProbs != "" && v.Key != nil:
		return fail("with LogProbs nobody votes, so that Key has no meaning")
	case v.LogProbs != "" && v.EarlyExit:
		return fail("with LogProbs any member may change the winner, so that there is no EarlyExit")
	case v.LogProbs != "" && p.types != nil && !p.types.closed(v.LogProbs):
		return fail("LogProbs names %q, which is no output field of choices", v.LogProbs)
	}
	p.key = func(out Out) (string, error) { return p.types.key(out) }
	if v.Key != nil {
		p.key = func(out Out) (string, error) { return v.Key(out), nil }
	}
	if v.Key == nil && v.LogProbs == "" {
		var zero Out
		if _, err := p.types.key(zero); err != nil {
			return fail("%w", err)
		}
	}
	return p, nil
}

// call asks the members and counts.
func (p *poll[Out]) call(ctx context.Context, members []panelist[Out], w *weighting) (*Prediction[Out], error) {
	if p.early {
		slices.SortStableFunc(members, func(a, b panelist[Out]) int {
			switch {
			case a.weight > b.weight:
				return -1
			case a.weight < b.weight:
				return 1
			}
			return 0
		})
	}
	voters := make([]voter, len(members))
	asked := make([]panelist[Out], len(members))
	for i, m := range members {
		voters[i] = voter{member: m.index, weight: m.weight}
		asked[i] = m
		asked[i].call = func(ctx context.Context) (*Prediction[Out], error) {
			pred, err := m.call(ctx)
			if err == nil {
				err = p.vote(pred, &voters[i])
			}
			return pred, err
		}
	}
	silent := slices.Clone(voters) // for what the rest weighs, while its votes come in
	all := &panel[Out]{module: p.module, members: asked, batch: p.batch, maxErrors: p.maxErrors}
	if p.early {
		all.decided = func(replies []reply[Out]) bool {
			return settled(cast(voters, replies), silent[len(replies):])
		}
	}
	keep := none
	defer func() { all.join(keep) }()
	if err := all.ask(ctx); err != nil {
		return nil, err
	}
	pred, rests, err := p.result(all, voters, w)
	if err != nil {
		return nil, fmt.Errorf("module: %s: %w", p.module, err)
	}
	keep = rests
	pred.Usage = all.usage()
	pred.Votes.Members, pred.Votes.Asked, pred.Votes.Failed = len(members), all.asked(), all.failures()
	return pred, nil
}

// vote fills in what an answer votes for.
func (p *poll[Out]) vote(pred *Prediction[Out], v *voter) error {
	if p.field == "" {
		var err error
		v.key, err = p.key(pred.Out)
		return err
	}
	c := choiceOf(pred, p.field)
	if c == nil {
		return fmt.Errorf("it has no log-probabilities for the choice %q: want a backend that scores choices", p.field)
	}
	v.key = c.Options[c.Picked].Text
	return nil
}

// choiceOf returns what is known about a choice, or nil.
func choiceOf[Out any](pred *Prediction[Out], field string) *lm.Choice {
	for i, c := range pred.Choices {
		if c.Name == field && c.Picked >= 0 && c.Picked < len(c.Options) {
			return &pred.Choices[i]
		}
	}
	return nil
}

// cast returns the votes of those that answered.
func cast[Out any](voters []voter, replies []reply[Out]) []voter {
	var out []voter
	for i, r := range replies {
		if r.err == nil {
			out = append(out, voters[i])
		}
	}
	return out
}

// result returns the answer, and which of the members it rests on.
func (p *poll[Out]) result(all *panel[Out], voters []voter, w *weighting) (*Prediction[Out], func(int) bool, error) {
	replies := all.replies[:all.end]
	var counts []VoteCount
	var pooled lm.Choice
	var err error
	if p.field == "" {
		counts = countVotes(cast(voters, replies))
		w.share(counts, p.classes)
	} else if counts, pooled, err = p.pool(replies, voters); err != nil {
		return nil, nil, err
	}
	from := -1 // the earliest of the winner's, or of all where it has none
	backed := len(counts) > 0 && len(counts[0].Members) > 0
	for i, r := range replies {
		if r.err == nil && (!backed || voters[i].key == counts[0].Key) && (from < 0 || p.before(voters, replies, i, from, backed, counts)) {
			from = i
		}
	}
	pred := *replies[from].pred
	pred.Chosen, pred.Votes = voters[from].member, &Votes{Counts: counts}
	if p.field != "" {
		pred.Choices = slices.Clone(pred.Choices)
		*choiceOf(&pred, p.field) = pooled
		if !backed {
			if pred.Out, err = withChoice(p.types, pred.Out, p.field, counts[0].Key); err != nil {
				return nil, nil, fmt.Errorf("the answer with %s = %q: %w", p.field, counts[0].Key, err)
			}
		}
	}
	return &pred, func(i int) bool {
		if len(counts) == 0 { // nobody voted
			return i == from
		}
		return voters[i].key == counts[0].Key
	}, nil
}

// before reports whether the answer is rather that of i than that of k.
func (p *poll[Out]) before(voters []voter, replies []reply[Out], i, k int, backed bool, counts []VoteCount) bool {
	if p.field != "" && !backed {
		a, b := probOf(replies[i].pred, p.field, counts[0].Key), probOf(replies[k].pred, p.field, counts[0].Key)
		if a != b {
			return a > b
		}
	}
	return voters[i].member < voters[k].member
}

func probOf[Out any](pred *Prediction[Out], field, text string) float64 {
	for _, o := range choiceOf(pred, field).Options {
		if o.Text == text {
			return o.Prob
		}
	}
	return 0
}

// pool sums up the log-probabilities of the choices.
func (p *poll[Out]) pool(replies []reply[Out], voters []voter) ([]VoteCount, lm.Choice, error) {
	var pooled lm.Choice
	sums := []float64(nil)
	order := make([]int, 0, len(replies)) // in the members' order, so that sums are the same
	for i, r := range replies {
		if r.err == nil {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return voters[a].member - voters[b].member })
	for _, i := range order {
		c := choiceOf(replies[i].pred, p.field)
		if sums == nil {
			pooled = lm.Choice{Name: c.Name, Options: slices.Clone(c.Options)}
			sums = make([]float64, len(c.Options))
		}
		if len(c.Options) != len(sums) {
			return nil, pooled, errors.New("the members have not the same choices of " + p.field)
		}
		for k, o := range c.Options {
			if o.Text != pooled.Options[k].Text {
				return nil, pooled, errors.New("the members have not the same choices of " + p.field)
			}
			if voters[i].weight != 0 {
				sums[k] += voters[i].weight * math.Log(o.Prob)
			}
		}
	}
	probs := softmax(sums)
	counts := make([]VoteCount, len(sums))
	for k := range sums {
		o := &pooled.Options[k]
		o.Prob, o.LogProb = probs[k], math.Log(probs[k])
		counts[k] = VoteCount{Key: o.Text, Weight: sums[k], Share: probs[k]}
		for _, i := range order {
			if voters[i].key == o.Text {
				counts[k].Members = append(counts[k].Members, voters[i].member)
			}
		}
		if sums[k] > sums[pooled.Picked] {
			pooled.Picked = k
		}
	}
	slices.SortStableFunc(counts, heavier)
	return counts, pooled, nil
}
