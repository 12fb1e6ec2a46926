package llamacpp

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// growing returns pieces of texts of all sorts, for a text that grows.
func growing(rng *rand.Rand, n int) []string {
	some := []string{
		" ham", " spam", "mer", "sp", "\n\n", "\n", " ", "  ", "Label:", "{\"name\": \"", "\", \"n\": ", "12", "345", "é", "日本", "🙂",
		"[[ ## answer ## ]]", "\t", "...", "don't", " I'll", "HTTP", "s", "_", "<|im_end|>", "\r\n", "aaaaaaaa", " the quick brown fox", "\"}",
	}
	out := make([]string, n)
	for i := range out {
		out[i] = some[rng.IntN(len(some))]
	}
	return out
}

// A text that grows has the tokens that it would have at once.
func TestExtend(t *testing.T) {
	t.Parallel()
	f := newFake(t, 512)
	checkExtend(t, f, 40)
}

func checkExtend(t *testing.T, v vocabulary, rounds int) {
	t.Helper()
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 9))
		known := tokenized{}
		for _, more := range growing(rng, 150) {
			known = known.extend(v, more)
			require.Equal(t, v.tokenize(known.text, false), known.tokens, "%q", known.text)
		}
	}
}

// A prompt has the tokens that it would have by itself, whatever came before it.
func TestRememberedPrompts(t *testing.T) {
	t.Parallel()
	checkPrompts(t, newFake(t, 512), 300)
}

func checkPrompts(t *testing.T, v vocabulary, rounds int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	var x texts
	var begun []string
	for range rounds {
		text := ""
		if len(begun) > 0 && rng.IntN(4) > 0 {
			text = begun[rng.IntN(len(begun))]
			text = text[:rng.IntN(len(text)+1)] // also in the middle of a character
		}
		text += strings.Join(growing(rng, 1+rng.IntN(80)), "")
		begun = append(begun, text)
		require.Equal(t, v.tokenize(text, false), x.prompt(v, text).tokens, "%q", text)
		require.Equal(t, v.tokenize(text, false), x.message(v, text), "%q", text)
		require.Equal(t, v.tokenize(text, false), x.message(v, text), "%q", text)
		require.LessOrEqual(t, len(x.recent), recentTexts)
	}
}
