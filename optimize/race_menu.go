package optimize

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
)

// raceMenu is what the candidates of a race are made of, by predictor.
type raceMenu struct {
	*session
	instructions [][]string
	notes        [][]string // how the instructions were made; "" for given ones
	// sets are demo sets to choose from. Where a predictor has none, its sets are made of
	// the pool's demos, maxDemos of them.
	sets     [][][]module.Demo
	pool     [][]module.Demo
	maxDemos int
}

// givenMenu returns the choices that a caller gave.
func (s *session) givenMenu(given Space) (*raceMenu, error) {
	sp, err := s.space(given)
	if err != nil {
		return nil, err
	}
	m := &raceMenu{session: s, instructions: sp.instructions, sets: sp.demos, pool: make([][]module.Demo, len(s.named))}
	for _, texts := range m.instructions {
		m.notes = append(m.notes, make([]string, len(texts)))
	}
	return m, nil
}

// proposedMenu makes demos and instructions. It returns how many runs that took, also with
// an error.
func (s *session) proposedMenu(ctx context.Context, o Race, runs int) (*raceMenu, int, error) {
	m := &raceMenu{session: s, sets: make([][][]module.Demo, len(s.named)), maxDemos: o.maxDemos()}
	var used int
	var err error
	if m.pool, used, err = s.demoPool(ctx, o, runs); err != nil {
		return nil, used, err
	}
	for i, st := range s.own {
		m.instructions = append(m.instructions, []string{s.instructionsOf(i, st)})
		m.notes = append(m.notes, []string{""})
	}
	return m, used, m.propose(ctx, o)
}

// propose has the prompt model write instructions, one call each. Each is shown a few demos,
// every time others. What it says twice is one instruction.
func (m *raceMenu) propose(ctx context.Context, o Race) error {
	n := o.instructions()
	if n == 0 {
		return nil
	}
	p, err := m.newProposer(ctx, proposerConfig{tipAware: true, fewshotAware: true, temperature: 1}, pyrand.New(o.Seed))
	if err != nil {
		return err
	}
	shown := m.shown(n + 1)
	for j := 1; j <= n; j++ {
		for i := range m.named {
			text, note, err := p.propose(ctx, i, shown, j)
			if err != nil {
				return err
			}
			if text != "" && !slices.Contains(m.instructions[i], text) {
				m.instructions[i], m.notes[i] = append(m.instructions[i], text), append(m.notes[i], note)
			}
		}
	}
	return nil
}

// shown returns n sets of demos for proposals to look at. They are marked as the proposer
// wants them.
func (m *raceMenu) shown(n int) []candidate {
	sets := make([]candidate, n)
	for j := range sets {
		sets[j] = m.reset()
		if j == 0 {
			continue
		}
		for i, pool := range m.pool {
			for k := range min(demosShown, len(pool)) {
				d := pool[(demosShown*(j-1)+k)%len(pool)]
				d.Augmented = true
				sets[j][i].Demos = append(sets[j][i].Demos, d)
			}
		}
	}
	return sets
}

// slots returns the choices of a race: by predictor the instruction and the demos.
func (m *raceMenu) slots() []raceSlot {
	var slots []raceSlot
	for i := range m.named {
		slots = append(slots, raceSlot{group: instructionEffect, levels: len(m.instructions[i])})
		switch {
		case m.sets[i] != nil:
			slots = append(slots, raceSlot{group: setEffect, levels: len(m.sets[i]), parts: parts(m.sets[i])})
		case len(m.pool[i]) == 0:
			slots = append(slots, raceSlot{group: setEffect, levels: 1})
		default:
			slots = append(slots, raceSlot{pool: len(m.pool[i]), sizes: []int{0, min(m.maxDemos, len(m.pool[i]))}})
		}
	}
	return slots
}

// parts numbers the demos of sets, equal ones alike. Demos that no two sets share tell
// nothing, so they are not parts.
func parts(sets [][]module.Demo) [][]int {
	var known []module.Demo
	var in []int // how many sets have it
	number := func(d module.Demo) int {
		i := slices.IndexFunc(known, func(k module.Demo) bool { return k.Augmented == d.Augmented && k.Fields.Equal(d.Fields) })
		if i < 0 {
			i = len(known)
			known, in = append(known, d), append(in, 0)
		}
		return i
	}
	all := make([][]int, len(sets))
	for i, set := range sets {
		for _, d := range set {
			if n := number(d); !slices.Contains(all[i], n) {
				all[i] = append(all[i], n)
				in[n]++
			}
		}
	}
	place := make([]int, len(known))
	n := 0
	for i := range known {
		place[i] = -1
		if in[i] > 1 {
			place[i] = n
			n++
		}
	}
	out := make([][]int, len(sets))
	for i, set := range all {
		for _, u := range set {
			if place[u] >= 0 {
				out[i] = append(out[i], place[u])
			}
		}
	}
	return out
}

// demos returns those of a predictor by a choice.
func (m *raceMenu) demos(i int, c raceChoice) []module.Demo {
	at := c[2*i+1]
	switch {
	case m.sets[i] != nil:
		return m.sets[i][at[0]]
	case len(m.pool[i]) == 0:
		return nil
	}
	return rowsOf(m.pool[i], at)
}

// candidate returns the program with a choice; nil is the program as it is.
func (m *raceMenu) candidate(c raceChoice) candidate {
	if c == nil {
		return m.own
	}
	out := m.reset()
	for i := range out {
		out[i] = m.withInstructions(i, out[i], m.instructions[i][c[2*i][0]])
		if d := m.demos(i, c); len(d) > 0 {
			out[i].Demos = d
		}
	}
	return out
}

// own returns the choice that is the program as it is, nil where no choice is.
func (m *raceMenu) ownChoice() raceChoice {
	var c raceChoice
	for i, st := range m.own {
		level := slices.Index(m.instructions[i], m.instructionsOf(i, st))
		if level < 0 || len(st.Biases) > 0 {
			return nil
		}
		c = append(c, []int{level})
		switch {
		case m.sets[i] != nil:
			set := slices.IndexFunc(m.sets[i], func(set []module.Demo) bool { return slices.EqualFunc(set, st.Demos, sameDemo) })
			if set < 0 {
				return nil
			}
			c = append(c, []int{set})
		case len(st.Demos) > 0:
			return nil
		case len(m.pool[i]) == 0:
			c = append(c, []int{0})
		default:
			c = append(c, []int{})
		}
	}
	return c
}

func sameDemo(a, b module.Demo) bool { return a.Augmented == b.Augmented && a.Fields.Equal(b.Fields) }

// name says which candidate a choice is.
func (m *raceMenu) name(c raceChoice) string {
	if c == nil {
		return "the program as it is"
	}
	var out []string
	for i, n := range m.named {
		text := ""
		if len(m.named) > 1 {
			text = n.Name + ": "
		}
		text += fmt.Sprintf("instruction %d", c[2*i][0])
		if m.sets[i] != nil {
			text += fmt.Sprintf(", demo set %d", c[2*i+1][0])
		} else if len(m.pool[i]) > 0 {
			text += ", demos " + strings.Trim(fmt.Sprint(c[2*i+1]), "[]")
			if len(c[2*i+1]) == 0 {
				text += "none"
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
