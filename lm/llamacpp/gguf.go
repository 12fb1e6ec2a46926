package llamacpp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A GGUF file is checked here before C sees it: llama.cpp trusts its counts and
// offsets more than a file that was half downloaded deserves.

const (
	ggufMagic     = "GGUF"
	minTensorSize = 8 + 4 + 8 + 4 + 8 // name length, dimensions, one of them, type, offset
	minPairSize   = 8 + 4 + 1         // key length, type, a byte
	maxDims       = 4
	defaultAlign  = 32
	maxKey        = 65535
)

// checkFile reports what is wrong with a model file, or nil.
func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return p.Err // the path is named by the caller
		}
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.IsDir() {
		return errors.New("it is a directory, not a GGUF file")
	}
	if !st.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	return checkGGUF(bufio.NewReaderSize(f, 1<<20), st.Size())
}

// ggufReader reads a header and knows how much of the file is left, so that no
// count is believed that the rest of the file could not hold.
type ggufReader struct {
	r         io.Reader
	size, pos int64
	scratch   [8]byte
}

var errTruncated = errors.New("the file is truncated or damaged")

func (g *ggufReader) left() int64 { return g.size - g.pos }

func (g *ggufReader) skip(n uint64) error {
	if n > uint64(max(g.left(), 0)) {
		return fmt.Errorf("%w: its header needs %d bytes more at offset %d, and %d follow", errTruncated, n, g.pos, g.left())
	}
	c, err := io.CopyN(io.Discard, g.r, int64(n))
	g.pos += c
	return err
}

func (g *ggufReader) bytes(n int) ([]byte, error) {
	if int64(n) > g.left() {
		return nil, fmt.Errorf("%w: it ends inside its header, at offset %d", errTruncated, g.size)
	}
	b := g.scratch[:min(n, len(g.scratch))]
	if n > len(b) {
		b = make([]byte, n)
	}
	c, err := io.ReadFull(g.r, b)
	g.pos += int64(c)
	return b, err
}

