package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

type quoteInput struct {
	Text string `json:"text" desc:"An SMS that tries to trick its reader"`
}

type quoteOutput struct {
	Quote string `json:"quote" desc:"The words of the SMS that ask for money, data or a click, copied letter for letter"`
}

// proven is a verdict with its proof.
type proven struct {
	Label string
	Quote string
}

// What the predictor of quotes is told when one does not hold.
const (
	copiedMessage = "The quote must be words of the SMS, copied letter for letter."
	asksMessage   = "The quote must hold what the SMS asks for: a number to call or text, a link, a reply, money or data."
)

// prover says what a message is, and of smishing by which of its words.
type prover struct {
	Classify *module.Predict[message, verdict]
	Quote    *module.Predict[quoteInput, quoteOutput]
}

// Run implements module.Program.
func (p *prover) Run(ctx context.Context, in message) (proven, error) {
	v, err := p.Classify.Run(ctx, in)
	if err != nil || v.Label != "smishing" {
		return proven{Label: v.Label}, err
	}
	q, err := p.Quote.Run(ctx, quoteInput(in))
	if err != nil {
		return proven{}, err
	}
	out := proven{v.Label, q.Quote}
	if err := assert.Suggest(ctx, copied(in.Text, q.Quote), copiedMessage, assert.Target("quote")); err != nil {
		return out, err
	}
	err = assert.Suggest(ctx, asks(q.Quote), asksMessage, assert.Target("quote"))
	return out, err
}

// copied reports whether the quote stands in the text, but for case and white space.
func copied(text, quote string) bool {
	fold := func(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }
	return len(fold(quote)) > 2 && strings.Contains(fold(text), fold(quote))
}

var asking = regexp.MustCompile(`(?i)\b(call|ring|dial|text|txt|reply|send|sms|click|tap|visit|open|claim|collect|pay|transfer|confirm|verify|update|enter|provide|contact|login|log in|sign in)\b|https?:|www\.|\.(com|net|org|co|uk)\b|\d{5,}`)

func asks(quote string) bool { return asking.MatchString(quote) }

func holds(in message, out proven) bool { return copied(in.Text, out.Quote) && asks(out.Quote) }

// quoted are demos of our own.
var quoted = []struct{ text, quote string }{
	{"Your bank card is locked. Enter your PIN at http://card-help.example to unlock it.", "Enter your PIN at http://card-help.example"},
	{"Hello, this is the parcel office, a fee of 2 pounds is due, ring 0900 555 0199 today", "ring 0900 555 0199"},
	{"You were chosen for a free phone! Reply YES with your address to get it.", "Reply YES with your address"},
	{"Tax refund waits. Confirm your account details by text to 55501.", "Confirm your account details by text to 55501."},
}

// mended are counter-examples of our own: demos that show how a complaint is met.
var mended = []struct{ text, past, feedback, quote string }{
	{"Last chance: your points expire tonight, visit points.example/claim and log in", "Your points will expire.", copiedMessage, "visit points.example/claim and log in"},
	{"We could not deliver. Pay the 1.99 fee at post-fee.example or lose your parcel.", "We could not deliver.", asksMessage, "Pay the 1.99 fee at post-fee.example"},
}

// assertions measures what assertions do, for each model.
func (b *bench) assertions(ctx context.Context, w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d rows: last100.csv and sms.csv from the start; at most 2 further tries\n\n", len(b.data.last)+len(b.data.fresh))
	fmt.Fprintln(tw, "model\tprogram\tcalled smishing\tquotes that hold\tshare (95 %)\tcalls\tfurther calls\ttokens\tfailed")
	rows := append(append([]row(nil), b.data.last...), b.data.fresh...)
	data := make([]module.Example[message, proven], len(rows))
	for i, r := range rows {
		data[i] = module.Example[message, proven]{In: r.In, Out: proven{Label: r.Out.Label}, ID: r.ID}
	}
	for _, f := range b.models {
		p, err := b.prover(ctx, f, false)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		shown, err := b.prover(ctx, f, true)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		best, err := module.NewBestOfN[message, proven](assert.Wrap(p, assert.BypassSuggestions()), 3, 1,
			func(_ context.Context, in message, got *module.Prediction[proven]) (float64, error) {
				if got.Out.Label != "smishing" || holds(in, got.Out) {
					return 1, nil
				}
				return 0, nil
			})
		if err != nil {
			return err
		}
		base := 0
		for _, v := range []struct {
			name string
			p    module.Program[message, proven]
		}{
			{"no assertions", assert.Wrap(p, assert.BypassSuggestions())},
			{"assertions", assert.Wrap(p)},
			{"assertions, FullRerun", assert.Wrap(p, assert.FullRerun())},
			{"2 counter-examples, no assertions", assert.Wrap(shown, assert.BypassSuggestions())},
			{"2 counter-examples, assertions", assert.Wrap(shown)},
			{"BestOfN, whole program at T 1", best},
		} {
			fmt.Fprintf(os.Stderr, "%s: %s\n", f.name, v.name)
			report, err := evaluate.Run(ctx, v.p, data, holding, evaluate.Concurrency(concurrency))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", f.name, v.name, err)
			}
			called, held := 0, 0
			for _, r := range report.Rows {
				if r.Err == nil && r.Out.Label == "smishing" {
					called++
					if holds(r.Example.In, r.Out) {
						held++
					}
				}
			}
			if base == 0 {
				base = report.Usage.Calls
			}
			iv := metric.Interval{}
			if called > 0 {
				if iv, err = metric.Wilson(held, called, 0.95); err != nil {
					return err
				}
			}
			fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%.2f (%.2f to %.2f)\t%d\t%d\t%d\t%d\n", f.name, v.name, called, held,
				float64(held)/float64(max(called, 1)), iv.Low, iv.High, report.Usage.Calls, report.Usage.Calls-base, report.Usage.Tokens(), report.Failed)
		}
	}
	return tw.Flush()
}

// holding is 1 where nothing has to be proven, or the proof holds.
func holding(_ context.Context, ex module.Example[message, proven], got proven, _ *trace.Trace) (metric.Score, error) {
	if got.Label != "smishing" || holds(ex.In, got) {
		return metric.Score{Value: 1}, nil
	}
	return metric.Score{}, nil
}

// prover makes the program of a model: a classifier with fitted biases, and a predictor of
// quotes with demos of our own.
func (b *bench) prover(ctx context.Context, f *family, counterExamples bool) (*prover, error) {
	classify, err := b.predict(ctx, f, sms.DemoSet(b.data.train, perLabel, 0))
	if err != nil {
		return nil, err
	}
	quote, err := module.NewPredict[quoteInput, quoteOutput]("Quote the words of the SMS that ask for money, data or a click.",
		module.WithAdapter(adapter.Compact{}), module.WithLM(f.lm), module.Temperature(0), module.MaxTokens(64))
	if err != nil {
		return nil, err
	}
	var state module.State
	for _, q := range quoted {
		state.Demos = append(state.Demos, module.Demo{Fields: signature.RecordOf("text", q.text, "quote", q.quote)})
	}
	if counterExamples {
		for _, m := range mended {
			state.Demos = append(state.Demos, module.Demo{Fields: signature.RecordOf(
				"text", m.text, "past_quote", m.past, "feedback", m.feedback, "quote", m.quote,
			)})
		}
	}
	return &prover{classify, quote}, quote.Predictor().SetState(state)
}
