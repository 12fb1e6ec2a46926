package llamacpp

import "errors"

// decoder evaluates tokens: the seam between the scheduler, which is plain Go, and
// llama.cpp. Only the scheduler's goroutine calls it, except for abort.
//
// A sequence is a number below limits.sequences; it holds a token at each position
// from 0 up to its length.
type decoder interface {
	// decode evaluates the tokens of b and fills in the outputs that it asks for.
	// After an error the sequences that b names may hold a part of the tokens.
	decode(b *batch) error
	// row returns the logits of the i-th token of the last batch, for which an
	// output was asked. It is valid until the next decode.
	row(i int) []float32
	// handed is the number of tokens that llama_decode was given so far, those that only
	// fill up a step included.
	handed() int
	// copySeq makes dst, which must be empty, share the first n tokens of src.
	copySeq(src, dst int32, n int)
	// cutSeq forgets the tokens of seq from position n on and reports whether it
	// could. From 0 on it always can; otherwise seq stays as it is.
	cutSeq(seq int32, n int) bool
	// abort makes a decode that is running, and every later one, end with
	// errAborted, until it is called with false.
	abort(on bool)
}

// vocabulary turns text into tokens and back. It is safe for concurrent use.
type vocabulary interface {
	// tokenize returns the tokens of text. Only with special are the texts of
	// special tokens made into them; otherwise they are text like any other.
	tokenize(text string, special bool) []int32
	// piece returns the bytes that a token stands for; none for a special token.
	piece(token int32) string
	// isEnd reports whether the token ends a reply.
	isEnd(token int32) bool
}

// limits are the sizes that a decoder was made with.
type limits struct {
	cells     int // tokens of all sequences together
	batch     int // tokens of one step
	sequences int // sequence ids
	outputs   int // tokens of one step whose logits may be asked for
}

// engine is a loaded model.
type engine interface {
	decoder
	vocabulary
	info() info
	free()
}

// info is what an engine says of its model.
type info struct {
	limits       limits
	vocab        int    // tokens of the vocabulary
	chatTemplate string // of the model file, or ""
	addBOS       bool
	bos          int32 // or -1
	endOfTurn    int32 // what ends a reply, or -1
	// patience is the number of tokens after whose evaluation it has cost more to
	// attend to a cell that nobody used than to compute it again.
	patience int
}

var (
	errAborted = errors.New("llama_decode was aborted")
	errNoRoom  = errors.New("the KV cache has no room for the batch")
	errNoCut   = errors.New("a sequence in the KV cache cannot be cut back to its beginning")
)

// batch is the work of one step, laid out flat as C wants it.
type batch struct {
	token, pos []int32
	owners     [][]int32 // the sequences that each token belongs to
	seqCount   []int32   // how many they are, and which, laid out by lay
	seq        []int32

	// Several outputs may be of one token. outTargets counts the targets of each.
	outIndex, outWant, outTargets []int32
	target                        []int32

	best        []int32   // of an output that wants it: the token of the largest logit
	lse         []float64 // of an output that wants it: the logarithm of the sum of all exp(logit)
	targetLogit []float32
}

// What an output may want; C's WHET_BEST and WHET_LSE.
const (
	wantRow  = 0 // the decoder's row, which there is for each output
	wantBest = 1
	wantLSE  = 2
)

func (b *batch) reset() {
	b.token, b.pos, b.owners, b.seqCount, b.seq = b.token[:0], b.pos[:0], b.owners[:0], b.seqCount[:0], b.seq[:0]
	b.outIndex, b.outWant, b.outTargets, b.target = b.outIndex[:0], b.outWant[:0], b.outTargets[:0], b.target[:0]
	b.best, b.lse, b.targetLogit = b.best[:0], b.lse[:0], b.targetLogit[:0]
}

func (b *batch) len() int { return len(b.token) }

// add appends a token and returns its index.
func (b *batch) add(token int32, pos int, seqs ...int32) int {
	b.token = append(b.token, token)
	b.pos = append(b.pos, int32(pos))
	i := len(b.token) - 1
	if i < cap(b.owners) {
		b.owners = b.owners[:i+1] // with the memory of an earlier step
	} else {
		b.owners = append(b.owners, nil)
	}
	b.owners[i] = append(b.owners[i][:0], seqs...)
	return i
}

// join makes a token belong to more sequences.
func (b *batch) join(index int, seqs ...int32) {
	b.owners[index] = append(b.owners[index], seqs...)
}

// lay writes down which sequences each token belongs to, once all have joined.
func (b *batch) lay() {
	b.seqCount, b.seq = b.seqCount[:0], b.seq[:0]
	for _, o := range b.owners {
		b.seqCount = append(b.seqCount, int32(len(o)))
		b.seq = append(b.seq, o...)
	}
}

// output is where the results of one output lie in a batch.
type output struct{ token, out, target int }

// want asks for an output of the token with this index.
func (b *batch) want(index int, what int32, targets ...int32) output {
	o := output{token: index, out: len(b.outIndex), target: len(b.target)}
	b.outIndex = append(b.outIndex, int32(index))
	b.outWant = append(b.outWant, what)
	b.outTargets = append(b.outTargets, int32(len(targets)))
	b.target = append(b.target, targets...)
	b.best = append(b.best, 0)
	b.lse = append(b.lse, 0)
	for range targets {
		b.targetLogit = append(b.targetLogit, 0)
	}
	return o
}
