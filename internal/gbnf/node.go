package gbnf

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// frame is what is to come behind the rule or round of a loop at hand: the top of a
// stack. Frames of one cache that are equal are identical.
type frame struct {
	at    int32 // an instCall, or an instLoop of which count rounds have begun
	count int
	up    *frame
	id    uint32
	cost  int64 // the bytes to the end of the text behind this rule or round, at least
}

type frameKey struct {
	at    int32
	count int
	up    *frame
}

// place is where a match may be: an instruction and the stack.
type place struct {
	at int32
	on *frame
}

// node is a state of the match: the places where it may be. All but next is fixed.
type node struct {
	cache    *cache
	kernel   []place // where the last byte led to
	ready    []place // the instBytes that the kernel leads to without reading
	complete bool
	only     int16 // the one byte that may follow, -1 if there are none or several
	next     []atomic.Pointer[node]
}

func (n *node) dead() bool { return len(n.ready) == 0 && !n.complete }

// cache holds the nodes that matching has reached. A full one is given up for a new
// one; nodes that are in use keep it alive.
type cache struct {
	prog    *program
	current *atomic.Pointer[cache]
	mu      *sync.Mutex // of all caches of a grammar
	frames  map[frameKey]*frame
	nodes   map[string]*node
	start   *node
	size    int // how many bytes of memory it may take, about
	left    int // how many of them are left
	seen    map[place]bool
	todo    []place
}

// cacheBytes is about how much memory the nodes of a grammar may take.
const cacheBytes = 16 << 20

// maxPlaces is at how many places a match may be at once. Only a recursive schema with
// choices that overlap comes to more, twice as many with each level; those that are left
// out are continuations that are refused.
const maxPlaces = 2048

func newCache(p *program, mu *sync.Mutex, current *atomic.Pointer[cache], size int) *cache {
	c := &cache{
		prog: p, current: current, mu: mu, size: size, left: size,
		frames: map[frameKey]*frame{}, nodes: map[string]*node{}, seen: map[place]bool{},
	}
	c.start = c.node([]place{{at: p.start}})
	return c
}

// frame returns the frame of a key. The lock is held.
func (c *cache) frame(k frameKey) *frame {
	if f, ok := c.frames[k]; ok {
		return f
	}
	in := &c.prog.code[k.at]
	f := &frame{at: k.at, count: k.count, up: k.up, id: uint32(len(c.frames) + 1)}
	f.cost = c.prog.cost[in.y]
	if in.op == instLoop && in.min > k.count {
		f.cost += scaled(c.prog.cost[in.x], in.min-k.count)
	}
	if k.up != nil {
		f.cost += k.up.cost
	}
	f.cost = min(f.cost, far)
	c.frames[k] = f
	c.left -= 120
	return f
}

// node returns the node of a kernel, whose order it may change. The lock is held.
func (c *cache) node(kernel []place) *node {
	byNumber := func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.on.number(), b.on.number()))
	}
	slices.SortFunc(kernel, byNumber)
	if kernel = slices.Compact(kernel); len(kernel) > maxPlaces {
		slices.SortFunc(kernel, compare) // which does not depend on what was read before
		kernel = kernel[:maxPlaces]
		slices.SortFunc(kernel, byNumber)
	}
	key := make([]byte, 0, 8*len(kernel))
	for _, p := range kernel {
		key = binary.LittleEndian.AppendUint32(key, uint32(p.at))
		key = binary.LittleEndian.AppendUint32(key, p.on.number())
	}
	if n, ok := c.nodes[string(key)]; ok {
		return n
	}
	n := &node{cache: c, kernel: slices.Clone(kernel)}
	c.expand(n)
	n.only = c.onlyByte(n.ready)
	if !n.dead() {
		n.next = make([]atomic.Pointer[node], c.prog.classes)
	}
	c.nodes[string(key)] = n
	c.left -= 250 + 8*len(n.next) + 40*len(kernel) + 16*len(n.ready)
	return n
}

func (f *frame) number() uint32 {
	if f == nil {
		return 0
	}
	return f.id
}

// expand finds what a node's kernel leads to without reading.
func (c *cache) expand(n *node) {
	clear(c.seen)
	c.todo = c.todo[:0]
	for _, p := range n.kernel {
		c.visit(p)
	}
	for len(c.todo) > 0 {
		p := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		in := &c.prog.code[p.at]
		switch in.op {
		case instBytes:
			if len(in.arms) > 0 {
				n.ready = append(n.ready, p)
			}
		case instSplit:
			c.visit(place{in.x, p.on})
			c.visit(place{in.y, p.on})
		case instCall:
			on := p.on
			if in.y != end {
				on = c.frame(frameKey{p.at, 0, p.on})
			}
			c.visit(place{c.prog.entries[in.x], on})
		case instLoop:
			c.round(p.at, 0, p.on)
		case instEnd:
			switch f := p.on; {
			case f == nil:
				n.complete = true
			case c.prog.code[f.at].op == instLoop:
				c.round(f.at, f.count, f.up)
			default:
				c.visit(place{c.prog.code[f.at].y, f.up})
			}
		}
	}
}

func (c *cache) visit(p place) {
	if !c.seen[p] {
		c.seen[p] = true
		c.todo = append(c.todo, p)
	}
}

// round is at a loop of which some rounds are done.
func (c *cache) round(at int32, done int, on *frame) {
	in := &c.prog.code[at]
	if done >= in.min {
		c.visit(place{in.y, on})
	}
	if in.max == unlimited || done < in.max {
		begun := done + 1
		if in.max == unlimited {
			begun = min(begun, in.min)
		}
		c.visit(place{in.x, c.frame(frameKey{at, begun, on})})
	}
}

// onlyByte returns the one byte that can be read, -1 if there are none or several.
func (c *cache) onlyByte(ready []place) int16 {
	only := int16(-1)
	for _, p := range ready {
		for _, a := range c.prog.code[p.at].arms {
			if a.lo != a.hi || only >= 0 && only != int16(a.lo) {
				return -1
			}
			only = int16(a.lo)
		}
	}
	return only
}

// step makes the node that a byte of a class leads to.
func (n *node) step(b, class byte) *node {
	c := n.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if next := n.next[class].Load(); next != nil {
		return next
	}
	to := c
	if c.left <= 0 {
		if to = c.current.Load(); to.left <= 0 {
			to = newCache(c.prog, c.mu, c.current, c.size)
			c.current.Store(to)
		}
	}
	var kernel []place
	for _, p := range n.ready {
		for _, a := range c.prog.code[p.at].arms {
			if a.lo <= b && b <= a.hi {
				kernel = append(kernel, place{a.next, to.adopt(c, p.on)})
			}
		}
	}
	next := to.node(kernel)
	n.next[class].Store(next)
	return next
}

// adopt returns the frame of this cache that equals one of another. The lock is held.
func (c *cache) adopt(from *cache, f *frame) *frame {
	if c == from || f == nil {
		return f
	}
	return c.frame(frameKey{f.at, f.count, c.adopt(from, f.up)})
}
