package balance_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/balance"
)

// streaming shows a text and then fails, or ends.
type streaming struct {
	*fake
	text string
}

func (s streaming) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		s.log.add(s.id)
		if s.text != "" && !yield(&lm.Event{Text: s.text}, nil) {
			return
		}
		if s.err != nil {
			yield(nil, s.err)
			return
		}
		yield(&lm.Event{Response: &lm.Response{Text: s.text}}, nil)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	broken := kind(lm.ErrBackend)
	for _, tt := range []struct {
		name, text string
		first      error
		want       string
		kind       error
	}{
		{"nothing shown", "", broken, "AB", nil},
		{"something shown", "Hel", broken, "A", lm.ErrBackend},
		{"whole", "Hello", nil, "A", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &log{}
			b := weighted(t, []balance.Member{
				{LM: streaming{&fake{name: "m", id: "A", log: l, err: tt.first}, tt.text}},
				{LM: streaming{&fake{name: "m", id: "B", log: l}, "Hi"}},
			})
			var last error
			for event, err := range b.Stream(t.Context(), request()) {
				last = err
				if err == nil && b.Stats()[0].InFlight+b.Stats()[1].InFlight != 1 {
					t.Errorf("event %+v: stats %+v, want the stream in flight", event, b.Stats())
				}
			}
			if got := l.taken(); got != tt.want || !errors.Is(last, tt.kind) || (last == nil) != (tt.kind == nil) {
				t.Errorf("calls %s, error %v; want %s, %v", got, last, tt.want, tt.kind)
			}
			if n := b.Stats()[0].InFlight + b.Stats()[1].InFlight; n != 0 {
				t.Errorf("%d in flight after the stream has ended", n)
			}
		})
	}
}
