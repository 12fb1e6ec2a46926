package optimize

import (
	"cmp"
	"math"
	"slices"
)

// cell is one way in which a row may come out: what is right, and what the
// program answers, as indexes of labels. A truth of -1 is the example's own.
type cell struct{ row, truth, got int }

// rowCopy is one of several times that a row counts: cell is the index of the
// first of its cells, one for each label that may be answered.
type rowCopy struct{ row, cell int }

// A row counts from minCopies to maxCopies times, so often that there are about
// copyBudget copies of all rows together.
const (
	minCopies  = 4
	maxCopies  = 20
	copyBudget = 4000
)

// copiesOf returns how often each of n rows counts, and in how many of these
// copies what is right is drawn. The share is rounded to whole copies, but never
// to none or all: a row keeps its own label unless the share is 1.
func copiesOf(n int, share float64) (each, soft int) {
	each = max(minCopies, min(copyBudget/n, maxCopies))
	switch {
	case share <= 0:
		return 1, 0
	case share >= 1:
		return each, each
	}
	return each, min(max(int(math.Round(share*float64(each))), 1), each-1)
}

// softCopies lets every row count several times. In a share of the copies what
// is right is not the row's own label but drawn from the logistic model's
// probabilities of each: a few rows of a rare label so speak for their
// neighbourhood, and the objective becomes an expected one (the plug-in rule;
// for F1 see Narasimhan, Vaish and Agarwal, NIPS 2014). Where may is false, a row
// has its own label alone. Draws are not random: what rounding leaves over goes to
// the next most similar row.
func softCopies(rows, truth []int, posterior [][]float64, share float64, may func(row int) bool) ([]cell, []rowCopy) {
	n, labels := len(truth), len(posterior[0])
	each, soft := copiesOf(n, share)
	order := identityOrder(n)
	top := func(i int) int { return argmax(posterior[i], make([]float64, labels)) }
	slices.SortStableFunc(order, func(a, b int) int {
		ta, tb := top(a), top(b)
		return cmp.Or(cmp.Compare(ta, tb), cmp.Compare(posterior[a][ta], posterior[b][tb]))
	})
	counts := make([][]int, n)
	left := make([]float64, labels)
	for _, i := range order {
		counts[i] = make([]int, labels)
		if !may(rows[i]) {
			counts[i][truth[i]] = each
			continue
		}
		counts[i][truth[i]] = each - soft
		for k, p := range posterior[i] {
			left[k] += float64(soft) * p
		}
		for range soft {
			k := argmax(left, make([]float64, labels))
			counts[i][k]++
			left[k]--
		}
	}
	var cells []cell
	var copies []rowCopy
	for i := range counts {
		for t, c := range counts[i] {
			if c == 0 {
				continue
			}
			for range c {
				copies = append(copies, rowCopy{i, len(cells)})
			}
			own := t
			if t == truth[i] {
				own = -1
			}
			for k := range labels {
				cells = append(cells, cell{rows[i], own, k})
			}
		}
	}
	return cells, copies
}
