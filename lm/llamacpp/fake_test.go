package llamacpp

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeEngine is an engine without a model: logits are a function of all the tokens
// up to a position, so that a sequence that holds anything else than it should shows.
// It checks what llama.cpp would assert, or compute nonsense from.
type fakeEngine struct {
	t       testing.TB
	facts   info
	delay   time.Duration // of each step
	stuck   bool          // sequences can be cut as a whole only
	repeats bool          // the model repeats what followed when its last two tokens came before
	broken  int           // the step that fails, counted from 1
	steps   int
	given   int             // tokens
	forget  bool            // what was seen
	seen    map[uint64]bool // each token with all before it that was evaluated
	stop    atomic.Bool
	freed   atomic.Bool
	seqs    map[int32][]int32 // tokens of each sequence
	shares  map[int32][]int   // cells of each sequence
	refs    map[int]int
	cell    int
	rows    map[int][]float32
	peak    int // cells in use at most
	mostIn  int // sequences with a new token in one step, at most
}

// The vocabulary: 0 ends a reply, 1 begins a text, 2 and 3 are special, then come the
// bytes, then some words.
const (
	fakeEnd, fakeBegin = 0, 1
	fakeBytes          = 4
	fakeVocab          = fakeBytes + 256 + 8
)

var (
	fakeWords   = []string{" ham", " spam", " sp", "am", "mer", "\n\n", "Label:", "ham\n"}
	fakeSpecial = []string{"<end>", "<begin>", "<|im_start|>", "<|im_end|>"}
)

var errBroken = errors.New("broken on purpose")

func newFake(t testing.TB, cells int) *fakeEngine {
	cfg := config{slots: 4, queue: 64}
	l := cfg.limits(cells)
	l.batch = 64
	return &fakeEngine{
		t: t, facts: info{
			limits: l, vocab: fakeVocab, addBOS: true, bos: fakeBegin, endOfTurn: fakeEnd, patience: 1 << 30,
			chatTemplate: "<|im_start|>",
		},
		seqs: map[int32][]int32{}, shares: map[int32][]int{}, refs: map[int]int{}, seen: map[uint64]bool{},
	}
}

func (f *fakeEngine) info() info { return f.facts }

func (f *fakeEngine) free() { f.freed.Store(true) }

func (f *fakeEngine) tokenize(text string, special bool) []int32 {
	var out []int32
next:
	for text != "" {
		if special {
			for i, s := range fakeSpecial {
				if strings.HasPrefix(text, s) {
					out, text = append(out, int32(i)), text[len(s):]
					continue next
				}
			}
		}
		best, length := int32(fakeBytes)+int32(text[0]), 1
		for i, w := range fakeWords {
			if strings.HasPrefix(text, w) && len(w) > length {
				best, length = int32(fakeBytes+256+i), len(w)
			}
		}
		out, text = append(out, best), text[length:]
	}
	return out
}

func (f *fakeEngine) piece(token int32) string {
	switch {
	case token < fakeBytes:
		return ""
	case token < fakeBytes+256:
		return string([]byte{byte(token - fakeBytes)})
	}
	return fakeWords[token-fakeBytes-256]
}

func (f *fakeEngine) isEnd(token int32) bool { return token == fakeEnd }

// fakeLogits makes the letters likely and the end of the reply a little, so that
// texts are of some length.
func fakeLogits(history []int32) []float32 {
	x := fakeHash(history) | 1
	out := make([]float32, fakeVocab)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = float32(x%1000) / 100
		if i >= 1 && i < fakeBytes+' ' {
			out[i] = -30
		}
	}
	return out
}

// repeatLogits makes the token likeliest that followed when the last two came before.
func repeatLogits(row []float32, history []int32) {
	last := len(history) - 1
	for i := last - 1; i > 0; i-- {
		if history[i] == history[last] && history[i-1] == history[last-1] {
			row[history[i+1]] = 50
			return
		}
	}
}

func fakeHash(history []int32) uint64 {
	h := fnv.New64a()
	for _, t := range history {
		h.Write([]byte{byte(t), byte(t >> 8)})
	}
	return h.Sum64()
}

