package evaluate_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// plain is an adapter for the tests: the prompt is the instructions and the
// first input, and the reply is the first output.
type plain struct{ sig *signature.Signature }

func (plain) Name() string { return "plain" }

func (plain) Prepare(p adapter.Program) (adapter.Template, error) { return plain{p.Signature}, nil }

func (p plain) Request(in signature.Record) (*lm.Request, error) {
	_, v := in.At(0)
	return &lm.Request{Prompt: p.sig.Instructions() + "|" + v.(string)}, nil
}

func (p plain) Parse(reply string, _ signature.Record) (signature.Record, []adapter.Repair, error) {
	return signature.RecordOf(p.sig.Outputs()[0].Name, reply), nil, nil
}

// parrot answers with the last word of the instructions, and reports a choice.
var parrot = lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
	instructions, _, _ := strings.Cut(r.Prompt, "|")
	word := instructions[strings.LastIndexByte(instructions, ' ')+1:]
	return &lm.Response{
		Text:    word,
		Usage:   lm.Usage{Calls: 1, PromptTokens: 10},
		Choices: []lm.Choice{{Name: "label", Options: []lm.Option{{Text: word, Prob: 1}}}},
	}, nil
})

type classifier struct {
	Classify *module.Predict[SMS, Verdict]
}

func (c *classifier) Run(ctx context.Context, in SMS) (Verdict, error) {
	return c.Classify.Run(ctx, in)
}

func newClassifier(t *testing.T, instructions string) *classifier {
	t.Helper()
	p, err := module.NewPredict[SMS, Verdict](instructions, module.WithAdapter(plain{}))
	require.NoError(t, err)
	return &classifier{p}
}

func TestUsageTraceAndChoices(t *testing.T) {
	t.Parallel()
	c := newClassifier(t, "always ham")
	ctx := lm.With(t.Context(), parrot)
	report, err := evaluate.Run(ctx, c, dev(), metric.Exact)
	require.NoError(t, err)
	assert.InDelta(t, 3.0/6, report.Score, 1e-12)
	assert.Equal(t, lm.Usage{Calls: 6, PromptTokens: 60}, report.Usage)
	assert.Zero(t, report.MetricUsage)
	for _, row := range report.Rows {
		assert.Len(t, module.Steps(row.Trace), 1, "a trace of its own")
		require.Len(t, row.Choices, 1)
		assert.Equal(t, "ham", row.Choices[0].Options[0].Text)
	}
	assert.Contains(t, report.String(), "LM calls         6  60 prompt tokens, 0 decoded\n")
	js, err := report.MarshalJSON()
	require.NoError(t, err)
	assert.Contains(t, string(js), `"choices":[{"field":"label","picked":"ham","options":[{"text":"ham","prob":1}]}]`)

	_, err = evaluate.Run(t.Context(), c, dev(), metric.Exact, evaluate.MaxErrors(1))
	require.ErrorIs(t, err, module.ErrNoLM)
}

// An evaluation has a line of its own, in which all of its calls wait, unless its caller
// has one.
func TestRunWaitsInItsOwnLine(t *testing.T) {
	t.Parallel()
	c := newClassifier(t, "always ham")
	lines := func(ctx context.Context) map[*lm.Queue]int {
		var mu sync.Mutex
		seen := map[*lm.Queue]int{}
		model := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			mu.Lock()
			seen[lm.QueueOf(ctx)]++
			mu.Unlock()
			return parrot(ctx, r)
		})
		_, err := evaluate.Run(lm.With(ctx, model), c, dev(), metric.Exact)
		require.NoError(t, err)
		return seen
	}
	first, second := lines(t.Context()), lines(t.Context())
	require.Len(t, first, 1)
	require.Len(t, second, 1)
	for q, n := range first {
		assert.NotNil(t, q)
		assert.Equal(t, 6, n)
		assert.Zero(t, second[q], "two evaluations take turns")
	}
	ctx := lm.WithQueue(t.Context())
	own := lines(ctx)
	assert.Len(t, own, 1)
	assert.Equal(t, 6, own[lm.QueueOf(ctx)])
}

