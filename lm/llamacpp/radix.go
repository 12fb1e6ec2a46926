package llamacpp

import "slices"

// prefixes is what is kept of requests that have left, for those that will begin
// alike: a radix tree over tokens. Only its leaves hold sequences; the beginning that
// two of them share is theirs together, and its cells are counted once.
type prefixes struct {
	kv     *kv
	root   prefix
	leaves int
	tokens int // of all edges
}

// prefix is a node: the text from the root to the end of its edge.
type prefix struct {
	parent   *prefix
	children []*prefix
	edge     []int32 // the tokens that it adds to its parent's
	depth    int     // tokens from the root to the end of the edge
	// seq holds all tokens from the root, if the node is a leaf.
	seq *sequence
	// used is the scheduler's count of evaluated tokens when a request last went
	// through here, and uses is how many did.
	used, uses int
}

// child returns the child whose edge begins with the first of tokens, or nil.
func (p *prefix) child(tokens []int32) *prefix {
	if len(tokens) == 0 {
		return nil
	}
	for _, c := range p.children {
		if c.edge[0] == tokens[0] {
			return c
		}
	}
	return nil
}

// holder returns a sequence that holds all of the node's tokens, or nil at the root
// of an empty tree.
func (p *prefix) holder() *sequence {
	for len(p.children) > 0 {
		p = p.children[0]
	}
	return p.seq
}

// find returns how many of tokens the tree has from the beginning on, and the node in
// whose edge, or at whose end, they end.
func (t *prefixes) find(tokens []int32) (at *prefix, n int) {
	at = &t.root
	for {
		next := at.child(tokens[n:])
		if next == nil {
			return at, n
		}
		c := common(next.edge, tokens[n:])
		n, at = n+c, next
		if c < len(next.edge) {
			return at, n
		}
	}
}

// touch notes that a request goes through the node now.
func (t *prefixes) touch(at *prefix, now int) {
	for ; at != nil; at = at.parent {
		at.used = now
	}
}

// add takes over a sequence. What the tree has already is not kept twice: a sequence
// that another one continues is dropped.
func (t *prefixes) add(seq *sequence, now int) {
	at, n := t.find(seq.tokens)
	if n < at.depth {
		at = at.split(n)
	}
	for p := at; p != nil; p = p.parent {
		p.used = now
		p.uses++
	}
	if n == len(seq.tokens) {
		t.kv.drop(seq)
		return
	}
	if at.seq != nil {
		t.kv.drop(at.seq)
		at.seq = nil
		t.leaves--
	}
	at.children = append(at.children, &prefix{
		parent: at, edge: slices.Clone(seq.tokens[n:]), depth: len(seq.tokens), seq: seq, used: now, uses: 1,
	})
	t.leaves++
	t.tokens += len(seq.tokens) - n
}

// split puts a node that ends n tokens from the root in front of p.
func (p *prefix) split(n int) *prefix {
	k := n - (p.depth - len(p.edge))
	upper := &prefix{parent: p.parent, children: []*prefix{p}, edge: p.edge[:k:k], depth: n, used: p.used, uses: p.uses}
	p.parent.children[slices.Index(p.parent.children, p)] = upper
	p.parent, p.edge = upper, p.edge[k:]
	return upper
}

// forget removes a leaf, and with it the cells that hold nothing else. If nothing else
// hangs at its parent, that becomes a leaf and keeps the sequence.
func (t *prefixes) forget(leaf *prefix) {
	parent, seq := leaf.parent, leaf.seq
	t.remove(leaf)
	if len(parent.children) == 0 && parent != &t.root && t.kv.truncate(seq, parent.depth) == nil {
		parent.seq = seq
		return
	}
	t.kv.drop(seq)
	t.leaves--
	for p := parent; len(p.children) == 0 && p.seq == nil && p != &t.root; p = p.parent {
		t.remove(p) // where a sequence could not be cut, what lies above it is held by nothing
	}
}

func (t *prefixes) remove(p *prefix) {
	t.tokens -= len(p.edge)
	p.parent.children = slices.DeleteFunc(p.parent.children, func(c *prefix) bool { return c == p })
}

// oldest returns the leaf that a score, the lower the less it is worth, is lowest for.
func (t *prefixes) oldest(worth func(*prefix) int) *prefix {
	var best *prefix
	least := 0
	t.walk(&t.root, func(p *prefix) {
		if w := worth(p); best == nil || w < least {
			best, least = p, w
		}
	})
	return best
}

// walk calls visit for each leaf.
func (t *prefixes) walk(p *prefix, visit func(*prefix)) {
	if p.seq != nil {
		visit(p)
	}
	for _, c := range p.children {
		t.walk(c, visit)
	}
}
