package llamacpp

import (
	"slices"

	"github.com/whetgo/whet/lm"
)

// part is what one job does in a step: some tokens of its target, and some paths of
// its choice.
type part struct {
	job      *job
	from     int      // tokens of the target that were evaluated before
	index    []int    // of each of the part's tokens in the batch
	last     bool     // the target ends here
	along    []output // of each token that is read along
	output   output   // of the target's last token
	paths    int      // of the tree
	branches []int32  // their sequences
	nodes    []int    // of the tree, with an output each
	outputs  []output
	draft    []int32 // tokens that are guessed to follow
	drafted  []output
}

// drawingShare is how much of a step prompts may take while other requests draw
// their tokens, which come one a step: a step that is full takes many times as long.
const drawingShare = 2

// build puts together the batch of the next step: first the jobs that draw tokens,
// one each, then prompts in the order of arrival. As long as others wait a prompt gets
// half of what is left, so that a long one does not hold up all that came after it.
func (s *scheduler) build() {
	s.batch.reset()
	s.parts = s.parts[:0]
	var prompts, drawing []*job
	for _, j := range s.running {
		switch {
		case j.finished():
		case j.drawing():
			drawing = append(drawing, j)
		default:
			prompts = append(prompts, j)
		}
	}
	for _, j := range drawing {
		if p := s.addPart(j, s.limits.batch); p != nil && p.last {
			s.addDraft(p, s.draft(j, len(drawing)))
		}
	}
	room := s.limits.batch
	if s.batch.len() > 0 {
		room = s.batch.len() + s.limits.batch/drawingShare
	}
	for i, j := range prompts {
		share := room - s.batch.len()
		if i+1 < len(prompts) {
			share = (share + 1) / 2
		}
		s.addPart(j, share)
	}
}

// drawing reports whether the job's next step gives it a token.
func (j *job) drawing() bool {
	return j.tree == nil && j.along == nil && len(j.target)-len(j.seq.tokens) == 1
}

// addPart adds a job's next tokens, at most this many that no other part has. It returns
// nil where there is no room for any.
func (s *scheduler) addPart(j *job, room int) *part {
	p := part{job: j, from: len(j.seq.tokens)}
	room = max(min(room, s.limits.batch-s.batch.len(), s.kv.room()-s.batch.len()), 0)
	rest := len(j.target) - p.from
	if s.chunk > 0 {
		rest = min(rest, s.chunk-p.from%s.chunk)
	}
	twin, shared, more := s.twin(j, p.from)
	n := min(rest, shared+room)
	if more {
		n = min(n, shared) // the twin will go on where its part ends
	}
	n -= max(j.outputsIn(p.from, p.from+n)-(s.limits.outputs-len(s.batch.outIndex)), 0)
	p.last = n > 0 && p.from+n == len(j.target)
	var paths [][]int
	if j.tree != nil && p.from+n == len(j.target) {
		paths = s.choosePaths(j.tree, room-max(n-shared, 0))
	}
	if n <= 0 && len(paths) == 0 {
		return nil
	}
	for range paths {
		id := s.kv.takeID()
		if p.from > 0 {
			s.dec.copySeq(j.seq.id, id, p.from)
		}
		p.branches = append(p.branches, id)
	}
	s.addTokens(&p, twin, min(shared, n), n)
	s.wantOutputs(&p)
	s.addPaths(&p, paths)
	s.parts = append(s.parts, p)
	return &s.parts[len(s.parts)-1]
}

// twin finds the part that evaluates most of what the job wants next, and how many
// tokens that is. So what requests have in common is evaluated once, also when they
// come all at once. more says that they have more in common than the part evaluates.
func (s *scheduler) twin(j *job, from int) (best *part, n int, more bool) {
	for i := range s.parts {
		p := &s.parts[i]
		// llama.cpp wants sequences that share a token to be of one length before.
		if p.from != from || len(p.index) == 0 || !slices.Equal(p.job.seq.tokens, j.seq.tokens) {
			continue
		}
		c := common(p.job.target[from:], j.target[from:])
		if have := min(c, len(p.index)); have > n {
			best, n, more = p, have, c > len(p.index)
		}
	}
	return best, n, more
}

