package optimize

import (
	"context"
	"fmt"
	"slices"

	"github.com/whetgo/whet/internal/pyrand"
)

// merging is what a search keeps of its merges.
type merging struct {
	most   int  // merges that may be accepted
	merged int  // those that were
	due    int  // those that a new candidate has earned
	found  bool // the step before found a new candidate
	// tried are the merges that were made: of whom by which ancestor, and from whom each
	// predictor's instructions came.
	tried map[string]bool
}

// Sizes of gepa, the package that DSPy uses.
const (
	mergeTries = 10
	mergeRows  = 5
)

// ancestry is a pair of candidates and an ancestor of both.
type ancestry struct{ a, b, ancestor int }

func (p ancestry) key() string { return fmt.Sprint("pair ", p.a, p.b, p.ancestor) }

// merge tries to merge two candidates, and keeps the result where it is as good as the
// better of them on some validation examples. It reports whether there was one to try: a
// step ends with that, whatever came of it.
func (g *evolution) merge(ctx context.Context) (bool, error) {
	pair, texts, ok := g.merger()
	if !ok {
		return false, nil
	}
	a, b := &g.pool[pair.a], &g.pool[pair.b]
	rows := g.mergeSample(a.scores, b.scores)
	child := g.rewritten(texts, pair.a, pair.b)
	e, err := g.s.evaluateRows(ctx, child.c, valSet, rows)
	if err != nil {
		return false, err
	}
	g.calls += len(rows)
	old, sum := max(g.totalOf(a, rows), g.totalOf(b, rows)), exactSum(e.subscores)
	t := Trial{
		Name: fmt.Sprintf("merge of step %d", g.step),
		Note: fmt.Sprintf("trials %d and %d, which come from trial %d; %g after %g in sum on %d validation examples", a.trial, b.trial, g.pool[pair.ancestor].trial, sum, old, len(rows)),
	}
	if sum < old {
		t.Name += ", worse on some examples"
		t.Rows, t.Parents = rows, []int{a.trial, b.trial}
		g.s.note(t, child.c, e)
		return true, nil
	}
	if err := g.admit(ctx, t, child); err != nil {
		return false, err
	}
	g.due--
	g.merged++
	return true, nil
}

// merger finds two candidates to merge, and returns them with the instructions that the
// merge has.
func (g *evolution) merger() (ancestry, []string, bool) {
	leaders := g.leaders()
	if len(leaders) < 2 || len(g.pool) < 3 {
		return ancestry{}, nil, false
	}
	for range mergeTries {
		pair, ok := g.drawPair(leaders)
		if !ok {
			continue
		}
		texts, from := g.combine(pair)
		key := fmt.Sprint("merge ", pair.a, pair.b, from)
		if g.tried[key] || g.s.sizes[valSet] < mergeRows {
			continue
		}
		g.tried[key], g.tried[pair.key()] = true, true
		return pair, texts, true
	}
	return ancestry{}, nil, false
}

// drawPair draws two candidates, neither of which comes from the other, and one of their
// common ancestors.
func (g *evolution) drawPair(leaders []int) (ancestry, bool) {
	for range mergeTries {
		two := pyrand.Sample(g.draws, leaders, 2)
		a, b := min(two[0], two[1]), max(two[0], two[1])
		ofA, ofB := g.ancestors(a), g.ancestors(b)
		if slices.Contains(ofA, b) || slices.Contains(ofB, a) {
			continue
		}
		var fit []int
		var weights []float64
		for _, c := range setOf(ofA...).common(setOf(ofB...)).list() {
			if g.mergeable(ancestry{a, b, c}) {
				fit = append(fit, c)
				weights = append(weights, g.pool[c].score)
			}
		}
		if len(fit) == 0 {
			continue
		}
		drawn := pyrand.Choices(g.draws, fit, weights, 1)
		if drawn == nil { // scores that add up to nothing, of which Python would raise
			drawn = []int{pyrand.Choice(g.draws, fit)}
		}
		return ancestry{a, b, drawn[0]}, true
	}
	return ancestry{}, false
}

// mergeable reports whether the ancestor is no better than both, and one of the two has
// changed instructions that the other has kept.
func (g *evolution) mergeable(p ancestry) bool {
	a, b, old := g.pool[p.a], g.pool[p.b], g.pool[p.ancestor]
	if g.tried[p.key()] || old.score > a.score || old.score > b.score {
		return false
	}
	for i, text := range old.texts {
		if a.texts[i] != b.texts[i] && (text == a.texts[i] || text == b.texts[i]) {
			return true
		}
	}
	return false
}

// ancestors returns all ancestors of a candidate of the pool.
func (g *evolution) ancestors(i int) []int {
	found := setOf()
	var visit func(i int)
	visit = func(i int) {
		for _, p := range g.pool[i].parents {
			if found.add(p) {
				visit(p)
			}
		}
	}
	visit(i)
	return found.list()
}

// combine returns for each predictor the instructions of the one that changed them, those
// of the better one where both did, and whose they are.
func (g *evolution) combine(p ancestry) (texts []string, from []int) {
	a, b, old := g.pool[p.a], g.pool[p.b], g.pool[p.ancestor]
	for i, text := range old.texts {
		whose := p.a
		switch {
		case text == a.texts[i]:
			if text != b.texts[i] {
				whose = p.b
			}
		case text == b.texts[i]:
		case b.score > a.score:
			whose = p.b
		case a.score == b.score:
			whose = pyrand.Choice(g.draws, []int{p.a, p.b})
		}
		texts = append(texts, g.pool[whose].texts[i])
		from = append(from, whose)
	}
	return texts, from
}

// mergeSample draws the validation examples on which a merge is tried: where the one is
// better, where the other is, and where they are equal, up to two each, and others where
// there are too few of these.
func (g *evolution) mergeSample(a, b []float64) []int {
	var buckets [3][]int
	for row := range a {
		k := 2
		if a[row] > b[row] {
			k = 0
		} else if b[row] > a[row] {
			k = 1
		}
		buckets[k] = append(buckets[k], row)
	}
	each := (mergeRows + 2) / 3
	var rows []int
	for _, bucket := range buckets {
		if take := min(len(bucket), each, mergeRows-len(rows)); take > 0 {
			rows = append(rows, pyrand.Sample(g.draws, bucket, take)...)
		}
	}
	if missing := mergeRows - len(rows); missing > 0 {
		var unused []int
		for row := range a {
			if !slices.Contains(rows, row) {
				unused = append(unused, row)
			}
		}
		rows = append(rows, pyrand.Sample(g.draws, unused, missing)...)
	}
	return rows
}

func (g *evolution) totalOf(c *evolved, rows []int) float64 {
	terms := make([]float64, len(rows))
	for i, row := range rows {
		terms[i] = c.scores[row]
	}
	return exactSum(terms)
}
