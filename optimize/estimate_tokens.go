package optimize

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/price"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

const (
	// sampledRows is how many training examples prompts are rendered for.
	sampledRows = 5
	// bytesPerToken is what a token is taken for without a tokenizer.
	bytesPerToken = 4
	// unknownTokens is what a field is taken for that no example has.
	unknownTokens = 64
)

// meter measures prompts and replies.
type meter struct {
	*session
	demos int // shown at most; -1 for those that the program has
	// counted and guessed say whether a tokenizer counted and whether bytes stood for tokens.
	counted, guessed bool
	// missing are the fields that the examples do not have, and unpriced the names of models
	// without a price.
	missing, unpriced []string
}

// size is what a run of the program takes, summed over its predictors.
type size struct {
	predictors int
	low, high  float64 // tokens of prompts
	reply      float64
	cost       struct{ low, high lm.Money }
	priced     bool
}

// measure renders prompts of some training examples, as they would be for that model or, where
// it is nil, each predictor's own.
func (m *meter) measure(ctx context.Context, model lm.LM) (size, error) {
	total := size{predictors: len(m.named), priced: true}
	for i := range m.named {
		one, err := m.predictor(ctx, i, model)
		if err != nil {
			return size{}, fmt.Errorf("optimize: the prompts of the predictor %q: %w", m.named[i].Name, err)
		}
		total.low, total.high, total.reply = total.low+one.low, total.high+one.high, total.reply+one.reply
		total.cost.low, total.cost.high = total.cost.low+one.cost.low, total.cost.high+one.cost.high
		total.priced = total.priced && one.priced
	}
	return total, nil
}

// predictor measures the calls of one.
func (m *meter) predictor(ctx context.Context, i int, model lm.LM) (size, error) {
	rows := sampleRows(len(m.train))
	p := m.named[i].Predictor
	st := m.own[i]
	if model != nil {
		st.LM = model
	}
	var one size
	var prompt *lm.Request
	var asked lm.LM
	for _, row := range rows {
		in, lacking := m.inputs(i, row)
		more := float64(unknownTokens * lacking)
		var counts [2]float64
		demos := m.demosFor(i, row)
		for k, shown := range [][]module.Demo{nil, demos} {
			st.Demos = shown
			var err error
			if prompt, asked, err = requestOf(ctx, p, st, in); err != nil {
				return size{}, err
			}
			counts[k] = m.count(ctx, asked, prompt) + more
		}
		if m.demos >= 0 && m.lacks(i, row) {
			// Demos of examples that lack fields are shown without them, or not at all.
			counts[1] = counts[0]
			for range demos {
				counts[1] += m.demoTokens(i, row)
			}
		}
		one.low, one.high = one.low+counts[0], one.high+max(counts[0], counts[1])
		one.reply += m.tokensOf(i, row, p.Signature().Outputs())
	}
	n := float64(len(rows))
	one.low, one.high, one.reply = one.low/n, one.high/n, one.reply/n
	var low, high bool
	one.cost.low, low = costOf(ctx, asked, prompt, one.low, one.reply)
	one.cost.high, high = costOf(ctx, asked, prompt, one.high, one.reply)
	if one.priced = low && high; !one.priced {
		m.unpriced = appendNew(m.unpriced, nameOr(asked, "a model without a name"))
	}
	return one, nil
}

// sampleRows returns the indexes of some of n rows, evenly spread.
func sampleRows(n int) []int {
	k := min(n, sampledRows)
	rows := make([]int, k)
	for i := range rows {
		rows[i] = i * n / k
	}
	return rows
}

// inputs returns what a predictor is asked with for a training example, and how many of its
// inputs the example does not have.
func (m *meter) inputs(i, row int) (signature.Record, int) {
	var in signature.Record
	lacking := 0
	for _, f := range m.named[i].Predictor.Signature().Inputs() {
		if v, ok := m.train[row].Get(f.Name); ok {
			in = in.With(f.Name, v)
			continue
		}
		lacking++
		m.missing = appendNew(m.missing, m.named[i].Name+"."+f.Name)
	}
	return in, lacking
}

// lacks reports whether a training example lacks fields of a predictor.
func (m *meter) lacks(i, row int) bool {
	return slices.ContainsFunc(m.named[i].Predictor.Signature().Fields(), func(f signature.Field) bool {
		_, ok := m.train[row].Get(f.Name)
		return !ok
	})
}

// tokensOf returns about how many tokens an example's values of some fields take.
func (m *meter) tokensOf(i, row int, fields []signature.Field) float64 {
	n := 0.0
	for _, f := range fields {
		v, ok := m.train[row].Get(f.Name)
		if !ok {
			n += unknownTokens
			m.missing = appendNew(m.missing, m.named[i].Name+"."+f.Name)
			continue
		}
		n += float64(len(f.Name)+len(showValue(v)))/bytesPerToken + 1
	}
	return n
}