// outputsIn is how many of the target's tokens in a range have an output.
func (j *job) outputsIn(from, to int) int {
	switch {
	case j.along != nil:
		return max(to-max(from, j.along.from), 0)
	case to == len(j.target) && to > from:
		return 1
	}
	return 0
}

// addTokens adds n tokens of the target, of which the first ones are the twin's. They
// belong to the branches, too.
func (s *scheduler) addTokens(p *part, twin *part, shared, n int) {
	seqs := append([]int32{p.job.seq.id}, p.branches...)
	for i := range n {
		if i < shared {
			s.batch.join(twin.index[i], seqs...)
			p.index = append(p.index, twin.index[i])
			continue
		}
		p.index = append(p.index, s.batch.add(p.job.target[p.from+i], p.from+i, seqs...))
	}
}

// wantOutputs asks for what the job reads at the end of its target, or along it.
func (s *scheduler) wantOutputs(p *part) {
	j := p.job
	if j.along != nil {
		for i, index := range p.index {
			if at := p.from + i; at >= j.along.from {
				p.along = append(p.along, s.batch.want(index, wantLSE, j.along.tokens[at+1]))
			}
		}
		return
	}
	if !p.last {
		return
	}
	last := p.index[len(p.index)-1]
	switch {
	case j.tree != nil:
		p.output = s.batch.want(last, wantLSE, j.tree.targets(0)...)
	case j.logprobs:
		p.output = s.batch.want(last, wantBest|wantLSE)
	case j.sampling.temperature > 0:
		p.output = s.batch.want(last, wantRow)
	default:
		p.output = s.batch.want(last, wantBest)
	}
}

// absorb takes in the results of the step.
func (s *scheduler) absorb() {
	s.stats.Steps++
	s.stats.Computed += s.batch.len()
	cells := make([]int32, s.batch.len())
	for i := range cells {
		cells[i] = -1
	}
	for i := range s.parts {
		p := &s.parts[i]
		j := p.job
		for k, index := range p.index {
			switch {
			case cells[index] < 0:
				cells[index] = s.kv.cell()
				j.usage.ComputedTokens++
			case p.from+k < j.promptTokens && j.usage.CachedTokens < j.promptTokens:
				j.usage.CachedTokens++ // by the twin
			}
			s.kv.extend(j.seq, j.target[p.from+k], cells[index])
		}
		if s.chunk > 0 && !p.last && len(p.index) == s.chunk && p.from == j.seq.exact {
			j.seq.exact += s.chunk
		}
		j.usage.ComputedTokens += len(p.nodes)
		j.count(p.from + len(p.index))
	}
	for i := range s.parts {
		p := &s.parts[i]
		err := s.look(p)
		s.freeBranches(p)
		switch {
		case err != nil:
			s.fail(p.job, err)
		case p.job.stream != nil:
			p.job.show()
		}
	}
	s.endFinished()
}

func (s *scheduler) freeBranches(p *part) {
	for _, id := range p.branches {
		s.kv.returnID(id)
	}
	p.branches = nil
}

// look reads a part's outputs and moves its job on.
func (s *scheduler) look(p *part) error {
	j := p.job
	switch {
	case j.along != nil:
		return s.lookAlong(p)
	case j.tree != nil:
		return s.lookAtChoice(p)
	case !p.last:
		return nil
	}
	draw := s.draw
	if len(p.draft) > 0 {
		draw = s.drawDrafted
	}
	filled, err := draw(p)
	if err != nil || !filled {
		return err
	}
	return s.moveOn(j)
}

// moveOn goes to the next hole and keeps of the sequence what its target begins with.
func (s *scheduler) moveOn(j *job) error {
	if err := j.advance(); err != nil || j.finished() {
		return err
	}
	return s.retarget(j)
}

// outgrown is the error of a reply that has become longer than was set aside for it.
func (j *job) outgrown(cells int) error {
	return &lm.Error{
		Kind: lm.ErrContextLength, Provider: provider,
		Err: &lm.ContextLengthError{Prompt: j.promptTokens, Reply: len(j.target) - j.promptTokens + 1, Limit: cells},
	}
}

// retarget makes the job's sequence a beginning of its target, which has changed.
func (s *scheduler) retarget(j *job) error {
	if len(j.target) > s.limits.cells {
		return j.outgrown(s.limits.cells)
	}
	return s.kv.truncate(j.seq, min(common(j.seq.tokens, j.target), len(j.target)-1))
}
