package llamacpp

import "github.com/whetgo/whet/lm"

// part is what one job does in a step: some tokens of its target, and some paths of
// its choice.
type part struct {
	job      *job
	tokens   int // of the target, after those that are evaluated
	last     bool
	output   output  // of the target's last token
	paths    int     // of the tree
	branches []int32 // their sequences
	nodes    []int   // of the tree, with an output each
	outputs  []output
}

// build puts together the batch of the next step: first the jobs that draw tokens,
// one each, then prompts in the order of arrival as far as there is room.
func (s *scheduler) build() {
	s.batch.reset()
	s.parts = s.parts[:0]
	for _, drawing := range []bool{true, false} {
		for _, j := range s.running {
			rest := len(j.target) - len(j.seq.tokens)
			if !j.finished() && (rest == 1 && j.tree == nil) == drawing {
				s.addPart(j, rest)
			}
		}
	}
}

func (s *scheduler) addPart(j *job, rest int) {
	room := min(s.limits.batch, s.kv.room()) - s.batch.len()
	p := part{job: j, tokens: min(rest, room)}
	if p.tokens < rest || len(s.batch.outIndex) >= s.limits.outputs {
		// The last token waits for its output, and the branches wait for it.
		if p.tokens = min(p.tokens, rest-1); p.tokens <= 0 {
			return
		}
		s.addTokens(&p, nil)
		s.parts = append(s.parts, p)
		return
	}
	p.last = rest > 0
	var paths [][]int
	if j.tree != nil {
		paths = s.choosePaths(j.tree, room-p.tokens)
	}
	if rest == 0 && len(paths) == 0 {
		return
	}
	for range paths {
		id := s.kv.takeID()
		if n := len(j.seq.tokens); n > 0 {
			s.dec.copySeq(j.seq.id, id, n)
		}
		p.branches = append(p.branches, id)
	}
	s.addTokens(&p, p.branches)
	if p.last {
		last := s.batch.len() - 1
		switch {
		case j.tree != nil:
			p.output = s.batch.want(last, wantLSE, j.tree.targets(0)...)
		case j.temperature > 0:
			p.output = s.batch.want(last, wantRow)
		default:
			p.output = s.batch.want(last, wantBest)
		}
	}
	s.addPaths(&p, paths)
	s.parts = append(s.parts, p)
}

// addTokens adds tokens of the target. They belong to the branches, too.
func (s *scheduler) addTokens(p *part, branches []int32) {
	seqs := append([]int32{p.job.seq.id}, branches...)
	from := len(p.job.seq.tokens)
	for i := range p.tokens {
		s.batch.add(p.job.target[from+i], from+i, seqs...)
	}
}

// choosePaths returns as many of the tree's next paths as fit into a batch with room
// for this many tokens.
func (s *scheduler) choosePaths(t *tree, room int) [][]int {
	// One output for the target's last token, besides those of the nodes.
	outputs := s.limits.outputs - len(s.batch.outIndex) - 1
	room = min(room, outputs)
	seen := map[int]bool{}
	n := 0
	for _, path := range t.paths[t.next:] {
		fresh := 0
		for _, at := range path {
			if !seen[at] {
				fresh++
			}
		}
		// Sequences are for the jobs first: each that may be started needs one.
		if fresh > room || len(s.kv.ids)-n <= s.slots-len(s.running) {
			break
		}
		room -= fresh
		n++
		for _, at := range path {
			seen[at] = true
		}
	}
	return t.paths[t.next : t.next+n]
}

// addPaths adds the nodes of the paths. A node belongs to the sequences of all paths
// that go through it.
func (s *scheduler) addPaths(p *part, paths [][]int) {
	t := p.job.tree
	seen := map[int]bool{}
	for _, path := range paths {
		for depth, at := range path {
			if seen[at] {
				continue
			}
			seen[at] = true
			var seqs []int32
			for k, other := range paths {
				if depth < len(other) && other[depth] == at {
					seqs = append(seqs, p.branches[k])
				}
			}
			i := s.batch.add(t.nodes[at].token, len(p.job.target)+depth, seqs...)
			p.nodes = append(p.nodes, at)
			p.outputs = append(p.outputs, s.batch.want(i, wantLSE, t.targets(at)...))
		}
	}
	p.paths = len(paths)
}

// absorb takes in the results of the step.
func (s *scheduler) absorb() {
	s.stats.steps++
	s.stats.evaluated += s.batch.len()
	for i := range s.parts {
		p := &s.parts[i]
		j := p.job
		from := len(j.seq.tokens)
		s.kv.extend(j.seq, j.target[from:from+p.tokens])
		j.count(from + p.tokens)
		if err := s.look(p); err != nil {
			s.freeBranches(p)
			s.fail(j, err)
			continue
		}
		s.freeBranches(p)
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
	if j.tree != nil {
		return s.lookAtChoice(p)
	}
	if !p.last {
		return nil
	}
	token := s.batch.best[p.output.out]
	if j.temperature > 0 {
		row := s.dec.row(p.output.token)
		if row == nil {
			return failure(lm.ErrBackend, "llama.cpp lost the logits of a token")
		}
		token = s.sampler.sample(row, j.temperature, j.topP, j.rng.Float64())
	}
	if j.take(token) {
		return s.moveOn(j)
	}
	return nil
}

func (s *scheduler) lookAtChoice(p *part) error {
	j := p.job
	if p.last {
		j.tree.read(0, &s.batch, p.output)
	}
	for i, at := range p.nodes {
		if !j.tree.nodes[at].read { // or an earlier step had a path through it
			j.usage.ForcedTokens++
		}
		j.tree.read(at, &s.batch, p.outputs[i])
	}
	j.tree.next += p.paths
	if !j.tree.complete() {
		return nil
	}
	j.decide()
	return s.moveOn(j)
}

// moveOn goes to the next hole and keeps of the sequence what its target begins with.
func (s *scheduler) moveOn(j *job) error {
	if err := j.advance(); err != nil || j.finished() {
		return err
	}
	if len(j.target) > s.limits.cells {
		return failure(lm.ErrContextLength, "the reply's tokens do not fit the context")
	}
	return s.kv.truncate(j.seq, min(common(j.seq.tokens, j.target), len(j.target)-1))
}
