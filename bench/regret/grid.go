package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// perLabel is how many demos of each label a set has.
const perLabel = 3

// The seeds of the rows: those of the grid, and those that are reported.
const (
	gridSeed = 9
	testSeed = 10
)

// instructions are those of the grid; the first are those of the program as it is.
func instructions() []string {
	return []string{
		sms.Instructions,
		"Label the SMS: ham, spam or smishing.",
		"You guard phone users against fraud. Say of each SMS whether it is ham (an ordinary message), spam (advertising that nobody asked for) or smishing (an attempt to get money, data or a call by deceit).",
		"Ask who gains by this SMS: a friend or a service that the reader uses (ham), a seller (spam), or a swindler (smishing).",
		"Judge the SMS by what it wants. It wants nothing or something private: ham. It wants to sell: spam. It wants the reader to claim a prize, ring a number, open a link or confirm an account at once: smishing.",
		"Sort text messages as an operator's filter does: ham is delivered, spam is marked as advertising, smishing is blocked as fraud.",
	}
}

// grid is the candidates and the rows that they answer.
type grid struct {
	instructions []string
	sets         [][]module.Demo // the first is empty
	rows, test   []sms.Row
	// shown are the rows behind the demos.
	shown []sms.Row
	// byState finds a candidate by what its prompt shows.
	byState map[string]int
}

func loadGrid(c config) (*grid, error) {
	train, err := sms.Read(c.data, "first100.csv")
	if err != nil {
		return nil, err
	}
	between, err := sms.Read(c.data, "sms.csv")
	if err != nil {
		return nil, err
	}
	between = sms.Without(between, train)
	if len(between) <= sms.Reported {
		return nil, fmt.Errorf("sms.csv has %d rows that are not in first100.csv; want more than %d", len(between), sms.Reported)
	}
	free := sms.Without(between[sms.Reported:], between[:sms.Reported])
	// The rows of the tests do not depend on -rows: no row that may be in a grid is in them.
	const most = 300
	rows := sms.Balanced(free, most, gridSeed)
	test := sms.Balanced(sms.Without(free, rows), c.limit, testSeed)
	if c.rows > most || len(test) < c.limit {
		return nil, fmt.Errorf("-rows %d, -limit %d: there are %d and %d rows", c.rows, c.limit, most, len(test))
	}
	return newGrid(instructions()[:c.instructions], c.sets, train, sms.Balanced(rows, c.rows, gridSeed), test)
}

// newGrid makes the candidates.
func newGrid(instructions []string, sets int, train, rows, test []sms.Row) (*grid, error) {
	g := &grid{instructions: instructions, rows: rows, test: test, byState: map[string]int{}}
	g.sets = append(g.sets, nil)
	for seed := 1; seed < sets; seed++ {
		set := sms.DemoSet(train, perLabel, uint64(seed))
		g.sets = append(g.sets, sms.Demos(set))
		g.shown = append(g.shown, sms.Without(set, g.shown)...)
	}
	for i := range g.size() {
		g.byState[g.key(g.state(i))] = i
	}
	if len(g.byState) < g.size() {
		return nil, errors.New("two candidates of the grid are the same")
	}
	return g, nil
}

// size is the number of candidates.
func (g *grid) size() int { return len(g.instructions) * len(g.sets) }

// state returns that of a candidate. The first is the program as it is.
func (g *grid) state(i int) module.State {
	st := module.State{Demos: g.sets[i%len(g.sets)]}
	if k := i / len(g.sets); k > 0 {
		st.Instructions = g.instructions[k]
	}
	return st
}

// name says which candidate it is.
func (g *grid) name(i int) string {
	return fmt.Sprintf("instructions %d, demo set %d", i/len(g.sets), i%len(g.sets))
}

// find returns the candidate that a state is.
func (g *grid) find(st module.State) (int, error) {
	i, ok := g.byState[g.key(st)]
	if !ok {
		return 0, errors.New("a search has made a candidate that is not in the grid")
	}
	return i, nil
}

// key is what a state's prompt shows.
func (g *grid) key(st module.State) string {
	var b strings.Builder
	b.WriteString(st.Instructions)
	if st.Instructions == "" {
		b.WriteString(g.instructions[0])
	}
	for _, d := range st.Demos {
		text, _ := d.Fields.Get("text")
		fmt.Fprintf(&b, "\x00%v", text)
	}
	return b.String()
}

// predict makes the program that answers the rows.
func (g *grid) predict(model lm.LM) (*module.Predict[sms.Message, sms.Verdict], error) {
	return module.NewPredict[sms.Message, sms.Verdict](g.instructions[0],
		module.WithAdapter(adapter.Compact{}), module.WithLM(model), module.Temperature(0))
}

// space is the grid as optimizers take it.
func (g *grid) space() optimize.Space {
	return optimize.Space{"classify": {Instructions: g.instructions, Demos: g.sets}}
}
