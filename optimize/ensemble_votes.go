package optimize

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/whetgo/whet/metric"
)

// The votes of candidates for which no answer is counted.
const (
	noVote     = -1 // an answer in which nothing stands
	failedVote = -2 // no answer
)

// ensembleVotes holds what each candidate answers to each example.
type ensembleVotes[Out any] struct {
	objective metric.Objective[Out]
	maxErrors int

	outcomes [][]metric.Outcome[Out] // by candidate and row
	votes    [][]int                 // numbers of answers: equal ones within a row have the same
	keys     []map[string]int        // by row
	quality  [][]float64             // scores, from 0 to 1
}

// add appends a candidate; keys are what its answers vote for.
func (v *ensembleVotes[Out]) add(outcomes []metric.Outcome[Out], keys []string) {
	if v.keys == nil {
		v.keys = make([]map[string]int, len(keys))
		for i := range v.keys {
			v.keys[i] = map[string]int{}
		}
	}
	votes := make([]int, len(keys))
	for i, key := range keys {
		switch {
		case outcomes[i].Failed:
			votes[i] = failedVote
		case key == "":
			votes[i] = noVote
		default:
			n, ok := v.keys[i][key]
			if !ok {
				n = len(v.keys[i])
				v.keys[i][key] = n
			}
			votes[i] = n
		}
	}
	v.outcomes, v.votes = append(v.outcomes, outcomes), append(v.votes, votes)
}

// keep leaves only the candidates with the best scores, in their order; 0 leaves all.
func (v *ensembleVotes[Out]) keep(best int, c *EnsembleChoice) {
	if best == 0 || best >= len(v.votes) {
		return
	}
	order := identityOrder(len(v.votes))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Scores[b], c.Scores[a]) })
	order = order[:best]
	slices.Sort(order)
	v.outcomes, v.votes = rowsOf(v.outcomes, order), rowsOf(v.votes, order)
	c.Trials, c.Scores, c.Failed = rowsOf(c.Trials, order), rowsOf(c.Scores, order), rowsOf(c.Failed, order)
}

// rate fills in the quality of the answers.
func (v *ensembleVotes[Out]) rate() {
	low, high := math.Inf(1), math.Inf(-1)
	for _, rows := range v.outcomes {
		for _, o := range rows {
			low, high = min(low, o.Score), max(high, o.Score)
		}
	}
	v.quality = make([][]float64, len(v.outcomes))
	for i, rows := range v.outcomes {
		v.quality[i] = make([]float64, len(rows))
		for k, o := range rows {
			if high > low {
				v.quality[i][k] = (o.Score - low) / (high - low)
			}
		}
	}
}

// decide returns the outcome of a vote: that of the earliest member that voted for the winner.
// It is what module.Ensemble does with weighted members, on which the tests hold it.
func (v *ensembleVotes[Out]) decide(members []int, row int) metric.Outcome[Out] {
	failed, asked, first := 0, 0, -1
	best, bestVotes := -1, 0
	for i, m := range members {
		if slices.Contains(members[:i], m) {
			continue // its votes are counted together
		}
		asked++
		switch vote := v.votes[m][row]; vote {
		case failedVote:
			failed++
		case noVote:
			if first < 0 {
				first = m
			}
		default:
			if first < 0 {
				first = m
			}
			n := 0
			for _, other := range members {
				if v.votes[other][row] == vote {
					n++
				}
			}
			if n > bestVotes { // the earlier of equals stays
				best, bestVotes = m, n
			}
		}
	}
	switch {
	case failed > v.maxErrors || failed == asked:
		o := v.outcomes[members[0]][row]
		var none Out
		o.Got, o.Failed, o.Score = none, true, 0
		return o
	case best < 0: // nobody voted
		return v.outcomes[first][row]
	}
	return v.outcomes[best][row]
}

// vote returns the outcomes of an ensemble on rows.
func (v *ensembleVotes[Out]) vote(members, rows []int) []metric.Outcome[Out] {
	out := make([]metric.Outcome[Out], len(rows))
	for i, row := range rows {
		out[i] = v.decide(members, row)
	}
	return out
}

// agreement says how much members agree on what is right: the mean logarithm of the share of
// right votes, smoothed as if there were half a right one and half a wrong one besides.
func (v *ensembleVotes[Out]) agreement(members, rows []int) float64 {
	sum := 0.0
	for _, row := range rows {
		right := 0.0
		for _, m := range members {
			right += v.quality[m][row]
		}
		sum += math.Log((right + 0.5) / (float64(len(members)) + 1))
	}
	return sum / float64(len(rows))
}

// grow chooses members by rows and returns them with the score of each beginning.
func (v *ensembleVotes[Out]) grow(size int, rows []int) (members []int, scores []float64, err error) {
	for range size {
		chosen, score, agreement := -1, 0.0, 0.0
		for c := range v.votes {
			with := append(slices.Clip(members), c)
			s, err := v.objective.Score(v.vote(with, rows))
			if err != nil {
				return nil, nil, err
			}
			if chosen >= 0 && s < score {
				continue
			}
			a := v.agreement(with, rows)
			if chosen < 0 || s > score || a > agreement {
				chosen, score, agreement = c, s, a
			}
		}
		members, scores = append(members, chosen), append(scores, score)
	}
	return members, scores, nil
}

// best returns the number of members with which the score is highest first.
func bestSize(scores []float64) int {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	return best + 1
}

// choose fills in the members, and what cross-validation says of choosing so.
func (v *ensembleVotes[Out]) choose(size, folds int, seed uint64, c *EnsembleChoice) error {
	v.rate()
	rows := identityOrder(c.Rows)
	members, curve, err := v.grow(size, rows)
	if err != nil {
		return err
	}
	n := bestSize(curve)
	c.Curve, c.Score, c.SingleScore = curve, curve[n-1], curve[0]
	c.Members = rowsOf(c.Trials, members[:n])
	c.Single = c.Members[0]
	if folds == 0 {
		return nil
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	before, after := make([]metric.Outcome[Out], len(rows)), make([]metric.Outcome[Out], len(rows))
	for fold := range folds {
		var in, out []int
		for i, row := range rows {
			if i%folds == fold {
				out = append(out, row)
			} else {
				in = append(in, row)
			}
		}
		members, curve, err := v.grow(size, in)
		if err != nil {
			return err
		}
		for _, row := range out {
			before[row] = v.decide(members[:1], row)
			after[row] = v.decide(members[:bestSize(curve)], row)
		}
	}
	d, err := metric.BootstrapDifference(v.objective, before, after, metric.Resampling{})
	if err != nil {
		return err
	}
	p, err := metric.PairedPermutation(v.objective, before, after, metric.Resampling{})
	if err != nil {
		return err
	}
	c.CrossValidation = &Confirmation{Difference: d, P: p, Test: "paired permutation test", Rows: c.Rows}
	return nil
}
