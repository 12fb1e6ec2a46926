package llamacpp

// exactChunk is how many tokens a Deterministic model evaluates at once. A prefix is
// taken over in whole chunks: a smaller one wastes less of it, and a larger one is
// evaluated faster.
const exactChunk = 32

// rewind gives a job of a Deterministic model its beginning: the one sequence that
// there is, cut back to the chunks that both have. Those were evaluated with nothing
// beside them and lie in the cells in which a fresh model would have put them, so that
// every number that follows is the same as if they were evaluated anew.
func (s *scheduler) rewind(j *job) (*sequence, int, error) {
	seq := s.last
	s.last = nil
	if seq == nil {
		return s.kv.fork(nil, 0), 0, nil
	}
	n := min(common(seq.tokens, j.reusable()), seq.exact) / s.chunk * s.chunk
	if n > 0 {
		if err := s.kv.truncate(seq, n); err != nil {
			s.kv.drop(seq)
			return nil, 0, err
		}
		return seq, n, nil
	}
	s.kv.drop(seq)
	return s.kv.fork(nil, 0), 0, nil
}
