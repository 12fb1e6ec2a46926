package llamacpp

import "slices"

const (
	// leastMatch is how many tokens must have come before in the same order.
	leastMatch = 3
	// firstReach and mostReach are how many tokens are guessed at first and at most.
	firstReach, mostReach = 4, 12
	// draftStep is how many tokens a step with guesses has at most: below this number
	// llama.cpp attends to the cells of each token alone, and above it to those of all.
	draftStep = 60
)

// drafting is a job's luck with guesses.
type drafting struct {
	reach int // tokens of the next guess
	pause int // steps without one
	miss  int // guesses in a row of which nothing was right
}

// guess returns the tokens that the text will go on with if it repeats itself: those
// that followed when its last tokens came last time, after the longest match. A reply
// repeats the markers of the demos and words of the question (prompt lookup decoding:
// Saxena, 2023, after Yang et al., "Inference with Reference", 2023).
func guess(tokens []int32, n int) []int32 {
	last := len(tokens) - 1
	best, length := -1, leastMatch-1
	for end := last - 1; end >= leastMatch-1; end-- {
		if tokens[end] != tokens[last] {
			continue
		}
		m := 1
		for m <= end && m < 4*leastMatch && tokens[end-m] == tokens[last-m] {
			m++
		}
		if m > length {
			best, length = end, m
		}
	}
	if best < 0 {
		return nil
	}
	return slices.Clone(tokens[best+1 : min(best+1+n, len(tokens))])
}

// draft returns the tokens that are guessed to follow a job's target: it costs little to
// evaluate them in the same step, and those that are right need no step of their own.
func (s *scheduler) draft(j *job, drawing int) []int32 {
	if s.chunk > 0 || !s.drafts || j.sampling.temperature > 0 || j.logprobs || j.segments[j.at].grammar != nil {
		return nil
	}
	d := &j.drafting
	if d.pause > 0 {
		d.pause--
		return nil
	}
	if d.reach == 0 {
		d.reach = firstReach
	}
	set := s.slots // aside: the other jobs' outputs, and a path of a choice, which must fit whole
	if slices.ContainsFunc(s.running, func(r *job) bool { return r.tree != nil }) {
		set += maxPath
	}
	n := min(d.reach, draftStep/drawing-1, j.budget-1, s.limits.outputs-len(s.batch.outIndex)-set)
	n = min(n, s.limits.batch-s.batch.len()-set, s.kv.room()-s.batch.len()-set)
	if n < 1 {
		return nil
	}
	draft := guess(j.target, n)
	// A message ends the reply, and what comes behind it would be for nothing.
	if end := slices.IndexFunc(draft, func(token int32) bool { return j.vocab.piece(token) == "" }); end >= 0 {
		draft = draft[:end]
	}
	return draft
}

// addDraft adds guessed tokens behind the part's last.
func (s *scheduler) addDraft(p *part, draft []int32) {
	for i, token := range draft {
		index := s.batch.add(token, len(p.job.target)+i, p.job.seq.id)
		p.draft = append(p.draft, token)
		p.drafted = append(p.drafted, s.batch.want(index, wantBest))
	}
}

// drawDrafted takes the tokens that a step has drawn behind guesses, as long as these
// were right.
func (s *scheduler) drawDrafted(p *part) (filled bool, err error) {
	j := p.job
	right := 0
	token := s.batch.best[p.output.out]
	for {
		if filled, _ = j.take(token); filled || right == len(p.draft) || token != p.draft[right] {
			break
		}
		s.kv.extend(j.seq, token, s.kv.cell())
		j.usage.ComputedTokens++
		token = s.batch.best[p.drafted[right].out]
		right++
	}
	if !s.dec.cutSeq(j.seq.id, len(j.seq.tokens)) {
		s.kv.drop(j.seq) // it holds tokens that nobody counts
		j.seq = nil
		return false, backendFailure(errNoCut)
	}
	j.usage.ComputedTokens += len(p.draft) - right
	d := &j.drafting
	switch {
	case right == len(p.draft):
		d.reach, d.miss = min(2*d.reach, mostReach), 0
	case right > 0:
		d.reach, d.miss = max(right, 2), 0
	default:
		d.miss++
		d.reach, d.pause = 2, 1<<min(d.miss, 4)
	}
	return filled, nil
}