func (f *fakeEngine) decode(b *batch) error {
	b.lay()
	if b.len() == 0 || b.len() > f.facts.limits.batch || len(b.outIndex) > f.facts.limits.outputs {
		f.t.Errorf("a batch of %d tokens and %d outputs", b.len(), len(b.outIndex))
	}
	for waited := time.Duration(0); waited < f.delay; waited += time.Millisecond {
		if f.stop.Load() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	f.steps++
	f.given += b.len()
	wanted := map[int]bool{}
	for _, i := range b.outIndex {
		wanted[int(i)] = true
	}
	f.rows = map[int][]float32{}
	touched := map[int32]bool{}
	at := 0
	for i, token := range b.token {
		if i > b.len()/2 { // half of the tokens stay
			if f.stop.Load() {
				return errAborted
			}
			if f.steps == f.broken {
				return errBroken
			}
		}
		ids := b.seq[at : at+int(b.seqCount[i])]
		at += len(ids)
		f.cell++
		for _, id := range ids {
			if id < 0 || int(id) >= f.facts.limits.sequences {
				f.t.Errorf("sequence %d", id)
			}
			f.hold(id, token, int(b.pos[i]))
			touched[id] = true
			if !slices.Equal(f.seqs[id], f.seqs[ids[0]]) {
				f.t.Errorf("a token belongs to sequences %d and %d, which differ", ids[0], id)
			}
		}
		if !f.forget {
			f.seen[fakeHash(f.seqs[ids[0]])] = true
		}
		if wanted[i] {
			f.rows[i] = fakeLogits(f.seqs[ids[0]])
			if f.repeats {
				repeatLogits(f.rows[i], f.seqs[ids[0]])
			}
		}
	}
	if f.stop.Load() {
		return errAborted
	}
	f.peak = max(f.peak, len(f.refs))
	f.mostIn = max(f.mostIn, len(touched))
	if len(f.refs) > f.facts.limits.cells {
		f.t.Errorf("%d cells are in use, and there are %d", len(f.refs), f.facts.limits.cells)
	}
	for o, i := range b.outIndex {
		row := f.rows[int(i)]
		best, sum := 0, 0.0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
			sum += math.Exp(float64(v))
		}
		b.best[o], b.lse[o] = int32(best), math.Log(sum)
	}
	at = 0
	for o, i := range b.outIndex {
		for range b.outTargets[o] {
			b.targetLogit[at] = f.rows[int(i)][b.target[at]]
			at++
		}
	}
	return nil
}

// hold puts a token at the end of a sequence, in the cell at hand.
func (f *fakeEngine) hold(id, token int32, pos int) {
	if pos != len(f.seqs[id]) {
		f.t.Errorf("sequence %d has %d tokens and gets one at %d", id, len(f.seqs[id]), pos)
	}
	f.seqs[id] = append(f.seqs[id], token)
	f.shares[id] = append(f.shares[id], f.cell)
	f.refs[f.cell]++
}

// put gives a sequence a token in a cell of its own, without a step.
func (f *fakeEngine) put(id, token int32, pos int) {
	f.cell++
	f.hold(id, token, pos)
}

func (f *fakeEngine) handed() int { return f.given }

func (f *fakeEngine) row(i int) []float32 { return f.rows[i] }

func (f *fakeEngine) copySeq(src, dst int32, n int) {
	if len(f.seqs[dst]) > 0 || n > len(f.seqs[src]) {
		f.t.Errorf("copy of %d tokens of %d (%d) to %d (%d)", n, src, len(f.seqs[src]), dst, len(f.seqs[dst]))
		return
	}
	f.seqs[dst] = slices.Clone(f.seqs[src][:n])
	f.shares[dst] = slices.Clone(f.shares[src][:n])
	for _, c := range f.shares[dst] {
		f.refs[c]++
	}
}

func (f *fakeEngine) cutSeq(seq int32, n int) bool {
	if f.stuck && n > 0 && n < len(f.seqs[seq]) {
		return false
	}
	for _, c := range f.shares[seq][min(n, len(f.shares[seq])):] {
		if f.refs[c]--; f.refs[c] == 0 {
			delete(f.refs, c)
		}
	}
	f.seqs[seq] = f.seqs[seq][:min(n, len(f.seqs[seq]))]
	f.shares[seq] = f.shares[seq][:min(n, len(f.shares[seq]))]
	return true
}

func (f *fakeEngine) abort(on bool) { f.stop.Store(on) }

// openFake returns a model on a fake engine, which is closed at the end of the test.
func openFake(t testing.TB, cells int, change ...func(*fakeEngine)) (*Model, *fakeEngine) {
	t.Helper()
	return openFakeWith(t, cells, config{slots: 4, queue: 64, maxTokens: 40}, change...)
}

func openFakeWith(t testing.TB, cells int, cfg config, change ...func(*fakeEngine)) (*Model, *fakeEngine) {
	t.Helper()
	f := newFake(t, cells)
	f.facts.limits = cfg.limits(cells)
	f.facts.limits.batch = 64
	for _, c := range change {
		c(f)
	}
	m, err := newModel(f, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.name = "fake"
	t.Cleanup(func() { m.Close() })
	return m, f
}

// fakeChoice computes an alternative's log-probability the plain way.
func fakeChoice(history, path []int32) float64 {
	sum := 0.0
	history = slices.Clone(history)
	for _, token := range path {
		row := fakeLogits(history)
		total := 0.0
		for _, v := range row {
			total += math.Exp(float64(v))
		}
		sum += float64(row[token]) - math.Log(total)
		history = append(history, token)
	}
	return sum
}

func (f *fakeEngine) String() string { return fmt.Sprintf("%d cells", len(f.refs)) }