// demoTokens returns about how many tokens a demo takes that is like an example.
func (m *meter) demoTokens(i, row int) float64 {
	return m.tokensOf(i, row, m.named[i].Predictor.Signature().Fields())
}

// demosFor returns as many demos as the optimizer shows, of the training examples, without the
// one that is asked for.
func (m *meter) demosFor(i, row int) []module.Demo {
	if m.demos < 0 {
		return m.own[i].Demos
	}
	demos := make([]module.Demo, 0, m.demos)
	for j := 0; j < len(m.train) && len(demos) < m.demos; j++ {
		if j != row {
			demos = append(demos, module.Demo{Fields: m.train[j]})
		}
	}
	return demos
}

// count returns how many tokens a prompt has.
func (m *meter) count(ctx context.Context, model lm.LM, r *lm.Request) float64 {
	if t, ok := lm.As[lm.Tokenizer](model); ok {
		if n, err := t.CountTokens(ctx, r); err == nil {
			m.counted = true
			return float64(n)
		}
	}
	m.guessed = true
	n := len(r.Prompt)
	for _, message := range r.Messages {
		n += len(message.Text())
	}
	return float64(n) / bytesPerToken
}

// billed is a model that has answered, for a price list to say what that costs.
type billed struct {
	name  string
	usage lm.Usage
}

// Name implements lm.Named.
func (b billed) Name() string { return b.name }

// Generate implements lm.LM.
func (b billed) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return &lm.Response{Usage: b.usage}, nil
}

// costOf returns what one call costs by the list prices.
func costOf(ctx context.Context, model lm.LM, r *lm.Request, prompt, reply float64) (lm.Money, bool) {
	table := price.Default()
	bill := billed{lm.NameOf(model), lm.Usage{Calls: 1, PromptTokens: int(prompt + 0.5), CompletionTokens: int(reply + 0.5)}}
	resp, err := price.With(table, price.Clock(func() time.Time { return table.AsOf() }))(bill).Generate(ctx, r)
	if err != nil || resp.Usage.PricedCalls == 0 {
		return 0, false
	}
	return resp.Usage.Cost, true
}

func nameOr(m lm.LM, unnamed string) string {
	if name := lm.NameOf(m); name != "" {
		return name
	}
	return unnamed
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// phase returns what that many runs take.
func (z size) phase(name string, runs int) PhaseEstimate {
	n := float64(runs)
	p := PhaseEstimate{
		Name: name, Runs: runs, Calls: runs * z.predictors, TokensKnown: true, CostKnown: z.priced,
		PromptTokens: Range{int(n*z.low + 0.5), int(n*z.high + 0.5)}, ReplyTokens: int(n*z.reply + 0.5),
	}
	if z.priced {
		p.Cost = MoneyRange{z.cost.low * lm.Money(runs), z.cost.high * lm.Money(runs)}
	}
	return p
}

// proposalsOf is the phase of calls whose prompts are not known beforehand. Their cost is known
// where a model costs nothing.
func proposalsOf(ctx context.Context, model lm.LM, calls int) PhaseEstimate {
	_, free := costOf(ctx, model, &lm.Request{}, 0, 0)
	return PhaseEstimate{Name: proposingName, Calls: calls, Proposals: calls, CostKnown: free}
}

// notes says what the figures leave out.
func (m *meter) notes(e *Estimate, p plan, demosKnown bool) []string {
	notes := []string{
		fmt.Sprintf("each run of the program counts as %d calls, one for each predictor: loops and repeated questions come on top; answers from the search's own memory are among them, so fewer are paid", len(m.named)),
	}
	if len(m.named) == 1 {
		notes[0] = "each run of the program counts as one call: loops and repeated questions come on top; answers from the search's own memory are among them, so fewer are paid"
	}
	add := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	switch {
	case m.counted && m.guessed:
		add(true, "tokens are counted by the models' tokenizers, and where there is none as a quarter of the bytes")
	case m.counted:
		add(true, "tokens of prompts are counted by the model's tokenizer")
	default:
		add(true, "no model has a tokenizer: tokens are a quarter of the bytes")
	}
	add(!demosKnown, "how many demos the optimizer shows is not known: prompts are those with the program's own")
	add(len(m.missing) > 0, "the examples do not have %s: each is taken for %d tokens", strings.Join(m.missing, ", "), unknownTokens)
	add(p.bootstrapping > 0, "bootstrapping is counted as if every second answer were accepted")
	add(p.proposing > 0, "the prompts that propose instructions are not known beforehand, so their tokens are not counted")
	add(e.Total.Calls > 0 && len(m.unpriced) > 0, "no list price of %s", strings.Join(m.unpriced, ", "))
	add(e.Total.Calls > 0 && len(m.unpriced) == 0 && e.Total.Cost.High > 0, "prices are list prices of %s", price.Default().AsOf().Format(time.DateOnly))
	add(true, "calls of a metric's own models are not counted")
	return notes
}
