package gbnf

import (
	"cmp"
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// maxStates is how many states an automaton of patterns may have, and maxWork how many
// instructions of the patterns may be looked at to find them.
const (
	maxStates = 4096
	maxWork   = 8 << 20
)

// automaton makes the expression of the texts in which all of some patterns are found
// and which have between lo and hi characters (hi may be unlimited), inside of a JSON
// text. Each state of the search, with the number of characters read, is a rule. It
// returns false where that takes too many.
func automaton(patterns []string, lo, hi int) (*expr, bool) {
	a := &search{lo: lo, hi: hi, rules: map[string]*rule{}}
	var all []runeSet
	for _, p := range patterns {
		re, err := parsePattern(p)
		if err != nil {
			return nil, false
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return nil, false
		}
		m := newMatcher(prog)
		a.matchers = append(a.matchers, m)
		all = append(all, m.sets...)
	}
	kinds, ok := partition(all)
	if !ok {
		return nil, false
	}
	a.kinds = kinds
	start := searchState{}
	for _, m := range a.matchers {
		start.in = append(start.in, m.start())
	}
	first := a.rule(start)
	for len(a.todo) > 0 {
		if len(a.rules) > maxStates || a.work() > maxWork {
			return nil, false
		}
		s := a.todo[0]
		a.todo = a.todo[1:]
		a.rules[a.key(s)].body = a.body(s)
	}
	return ref(first), true
}

// search is the product of the automata of some patterns and the count of characters.
type search struct {
	matchers []*matcher
	kinds    []runeSet // sets whose characters no pattern tells apart
	lo, hi   int
	rules    map[string]*rule
	todo     []searchState
}

func (a *search) work() int {
	sum := 0
	for _, m := range a.matchers {
		sum += m.work
	}
	return sum
}

type searchState struct {
	in   []matchState // of each pattern
	read int          // characters, as far as it matters
}

func (a *search) key(s searchState) string {
	var b strings.Builder
	for _, in := range s.in {
		b.WriteString(strconv.Quote(in.key()))
	}
	return b.String() + strconv.Itoa(s.read)
}

func (a *search) rule(s searchState) *rule {
	k := a.key(s)
	r, ok := a.rules[k]
	if !ok {
		r = &rule{name: "text"}
		a.rules[k] = r
		a.todo = append(a.todo, s)
	}
	return r
}

func (a *search) body(s searchState) *expr {
	if !slices.ContainsFunc(s.in, func(in matchState) bool { return !in.found }) {
		hi := a.hi
		if hi != unlimited {
			hi -= s.read
		}
		return repeat(textChars(anyRune()), max(0, a.lo-s.read), hi)
	}
	var parts []*expr
	ends := s.read >= a.lo
	for i, m := range a.matchers {
		ends = ends && m.ends(s.in[i])
	}
	if ends {
		parts = append(parts, text(""))
	}
	if a.hi != unlimited && s.read >= a.hi {
		return alt(parts...)
	}
	next := map[*rule]runeSet{}
	var order []*rule
	for _, kind := range a.kinds {
		to := searchState{in: make([]matchState, len(s.in)), read: s.read + 1}
		if a.hi == unlimited {
			to.read = min(to.read, a.lo)
		}
		for i, m := range a.matchers {
			to.in[i] = m.step(s.in[i], kind[0].lo)
		}
		r := a.rule(to)
		if _, ok := next[r]; !ok {
			order = append(order, r)
		}
		next[r] = next[r].or(kind)
	}
	for _, r := range order {
		parts = append(parts, seq(textChars(next[r]), ref(r)))
	}
	return alt(parts...)
}

// partition cuts the code points into sets, of which each lies in or out of each of some
// sets as a whole.
func partition(sets []runeSet) ([]runeSet, bool) {
	var cuts []rune
	for _, s := range append(sets, anyRune()) {
		for _, p := range s {
			cuts = append(cuts, p.lo, p.hi+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	if len(cuts)*len(sets) > 1<<20 {
		return nil, false
	}
	kinds := map[string][]span{}
	for i, lo := range cuts[:len(cuts)-1] {
		if !anyRune().has(lo) {
			continue
		}
		in := make([]byte, len(sets))
		for j, s := range sets {
			if s.has(lo) {
				in[j] = 1
			}
		}
		kinds[string(in)] = append(kinds[string(in)], span{lo, cuts[i+1] - 1})
	}
	var out []runeSet
	for _, k := range kinds {
		out = append(out, runes(k...))
	}
	slices.SortFunc(out, func(a, b runeSet) int { return cmp.Compare(a[0].lo, b[0].lo) })
	return out, true
}

// matcher steps through the texts in which a pattern is found.
type matcher struct {
	prog  *syntax.Prog
	sets  []runeSet // that it tells apart
	looks bool      // at what stands around
	lines bool      // at the ends of lines
	work  int       // instructions looked at
}

// matchState is how far a search has come.
type matchState struct {
	at    []uint32 // sorted instructions
	prev  rune     // one that stands for the character before, -1 at the beginning
	found bool
}

func (s matchState) key() string {
	if s.found {
		return "found"
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(s.prev))
	for _, i := range s.at {
		b = binary.LittleEndian.AppendUint32(b, i)
	}
	return string(b)
}

func newMatcher(prog *syntax.Prog) *matcher {
	m := &matcher{prog: prog}
	for i := range prog.Inst {
		in := &prog.Inst[i]
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(in.Rune) == 1 {
				m.sets = append(m.sets, folded(in.Rune[0], syntax.Flags(in.Arg)))
				continue
			}
			var spans []span
			for j := 0; j+1 < len(in.Rune); j += 2 {
				spans = append(spans, span{in.Rune[j], in.Rune[j+1]})
			}
			m.sets = append(m.sets, runes(spans...))
		case syntax.InstRuneAnyNotNL:
			m.sets = append(m.sets, oneOf("\n"))
		case syntax.InstEmptyWidth:
			m.looks = true
			m.lines = m.lines || syntax.EmptyOp(in.Arg)&(syntax.EmptyBeginLine|syntax.EmptyEndLine) != 0
		}
	}
	if m.looks {
		m.sets = append(m.sets, oneOf("\n"), runes(span{'a', 'z'}, span{'A', 'Z'}, span{'0', '9'}, span{'_', '_'}))
	}
	return m
}

func (m *matcher) start() matchState { return m.at(-1, nil) }

// at is the state behind a character; another match may begin everywhere.
func (m *matcher) at(prev rune, insts []uint32) matchState {
	insts = append(insts, uint32(m.prog.Start))
	slices.Sort(insts)
	switch {
	case prev < 0 || m.lines && prev == '\n':
	case m.looks && syntax.IsWordChar(prev):
		prev = 'a'
	default:
		prev = ' '
	}
	if !m.looks {
		prev = 0
	}
	return matchState{at: slices.Compact(insts), prev: prev}
}

// follow returns the instructions that read a character, between two characters.
func (m *matcher) follow(s matchState, next rune) (reads []uint32, found bool) {
	around := syntax.EmptyOpContext(s.prev, next)
	seen := map[uint32]bool{}
	todo := slices.Clone(s.at)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		m.work++
		in := &m.prog.Inst[i]
		switch in.Op {
		case syntax.InstMatch:
			found = true
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^around == 0 {
				todo = append(todo, in.Out)
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			reads = append(reads, i)
		}
	}
	return reads, found
}

func (m *matcher) ends(s matchState) bool {
	if s.found {
		return true
	}
	_, found := m.follow(s, -1)
	return found
}

func (m *matcher) step(s matchState, r rune) matchState {
	if s.found {
		return s
	}
	reads, found := m.follow(s, r)
	if found {
		return matchState{found: true}
	}
	var next []uint32
	for _, i := range reads {
		if m.prog.Inst[i].MatchRune(r) {
			next = append(next, m.prog.Inst[i].Out)
		}
	}
	return m.at(r, next)
}
