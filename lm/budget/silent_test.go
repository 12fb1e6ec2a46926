package budget_test

import (
	"context"
	"iter"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
)

// hollow is a stream with an event that is none.
type hollow struct{ lm.LM }

func (hollow) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if yield(nil, nil) {
			yield(&lm.Event{Text: "hi", Response: &lm.Response{Text: "hi"}}, nil)
		}
	}
}

// TestHollowEvent is left out, and is no panic.
func TestHollowEvent(t *testing.T) {
	t.Parallel()
	text := ""
	for e, err := range lm.Stream(t.Context(), budget.New(budget.Limits{Tokens: 1000}).Wrap(hollow{}), &lm.Request{Prompt: "a"}) {
		if err != nil {
			t.Fatal(err)
		}
		text += e.Text
	}
	if text != "hi" {
		t.Errorf("the stream was %q", text)
	}
}
