package llamacpp

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
	paths := j.tree.paths[j.tree.next : j.tree.next+p.paths]
	j.tree.next += p.paths
	if !j.tree.complete() {
		return nil
	}
	picked := j.tree.way(j.decide())
	for i, path := range paths {
		if len(picked) > 0 && common(path, picked) == len(picked) &&
			(len(path) == len(picked) || s.dec.cutSeq(p.branches[i], len(j.seq.tokens)+len(picked))) {
			s.adopt(j, &p.branches[i], picked)
			break
		}
	}
	j.tree = nil
	return s.moveOn(j)
}

// adopt makes the branch of the alternative that was picked the job's sequence, so that
// its tokens are not evaluated again for what follows.
func (s *scheduler) adopt(j *job, branch *int32, nodes []int) {
	j.seq.id, *branch = *branch, j.seq.id
	for _, at := range nodes {
		token := j.tree.nodes[at].token
		s.kv.extend(j.seq, token, s.kv.cell())
		j.target = append(j.target, token)
	}
	j.counted = len(j.target) // they are in the usage as alternatives
}
