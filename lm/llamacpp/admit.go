package llamacpp

import (
	"slices"
)

// mostHeld is for how many steps requests are held back to start together.
const mostHeld = 4

// held reports whether the waiting jobs had better start a little later: while others
// draw, until half of the slots are free. A step of one prompt takes far longer for each
// token than one of several, since llama.cpp attends to 64 tokens at once.
func (s *scheduler) held() bool {
	free := s.slots - len(s.running)
	drawing := slices.ContainsFunc(s.running, (*job).drawing)
	if len(s.waiting) == 0 || !drawing || 2*free >= s.slots || s.hold >= mostHeld {
		s.hold = 0
		return false
	}
	if free > 0 {
		s.hold++
	}
	return true
}

// admit starts waiting jobs while there are slots and cells.
func (s *scheduler) admit() {
	if s.held() {
		return
	}
	left := s.waiting[:0]
	for i, j := range s.waiting {
		if len(s.running) >= s.slots {
			left = append(left, s.waiting[i:]...)
			break
		}
		if !s.start(j) { // those behind it wait, or it would never have its turn
			left = append(left, s.waiting[i:]...)
			break
		}
	}
	clear(s.waiting[len(left):])
	s.waiting = left
}

// start gives a waiting job its beginning and makes it run, or reports that there is no
// room for it yet.
func (s *scheduler) start(j *job) bool {
	var n int
	var err error
	if s.chunk > 0 {
		j.seq, n, err = s.rewind(j)
	} else {
		from, have := s.donor(j.reusable())
		if !s.makeRoom(j, have) || (from != nil && len(from.tokens) < have) { // or it was evicted all the same
			return false
		}
		j.seq, n = s.kv.fork(from, have), have
	}
	if err != nil {
		s.end(j, outcome{err: err})
		return true
	}
	j.usage.CachedTokens += max(min(n, j.promptTokens)-j.usage.CachedTokens, 0)
	j.counted = max(j.counted, n)
	s.running = append(s.running, j)
	return true
}

// reusable are the tokens of the target that need not be evaluated for this job: all
// but those whose logits it reads.
func (j *job) reusable() []int32 {
	if j.along != nil {
		return j.target[:j.along.from]
	}
	return j.target[:len(j.target)-1]
}

// makeRoom evicts until the cells suffice for all that the running jobs may still
// take and for the job, of whose target n tokens are there. So a job that has been
// started is hardly ever stopped for want of cells.
func (s *scheduler) makeRoom(j *job, n int) bool {
	need := j.need(n)
	for i, r := range s.running {
		have := len(r.seq.tokens)
		for _, other := range s.running[:i] { // what both have to evaluate is counted once
			have = max(have, common(other.target, r.target))
		}
		need += r.need(have)
	}
	for _, r := range s.running {
		if c := common(r.target, j.target); c > n {
			need -= c - n
			n = c
		}
	}
	if s.kv.room()+s.kept.tokens < need {
		return false // and what is kept stays
	}
	for s.kv.room() < need {
		if !s.evict() {
			return false
		}
	}
	return true
}

// need is the number of cells that the job may take beyond n tokens of its target.
func (j *job) need(n int) int { return max(j.promptTokens+j.reserve, len(j.target)) - n }

// preempt sends the request that came last back to wait for the others, when the cells
// do not suffice for one step: forms may have closed with more text than was set
// aside. It goes on from where it was.
func (s *scheduler) preempt() {
	j := s.running[len(s.running)-1]
	if len(s.running) == 1 {
		s.fail(j, j.outgrown(s.limits.cells))
		return
	}
	s.running = s.running[:len(s.running)-1]
	s.kv.drop(j.seq)
	j.seq = nil
	j.reserve = min(max(j.reserve, len(j.target)-j.promptTokens+closingTokens), s.limits.cells-j.promptTokens)
	s.waiting = append([]*job{j}, s.waiting...)
}
