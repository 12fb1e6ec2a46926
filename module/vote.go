package module

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Voting says how several answers become one. The zero value is a plain vote over whole
// answers by all members. Of answers with as many votes that of the earliest member wins.
type Voting[Out any] struct {
	// Key returns what an answer votes for; "" is no vote. The default is all fields:
	// texts count as equal as in [Majority], but choices and other values must be the same,
	// and an answer of which nothing is left has no vote.
	Key func(Out) string
	// Weights are those of the members' votes, 0 or more; the default is 1.
	Weights []float64
	// Accuracies are the shares of right answers of the members, more than 0 and less than
	// 1. In place of Weights they weigh each vote by its log-odds: see [LogOdds].
	Accuracies []float64
	// Classes is how many answers are possible, for Accuracies. The default is the number
	// of choices, where the output is one field of choices.
	Classes int
	// LogProbs names an output field of choices. Then nobody votes, but the members'
	// log-probabilities of each choice, after their biases, are summed up, and the likeliest
	// choice wins; the other fields are those of the first member that picked it, or that
	// found it the likeliest. Where no member picked it all their calls are dropped ones of
	// the trace. Weights are factors of the logarithms.
	LogProbs string
	// Size is how many members are asked. Which ones is drawn for each input, always the
	// same ones for the same input. The default, 0, is all.
	Size int
	// EarlyExit ends a vote when the rest can no longer change which answer wins, and cancels
	// or saves their calls. Members are asked in the order of their weights, the largest
	// first. An error of those that are not needed is never seen.
	EarlyExit bool
	// Batch is how many members are asked at the same time. With EarlyExit, 1 saves most calls
	// and takes longest. The default, 0, is all.
	Batch int
	// MaxErrors is how many members may fail, and then have no vote. The default, 0, is none;
	// when all fail, or one with an error of kind lm.ErrBudget, there is no answer in any case.
	MaxErrors int
}

// Votes tell how the members of an [Ensemble] or the rollouts of a [SelfConsistency] voted.
type Votes struct {
	// Counts are the answers that were voted for, the winner first. Where nobody voted
	// there are none, and the answer is that of the earliest member.
	Counts []VoteCount
	// Members is how many could have been asked, and Asked how many were. Saved calls are
	// the difference.
	Members, Asked int
	// Failed are the errors of members that had no vote for it: see [MemberError].
	Failed []error
}

// Share returns the winner's share; 0 where nobody voted.
func (v *Votes) Share() float64 {
	if v == nil || len(v.Counts) == 0 {
		return 0
	}
	return v.Counts[0].Share
}

// VoteCount is what an answer got.
type VoteCount struct {
	// Key is what the voters agree on.
	Key string
	// Members are the indexes of those that voted so, in order; with Voting.LogProbs those
	// that picked it themselves.
	Members []int
	// Weight is the sum of their weights, or of all members' log-probabilities.
	Weight float64
	// Share is the part of the weight of all votes, 0 to 1. With Voting.Accuracies it is the
	// probability that the answer is right, if members err independently and no answer is
	// likelier beforehand, and with Voting.LogProbs that of the summed logarithms. After an
	// early exit it is about the members that were counted.
	Share float64
}

// LogOdds returns the weight of a voter that is right with probability accuracy where so
// many classes are possible, of which it takes any wrong one as often:
//
//	log(accuracy (classes-1) / (1-accuracy))
//
// With these weights the vote is the best there is for independent voters. It is negative
// for a voter that is worse than chance. The accuracy must lie between 0 and 1, the ends
// excluded, and there must be at least two classes.
func LogOdds(accuracy float64, classes int) (float64, error) {
	switch {
	case !(accuracy > 0 && accuracy < 1):
		return 0, fmt.Errorf("module: LogOdds: the accuracy is %v; want more than 0 and less than 1: smooth what was counted", accuracy)
	case classes < 2:
		return 0, fmt.Errorf("module: LogOdds: %d classes: want at least 2", classes)
	}
	return math.Log(accuracy * float64(classes-1) / (1 - accuracy)), nil
}

// weighting is what each member's vote weighs.
type weighting struct {
	weights   []float64 // nil for 1 each
	posterior bool      // the weights are log-odds
}

func (w *weighting) of(i int) float64 {
	if w.weights == nil {
		return 1
	}
	return w.weights[i]
}

func newWeights(weights []float64, members int) (*weighting, error) {
	if len(weights) != members {
		return nil, fmt.Errorf("%d weights for %d members", len(weights), members)
	}
	sum := 0.0
	for i, w := range weights {
		if !(w >= 0 && w <= math.MaxFloat32) {
			return nil, fmt.Errorf("weight %d is %v; want a finite number that is not negative", i, w)
		}
		sum += w
	}
	if sum == 0 {
		return nil, errors.New("all weights are 0, so that no vote counts")
	}
	return &weighting{weights: slices.Clone(weights)}, nil
}

