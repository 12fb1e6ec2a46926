package llamacpp

// embedEngine computes the states of tokens: the seam between the embedder's goroutine
// and llama.cpp. Only that goroutine calls it, except for abort and tokenize.
type embedEngine interface {
	facts() embedFacts
	// step computes the tokens of b and adds their states up as it says. After an error
	// the sequences that b names may hold a part of the tokens.
	step(b *embedBatch) error
	// forget makes the sequence empty.
	forget(seq int32)
	// abort makes a step that is running, and every later one, end with errAborted,
	// until it is called with false.
	abort(on bool)
	// tokenize returns the tokens of a text and those that the model wants about it. It
	// is safe for concurrent use.
	tokenize(text string) []int32
	free()
}

// embedFacts is what an engine says of its model.
type embedFacts struct {
	limits embedLimits
	width  int  // of a vector
	whole  bool // a text must be computed in one step
	pool   Pool // never PoolDefault
}

// embedBatch is the work of one step, laid out flat as C wants it.
type embedBatch struct {
	token, pos, seq []int32
	into            []int32   // the row of sum that the token's state is added to, or -1
	sum             []float64 // a row of a vector's width for each part
	parts           []embedPart
}

// embedPart is what a step computes of a text: its tokens up to the index end.
type embedPart struct {
	text *embedText
	end  int
}

func (b *embedBatch) reset() {
	b.token, b.pos, b.seq, b.into = b.token[:0], b.pos[:0], b.seq[:0], b.into[:0]
	b.sum = b.sum[:0]
	clear(b.parts)
	b.parts = b.parts[:0]
}

// add appends the tokens of the text from where it is up to end.
func (b *embedBatch) add(t *embedText, end int, pool Pool, width int) {
	row := int32(len(b.parts))
	tokens := t.tokens()
	for i := t.done; i < end; i++ {
		into := int32(-1)
		if pool == PoolMean || pool == PoolCLS && i == 0 || pool == PoolLast && i == len(tokens)-1 {
			into = row
		}
		b.token = append(b.token, tokens[i])
		b.pos = append(b.pos, int32(i))
		b.seq = append(b.seq, t.seq)
		b.into = append(b.into, into)
	}
	b.parts = append(b.parts, embedPart{text: t, end: end})
	b.sum = append(b.sum, make([]float64, width)...)
}

// row returns the sum of the i-th part.
func (b *embedBatch) row(i, width int) []float64 { return b.sum[i*width : (i+1)*width] }
