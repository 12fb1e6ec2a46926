package optimize

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/whetgo/whet/internal/factor"
)

// raceSlot is one thing that a candidate chooses: one of several levels, such as an
// instruction, or some units of a pool, such as demos.
type raceSlot struct {
	// group is that of the levels' effects, and levels how many there are.
	group, levels int
	// parts are the units that each level contains, if they are known: what two levels share
	// they have in common.
	parts [][]int
	// pool is the number of units to choose from, instead of levels, and sizes are how many
	// of them a candidate may have, ascending.
	pool  int
	sizes []int
}

func (s raceSlot) open() bool { return s.pool > 0 }

// raceChoice holds a candidate's choices by slot: the level alone, or the units, ascending.
type raceChoice [][]int

func (c raceChoice) key() string { return fmt.Sprint([][]int(c)) }

// raceField is all candidates of a race, and those of them that are in it: all, where they
// are few; else those that were chosen once.
type raceField struct {
	slots    []raceSlot
	model    *factor.Model
	items    int
	closed   bool // all candidates are entrants
	levelAt  [][]int
	unitAt   [][]int
	sizeAt   [][]int
	entrants []*entrant
	byKey    map[string]int
}

// raceListed is up to how many candidates are all entrants from the start.
const raceListed = 1024

func newRaceField(slots []raceSlot, items int, model *factor.Model) *raceField {
	f := &raceField{slots: slots, model: model, items: items, byKey: map[string]int{}}
	all := 1
	for _, s := range slots {
		var levels, units, sizes []int
		n := s.pool
		for _, p := range s.parts {
			for _, u := range p {
				n = max(n, u+1)
			}
		}
		for range n {
			units = append(units, model.Add(demoEffect))
		}
		if s.open() {
			for range s.sizes {
				sizes = append(sizes, model.Add(sizeEffect))
			}
			all = raceListed + 1
		}
		for range s.levels {
			levels = append(levels, model.Add(s.group))
		}
		if s.levels > 0 {
			all = min(all*s.levels, raceListed+1)
		}
		f.levelAt, f.unitAt, f.sizeAt = append(f.levelAt, levels), append(f.unitAt, units), append(f.sizeAt, sizes)
	}
	if f.closed = all <= raceListed; f.closed {
		choice := make(raceChoice, len(slots))
		f.list(choice, 0)
	}
	return f
}

// list enters all candidates.
func (f *raceField) list(choice raceChoice, slot int) {
	if slot == len(f.slots) {
		f.enter(slices.Clone(choice))
		return
	}
	for level := range f.slots[slot].levels {
		choice[slot] = []int{level}
		f.list(choice, slot+1)
	}
}

// enter returns the entrant of a choice, a new one where there is none.
func (f *raceField) enter(c raceChoice) int {
	key := c.key()
	if i, ok := f.byKey[key]; ok {
		return i
	}
	f.byKey[key] = len(f.entrants)
	return f.add(&entrant{choice: c, effects: f.effects(c)})
}

// stranger enters a candidate that is none of the field's: all that is known of it is its own
// answers.
func (f *raceField) stranger() int { return f.add(&entrant{}) }

func (f *raceField) add(e *entrant) int {
	e.asked = make([]bool, f.items)
	f.entrants = append(f.entrants, e)
	return len(f.entrants) - 1
}

func (f *raceField) effects(c raceChoice) []int {
	var at []int
	for i, s := range f.slots {
		if s.open() {
			size, _ := slices.BinarySearch(s.sizes, len(c[i]))
			at = append(at, f.sizeAt[i][size])
			for _, u := range c[i] {
				at = append(at, f.unitAt[i][u])
			}
			continue
		}
		at = append(at, f.levelAt[i][c[i][0]])
		if s.parts != nil {
			for _, u := range s.parts[c[i][0]] {
				at = append(at, f.unitAt[i][u])
			}
		}
	}
	return at
}

