package llamacpp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkTree sees that the tree is one, and that its account agrees with what it holds.
func checkTree(t *testing.T, tree *prefixes) {
	t.Helper()
	leaves, tokens := 0, 0
	var visit func(p *prefix, above []int32)
	visit = func(p *prefix, above []int32) {
		path := append(slices.Clone(above), p.edge...)
		tokens += len(p.edge)
		require.Equal(t, len(path), p.depth)
		if p != &tree.root {
			require.NotEmpty(t, p.edge)
			require.Equal(t, len(p.children) == 0, p.seq != nil, "only leaves hold sequences")
		}
		if p.seq != nil {
			leaves++
			require.Equal(t, path, p.seq.tokens)
		}
		first := map[int32]bool{}
		for _, c := range p.children {
			require.Same(t, p, c.parent)
			require.False(t, first[c.edge[0]], "two children begin alike")
			first[c.edge[0]] = true
			require.GreaterOrEqual(t, p.used, c.used)
			visit(c, path)
		}
	}
	visit(&tree.root, nil)
	require.Equal(t, leaves, tree.leaves)
	require.Equal(t, tokens, tree.tokens)
}

// A tree finds what a search through all the sequences would find, whatever was put in
// and forgotten before, and gives all cells back.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			f := newFake(t, 4096)
			k := newKV(f, f.facts.limits)
			tree := &prefixes{kv: k}
			text := func() []int32 {
				out := make([]int32, 1+rng.IntN(8))
				for i := range out {
					out[i] = int32(rng.IntN(3))
				}
				return out
			}
			var held [][]int32 // what a search should find
			longest := func(tokens []int32) (n int) {
				for _, h := range held {
					n = max(n, common(h, tokens))
				}
				return n
			}
			for now := range 200 {
				switch {
				case tree.leaves > 20 || (tree.leaves > 0 && rng.IntN(3) == 0):
					leaf := tree.oldest(func(p *prefix) int { return p.used })
					whole := slices.Clone(leaf.seq.tokens)
					above := whole[:leaf.parent.depth]
					tree.forget(leaf)
					held = slices.DeleteFunc(held, func(h []int32) bool { return len(h) > len(above) && common(h, whole) == len(h) })
					if len(above) > 0 {
						held = append(held, above)
					}
				default:
					tokens := text()
					at, n := tree.find(tokens)
					require.Equal(t, longest(tokens), n)
					seq := k.fork(at.holder(), n)
					for i, token := range tokens[n:] {
						f.put(seq.id, token, n+i)
						k.extend(seq, token, k.cell())
					}
					tree.add(seq, now)
					held = append(held, tokens)
				}
				checkTree(t, tree)
				require.Equal(t, f.facts.limits.cells-k.room(), tree.tokens, "a cell for each token of the tree")
				require.Len(t, f.refs, tree.tokens)
			}
			for tree.leaves > 0 {
				tree.forget(tree.oldest(func(p *prefix) int { return -p.used }))
				checkTree(t, tree)
			}
			require.Equal(t, f.facts.limits.cells, k.room())
			require.Empty(t, f.refs)
		})
	}
}
