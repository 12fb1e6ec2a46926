package gbnf

import "math"

// instOp says what an instruction does.
type instOp uint8

const (
	instEnd   instOp = iota // the end of a rule, of a round of a loop, or of the text
	instBytes               // reads one byte and goes on at each arm in whose range it lies
	instSplit               // goes on at x or at y
	instCall                // goes through the rule x, then on at y; at once where y is an end
	instLoop                // goes through x at least min and at most max times, then on at y
)

// arm is what reading a byte of a range leads to.
type arm struct {
	byteSpan
	next int32
}

// inst is an instruction of a program. Instructions are named by their index.
type inst struct {
	op       instOp
	first    bool // of instSplit: x counts as the shortest
	x, y     int32
	min, max int
	arms     []arm
}

// program is a grammar compiled to instructions over bytes.
type program struct {
	code    []inst
	start   int32
	entries []int32 // where each rule begins
	cost    []int64 // of each instruction: the bytes to the next end, at least
	class   [256]uint8
	classes int // bytes of one class lead to the same from everywhere
}

// inline is how often a loop's body is written out rather than counted, in
// instructions.
const inline = 16

// end is where every rule ends.
const end = 0

type programmer struct {
	program
	rules map[*rule]int32
}

// compile makes the program of an expression that was pruned.
func compile(root *expr) *program {
	p := &programmer{rules: map[*rule]int32{}}
	p.code = []inst{{op: instEnd}}
	rules := rulesOf(root)
	for i, r := range rules {
		p.rules[r] = int32(i)
	}
	p.start = p.expr(root, end)
	p.entries = make([]int32, len(rules))
	for i, r := range rules {
		p.entries[i] = p.expr(r.body, end)
	}
	p.countCosts()
	p.classify()
	return &p.program
}

func (p *programmer) add(i inst) int32 {
	p.code = append(p.code, i)
	return int32(len(p.code) - 1)
}

// expr adds the instructions of an expression that goes on at next, and returns where
// they begin.
func (p *programmer) expr(e *expr, next int32) int32 {
	switch e.op {
	case opText:
		for i := len(e.text) - 1; i >= 0; i-- {
			next = p.add(inst{op: instBytes, arms: []arm{{byteSpan{e.text[i], e.text[i]}, next}}})
		}
		return next
	case opSet:
		return p.bytes(e.set.utf8Spans(), next)
	case opSeq:
		for i := len(e.args) - 1; i >= 0; i-- {
			next = p.expr(e.args[i], next)
		}
		return next
	case opAlt:
		if e.isNever() {
			return p.add(inst{op: instBytes})
		}
		at := p.expr(e.args[len(e.args)-1], next)
		for i := len(e.args) - 2; i >= 0; i-- {
			at = p.add(inst{op: instSplit, x: p.expr(e.args[i], next), y: at, first: e.first})
		}
		return at
	case opRule:
		return p.add(inst{op: instCall, x: p.rules[e.rule], y: next})
	}
	return p.repeat(e, next)
}

// bytes adds what reads one of some sequences of bytes; those that end alike share
// their ends.
func (p *programmer) bytes(seqs [][]byteSpan, next int32) int32 {
	type rest struct {
		b    byteSpan
		next int32
	}
	made := map[rest]int32{}
	var arms []arm
	for _, s := range seqs {
		at := next
		for i := len(s) - 1; i > 0; i-- {
			key := rest{s[i], at}
			if _, ok := made[key]; !ok {
				made[key] = p.add(inst{op: instBytes, arms: []arm{{s[i], at}}})
			}
			at = made[key]
		}
		arms = append(arms, arm{s[0], at})
	}
	return p.add(inst{op: instBytes, arms: p.merge(arms)})
}

// merge makes neighbouring arms one where they have the same bytes or the same next.
func (p *programmer) merge(arms []arm) []arm {
	var out []arm
	for _, a := range arms {
		if last := len(out) - 1; last >= 0 && out[last].byteSpan == a.byteSpan {
			out[last].next = p.join(out[last].next, a.next)
		} else if last >= 0 && out[last].next == a.next && out[last].hi+1 == a.lo {
			out[last].hi = a.hi
		} else {
			out = append(out, a)
		}
	}
	return out
}

// join reads what either of two instructions of kind instBytes does.
func (p *programmer) join(x, y int32) int32 {
	if x == y {
		return x
	}
	arms := append(append([]arm{}, p.code[x].arms...), p.code[y].arms...)
	return p.add(inst{op: instBytes, arms: p.merge(arms)})
}

func (p *programmer) repeat(e *expr, next int32) int32 {
	body := e.args[0]
	if e.max == unlimited && e.min <= 1 {
		loop := p.add(inst{op: instSplit, y: next})
		at := p.expr(body, loop)
		p.code[loop].x = at
		if e.min == 1 {
			return at
		}
		return loop
	}
	before := len(p.code)
	once := p.expr(body, end)
	size := len(p.code) - before
	if n := max(e.min, e.max); n*size <= inline {
		p.code = p.code[:before]
		return p.written(e, next)
	}
	return p.add(inst{op: instLoop, x: once, y: next, min: e.min, max: e.max})
}

// written writes a short loop out.
func (p *programmer) written(e *expr, next int32) int32 {
	at := next
	if e.max == unlimited {
		at = p.add(inst{op: instSplit, y: next})
		body := p.expr(e.args[0], at)
		p.code[at].x = body
	}
	for i := e.min; i < e.max; i++ {
		at = p.add(inst{op: instSplit, x: p.expr(e.args[0], at), y: next})
	}
	for range e.min {
		at = p.expr(e.args[0], at)
	}
	return at
}

const far = math.MaxInt64 / 4

// countCosts finds the shortest way from each instruction to the end of its rule.
func (p *program) countCosts() {
	p.cost = make([]int64, len(p.code))
	for i := range p.cost {
		p.cost[i] = far
	}
	for changed := true; changed; {
		changed = false
		for i := range p.code {
			if c := p.costOf(int32(i)); c < p.cost[i] {
				p.cost[i], changed = c, true
			}
		}
		for i := len(p.code) - 1; i >= 0; i-- { // rules refer to later ones
			if c := p.costOf(int32(i)); c < p.cost[i] {
				p.cost[i], changed = c, true
			}
		}
	}
}

func (p *program) costOf(i int32) int64 {
	in := &p.code[i]
	c := int64(far)
	switch in.op {
	case instEnd:
		c = 0
	case instBytes:
		for _, a := range in.arms {
			c = min(c, 1+p.cost[a.next])
		}
	case instSplit:
		c = p.cost[in.x]
		if !in.first {
			c = min(c, p.cost[in.y])
		}
	case instCall:
		c = p.cost[p.entries[in.x]] + p.cost[in.y]
	case instLoop:
		c = p.cost[in.y]
		if in.min > 0 {
			c += scaled(p.cost[in.x], in.min)
		}
	}
	return min(c, far)
}

// scaled is n times a cost, which stays far where it is.
func scaled(c int64, n int) int64 {
	if c >= far/int64(max(n, 1)) {
		return far
	}
	return c * int64(n)
}

// classify sorts bytes that no instruction tells apart into classes.
func (p *program) classify() {
	var begins [257]bool
	for _, in := range p.code {
		for _, a := range in.arms {
			begins[a.lo], begins[int(a.hi)+1] = true, true
		}
	}
	c := 0
	for b := range 256 {
		if b > 0 && begins[b] {
			c++
		}
		p.class[b] = uint8(c)
	}
	p.classes = c + 1
}