// alone reports whether there is nothing to choose.
func (f *raceField) alone() bool { return f.closed && len(f.entrants) == 1 }

// worth is a guess at what effects are worth.
type worth interface {
	effect(i int) float64
	// value is that of an entrant.
	value(e *entrant) float64
	// unknown is the own effect of a candidate that has none yet.
	unknown() float64
}

// meanOf is the posterior mean.
type meanOf struct{ p *factor.Posterior }

func (m meanOf) effect(i int) float64     { return m.p.Effect(i) }
func (m meanOf) value(e *entrant) float64 { return m.p.Mean(e.all()) }
func (m meanOf) unknown() float64         { return 0 }

// drawOf is a draw of the posterior; own draws the own effects that it does not have, nil
// none.
type drawOf struct {
	d   *factor.Draws
	k   int
	own func() float64
}

func (d drawOf) effect(i int) float64     { return d.d.Effect(d.k, i) }
func (d drawOf) value(e *entrant) float64 { return d.d.Mean(d.k, e.all()) }
func (d drawOf) unknown() float64 {
	if d.own == nil {
		return 0
	}
	return d.own()
}

// drawn is a draw that chooses a candidate.
func (r *race) drawn(d *factor.Draws, k int) worth {
	scale := r.model.Prior().Scales[ownEffect] * r.rules.spread
	return drawOf{d, k, func() float64 { return scale * r.rng.NormFloat64() }}
}

// best returns the best entrant that is not left out and can still answer an item, -1 for
// none. It may be one that enters only now.
func (f *raceField) best(w worth, out map[int]bool) int {
	i, choice, _ := f.top(w, out, true)
	if choice != nil {
		i = f.enter(choice)
	}
	return i
}

// top returns the best entrant and its value, or, where the field is open and a candidate
// that is not yet in it is better, that one's choice. With canAsk entrants that have answered
// all items are passed over.
func (f *raceField) top(w worth, out map[int]bool, canAsk bool) (int, raceChoice, float64) {
	at, best := -1, math.Inf(-1)
	for i, e := range f.entrants {
		if out[i] || canAsk && len(e.items) == f.items {
			continue
		}
		v := w.value(e)
		if e.own == 0 {
			v += w.unknown()
		}
		if v > best {
			at, best = i, v
		}
	}
	if f.closed {
		return at, nil, best
	}
	choice, v := f.sum(w)
	if _, ok := f.byKey[choice.key()]; ok {
		return at, nil, best
	}
	if v += w.unknown(); v > best {
		return -1, choice, v
	}
	return at, nil, best
}

// sum returns the choice whose parts are best, and what they are worth.
func (f *raceField) sum(w worth) (raceChoice, float64) {
	choice, total := make(raceChoice, len(f.slots)), w.effect(0)
	for i, s := range f.slots {
		best := math.Inf(-1)
		if s.open() {
			choice[i], best = f.units(w, i)
		} else {
			for level, at := range f.levelAt[i] {
				v := w.effect(at)
				if s.parts != nil {
					for _, u := range s.parts[level] {
						v += w.effect(f.unitAt[i][u])
					}
				}
				if v > best {
					choice[i], best = []int{level}, v
				}
			}
		}
		total += best
	}
	return choice, total
}

// units returns the best units of a slot, for the best of its sizes.
func (f *raceField) units(w worth, slot int) ([]int, float64) {
	s := f.slots[slot]
	value := make([]float64, s.pool)
	order := make([]int, s.pool)
	for u := range order {
		order[u], value[u] = u, w.effect(f.unitAt[slot][u])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(value[b], value[a]) })
	var chosen []int
	best := math.Inf(-1)
	for i, size := range s.sizes {
		v := w.effect(f.sizeAt[slot][i])
		for _, u := range order[:size] {
			v += value[u]
		}
		if v > best {
			chosen, best = order[:size], v
		}
	}
	chosen = slices.Clone(chosen)
	slices.Sort(chosen)
	return chosen, best
}