func newLogOdds(accuracies []float64, members, classes int) (*weighting, error) {
	if len(accuracies) != members {
		return nil, fmt.Errorf("%d accuracies for %d members", len(accuracies), members)
	}
	if classes == 0 {
		return nil, errors.New("accuracies need Voting.Classes, the number of possible answers, unless the output is one field of choices")
	}
	w := &weighting{posterior: true}
	for i, a := range accuracies {
		odds, err := LogOdds(a, classes)
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", i, err)
		}
		w.weights = append(w.weights, odds)
	}
	return w, nil
}

// voter is a member's vote; the key is "" for none.
type voter struct {
	member int
	weight float64
	key    string
}

// slack is what rounding may do to sums of weights: none where all are whole numbers.
func slack(voters []voter) float64 {
	sum, whole := 0.0, true
	for _, v := range voters {
		sum += math.Abs(v.weight)
		whole = whole && v.weight == math.Trunc(v.weight)
	}
	if whole && sum < 1<<50 {
		return 0
	}
	return 1e-12 * sum
}

// heavier orders by weight, the most first.
func heavier(a, b VoteCount) int { return cmp.Compare(b.Weight, a.Weight) }

// countVotes returns what each key got, the winner first. It does not depend on the order
// of the voters.
func countVotes(voters []voter) []VoteCount {
	voters = slices.Clone(voters)
	slices.SortFunc(voters, func(a, b voter) int { return a.member - b.member })
	var counts []VoteCount
	at := map[string]int{}
	for _, v := range voters {
		if v.key == "" {
			continue
		}
		i, ok := at[v.key]
		if !ok {
			i = len(counts)
			at[v.key] = i
			counts = append(counts, VoteCount{Key: v.key})
		}
		counts[i].Members = append(counts[i].Members, v.member)
		counts[i].Weight += v.weight
	}
	// They are in the order of their earliest voters, which a stable sort keeps.
	slices.SortStableFunc(counts, heavier)
	win := 0 // the earliest of those that are equal but for rounding
	for i, c := range counts {
		if counts[0].Weight-c.Weight <= slack(voters) && c.Members[0] < counts[win].Members[0] {
			win = i
		}
	}
	if win > 0 {
		winner := counts[win]
		counts = slices.Insert(slices.Delete(counts, win, win+1), 0, winner)
	}
	return counts
}

// settled reports whether the winner stays the same whatever the rest votes.
func settled(cast, rest []voter) bool {
	counts := countVotes(cast)
	if len(counts) == 0 {
		return false
	}
	gain, loss := 0.0, 0.0 // of a rival by votes of good weight, of the winner by bad ones
	forWinner, forRival := counts[0].Members[0], math.MaxInt
	for _, v := range rest {
		if v.weight < 0 {
			loss -= v.weight
			forWinner = min(forWinner, v.member)
		} else {
			gain += v.weight
			forRival = min(forRival, v.member)
		}
	}
	tolerance := slack(slices.Concat(cast, rest))
	safe := func(rival VoteCount, first int) bool {
		lead := counts[0].Weight - loss - rival.Weight - gain
		if tolerance > 0 || lead != 0 {
			return lead > 2*tolerance
		}
		return forWinner < min(first, forRival)
	}
	for _, c := range counts[1:] {
		if !safe(c, c.Members[0]) {
			return false
		}
	}
	return len(rest) == 0 || safe(VoteCount{}, math.MaxInt)
}

// share fills in the shares.
func (w *weighting) share(counts []VoteCount, classes int) {
	if w.posterior {
		logs := make([]float64, max(classes, len(counts)))
		for i, c := range counts {
			logs[i] = c.Weight
		}
		for i, p := range softmax(logs)[:len(counts)] {
			counts[i].Share = p
		}
		return
	}
	sum := 0.0
	for _, c := range counts {
		sum += c.Weight
	}
	for i := range counts {
		if sum > 0 {
			counts[i].Share = counts[i].Weight / sum
		}
	}
}

// softmax returns the probabilities of which these are the logarithms but for a constant.
func softmax(logs []float64) []float64 {
	most := slices.Max(logs)
	if math.IsInf(most, -1) {
		most = 0
	}
	out, sum := make([]float64, len(logs)), 0.0
	for i, l := range logs {
		out[i] = math.Exp(l - most)
		sum += out[i]
	}
	for i := range out {
		if sum > 0 {
			out[i] /= sum
		}
	}
	return out
}
