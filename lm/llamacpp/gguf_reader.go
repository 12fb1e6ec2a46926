package llamacpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ggufReader reads a header and knows how much of the file is left, so that no
// count is believed that the rest of the file could not hold.
type ggufReader struct {
	r         io.Reader
	size, pos int64
	scratch   []byte
}

var errTruncated = errors.New("the file is truncated or damaged")

// What llama.cpp reads at most.
const (
	maxString = 1 << 30 // bytes
	maxArray  = 1 << 30 // values
)

func (g *ggufReader) left() int64 { return g.size - g.pos }

func (g *ggufReader) skip(n uint64) error {
	if n > uint64(max(g.left(), 0)) {
		return fmt.Errorf("%w: its header needs %d bytes more at offset %d, and %d follow", errTruncated, n, g.pos, g.left())
	}
	if b, ok := g.r.(interface{ Discard(n int) (int, error) }); ok {
		c, err := b.Discard(int(n))
		g.pos += int64(c)
		return err
	}
	c, err := io.CopyN(io.Discard, g.r, int64(n))
	g.pos += c
	return err
}

// bytes returns the next ones, which are valid until the next call.
func (g *ggufReader) bytes(n int) ([]byte, error) {
	if int64(n) > g.left() {
		return nil, fmt.Errorf("%w: it ends inside its header, at offset %d", errTruncated, g.size)
	}
	if n > cap(g.scratch) {
		g.scratch = make([]byte, max(n, 256))
	}
	b := g.scratch[:n]
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

// length reads how many bytes a string has, all of which follow.
func (g *ggufReader) length() (uint64, error) {
	n, err := g.u64()
	if err != nil {
		return 0, err
	}
	if n > uint64(max(g.left(), 0)) {
		return 0, fmt.Errorf("%w: a text of %d bytes is claimed at offset %d, and %d follow", errTruncated, n, g.pos-8, g.left())
	}
	if n > maxString {
		return 0, fmt.Errorf("a text of %d bytes at offset %d, and llama.cpp reads at most %d", n, g.pos-8, maxString)
	}
	return n, nil
}

// text reads a string of at most this many bytes.
func (g *ggufReader) text(limit uint64) (string, error) {
	n, err := g.length()
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", fmt.Errorf("a name of %d bytes, and there may be %d", n, limit)
	}
	b, err := g.bytes(int(n))
	return string(b), err
}
