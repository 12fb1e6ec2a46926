package llamacpp

const (
	// maxRetained is how many sequences are kept for their prefix where the cache has
	// no size of its own. Each costs llama.cpp a row of logits.
	maxRetained = 32
	// onceUsed is how much less patience there is with a prefix that one request alone
	// has had: the end of a prompt comes again more seldom than its beginning.
	onceUsed = 32
)

// retain keeps the sequence of a request that has left.
func (s *scheduler) retain(seq *sequence) {
	if len(seq.tokens) == 0 {
		s.kv.drop(seq)
		return
	}
	if s.chunk > 0 {
		s.last = seq
		return
	}
	s.kept.add(seq, s.stats.Computed)
	for s.kept.leaves > s.retained || (s.cache > 0 && s.kept.tokens > s.cache) {
		s.evict()
	}
}

// evict forgets the end of the prefix that is worth least and reports whether there
// was one.
func (s *scheduler) evict() bool {
	leaf := s.kept.oldest(s.expiry)
	if leaf == nil {
		return false
	}
	s.kept.forget(leaf)
	return true
}

// expiry is the count of evaluated tokens at which a leaf's cells have cost more than
// they will save; with a size of the cache it is only the order in which leaves go.
func (s *scheduler) expiry(p *prefix) int {
	if s.cache > 0 {
		return p.used
	}
	if p.uses > 1 {
		return p.used + s.patience
	}
	return p.used + s.patience/onceUsed
}

// expire forgets what is past its time. A cache whose size the caller has chosen is
// left to fill.
func (s *scheduler) expire() {
	if s.cache > 0 {
		return
	}
	for {
		leaf := s.kept.oldest(s.expiry)
		if leaf == nil || s.expiry(leaf) >= s.stats.Computed {
			return
		}
		s.kept.forget(leaf)
	}
}

// donor finds the sequence, running or kept, that has most of tokens computed
// already, and how many. The last token is never taken: its logits are needed.
func (s *scheduler) donor(tokens []int32) (from *sequence, n int) {
	at, n := s.kept.find(tokens)
	if n > 0 {
		from = at.holder()
		s.kept.touch(at, s.stats.Computed)
	}
	for _, j := range s.running {
		if c := common(j.seq.tokens, tokens); c > n {
			from, n = j.seq, c
		}
	}
	return from, n
}
