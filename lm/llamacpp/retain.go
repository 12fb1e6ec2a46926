package llamacpp

import "slices"

// maxRetained is how many sequences are kept for their prefix. Every cell that is
// in use makes attention dearer, whatever sequence it belongs to, so there is no
// use in keeping many.
const maxRetained = 16

// retained is a sequence that no request uses any more, kept because the next
// request may begin alike.
type retained struct {
	seq *sequence
	// used is the scheduler's count of evaluated tokens when a request last took
	// a prefix of it.
	used int
}

// retain keeps the sequence of a request that has left. Entries that share most of
// their tokens with it make way: of many requests with one prefix only the last is
// kept.
func (s *scheduler) retain(seq *sequence) {
	if len(seq.tokens) == 0 {
		s.kv.drop(seq)
		return
	}
	s.kept = slices.DeleteFunc(s.kept, func(r retained) bool {
		if 2*common(r.seq.tokens, seq.tokens) < len(r.seq.tokens) {
			return false
		}
		s.kv.drop(r.seq)
		return true
	})
	s.kept = append(s.kept, retained{seq, s.stats.evaluated})
	if len(s.kept) > maxRetained {
		s.evict()
	}
}

// evict drops the entry that has been idle longest and reports whether there was one.
func (s *scheduler) evict() bool {
	if len(s.kept) == 0 {
		return false
	}
	oldest := 0
	for i, r := range s.kept {
		if r.used < s.kept[oldest].used {
			oldest = i
		}
	}
	s.kv.drop(s.kept[oldest].seq)
	s.kept = slices.Delete(s.kept, oldest, oldest+1)
	return true
}

// expire drops the entries whose cells have cost more than they will save.
func (s *scheduler) expire() {
	s.kept = slices.DeleteFunc(s.kept, func(r retained) bool {
		if s.stats.evaluated-r.used <= s.patience {
			return false
		}
		s.kv.drop(r.seq)
		return true
	})
}

// donor finds the sequence, running or kept, that has most of tokens computed
// already, and how many; a few are not worth the attention to cells elsewhere. The
// last token is never taken: its logits are needed.
func (s *scheduler) donor(tokens []int32) (best *sequence, n, kept int) {
	tokens = tokens[:len(tokens)-1]
	kept = -1
	for i, r := range s.kept {
		if c := common(r.seq.tokens, tokens); c > n {
			best, n, kept = r.seq, c, i
		}
	}
	for _, j := range s.running {
		if c := common(j.seq.tokens, tokens); c > n {
			best, n, kept = j.seq, c, -1
		}
	}
	if n < worthwhile {
		return nil, 0, -1
	}
	return best, n, kept
}

// inherit gives a new job its beginning. An entry that would make way for the job's
// sequence anyway becomes that sequence: so its rest takes no cells meanwhile, and
// the same request, sent again, is computed in the same cells with the same result.
func (s *scheduler) inherit(from *sequence, n int) (*sequence, error) {
	kept := slices.IndexFunc(s.kept, func(r retained) bool { return r.seq == from })
	if kept < 0 || 2*n < len(from.tokens) {
		return s.kv.fork(from, n), nil
	}
	s.kept = slices.Delete(s.kept, kept, kept+1)
	if err := s.kv.truncate(from, n); err != nil {
		s.kv.drop(from)
		return nil, err
	}
	return from, nil
}
