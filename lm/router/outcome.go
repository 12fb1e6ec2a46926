package router

import "math"

// Outcome is what came of one request on both sides: a fit is made of many.
type Outcome struct {
	// Score says how much the request needs the strong side, 0 to 1. In a cascade it is
	// the doubt about the weak answer: 1 less its probability.
	Score float64
	// WeakQuality and StrongQuality are how good the answers are, 0 to 1; a right one is 1
	// and a wrong one 0.
	WeakQuality, StrongQuality float64
	// WeakCost and StrongCost are what the answers cost, 0 or more, in one unit for all:
	// dollars, tokens, seconds.
	WeakCost, StrongCost float64
}

// Plan says when the score is known, and so what a request costs that the strong side
// answers.
type Plan int

// When the score is known.
const (
	// Route: before any side is asked. The cost is that of the side that answers.
	Route Plan = iota
	// Cascade: after the weak answer, which is always paid. What the strong side answers
	// costs both, also where the threshold is 0 and so all is answered twice.
	Cascade
)

// check reports outcomes that nothing can be made of.
func check(outcomes []Outcome, plan Plan) error {
	if plan != Route && plan != Cascade {
		return invalid("the plan is %d; it must be Route or Cascade", int(plan))
	}
	if len(outcomes) == 0 {
		return invalid("there are no outcomes to fit to")
	}
	for i, o := range outcomes {
		for _, v := range []struct {
			name        string
			value, most float64
			must        string
		}{
			{"Score", o.Score, 1, "0 to 1"},
			{"WeakQuality", o.WeakQuality, 1, "0 to 1"},
			{"StrongQuality", o.StrongQuality, 1, "0 to 1"},
			{"WeakCost", o.WeakCost, maxCost, "0 to 1e100"},
			{"StrongCost", o.StrongCost, maxCost, "0 to 1e100"},
		} {
			if !(v.value >= 0 && v.value <= v.most) {
				return invalid("the %s of outcome %d is %v; it must be %s", v.name, i, v.value, v.must)
			}
		}
	}
	return nil
}

// maxCost keeps sums of costs finite.
const maxCost = 1e100

// costs returns what the outcome costs where the weak side answers, and where the strong
// one does.
func (p Plan) costs(o Outcome) (weak, strong float64) {
	if p == Cascade {
		return o.WeakCost, o.WeakCost + o.StrongCost
	}
	return o.WeakCost, o.StrongCost
}

// lowerBound is the one-sided lower bound of Wilson for the mean of n values in 0 to 1. For
// right and wrong it is the usual interval of a share; other values vary less than those of
// the same mean, so it is on the safe side.
func lowerBound(mean float64, n int, level float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*level-1)
	if z == 0 {
		return mean
	}
	zz := z * z / float64(n)
	spread := math.Sqrt(max(0, mean*(1-mean))*zz + zz*zz/4)
	return max(0, (mean+zz/2-spread)/(1+zz))
}
