package limit_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/lm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hello = &lm.Request{Messages: []lm.Message{lm.User("hello")}}

// backend takes a time for each call, and notes when calls began, with what prompt, and
// how many there were at once.
type backend struct {
	takes time.Duration
	reply func(r *lm.Request) (*lm.Response, error) // nil for "hi", without usage

	mu           sync.Mutex
	start        time.Time
	began        []time.Duration // since the first call of note
	prompts      []string
	inside, most int
}

func newBackend(takes time.Duration) *backend { return &backend{takes: takes, start: time.Now()} }

func (b *backend) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	b.mu.Lock()
	b.began = append(b.began, time.Since(b.start))
	text := r.Prompt
	if text == "" {
		text = r.Messages[0].Text()
	}
	b.prompts = append(b.prompts, text)
	b.inside++
	b.most = max(b.most, b.inside)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inside--
	}()
	timer := time.NewTimer(b.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if b.reply != nil {
		return b.reply(r)
	}
	return &lm.Response{Text: "hi"}, nil
}

// counter is a backend that counts tokens.
type counter struct {
	lm.LM
	tokens int
	err    error
}

func (c *counter) Unwrap() lm.LM { return c.LM }

func (c *counter) CountTokens(context.Context, *lm.Request) (int, error) { return c.tokens, c.err }

// streamer shows events and then ends with err, where there is one.
type streamer struct {
	lm.LM
	events []*lm.Event
	err    error
}

func (s *streamer) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		for _, e := range s.events {
			if !yield(e, nil) {
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// parallel makes n calls at once and waits for them.
func parallel(t *testing.T, n int, model lm.LM, r *lm.Request) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := model.Generate(t.Context(), r); err != nil {
				t.Errorf("a call failed: %v", err)
			}
		})
	}
	wg.Wait()
}
