package gbnf

import (
	"sync"
	"sync/atomic"
)

// Grammar is a set of texts. It is immutable and safe for concurrent use; its states
// share what matching has found, so a grammar that is used again should be kept.
type Grammar struct {
	root    *expr
	once    sync.Once
	mu      sync.Mutex
	current atomic.Pointer[cache]
}

// grammar makes a grammar of an expression from which everything impossible is pruned.
func grammar(root *expr) *Grammar { return &Grammar{root: root} }

// Start returns the state before any text. The first call compiles the grammar, where
// making it has not done so.
func (g *Grammar) Start() State {
	g.once.Do(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.current.Store(newCache(compile(g.root), &g.mu, &g.current, cacheBytes))
	})
	return State{g.current.Load().start}
}

// maxShortest is how long a shortest text may be.
const maxShortest = 1 << 20

// tooLong reports whether all texts of a grammar are longer than anybody waits for.
func (g *Grammar) tooLong() bool {
	s := g.Start()
	return s.n.cache.prog.cost[s.n.cache.prog.start] > maxShortest
}

// Literal makes the grammar of one text. Bytes of it that are no UTF-8 are taken for
// U+FFFD.
func Literal(s string) *Grammar { return grammar(text(valid(s))) }

// valid replaces what is no UTF-8.
func valid(s string) string { return string([]rune(s)) }

// Sequence makes the grammar of texts that consist of one text of each grammar, in
// order; of none it is the empty text.
func Sequence(parts ...*Grammar) *Grammar {
	return grammar(seq(roots(parts)...))
}

// Choice makes the grammar of the texts of any of some grammars. Without any it allows
// nothing, not even the empty text.
func Choice(of ...*Grammar) *Grammar {
	return grammar(alt(roots(of)...))
}

func roots(of []*Grammar) []*expr {
	out := make([]*expr, len(of))
	for i, g := range of {
		out[i] = g.root
	}
	return out
}

// Int makes the grammar of whole numbers that fit into an int64: at most 18 digits, no
// leading zeros, no plus sign, no -0.
func Int() *Grammar { return grammar(numberConstraint{step: one()}.expr()) }

// Float makes the grammar of numbers as JSON and Go's ParseFloat read them: an optional
// minus, up to 18 digits without leading zeros, and optionally a point with up to 17
// digits; no exponent.
func Float() *Grammar { return grammar(numberConstraint{}.expr()) }
