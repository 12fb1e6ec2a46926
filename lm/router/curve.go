package router

import (
	"math"
	"slices"
	"sort"
)

// Point is what a threshold makes of the outcomes of a fit.
type Point struct {
	// Threshold sends a request to the strong side where its score is at least that:
	// [Never] sends none and 0 all.
	Threshold float64
	// Share is the part of the requests that the strong side answers, 0 to 1.
	Share float64
	// Quality and Cost are the means over all requests.
	Quality, Cost float64
}

// Curve is what every threshold makes of some outcomes. It does not change and is safe for
// concurrent use. What it says holds for requests like those of its outcomes. A point that
// is chosen because it looks best looks better than it is: report the quality of the
// threshold on outcomes that the fit has not seen.
type Curve struct {
	n      int
	points []Point // the share grows
	least  float64 // of the scores
}

// Fit works out all thresholds that differ, exactly, in O(n log n) for n outcomes. Requests
// of equal scores go the same way. No outcome at all, a score or a quality that is not 0 to
// 1, a cost that is negative or no finite number, and a plan that is none are errors of kind
// lm.ErrInvalidRequest.
func Fit(outcomes []Outcome, plan Plan) (*Curve, error) {
	if err := check(outcomes, plan); err != nil {
		return nil, err
	}
	sorted := slices.Clone(outcomes)
	slices.SortStableFunc(sorted, func(a, b Outcome) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	n := len(sorted)
	// What the weak side does for the i-th outcome and all behind it. The sums are not made
	// by taking away, which would lose digits.
	weak := make([]struct{ quality, cost float64 }, n+1)
	for i := n - 1; i >= 0; i-- {
		cost, _ := plan.costs(sorted[i])
		weak[i].quality = weak[i+1].quality + sorted[i].WeakQuality
		weak[i].cost = weak[i+1].cost + cost
	}
	c := &Curve{n: n, least: sorted[n-1].Score}
	add := func(threshold float64, sent int, quality, cost float64) {
		c.points = append(c.points, Point{threshold, float64(sent) / float64(n), quality / float64(n), cost / float64(n)})
	}
	add(Never, 0, weak[0].quality, weak[0].cost)
	quality, cost := 0.0, 0.0 // of the strong side
	for i, o := range sorted {
		_, paid := plan.costs(o)
		quality += o.StrongQuality
		cost += paid
		if i+1 < n && sorted[i+1].Score == o.Score {
			continue // the next goes the same way
		}
		threshold := o.Score
		if i+1 == n {
			threshold = 0
		}
		add(threshold, i+1, quality+weak[i+1].quality, cost+weak[i+1].cost)
	}
	return c, nil
}

// Points returns a point for each threshold that makes a difference, from the weak side
// alone to the strong side alone: one more than there are different scores.
func (c *Curve) Points() []Point { return slices.Clone(c.points) }

// Weak returns the point at which the weak side answers all.
func (c *Curve) Weak() Point { return c.points[0] }

// Strong returns the point at which the strong side answers all. In a cascade its cost is
// that of both sides: it is cheaper to ask the strong side alone then.
func (c *Curve) Strong() Point { return c.points[len(c.points)-1] }

// At returns the point of any threshold. The Threshold of the point is the one of [Curve.Points]
// that sends the same outcomes to the strong side. NaN, which no score reaches, is Never.
func (c *Curve) At(threshold float64) Point {
	if threshold <= c.least {
		return c.Strong()
	}
	// The thresholds fall: the last that is not below the one asked for.
	i := sort.Search(len(c.points), func(i int) bool { return !(c.points[i].Threshold >= threshold) })
	return c.points[max(i-1, 0)]
}

// ForShare returns the point whose share of the strong side is nearest to one from 0 to 1,
// and of two that are as near the smaller, as [Calibrate] does.
func (c *Curve) ForShare(share float64) (Point, error) {
	if !(share >= 0 && share <= 1) {
		return Point{}, invalid("the share is %v; it must be 0 to 1", share)
	}
	return c.nearest(share), nil
}

func (c *Curve) nearest(share float64) Point {
	best := c.points[0]
	for _, p := range c.points[1:] {
		if math.Abs(p.Share-share) < math.Abs(best.Share-share)-slack {
			best = p
		}
	}
	return best
}

// slack is what rounding may do to a mean.
const slack = 1e-12

// ForQuality returns the cheapest point whose quality is at least the wished one, 0 to 1,
// by its one-sided lower bound (Wilson's) at a level of confidence, from 0.5 to less than 1.
// With 0.5 the mean itself counts. Of points that cost the same it returns the best, and of
// those the one of the smallest share. Where no point reaches the quality the error says how
// far the best one comes.
func (c *Curve) ForQuality(quality, level float64) (Point, error) {
	switch {
	case !(quality >= 0 && quality <= 1):
		return Point{}, invalid("the quality is %v; it must be 0 to 1", quality)
	case !(level >= 0.5 && level < 1):
		return Point{}, invalid("the level is %v; it must be at least 0.5 and less than 1, for example 0.95", level)
	}
	best, found, most := Point{}, false, 0.0
	for _, p := range c.points {
		bound := lowerBound(p.Quality, c.n, level)
		most = max(most, bound)
		if bound < quality-slack {
			continue
		}
		if !found || cheaper(p, best) || !cheaper(best, p) && p.Quality > best.Quality+slack {
			best, found = p, true
		}
	}
	if !found {
		return Point{}, invalid("no threshold has a quality of at least %v at the level %v with these %d outcomes; the best comes to %.4f: wish for less, or fit to more outcomes", quality, level, c.n, most)
	}
	return best, nil
}

// ForCost returns the point of the best mean quality among those whose mean cost is at most
// the wished one. Of points that are as good it returns the cheapest, and of those the one
// of the smallest share. Where no point is as cheap the error says what the cheapest costs.
func (c *Curve) ForCost(cost float64) (Point, error) {
	if math.IsNaN(cost) || cost < 0 {
		return Point{}, invalid("the cost is %v; it must be 0 or more", cost)
	}
	best, found, least := Point{}, false, math.Inf(1)
	for _, p := range c.points {
		least = min(least, p.Cost)
		if p.Cost > cost+slack*cost {
			continue
		}
		if !found || p.Quality > best.Quality+slack || p.Quality > best.Quality-slack && cheaper(p, best) {
			best, found = p, true
		}
	}
	if !found {
		return Point{}, invalid("no threshold costs at most %v a request; the cheapest costs %v", cost, least)
	}
	return best, nil
}

// cheaper reports whether a costs less than b, and not by rounding alone.
func cheaper(a, b Point) bool { return a.Cost < b.Cost-slack*b.Cost }
