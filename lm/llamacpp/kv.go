package llamacpp

import "slices"

// sequence is a run of tokens that the KV cache holds.
type sequence struct {
	id     int32
	tokens []int32
	cells  []int32 // which cell holds each token
	// exact is how many of the tokens were evaluated in the chunks in which any other
	// request would have them evaluated; see Deterministic.
	exact int
}

// kv keeps account of the KV cache: which sequence holds which tokens, and how many
// sequences share a cell. llama.cpp knows the same but does not tell, and the
// scheduler must know before a step whether there is room for it.
type kv struct {
	dec   decoder
	refs  []int32 // of each cell
	free  []int32 // cells
	ids   []int32 // sequence ids that are not in use
	total int
}

func newKV(dec decoder, l limits) *kv {
	k := &kv{dec: dec, refs: make([]int32, l.cells), total: l.cells}
	for i := l.cells - 1; i >= 0; i-- {
		k.free = append(k.free, int32(i))
	}
	for i := l.sequences - 1; i >= 0; i-- {
		k.ids = append(k.ids, int32(i))
	}
	return k
}

// room is the number of cells that hold nothing.
func (k *kv) room() int { return len(k.free) }

// takeID returns an id for a sequence of which no account is kept: a branch, that
// lives for one step.
func (k *kv) takeID() int32 {
	id := k.ids[len(k.ids)-1]
	k.ids = k.ids[:len(k.ids)-1]
	return id
}

func (k *kv) returnID(id int32) {
	k.dec.cutSeq(id, 0) // a whole sequence can always be cut
	k.ids = append(k.ids, id)
}

// fork returns a sequence that shares the first n tokens of src; src may be nil
// when n is 0.
func (k *kv) fork(src *sequence, n int) *sequence {
	s := &sequence{id: k.takeID()}
	if n > 0 {
		s.exact = min(src.exact, n)
		s.tokens = slices.Clone(src.tokens[:n])
		s.cells = slices.Clone(src.cells[:n])
		for _, c := range s.cells {
			k.refs[c]++
		}
		k.dec.copySeq(src.id, s.id, n)
	}
	return s
}

// cell takes a cell that holds nothing, for a token that a step has evaluated.
func (k *kv) cell() int32 {
	c := k.free[len(k.free)-1]
	k.free = k.free[:len(k.free)-1]
	return c
}

// extend accounts for a token that a step has put at the end of s. Several sequences
// may get the same one.
func (k *kv) extend(s *sequence, token, cell int32) {
	k.refs[cell]++
	s.tokens = append(s.tokens, token)
	s.cells = append(s.cells, cell)
}

// truncate forgets all but the first n tokens of s. When it fails s is what it was.
func (k *kv) truncate(s *sequence, n int) error {
	if n >= len(s.tokens) {
		return nil
	}
	if !k.dec.cutSeq(s.id, n) {
		return backendFailure(errNoCut)
	}
	k.release(s, n)
	return nil
}

func (k *kv) release(s *sequence, n int) {
	for _, c := range s.cells[n:] {
		if k.refs[c]--; k.refs[c] == 0 {
			k.free = append(k.free, c)
		}
	}
	s.tokens, s.cells, s.exact = s.tokens[:n], s.cells[:n], min(s.exact, n)
}

// drop forgets s altogether. It also clears what an interrupted step may have left.
func (k *kv) drop(s *sequence) {
	k.release(s, 0)
	k.returnID(s.id)
}

// common returns the length of the longest common prefix of a and b.
func common[T comparable](a, b []T) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
