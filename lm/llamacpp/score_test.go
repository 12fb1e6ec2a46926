package llamacpp

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

func TestScore(t *testing.T) {
	t.Parallel()
	m, f := openFake(t, 4096)
	prompt := "Text: abc\nLabel:"
	long := strings.Repeat(" spam and more", 30)
	for _, request := range []*lm.Request{
		{Prompt: prompt},
		{Messages: []lm.Message{lm.System("rules"), lm.User(prompt)}},
	} {
		texts := []string{" ham", " spam", " spammer", "x", long}
		got, err := m.Score(t.Context(), request, texts...)
		require.NoError(t, err)
		require.Len(t, got.Continuations, len(texts))
		head, tail, _, err := m.prompt(request)
		require.NoError(t, err)
		for i, c := range got.Continuations {
			all := append(append([]int32{}, head...), f.tokenize(tail+texts[i], false)...)
			n := len(head) + len(f.tokenize(tail, false))
			require.Equal(t, texts[i], c.Text)
			require.Equal(t, len(all)-n, c.Tokens)
			require.InDelta(t, fakeChoice(all[:n], all[n:]), c.LogProb, 1e-3)
		}
		require.Equal(t, len(texts), got.Usage.Calls)
		require.Zero(t, got.Usage.CompletionTokens)
	}
	// Again, with all in the cache: the same.
	first, err := m.Score(t.Context(), &lm.Request{Prompt: prompt}, " spam", long)
	require.NoError(t, err)
	second, err := m.Score(t.Context(), &lm.Request{Prompt: prompt}, " spam", long)
	require.NoError(t, err)
	require.Equal(t, first.Continuations, second.Continuations)
	m.Close()
	checkAccount(t, m, f)
}

// Where a continuation changes the last token of the prompt, that token counts, too.
func TestScoreJoint(t *testing.T) {
	t.Parallel()
	m, f := openFake(t, 1024)
	got, err := m.Score(t.Context(), &lm.Request{Prompt: "Label: s"}, "pam")
	require.NoError(t, err)
	all := append([]int32{fakeBegin}, f.tokenize("Label: spam", false)...)
	require.Equal(t, 1, got.Continuations[0].Tokens)
	require.InDelta(t, fakeChoice(all[:len(all)-1], all[len(all)-1:]), got.Continuations[0].LogProb, 1e-3)
}

func TestScoreRefuses(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 512)
	_, err := m.Score(t.Context(), &lm.Request{Prompt: "p"})
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
	_, err = m.Score(t.Context(), &lm.Request{Prompt: "p"}, "a", "")
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
	require.ErrorContains(t, err, "continuation 1")
	_, err = m.Score(t.Context(), &lm.Request{}, "a")
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
	_, err = m.Score(t.Context(), &lm.Request{Prompt: "p"}, "a", strings.Repeat("b", 600))
	var over *lm.ContextLengthError
	require.ErrorAs(t, err, &over)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Score(ctx, &lm.Request{Prompt: "p"}, "a")
	require.ErrorIs(t, err, context.Canceled)
}
