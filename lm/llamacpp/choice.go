package llamacpp

import (
	"math"
	"slices"

	"github.com/whetgo/whet/lm"
)

// maxPath is the number of tokens that an alternative may take: a path must fit into
// one step, each of its tokens with an output.
const maxPath = 64

// tree holds the alternatives of a choice as tokens. The root stands for the last
// token that all have in common; a path from it is what an alternative adds.
type tree struct {
	nodes []node
	ends  []int   // of each alternative, the node at which it ends
	paths [][]int // nodes to be evaluated, from below the root to one that has children without any
	next  int     // the first path that has not been evaluated
	root  bool    // the root's logits have been read
}

type node struct {
	token    int32
	parent   int
	children []int
	logProb  float64 // of the token, after those above it
	read     bool    // its children's log-probabilities are known
}

// prepareChoice tokenises each alternative inside its text: what stands before,
// since a token may reach over the joint, and the literal that follows, since an
// alternative is complete only where the model would go on with that. "spam" is not
// likelier than "spammer" just because it is its beginning.
func (j *job) prepareChoice() error {
	s := j.segments[j.at]
	follow := j.following()
	j.tokens("") // so that known is all of the tail
	base := j.known
	all := make([][]int32, len(s.choices))
	for i, c := range s.choices {
		tokens := append(j.head[:len(j.head):len(j.head)], base.extend(j.vocab, c.Text+follow).tokens...)
		switch {
		case follow != "":
			tokens = j.cutAfterFirst(tokens, len(follow))
		case j.endOfTurn >= 0:
			tokens = append(tokens, j.endOfTurn)
		}
		all[i] = tokens
	}
	shared := len(all[0])
	for _, tokens := range all[1:] {
		shared = min(shared, common(all[0], tokens))
	}
	if shared == 0 && j.bos >= 0 && len(j.head) == 0 {
		// The first token depends on the choice, and some token must come before
		// it: give the model a beginning that its vocabulary would not have given.
		j.head = []int32{j.bos}
		return j.prepareChoice()
	}
	if shared == 0 {
		return failure(lm.ErrUnsupported, "the choice %q stands at the very beginning of the text, and the model's vocabulary has no token to begin with; put some text before it", s.name)
	}
	j.tree = newTree(all, shared)
	for _, p := range j.tree.paths {
		if len(p) > maxPath {
			return failure(lm.ErrInvalidRequest, "an alternative of the choice %q takes more than %d tokens", s.name, maxPath)
		}
	}
	j.setTarget(all[0][:shared:shared])
	return nil
}

// cutAfterFirst cuts tokens behind the first one that holds some of the text's last
// n bytes.
func (j *job) cutAfterFirst(tokens []int32, n int) []int32 {
	for len(tokens) > 0 {
		last := len(j.vocab.piece(tokens[len(tokens)-1]))
		if last >= n {
			break
		}
		n -= last
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

func newTree(all [][]int32, shared int) *tree {
	t := &tree{nodes: []node{{parent: -1}}}
	for _, tokens := range all {
		at := 0
		for _, token := range tokens[shared:] {
			at = t.child(at, token)
		}
		t.ends = append(t.ends, at)
	}
	t.collect(0, nil)
	return t
}

func (t *tree) child(parent int, token int32) int {
	for _, c := range t.nodes[parent].children {
		if t.nodes[c].token == token {
			return c
		}
	}
	t.nodes = append(t.nodes, node{token: token, parent: parent})
	c := len(t.nodes) - 1
	t.nodes[parent].children = append(t.nodes[parent].children, c)
	return c
}

// collect finds the paths below a node. A node without children is not evaluated:
// its own log-probability comes from the logits of the node above it.
func (t *tree) collect(at int, path []int) {
	deeper := false
	for _, c := range t.nodes[at].children {
		if len(t.nodes[c].children) > 0 {
			deeper = true
			t.collect(c, append(path[:len(path):len(path)], c))
		}
	}
	if !deeper && len(path) > 0 {
		t.paths = append(t.paths, path)
	}
}

// targets returns the tokens of the node's children.
func (t *tree) targets(at int) []int32 {
	out := make([]int32, len(t.nodes[at].children))
	for i, c := range t.nodes[at].children {
		out[i] = t.nodes[c].token
	}
	return out
}

// read takes the log-probabilities of the node's children from a batch's output.
func (t *tree) read(at int, b *batch, o output) {
	for i, c := range t.nodes[at].children {
		t.nodes[c].logProb = float64(b.targetLogit[o.target+i]) - b.lse[o.out]
	}
	t.nodes[at].read = true
	t.root = t.root || at == 0
}

func (t *tree) complete() bool { return t.root && t.next == len(t.paths) }

// way returns the nodes on the way to an alternative's end that were evaluated.
func (t *tree) way(alternative int) []int {
	var nodes []int
	for at := t.ends[alternative]; at != 0; at = t.nodes[at].parent {
		if len(t.nodes[at].children) > 0 {
			nodes = append(nodes, at)
		}
	}
	slices.Reverse(nodes)
	return nodes
}

// scores returns each alternative's log-probability.
func (t *tree) scores() []float64 {
	out := make([]float64, len(t.ends))
	for i, at := range t.ends {
		for ; at != 0; at = t.nodes[at].parent {
			out[i] += t.nodes[at].logProb
		}
	}
	return out
}

// decide fills the choice at hand by its scores and returns which alternative it is:
// that of the largest log-probability plus bias or, with a temperature, one that is
// drawn. The cuts are for tokens and have no part in it.
func (j *job) decide() (picked int) {
	scores := j.tree.scores()
	biased := make([]float64, len(scores))
	for i, c := range j.segments[j.at].choices {
		biased[i] = scores[i] + c.Bias
	}
	if j.sampling.temperature > 0 {
		picked = draw(softmax(biased, j.sampling.temperature), j.rng.Float64())
	} else {
		for i, v := range biased {
			if v > biased[picked] {
				picked = i
			}
		}
	}
	j.pick(picked, scores)
	j.at++
	return picked
}

// pick writes down the alternative that fills the choice at hand.
func (j *job) pick(picked int, scores []float64) {
	s := j.segments[j.at]
	j.tail += s.choices[picked].Text
	if !s.report {
		return
	}
	choice := lm.Choice{Name: s.name, Picked: picked, Options: make([]lm.Option, len(scores))}
	norm := logSumExp(scores)
	biased := make([]float64, len(scores))
	for i, c := range s.choices {
		biased[i] = scores[i] + c.Bias
		choice.Options[i] = lm.Option{Text: c.Text, LogProb: scores[i] - norm}
	}
	for i, p := range softmax(biased, 1) {
		choice.Options[i].Prob = p
	}
	j.choices = append(j.choices, choice)
}

func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
