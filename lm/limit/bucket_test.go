package limit

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

func TestCost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		perMinute, n int
		want         time.Duration
	}{
		{60, 1, time.Second},
		{60, 90, 90 * time.Second},
		{7, 1, 8571428572},
		{7, 7, time.Minute}, // rounded once, and not for each
		{maxPerMinute, 1, 60},
		{maxPerMinute, maxPerMinute, time.Minute},
		{600, 0, 0},
		{600, -3, 0},
		{1, math.MaxInt, math.MaxInt64},
		{maxPerMinute, math.MaxInt, math.MaxInt64},
	} {
		b := &bucket{perMinute: tt.perMinute}
		require.Equal(t, tt.want, b.cost(tt.n), "%+v", tt)
	}
}

// However much is taken and given, the numbers do not run over, and time heals.
func TestBucketEnds(t *testing.T) {
	t.Parallel()
	b := newBucket(rate{1, true}, time.Second)
	require.Equal(t, time.Minute, b.most, "one request always fits")
	now := time.Unix(0, 0)
	b.fill(now)
	for range 10 {
		b.take(math.MaxInt)
	}
	require.Equal(t, time.Duration(-debt), b.level)
	require.Equal(t, debt+time.Minute, b.wait(1))
	b.fill(now.Add(-time.Hour)) // a clock that goes back brings nothing
	require.Equal(t, time.Duration(-debt), b.level)
	b.fill(now.Add(time.Hour))
	require.Equal(t, time.Duration(-debt)+time.Hour, b.level)
	for range 10 {
		b.give(math.MaxInt)
	}
	require.Equal(t, b.most, b.level)
	require.Zero(t, b.wait(math.MaxInt))

	var none *bucket
	none.fill(now)
	none.take(1)
	none.give(1)
	require.Zero(t, none.wait(math.MaxInt))
	require.Nil(t, newBucket(rate{}, time.Second))
}

type tokenizer struct {
	lm.LM
	n   int
	err error
}

func (t tokenizer) CountTokens(context.Context, *lm.Request) (int, error) { return t.n, t.err }

func TestEstimate(t *testing.T) {
	t.Parallel()
	long := &lm.Request{
		Messages: []lm.Message{
			{Role: lm.RoleUser, Parts: []lm.Part{{Text: "12345"}, {Blob: &lm.Blob{Data: make([]byte, 1e6)}}}},
			{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "not counted", Name: "ab", Arguments: "{}"}}},
			lm.ToolResult("not counted", "1234567"),
		},
		Tools:          []lm.Tool{{Name: "ab", Description: "cd", Parameters: []byte("{}")}},
		ResponseFormat: &lm.ResponseFormat{Schema: []byte("{  }")},
		MaxTokens:      50,
	}
	plain := lm.Func(nil)
	for _, tt := range []struct {
		name  string
		model lm.LM
		r     *lm.Request
		want  int
	}{
		{"a prompt", plain, &lm.Request{Prompt: "12345678"}, 2 + 7},
		{"rounded up", plain, &lm.Request{Prompt: "123456789"}, 3 + 7},
		{"everything", plain, long, 7 + 1000 + 50}, // 5+2+2+7+2+2+2+4 = 26 bytes
		{"counted", tokenizer{n: 33}, long, 33 + 50},
		{"cannot be counted", tokenizer{n: 33, err: errors.New("no images")}, long, 7 + 1000 + 50},
		{"huge", tokenizer{n: math.MaxInt}, &lm.Request{MaxTokens: math.MaxInt}, 2*maxPerMinute + 2},
	} {
		got, err := estimate(t.Context(), tt.model, tt.r, 7)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, got, tt.name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := estimate(ctx, tokenizer{err: context.Canceled}, long, 7)
	require.Equal(t, context.Canceled, err)
}

// However callers come and go, no place is lost and nothing is left behind.
func TestKeepsPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Concurrency(3), Requests(6000), Tokens(60_000), Reply(1))
		var inside, most atomic.Int32
		model := l.Wrap(tokenizer{LM: lm.Func(func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer inside.Add(-1)
			timer := time.NewTimer(time.Millisecond)
			defer timer.Stop()
			select {
			case <-timer.C:
				return &lm.Response{}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})})
		var answered atomic.Int32
		for i := range 400 {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				ctx = lm.WithQueue(ctx)
			}
			go func() {
				defer cancel()
				if _, err := model.Generate(ctx, &lm.Request{Prompt: "hello"}); err == nil {
					answered.Add(1)
				}
			}()
			if i%3 == 0 {
				time.AfterFunc(time.Duration(i)*time.Millisecond/4, cancel)
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, int32(3), most.Load())
		require.GreaterOrEqual(t, answered.Load(), int32(266))
		require.Zero(t, l.running)
		require.Empty(t, l.lines.all)
		require.False(t, l.timer.Stop(), "no timer is left")
	})
}

// Whose turn comes in the moment in which the context ends gives all of it back.
func TestQuitAfterTurn(t *testing.T) {
	t.Parallel()
	l := New(Concurrency(1), Requests(1), Tokens(10))
	w, err := l.join(t.Context(), 5)
	require.NoError(t, err)
	<-w.turn
	next, err := l.join(t.Context(), 5)
	require.NoError(t, err)
	l.quit(w)
	<-next.turn
	l.quit(next)
	require.Zero(t, l.running)
	require.Equal(t, l.requests.most, l.requests.level)
	require.Equal(t, l.tokens.most, l.tokens.level)
}
