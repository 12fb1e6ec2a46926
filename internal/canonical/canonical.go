// Package canonical gives equal requests equal digests: what the answer stores of lm/cache
// and optimize know a request by.
package canonical

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"

	"github.com/whetgo/whet/lm"
)

// Digest is the hash of a canonical request.
type Digest [sha256.Size]byte

// Request hashes all of a request that decides its answer. With loose set, the
// biases of the last hole, which must be a choice, are left out: they decide
// which alternative is picked, but not how likely each is.
func Request(r *lm.Request, loose bool) Digest {
	w := writer{h: sha256.New()}
	w.str(r.Prompt)
	w.num(len(r.Messages))
	for _, m := range r.Messages {
		w.str(string(m.Role))
		w.num(len(m.Parts))
		for _, p := range m.Parts {
			w.str(p.Text)
			w.flag(p.Blob != nil)
			if p.Blob != nil {
				w.num(int(p.Blob.Kind))
				w.str(p.Blob.ID)
				w.str(p.Blob.Name)
				w.str(p.Blob.MIME)
				w.str(string(p.Blob.Data))
				w.str(p.Blob.URL)
			}
		}
	}
	for _, m := range r.Messages {
		w.num(len(m.ToolCalls))
		for _, c := range m.ToolCalls {
			w.str(c.ID)
			w.str(c.Name)
			w.str(c.Arguments)
		}
		w.str(m.ToolCallID)
	}
	w.num(len(r.Tools))
	for _, t := range r.Tools {
		w.str(t.Name)
		w.str(t.Description)
		w.str(string(t.Parameters))
	}
	w.str(string(r.ToolChoice))
	w.shape(r.Shape, loose)
	w.float(r.Temperature)
	w.float(r.TopP)
	w.num(r.TopK)
	w.float(r.MinP)
	w.flag(r.Logprobs)
	w.num(r.TopLogprobs)
	w.flag(r.Seed != nil)
	if r.Seed != nil {
		w.bits(*r.Seed)
	}
	w.flag(r.ResponseFormat != nil)
	if f := r.ResponseFormat; f != nil {
		w.str(f.Name)
		w.str(string(f.Schema))
	}
	w.num(r.MaxTokens)
	w.num(len(r.Stop))
	for _, s := range r.Stop {
		w.str(s)
	}
	w.num(r.Rollout)
	w.flag(loose)
	var d Digest
	w.h.Sum(d[:0])
	return d
}

// writer writes values so that no two lists of values give the same
// bytes: a text comes after its length.
type writer struct {
	h   hash.Hash
	buf []byte
}

func (w *writer) bits(v uint64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf[:0], v)
	_, _ = w.h.Write(w.buf) // a hash never fails
}

func (w *writer) num(n int) { w.bits(uint64(n)) }

func (w *writer) str(s string) {
	w.num(len(s))
	w.buf = append(w.buf[:0], s...)
	_, _ = w.h.Write(w.buf)
}

func (w *writer) flag(b bool) {
	if b {
		w.bits(1)
	} else {
		w.bits(0)
	}
}

func (w *writer) float(f *float64) {
	w.flag(f != nil)
	if f != nil {
		w.bits(math.Float64bits(*f))
	}
}

func (w *writer) shape(s *lm.Shape, loose bool) {
	w.flag(s != nil)
	if s == nil {
		return
	}
	last := LastHole(s)
	w.num(len(s.Segments))
	for i, seg := range s.Segments {
		w.str(seg.Literal)
		w.num(int(seg.Hole))
		w.str(seg.Name)
		w.str(string(seg.Schema))
		w.str(seg.Pattern)
		w.num(len(seg.Choices))
		for _, c := range seg.Choices {
			w.str(c.Text)
			if !loose || i != last {
				w.bits(math.Float64bits(c.Bias + 0)) // -0 counts as 0
			}
		}
	}
}

// LastHole returns the index of a shape's last hole, or -1.
func LastHole(s *lm.Shape) int {
	for i := len(s.Segments) - 1; i >= 0; i-- {
		if s.Segments[i].Hole != lm.HoleNone {
			return i
		}
	}
	return -1
}
