package optimize

import (
	"slices"

	"github.com/whetgo/whet/internal/pyrand"
)

// choose returns the candidate of the pool that a step changes.
func (g *evolution) choose() int {
	if g.Selection == SelectBest {
		best := 0
		for i, c := range g.pool {
			if c.score > g.pool[best].score {
				best = i
			}
		}
		return best
	}
	fronts := g.fronts()
	leads := map[int]int{}
	var order []int // in which the candidates are met
	for _, front := range fronts {
		for _, i := range front {
			if leads[i] == 0 {
				order = append(order, i)
			}
			leads[i]++
		}
	}
	var lots []int
	for _, i := range order {
		for range leads[i] {
			lots = append(lots, i)
		}
	}
	return pyrand.Choice(g.draws, lots)
}

// fronts returns for each validation example the candidates that have the best score on
// it, without those that are dominated: each example that such a candidate leads, another
// one leads too. They go one after the other, the worst score first (GEPA, section 3.3).
func (g *evolution) fronts() [][]int {
	fronts := make([][]int, g.s.sizes[valSet])
	var met []int
	seen := map[int]bool{}
	for row := range fronts {
		fronts[row] = g.front(row)
		for _, i := range fronts[row] {
			if !seen[i] {
				seen[i] = true
				met = append(met, i)
			}
		}
	}
	slices.SortStableFunc(met, func(a, b int) int {
		switch {
		case g.pool[a].score < g.pool[b].score:
			return -1
		case g.pool[a].score > g.pool[b].score:
			return 1
		}
		return 0
	})
	dominated := map[int]bool{}
	for _, i := range met {
		dominated[i] = true
		for _, front := range fronts {
			if slices.Contains(front, i) && !slices.ContainsFunc(front, func(j int) bool { return !dominated[j] }) {
				dominated[i] = false
				break
			}
		}
	}
	for row, front := range fronts {
		fronts[row] = setOf(slices.DeleteFunc(front, func(i int) bool { return dominated[i] })...).list()
	}
	return fronts
}

// front returns the candidates with the best score on a validation example.
func (g *evolution) front(row int) []int {
	var front []int
	best := 0.0
	for i, c := range g.pool {
		switch score := c.scores[row]; {
		case i == 0 || score > best:
			best, front = score, append(front[:0], i)
		case score == best:
			front = append(front, i)
		}
	}
	return setOf(front...).copied().list()
}

// leaders returns the candidates that are on a front and not dominated.
func (g *evolution) leaders() []int {
	var all []int
	for _, front := range g.fronts() {
		all = append(all, front...)
	}
	return setOf(all...).list()
}

// epochs hands out the minibatches: the examples in random order, filled up to whole
// minibatches, and shuffled anew when all were used.
type epochs struct {
	n, size int
	draws   *pyrand.Rand
	order   []int
	epoch   int
}

// next returns the minibatch of a step, counted from 0. Steps that ask for none pass their
// minibatch over, as in DSPy.
func (e *epochs) next(step int) []int {
	at := step * e.size
	if e.order == nil {
		e.shuffle()
	} else if epoch := at / len(e.order); epoch > e.epoch {
		e.epoch = epoch
		e.shuffle()
	}
	at %= len(e.order)
	return e.order[at : at+e.size]
}

// shuffle fills up with the examples that were used least, the last in order first.
func (e *epochs) shuffle() {
	order := identityOrder(e.n)
	pyrand.Shuffle(e.draws, order)
	for k := 0; len(order)%e.size != 0; k++ {
		order = append(order, order[e.n-1-k%e.n])
	}
	e.order = order
}
