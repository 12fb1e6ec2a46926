package adapter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/signature"
)

// TestWorkIsLinear counts the bytes that reading a reply of 100 KB looks at. Twice
// the reply may cost no more than twice as much, and a bit.
func TestWorkIsLinear(t *testing.T) {
	t.Parallel()
	sigs := []*signature.Signature{
		signature.MustParse("text -> label: Literal['ham', 'spam']"),
		signature.MustParse("text -> reasoning, label: Literal['ham', 'spam'], n: int"),
		signature.MustParse("text -> xs: list[str]"),
		signature.MustParse("text -> answer"),
	}
	for _, piece := range []string{
		"[[ ## label ## ]]\nham\n", "[[ ## label ## ]] ham ", "[[ ## ", "[[ ## label ", " [[ ## x ## ]]", "label: ham\n", "label: ham ", "label: x ", "label is ", "label:\n", "label: \n\n",
		"**label**:\n", "## label\n", "{", "}", "{}", `{"label": "x"}`, `{"label": `, "[", "[]", "\"", "'", "`", "```\n", "```x", "<think>", "</think>", "<think></think>", "ham ", "ham - ", "ham\n",
		"\n", " ", "\r", "\u2028", "\u200d", "[[\u200d ## label ## ]]\nham\n", "1,", "1,234,", "- a\n", "1. a\n", "answer: x\n", "reasoning: n: 1\n", "a", "ä", "#", "*", "_", "\\",
	} {
		for i, sig := range sigs {
			// Both readings search alike, so that each signature needs one of them.
			for _, read := range [][]func(*reading) (signature.Record, []Repair, error){{(*reading).chat}, {(*reading).chat, (*reading).json}, {(*reading).json}, {(*reading).chat}}[i] {
				work := func(n int) int {
					text := strings.Repeat(piece, n/len(piece))
					r := newReading("chat", sig, text, signature.RecordOf("text", text), readOptions{})
					_, _, err := read(r)
					if err == nil {
						r.work++
					}
					return r.work
				}
				small, large := work(25_000), work(100_000)
				require.LessOrEqual(t, large, 5*small+10_000, "%q of %s", piece, sig)
				require.LessOrEqual(t, large, 40*100_000, "%q of %s", piece, sig)
			}
		}
	}
}
