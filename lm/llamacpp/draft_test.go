package llamacpp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

func TestGuess(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		tokens, want []int32
		n            int
	}{
		{"nothing came before", []int32{1, 2, 3, 4, 5}, nil, 4},
		{"too short a match", []int32{1, 2, 9, 7, 1, 2}, nil, 4},
		{"goes on as before", []int32{1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, []int32{4, 5}, 2},
		{"up to the end", []int32{1, 2, 3, 4, 1, 2, 3}, []int32{4, 1, 2, 3}, 9},
		{"the last of equal matches", []int32{1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, []int32{5}, 1},
		{"the longest match", []int32{9, 1, 2, 3, 4, 1, 2, 3, 5, 9, 1, 2, 3}, []int32{4}, 1},
		{"overlapping itself", []int32{7, 7, 7, 7}, []int32{7}, 3},
		{"none", []int32{1}, nil, 3},
	} {
		require.Equal(t, test.want, guess(test.tokens, test.n), test.name)
	}
}

// A model that repeats its prompt is followed in a few steps, one that is guessed wrongly
// draws what it would have drawn, and both have the text that they have without guesses.
func TestDrafts(t *testing.T) {
	t.Parallel()
	requests := []*lm.Request{
		{Prompt: "say: hello there, you.\nsay: hello there, you.\nsay: hel", MaxTokens: 30},
		{Prompt: "say: hello there, you.\nsay: hello there, me.\nsay: hel", MaxTokens: 25},
		{Prompt: "abcdefgh abcdefgh abcdefg", MaxTokens: 12},
	}
	for _, repeats := range []bool{true, false} {
		run := func(cfg config) (texts []string, stats Stats) {
			cfg.slots, cfg.queue, cfg.maxTokens = 4, 64, 40
			m, f := openFakeWith(t, 1024, cfg, func(f *fakeEngine) { f.repeats = repeats })
			for _, r := range requests {
				got, err := m.Generate(t.Context(), r)
				require.NoError(t, err)
				require.LessOrEqual(t, got.Usage.CompletionTokens, r.MaxTokens)
				texts = append(texts, got.Text)
			}
			m.Close()
			checkAccount(t, m, f)
			return texts, m.Stats()
		}
		with, drafted := run(config{})
		without, plain := run(config{noDrafts: true})
		require.Equal(t, without, with)
		if repeats {
			require.Less(t, 2*drafted.Steps, plain.Steps)
		}
	}
}