// A call whose reply cannot be read was paid for all the same, by the program and by
// a judge.
func TestUsageOfUnreadableReplies(t *testing.T) {
	t.Parallel()
	p, err := module.NewPredict[SMS, Verdict]("always ham", module.WithLM(lmtest.Answer(func(*lm.Request) (string, error) { return "what a question", nil })))
	require.NoError(t, err)
	report, err := evaluate.Run(t.Context(), &classifier{p}, dev(), metric.Exact)
	require.NoError(t, err)
	assert.Equal(t, 6, report.Failed)
	assert.Equal(t, 6, report.Usage.Calls)
	assert.Equal(t, 6*3, report.Usage.CompletionTokens)

	m := func(ctx context.Context, ex module.Example[SMS, Verdict], _ Verdict, _ *trace.Trace) (metric.Score, error) {
		_, err := p.Run(ctx, ex.In)
		return metric.Score{}, err
	}
	report, err = evaluate.Run(t.Context(), &rules{}, dev(), m)
	require.NoError(t, err)
	assert.Zero(t, report.Usage)
	assert.Equal(t, 5, report.MetricUsage.Calls, "the rules fail on one row")
}

// Reports hold the labels, not how an adapter writes them.
func TestChoicesAreLabels(t *testing.T) {
	t.Parallel()
	scorer := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		c := lm.Choice{Name: "label", Picked: 1}
		for _, a := range r.Shape.Segments[0].Choices {
			c.Options = append(c.Options, lm.Option{Text: a.Text, Prob: 1. / 3})
		}
		return &lm.Response{Text: c.Options[1].Text + "\n", Shaped: true, Choices: []lm.Choice{c}}, nil
	})
	p, err := module.NewPredict[SMS, Verdict]("", module.WithAdapter(adapter.Compact{}), module.WithLM(scorer))
	require.NoError(t, err)
	report, err := evaluate.Run(t.Context(), &classifier{p}, dev(), metric.Exact)
	require.NoError(t, err)
	js, err := report.MarshalJSON()
	require.NoError(t, err)
	assert.Contains(t, string(js), `"picked":"spam"`)
	assert.Contains(t, string(js), `"text":"smishing"`)
	assert.NotContains(t, string(js), `" ham"`)
}

// Two candidates run at once on one program, and a judge of the same shape with
// the same predictor name runs inside the metric: none sees another's state.
func TestCandidatesAndJudgeStayApart(t *testing.T) {
	t.Parallel()
	c, judge := newClassifier(t, "always ham"), newClassifier(t, "always smishing")
	for _, p := range []*classifier{c, judge} {
		named, err := module.Predictors(p)
		require.NoError(t, err)
		require.Len(t, named, 1)
		assert.Equal(t, "classify", named[0].Name)
	}
	m := func(ctx context.Context, ex module.Example[SMS, Verdict], got Verdict, tr *trace.Trace) (metric.Score, error) {
		verdict, err := judge.Run(ctx, ex.In)
		return metric.Score{Value: metric.Bool(verdict.Label == "smishing").Value, Feedback: string(verdict.Label)}, err
	}
	var wg sync.WaitGroup
	for _, label := range []Label{"ham", "spam", "smishing"} {
		states, err := module.States{}.With(c.Classify.Predictor(), module.State{Instructions: "now always " + string(label)})
		require.NoError(t, err)
		wg.Go(func() {
			ctx := lm.With(module.WithStates(t.Context(), states), parrot)
			for range 10 {
				report, err := evaluate.Run(ctx, c, dev(), m)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, 1.0, report.Score, "the judge kept its own state")
				assert.Equal(t, 6, report.Usage.Calls)
				assert.Equal(t, 6, report.MetricUsage.Calls, "the judge's calls are counted apart")
				for _, row := range report.Rows {
					assert.Equal(t, label, row.Out.Label)
					assert.Len(t, module.Steps(row.Trace), 1)
				}
				assert.Contains(t, report.String(), "judge calls      6  60 prompt tokens")
			}
		})
	}
	wg.Wait()
}
