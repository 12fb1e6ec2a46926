package optimize

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

const (
	// summaryBatches is how many batches of examples are read at most, and summarySkips
	// after how many replies without anything new no more are.
	summaryBatches = 10
	summarySkips   = 5
	// summaryTemperature is that of the calls.
	summaryTemperature = 1.0
	// shownMost is the length from which on a value is cut in a prompt, in bytes: a picture
	// or a whole book as a value would fill it.
	shownMost = 4000
)

// summarise has the prompt model read the training examples batch by batch, take notes, and
// condense these.
func (p *proposer) summarise(ctx context.Context) (string, error) {
	size := p.cfg.viewData
	notes, skips := "", 0
	for b := 0; b*size < len(p.train) && b < summaryBatches && skips < summarySkips; b++ {
		batch := p.train[b*size : min(len(p.train), (b+1)*size)]
		in, about := signature.RecordOf(fieldExamples, showExamples(batch)), datasetPrompt()
		if b > 0 {
			in, about = in.With(fieldPrior, notes), datasetMorePrompt()
		}
		more, err := p.asked(ctx, about, in, 0, summaryTemperature)
		switch {
		case err != nil && b > 0 && !p.ends(ctx, err): // what was noted so far will do
			skips = summarySkips
		case err != nil:
			return "", err
		case b == 0:
			notes = more
		case len(more) >= len(complete) && strings.EqualFold(more[:len(complete)], complete):
			skips++
		default:
			notes += "\n" + more
		}
	}
	summary, err := p.asked(ctx, summaryPrompt(), signature.RecordOf(fieldObserved, notes), 0, summaryTemperature)
	return unlabelled(summary), err
}

// summaryCalls is how many calls summarise takes, if every reply has something new.
func summaryCalls(train, size int) int {
	return min(summaryBatches, (train+size-1)/size) + 1
}

// showExamples writes examples as JSON, one a line.
func showExamples(records []signature.Record) string {
	lines := make([]string, len(records))
	for i, r := range records {
		short := signature.Record{}
		for name, v := range r.All() {
			if text := showValue(v); len(text) >= shownMost {
				v = text
			}
			short = short.With(name, v)
		}
		lines[i] = showValue(short)
	}
	return strings.Join(lines, "\n")
}

// showValue writes a value: a text as it is, anything else as JSON. What is too long is cut.
func showValue(v signature.Value) string {
	text, ok := v.(string)
	if !ok {
		data, err := signature.MarshalValue(v)
		if err != nil { // a number that JSON does not have
			data = fmt.Append(nil, v)
		}
		text = string(data)
	}
	if _, isRecord := v.(signature.Record); len(text) < shownMost || isRecord {
		return text
	}
	cut := shownMost
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + " ..."
}
