package optimize

import "slices"

// pySet is a set of small numbers that are not negative, in the order in which CPython goes
// through one: DSPy's GEPA draws from such sets, so the order decides whom a draw names.
// With numbers below 8 it is the ascending one.
//
// CPython's is a hash table in which a number is its own hash: open addressing with short
// linear runs, grown fourfold when it is three fifths full (Objects/setobject.c).
type pySet struct {
	slots []int // -1 is empty
	used  int
}

const (
	pySetMin     = 8
	pySetRun     = 9
	pySetPerturb = 5
)

// setOf returns the set to which the numbers were added in this order.
func setOf(numbers ...int) *pySet {
	t := newPySet(0)
	for _, n := range numbers {
		t.add(n)
	}
	return t
}

// newPySet returns a set of the smallest size above that.
func newPySet(above int) *pySet {
	size := pySetMin
	for size <= above {
		size *= 2
	}
	t := &pySet{slots: make([]int, size)}
	for i := range t.slots {
		t.slots[i] = -1
	}
	return t
}

// list returns the numbers in the set's order.
func (t *pySet) list() []int {
	return slices.DeleteFunc(slices.Clone(t.slots), func(n int) bool { return n < 0 })
}

func (t *pySet) has(n int) bool { return slices.Contains(t.slots, n) }

// copied returns the set that Python makes of a set: it may have another size, and so order.
func (t *pySet) copied() *pySet {
	above := 0
	if full(t.used, pySetMin) {
		above = 2 * t.used
	}
	c := newPySet(above)
	if len(c.slots) == len(t.slots) {
		return &pySet{slices.Clone(t.slots), t.used}
	}
	for _, n := range t.list() {
		c.put(n)
	}
	return c
}

// common returns the numbers that are in both sets, as Python's t & o.
func (t *pySet) common(o *pySet) *pySet {
	if o.used > t.used {
		t, o = o, t
	}
	c := newPySet(0)
	for _, n := range o.list() {
		if t.has(n) {
			c.add(n)
		}
	}
	return c
}

// add adds a number, and reports whether it is new.
func (t *pySet) add(n int) bool {
	if !t.put(n) {
		return false
	}
	if full(t.used, len(t.slots)) {
		grown := newPySet(4 * t.used)
		for _, m := range t.list() {
			grown.put(m)
		}
		*t = *grown
	}
	return true
}

func full(used, size int) bool { return used*5 >= (size-1)*3 }

// put is add that does not grow.
func (t *pySet) put(n int) bool {
	mask := len(t.slots) - 1
	perturb := n
	for i := n & mask; ; i = (i*5 + 1 + perturb) & mask {
		run := 0
		if i+pySetRun <= mask {
			run = pySetRun
		}
		for k := i; k <= i+run; k++ {
			switch t.slots[k] {
			case n:
				return false
			case -1:
				t.slots[k] = n
				t.used++
				return true
			}
		}
		perturb >>= pySetPerturb
	}
}
