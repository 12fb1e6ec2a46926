package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

func rowsOf(labels string) []row {
	var rows []row
	for i, l := range strings.Fields(labels) {
		rows = append(rows, row{In: sms{l + string(rune('0'+i))}, Out: verdict{label(l)}})
	}
	return rows
}

func TestPickDemosTakesLabelsInTurn(t *testing.T) {
	t.Parallel()
	rows := rowsOf("ham ham spam ham smishing spam ham")
	for _, c := range []struct {
		n    int
		want []string
	}{
		{0, nil},
		{4, []string{"ham0", "spam2", "smishing4", "ham1"}},
		{6, []string{"ham0", "spam2", "smishing4", "ham1", "spam5", "ham3"}},
		{9, []string{"ham0", "spam2", "smishing4", "ham1", "spam5", "ham3", "ham6"}},
	} {
		var got []string
		for _, r := range pickDemos(rows, c.n) {
			got = append(got, r.In.Text)
		}
		assert.Equal(t, c.want, got, "%d demos", c.n)
	}
}

// TestPrograms sees that every program asks as its name says.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			var asked []*lm.Request
			model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
				asked = append(asked, r)
				return &lm.Response{Text: "?"}, nil
			})
			state := stateOf(rowsOf("ham spam"), biases{"label": {"spam": -2}})
			p, err := v.program(model, state)
			require.NoError(t, err)
			_, err = p.Run(t.Context(), sms{"the question"})
			require.Error(t, err)
			require.NotEmpty(t, asked)

			r := asked[0]
			assert.Equal(t, maxTokens, r.MaxTokens)
			assert.Zero(t, *r.Temperature)
			assert.Equal(t, v.plain, r.Shape == nil)
			assert.Equal(t, strings.HasPrefix(strings.TrimPrefix(v.name, "cot-"), "chat"), r.Prompt == "")
			text := r.Prompt
			for _, m := range r.Messages {
				text += m.Text()
			}
			assert.Contains(t, text, "ham0")
			assert.Contains(t, text, "the question")
			assert.Equal(t, v.reasons, strings.Contains(strings.ToLower(text), "reasoning"))
			want := 1
			if v.plain {
				want = 2 // the other is the fallback's
			}
			assert.Len(t, asked, want)
		})
	}
}

func TestInstructionsAreThePeers(t *testing.T) {
	t.Parallel()
	source := readFile(t, "../peers/bench_dspy_llama.py")
	for line := range strings.SplitSeq(instructions, "\n") {
		assert.Contains(t, source, line)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
