package optimize

import (
	"fmt"
	"maps"
	"slices"

	"github.com/whetgo/whet/module"
)

// Choices are what a search may choose from for one predictor.
type Choices struct {
	// Instructions are those to choose from; none are the predictor's own.
	Instructions []string
	// Demos are sets of demos to choose from, of which one may be empty; none are the
	// predictor's own.
	Demos [][]module.Demo
}

// Space holds the choices of predictors by their names in the program (module.Predictors),
// for a search that is to propose none itself. A predictor that is not in it stays as it is.
type Space map[string]Choices

// space is a Space by predictor, in the session's order, where nothing is empty.
type space struct {
	instructions [][]string
	demos        [][][]module.Demo
}

// space returns the choices that a caller gave.
func (s *session) space(given Space) (space, error) {
	sp := space{make([][]string, len(s.named)), make([][][]module.Demo, len(s.named))}
	known := map[string]bool{}
	for i, n := range s.named {
		known[n.Name] = true
		c := given[n.Name]
		sp.instructions[i], sp.demos[i] = c.Instructions, c.Demos
		if len(c.Instructions) == 0 {
			sp.instructions[i] = []string{s.instructionsOf(i, s.own[i])}
		}
		if len(c.Demos) == 0 {
			sp.demos[i] = [][]module.Demo{s.own[i].Demos}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			return space{}, fmt.Errorf("optimize: the space has choices for the predictor %q, which the program does not have; it has %q", name, slices.Sorted(maps.Keys(known)))
		}
	}
	return sp, nil
}

// candidate returns the program with one choice of each kind per predictor. Biases were
// fitted to other demos, so they go.
func (sp space) candidate(s *session, instruction, demos []int) candidate {
	c := s.own.clone()
	for i := range c {
		c[i] = s.withInstructions(i, c[i], sp.instructions[i][instruction[i]])
		c[i].Demos, c[i].Biases = sp.demos[i][demos[i]], nil
	}
	return c
}

// instructionsOf returns those that a predictor has in a state.
func (s *session) instructionsOf(i int, st module.State) string {
	if st.Instructions != "" {
		return st.Instructions
	}
	return s.named[i].Predictor.Signature().Instructions()
}

// withInstructions returns the state with other instructions. Where they are the signature's
// the state names none, so that it is the one of a program that nobody has compiled.
func (s *session) withInstructions(i int, st module.State, text string) module.State {
	if text == s.named[i].Predictor.Signature().Instructions() {
		text = ""
	}
	st.Instructions = text
	return st
}
