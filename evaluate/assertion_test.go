package evaluate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	whetassert "github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// TestAssertionCounts evaluates a program of which one row mends its answer, one keeps a
// suggestion unmet, one an assertion, and one is right.
func TestAssertionCounts(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[len(r.Messages)-1].Text()
		label := "ham"
		switch {
		case strings.Contains(text, "suggestion stays"):
			label = "spam"
		case strings.Contains(text, "assertion stays"), strings.Contains(text, "mended") && !strings.Contains(text, "[[ ## feedback ## ]]"):
			label = "smishing"
		}
		return "[[ ## label ## ]]\n" + label + "\n\n[[ ## completed ## ]]", nil
	})
	classify := module.MustPredict[SMS, Verdict]("", module.WithLM(model))
	program := whetassert.Wrap(module.Func[SMS, Verdict](func(ctx context.Context, in SMS) (Verdict, error) {
		out, err := classify.Run(ctx, in)
		if err != nil {
			return out, err
		}
		if err := whetassert.That(ctx, out.Label != "smishing", "not smishing"); err != nil {
			return out, err
		}
		return out, whetassert.Suggest(ctx, out.Label != "spam", "not spam")
	}))
	var data []module.Example[SMS, Verdict]
	for _, text := range []string{"right", "mended", "suggestion stays", "assertion stays"} {
		data = append(data, module.Example[SMS, Verdict]{In: SMS{text}, Out: Verdict{"ham"}})
	}
	report, err := evaluate.Run(t.Context(), program, data, metric.Exact)
	require.NoError(t, err)
	assert.Equal(t, whetassert.Tally{}, report.Rows[0].Assertions)
	assert.Equal(t, whetassert.Tally{Asserts: 1}, report.Rows[1].Assertions)
	assert.Equal(t, whetassert.Tally{Suggestions: 3, UnmetSuggestions: 1}, report.Rows[2].Assertions)
	assert.Equal(t, whetassert.Tally{Asserts: 2, UnmetAsserts: 1}, report.Rows[3].Assertions)
	require.ErrorAs(t, report.Rows[3].Err, new(*whetassert.Error))
	assert.Equal(t, whetassert.Tally{Asserts: 3, Suggestions: 3, UnmetAsserts: 1, UnmetSuggestions: 1}, report.Assertions)
	assert.Equal(t, 2, report.Unmet)
	assert.Contains(t, report.String(), `
rows             4  1 failed
assertions       6  failed: 3 asserted, 3 suggested; not mended: 1 and 1, in 2 of the rows
LM calls         8`)

	var b bytes.Buffer
	require.NoError(t, report.WriteJSON(&b))
	var got struct {
		Assertions map[string]int
		Rows       []struct{ Assertions map[string]int }
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, map[string]int{"asserts": 3, "suggestions": 3, "unmet_asserts": 1, "unmet_suggestions": 1, "unmet_rows": 2}, got.Assertions)
	assert.Nil(t, got.Rows[0].Assertions)
	assert.Equal(t, map[string]int{"asserts": 2, "suggestions": 0, "unmet_asserts": 1, "unmet_suggestions": 0}, got.Rows[3].Assertions)
}

// TestAssertionsOfNone leave nothing in a report, and those of a row that was interrupted
// count nowhere.
func TestAssertionsOfNone(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, report.WriteJSON(&b))
	assert.NotContains(t, b.String(), "assert")
	assert.NotContains(t, report.String(), "assert")

	ctx, cancel := context.WithCancel(t.Context())
	stopped := module.Func[SMS, Verdict](func(ctx context.Context, _ SMS) (Verdict, error) {
		_ = whetassert.That(ctx, false, "no") // recorded all the same
		cancel()
		return Verdict{}, ctx.Err()
	})
	report, err = evaluate.Run(ctx, stopped, dev(), metric.Exact, evaluate.Concurrency(1))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, whetassert.Tally{}, report.Assertions)
	assert.Equal(t, whetassert.Tally{Asserts: 1, UnmetAsserts: 1}, report.Rows[0].Assertions)
}