func (g *ggufReader) u32() (uint32, error) {
	b, err := g.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (g *ggufReader) u64() (uint64, error) {
	b, err := g.bytes(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

func checkGGUF(r io.Reader, size int64) error {
	g := &ggufReader{r: r, size: size}
	if size < 24 {
		return fmt.Errorf("%w: it has %d bytes, and a GGUF header has 24", errTruncated, size)
	}
	magic, err := g.bytes(4)
	if err != nil {
		return err
	}
	if string(magic) != ggufMagic {
		return fmt.Errorf("it is not a GGUF file: it begins with %q", magic)
	}
	version, err := g.u32()
	if err != nil {
		return err
	}
	if version < 2 || version > 3 {
		return fmt.Errorf("it is GGUF version %d (as little-endian number), and versions 2 and 3 are known", version)
	}
	tensors, err := g.u64()
	if err != nil {
		return err
	}
	pairs, err := g.u64()
	if err != nil {
		return err
	}
	if tensors > uint64(g.left())/minTensorSize {
		return fmt.Errorf("%w: it claims %d tensors, more than its %d bytes can hold", errTruncated, tensors, size)
	}
	if pairs > uint64(g.left())/minPairSize {
		return fmt.Errorf("%w: it claims %d metadata entries, more than its %d bytes can hold", errTruncated, pairs, size)
	}
	if tensors == 0 {
		return errors.New("it has no tensors")
	}
	align := uint64(defaultAlign)
	for i := range pairs {
		if err := g.pair(&align); err != nil {
			return fmt.Errorf("metadata entry %d of %d: %w", i+1, pairs, err)
		}
	}
	end := uint64(0)
	for i := range tensors {
		e, err := g.tensor()
		if err != nil {
			return fmt.Errorf("tensor %d of %d: %w", i+1, tensors, err)
		}
		end = max(end, e)
	}
	data := (uint64(g.pos) + align - 1) / align * align
	if need := data + end; need > uint64(size) {
		return fmt.Errorf("%w: its tensors end at byte %d, and it has %d", errTruncated, need, size)
	}
	return nil
}

// Sizes of the value types of metadata; 8 is a string and 9 an array.
var ggufSizes = map[uint32]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

const (
	ggufUint32 = 4
	ggufString = 8
	ggufArray  = 9
)

func (g *ggufReader) pair(align *uint64) error {
	n, err := g.u64()
	if err != nil {
		return err
	}
	if n > maxKey {
		return fmt.Errorf("its key has %d bytes", n)
	}
	b, err := g.bytes(int(n))
	if err != nil {
		return err
	}
	key := string(b)
	kind, err := g.u32()
	if err != nil {
		return err
	}
	if key == "general.alignment" && kind == ggufUint32 {
		v, err := g.u32()
		if err != nil {
			return err
		}
		if v == 0 || v&(v-1) != 0 || v > 1<<20 {
			return fmt.Errorf("general.alignment is %d, not a power of two", v)
		}
		*align = uint64(v)
		return nil
	}
	if err := g.value(kind); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	return nil
}

func (g *ggufReader) value(kind uint32) error {
	switch kind {
	case ggufString:
		n, err := g.u64()
		if err != nil {
			return err
		}
		return g.skip(n)
	case ggufArray:
		of, err := g.u32()
		if err != nil {
			return err
		}
		n, err := g.u64()
		if err != nil {
			return err
		}
		if of == ggufString {
			if n > uint64(g.left())/8 {
				return fmt.Errorf("%w: it claims an array of %d strings, more than can follow", errTruncated, n)
			}
			for range n {
				if err := g.value(ggufString); err != nil {
					return err
				}
			}
			return nil
		}
		size, ok := ggufSizes[of]
		if !ok {
			return fmt.Errorf("an array of the unknown type %d", of)
		}
		if n > uint64(g.left())/size {
			return fmt.Errorf("%w: it claims an array of %d values, more than can follow", errTruncated, n)
		}
		return g.skip(n * size)
	}
	size, ok := ggufSizes[kind]
	if !ok {
		return fmt.Errorf("a value of the unknown type %d", kind)
	}
	return g.skip(size)
}

// tensor returns where the tensor's data ends, counted from where all data begins.
func (g *ggufReader) tensor() (end uint64, err error) {
	n, err := g.u64()
	if err != nil {
		return 0, err
	}
	if n > maxKey {
		return 0, fmt.Errorf("its name has %d bytes", n)
	}
	if err := g.skip(n); err != nil {
		return 0, err
	}
	dims, err := g.u32()
	if err != nil {
		return 0, err
	}
	if dims == 0 || dims > maxDims {
		return 0, fmt.Errorf("it has %d dimensions, and there may be 1 to %d", dims, maxDims)
	}
	elements := uint64(1)
	for range dims {
		d, err := g.u64()
		if err != nil {
			return 0, err
		}
		if d == 0 || d > 1<<40 || elements > 1<<50/d {
			return 0, fmt.Errorf("it has a dimension of %d", d)
		}
		elements *= d
	}
	kind, err := g.u32()
	if err != nil {
		return 0, err
	}
	offset, err := g.u64()
	if err != nil {
		return 0, err
	}
	if offset > uint64(g.size) {
		return 0, fmt.Errorf("%w: its data begin at %d, and the file has %d bytes", errTruncated, offset, g.size)
	}
	b, ok := blocks[kind]
	if !ok {
		return offset, nil // a newer type than these: llama.cpp will say
	}
	return offset + (elements+b.elements-1)/b.elements*b.bytes, nil
}

type block struct{ elements, bytes uint64 }

// blocks are the sizes of ggml's tensor types, by their number.
var blocks = map[uint32]block{
	0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, 9: {32, 36},
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, 15: {256, 292},
	16: {256, 66}, 17: {256, 74}, 18: {256, 98}, 19: {256, 50}, 20: {32, 18}, 21: {256, 110}, 22: {256, 82}, 23: {256, 136},
	24: {1, 1}, 25: {1, 2}, 26: {1, 4}, 27: {1, 8}, 28: {1, 8}, 29: {256, 56}, 30: {1, 2}, 34: {256, 54}, 35: {256, 66},
}
