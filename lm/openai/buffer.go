package openai

import (
	"errors"
	"io"
)

// errTooLong is what a buffer returns that is full.
var errTooLong = errors.New("too long")

// buffer collects up to a limit of bytes in pieces, so that what is dropped for its length
// has never taken more memory than the limit.
type buffer struct {
	limit  int64
	length int64
	pieces [][]byte
}

const (
	minPiece = 4 << 10
	maxPiece = 1 << 20
)

// Write adds p, or nothing and returns errTooLong.
func (b *buffer) Write(p []byte) (int, error) {
	if b.length+int64(len(p)) > b.limit {
		return 0, errTooLong
	}
	b.length += int64(len(p))
	written := len(p)
	for len(p) > 0 {
		last := len(b.pieces) - 1
		if last < 0 || len(b.pieces[last]) == cap(b.pieces[last]) {
			b.pieces = append(b.pieces, make([]byte, 0, min(max(minPiece, b.length), maxPiece)))
			last++
		}
		piece := b.pieces[last]
		n := min(len(p), cap(piece)-len(piece))
		b.pieces[last] = append(piece, p[:n]...)
		p = p[n:]
	}
	return written, nil
}

// bytes returns everything in one piece. The buffer is empty afterwards.
func (b *buffer) bytes() []byte {
	pieces, length := b.pieces, b.length
	b.pieces, b.length = nil, 0
	if len(pieces) == 1 {
		return pieces[0]
	}
	out := make([]byte, 0, length)
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

// readAll reads to the end, or returns errTooLong.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b := buffer{limit: limit}
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		if _, full := b.Write(chunk[:n]); full != nil {
			return nil, full
		}
		if err == io.EOF {
			return b.bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}
