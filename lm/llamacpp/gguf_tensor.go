package llamacpp

import (
	"fmt"
	"math"
	"strings"
)

const (
	minTensorSize = 8 + 4 + 4 + 8 // name length, dimensions, type, offset
	maxDims       = 4
	maxTensorName = 63 // bytes; ggml has an array of 64
	mapAlign      = 32 // bytes: ggml takes no mapped memory that begins between
)

// ggufTensor is the entry of a tensor.
type ggufTensor struct {
	name     string
	dims     [maxDims]uint64 // those that are not written are 1
	kind     uint32
	offset   uint64 // of its data, counted from where all data begin
	elements uint64
	bytes    uint64 // of its data, if the type is known
	known    bool
}

// matrix reports whether it has several dimensions.
func (t ggufTensor) matrix() bool {
	return t.elements > max(t.dims[0], t.dims[1], t.dims[2], t.dims[3])
}

// tensor reads an entry: name, dimensions, type, offset.
func (g *ggufReader) tensor() (t ggufTensor, err error) {
	if t.name, err = g.text(maxTensorName); err != nil {
		return t, fmt.Errorf("its name: %w", err)
	}
	if err := g.shape(&t); err != nil {
		return t, fmt.Errorf("%q: %w", t.name, err)
	}
	if t.kind, err = g.u32(); err != nil {
		return t, err
	}
	if t.offset, err = g.u64(); err != nil {
		return t, err
	}
	if err := t.measure(); err != nil {
		return t, fmt.Errorf("%q: %w", t.name, err)
	}
	return t, nil
}

func (g *ggufReader) shape(t *ggufTensor) error {
	dims, err := g.u32()
	if err != nil {
		return err
	}
	if dims > maxDims {
		return fmt.Errorf("it has %d dimensions, and there may be %d", dims, maxDims)
	}
	t.dims, t.elements = [maxDims]uint64{1, 1, 1, 1}, 1
	for i := range dims {
		d, err := g.u64()
		if err != nil {
			return err
		}
		// With 2^50 elements of at most 8 bytes no sum below can overflow.
		if d == 0 || d > 1<<40 || t.elements > 1<<50/d {
			return fmt.Errorf("it has a dimension of %d", d)
		}
		t.dims[i] = d
		t.elements *= d
	}
	return nil
}

// measure computes the size of the data.
func (t *ggufTensor) measure() error {
	if t.kind > math.MaxInt32 {
		return fmt.Errorf("it has the type %d, which there cannot be", t.kind)
	}
	b, ok := blocks[t.kind]
	if !ok {
		if t.kind <= lastBlock {
			return fmt.Errorf("it has the type %d, which llama.cpp no longer reads", t.kind)
		}
		return nil // a newer type than these: llama.cpp will say
	}
	if t.dims[0]%b.elements != 0 {
		return fmt.Errorf("it has rows of %d weights, and its type %d takes multiples of %d", t.dims[0], t.kind, b.elements)
	}
	t.known, t.bytes = true, t.elements/b.elements*b.bytes
	return t.computable(b)
}

// computable reports a type that llama.cpp's operators do not take, which it finds out
// only when it computes, by ending the process. What is added to states, or scales them,
// is of 32 bits.
func (t *ggufTensor) computable(b block) error {
	if strings.Contains(t.name, "tid2eid") { // a table of numbers, not of weights
		return nil
	}
	if b.store {
		return fmt.Errorf("it has the type %d, in which llama.cpp does not compute weights", t.kind)
	}
	scale := strings.HasSuffix(t.name, "_norm.weight") || strings.HasSuffix(t.name, ".bias")
	if (scale || t.dims[0] == t.elements) && t.kind != 0 {
		return fmt.Errorf("it has the type %d, and a vector that scales or is added must be of 32-bit floats", t.kind)
	}
	return nil
}

// checkLayout reports tensors that do not lie one after the other in a file of this size.
func checkLayout(tensors []ggufTensor, data, align, size uint64) error {
	seen := make(map[string]bool, len(tensors))
	next, sure := uint64(0), true
	for _, t := range tensors {
		if seen[t.name] {
			return fmt.Errorf("tensor %q is there twice", t.name)
		}
		seen[t.name] = true
		if t.offset > size || (t.known && t.offset+t.bytes > size) || data+t.offset+t.bytes > size {
			return fmt.Errorf("%w: the %d bytes of tensor %q begin at byte %d of its data, and there are %d", errTruncated, t.bytes, t.name, t.offset, size-min(data, size))
		}
		if sure && t.offset != next || t.offset < next {
			return fmt.Errorf("tensor %q begins at byte %d of the data, and it must at %d, where the one before it ends", t.name, t.offset, next)
		}
		if (data+t.offset)%mapAlign != 0 {
			return fmt.Errorf("tensor %q begins at byte %d of the file, which is not a multiple of %d", t.name, data+t.offset, mapAlign)
		}
		next, sure = (t.offset+t.bytes+align-1)/align*align, t.known
	}
	return nil
}

// block is the unit of a tensor type.
type block struct {
	elements, bytes uint64
	store           bool // only kept, never multiplied by
}

// blocks are those of ggml's tensor types, by their number.
var blocks = map[uint32]block{
	0: {1, 4, false}, 1: {1, 2, false}, 2: {32, 18, false}, 3: {32, 20, false}, 6: {32, 22, false}, 7: {32, 24, false},
	8: {32, 34, false}, 9: {32, 36, true}, 10: {256, 84, false}, 11: {256, 110, false}, 12: {256, 144, false},
	13: {256, 176, false}, 14: {256, 210, false}, 15: {256, 292, true}, 16: {256, 66, false}, 17: {256, 74, false},
	18: {256, 98, false}, 19: {256, 50, false}, 20: {32, 18, false}, 21: {256, 110, false}, 22: {256, 82, false},
	23: {256, 136, false}, 24: {1, 1, true}, 25: {1, 2, true}, 26: {1, 4, true}, 27: {1, 8, true}, 28: {1, 8, true},
	29: {256, 56, false}, 30: {1, 2, false}, 34: {256, 54, false}, 35: {256, 66, false}, 39: {32, 17, false},
	40: {64, 36, false}, 41: {128, 18, false}, 42: {64, 18, false},
}

const lastBlock = 42 // the highest number in blocks
