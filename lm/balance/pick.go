package balance

import (
	"github.com/whetgo/whet/internal/health"
	"github.com/whetgo/whet/lm"
)

// try returns the state of one request: which members have had their turn.
func (b *LM) try() health.Try {
	tried := make([]bool, len(b.members))
	asked := 0
	return health.Try{
		Next: func() (health.Turn, bool) {
			if asked == b.attempts {
				return health.Turn{}, false
			}
			turn, ok := b.next(tried)
			if ok && turn.Skipped == nil {
				asked++
			}
			return turn, ok
		},
		Onward: b.onward,
		Join:   join,
	}
}

// next picks among the members that have not been tried and marks the one that it
// returns. Those that get no requests come last, as skipped.
func (b *LM) next(tried []bool) (health.Turn, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if i := b.pick(tried); i >= 0 {
			m := b.members[i]
			pass, ok := m.breaker.Enter()
			if !ok { // a call that has failed meanwhile has closed the way
				continue
			}
			tried[i] = true
			m.inFlight++
			m.requests++
			return health.Turn{Name: lm.NameOf(m.lm), LM: m.lm, Done: func(o health.Outcome, err error) {
				pass.Done(o, err)
				b.mu.Lock()
				m.inFlight--
				b.mu.Unlock()
			}}, true
		}
		left := false
		for i, m := range b.members {
			if tried[i] {
				continue
			}
			if down := m.breaker.Down(); down != nil {
				tried[i] = true
				return health.Turn{Name: lm.NameOf(m.lm), Skipped: down}, true
			}
			left = true // its time has come since pick looked
		}
		if !left {
			return health.Turn{}, false
		}
	}
}

// pick returns the index of the member that is to take the next request, or -1: of those
// with the fewest requests in flight for their weight the one whose turn it is. Turns go by
// weight and are spread: each of them gains its weight, the one that has most goes
// and pays what all have gained.
func (b *LM) pick(tried []bool) int {
	var equal []int
	for i, m := range b.members {
		if tried[i] || !m.breaker.Ready() {
			continue
		}
		if len(equal) > 0 {
			// m.inFlight/m.weight against the best's, without division.
			best := b.members[equal[0]]
			mine, its := m.inFlight*best.weight, best.inFlight*m.weight
			if mine > its {
				continue
			}
			if mine < its {
				equal = equal[:0]
			}
		}
		equal = append(equal, i)
	}
	picked, gained := -1, 0
	for _, i := range equal {
		m := b.members[i]
		m.turn += m.weight
		gained += m.weight
		if picked < 0 || m.turn > b.members[picked].turn {
			picked = i
		}
	}
	if picked >= 0 {
		b.members[picked].turn -= gained
	}
	return picked
}
