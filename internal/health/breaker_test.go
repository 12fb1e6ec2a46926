package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
)

var errDown = &lm.Error{Kind: lm.ErrBackend, Message: "down"}

// call enters and says what came of it; it fails the test if it may not enter.
func call(t *testing.T, b *Breaker, o Outcome) {
	t.Helper()
	pass, ok := b.Enter()
	if !ok {
		t.Fatal("the breaker is open")
	}
	pass.Done(o, errDown)
}

func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		outcomes []Outcome
		open     bool
	}{
		{"too few", []Outcome{Bad, Bad}, false},
		{"three in a row", []Outcome{Bad, Bad, Bad}, true},
		{"not in a row", []Outcome{Bad, Bad, Good, Bad, Bad}, false},
		{"neutral counts neither way", []Outcome{Bad, Neutral, Bad, Neutral, Bad}, true},
		{"neutral alone", []Outcome{Neutral, Neutral, Neutral, Neutral}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBreaker(3, time.Minute)
			for _, o := range tt.outcomes {
				call(t, b, o)
			}
			if _, down, _ := b.State(); down != tt.open || b.Ready() == tt.open || (b.Down() != nil) != tt.open {
				t.Errorf("down = %v, Ready = %v, Down = %v, want open = %v", down, b.Ready(), b.Down(), tt.open)
			}
		})
	}
}

func TestBreakerProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker(1, 30*time.Second)
		call(t, b, Bad)
		time.Sleep(30*time.Second - time.Nanosecond)
		if _, ok := b.Enter(); ok {
			t.Fatal("a call entered before the cooldown was over")
		}
		time.Sleep(time.Nanosecond)
		probe, ok := b.Enter()
		if !ok {
			t.Fatal("no probe was let in after the cooldown")
		}
		if _, ok := b.Enter(); ok {
			t.Fatal("a second call entered beside the probe")
		}
		if err := b.Down(); err == nil || !strings.Contains(err.Error(), "one request is asking it again") {
			t.Errorf("Down beside a probe = %v", err)
		}
		probe.Done(Bad, errDown)
		if _, down, wait := b.State(); !down || wait != 30*time.Second {
			t.Errorf("after a probe that failed: down = %v for %s, want 30s", down, wait)
		}
		time.Sleep(30 * time.Second)
		call(t, b, Neutral) // says nothing, so that the next one is a probe as well
		probe, ok = b.Enter()
		if !ok {
			t.Fatal("no probe was let in after one that said nothing")
		}
		probe.Done(Good, nil)
		if failures, down, wait := b.State(); failures != 0 || down || wait != 0 {
			t.Errorf("after a probe that was answered: %d failures, down = %v for %s", failures, down, wait)
		}
	})
}

func TestBreakerForgetsOldCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker(2, time.Second)
		slow1, _ := b.Enter()
		slow2, _ := b.Enter()
		call(t, b, Bad)
		call(t, b, Bad)
		slow1.Done(Good, nil) // it began when all was well
		if b.Ready() {
			t.Error("a call of before closed the breaker")
		}
		time.Sleep(time.Second)
		call(t, b, Good)
		call(t, b, Bad)
		slow2.Done(Bad, errDown)
		if failures, _, _ := b.State(); failures != 1 {
			t.Errorf("%d failures, want the call of before not to count", failures)
		}
	})
}

func TestBreakerDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker(1, 30*time.Second)
		call(t, b, Bad)
		time.Sleep(10 * time.Second)
		err := b.Down()
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != lm.ErrUnavailable || e.RetryAfter != 20*time.Second || !errors.Is(err, errDown) {
			t.Errorf("Down = %#v, want unavailable for 20s because of the last failure", err)
		}
		if want := "skipped after failures in a row (1); it is asked again in 20s"; !strings.Contains(err.Error(), want) {
			t.Errorf("Down = %q, want %q in it", err, want)
		}
	})
}

func TestJudge(t *testing.T) {
	t.Parallel()
	kind := func(k lm.ErrorKind) error { return &lm.Error{Kind: k} }
	for _, tt := range []struct {
		err   error
		want  Outcome
		final bool
	}{
		{nil, Good, false},
		{kind(lm.ErrBackend), Bad, false},
		{kind(lm.ErrRateLimit), Bad, false},
		{kind(lm.ErrTimeout), Bad, false},
		{kind(lm.ErrUnavailable), Bad, false},
		{kind(lm.ErrQuota), Bad, false},
		{kind(lm.ErrModel), Bad, false},
		{kind(lm.ErrContextLength), Neutral, false},
		{kind(lm.ErrAuth), Neutral, false},
		{kind(lm.ErrRefused), Neutral, false},
		{kind(lm.ErrUnsupported), Neutral, false},
		{kind(lm.ErrInvalidRequest), Neutral, true},
		{kind(lm.ErrBudget), Neutral, true},
		{context.Canceled, Neutral, true},
		{fmt.Errorf("wrapped: %w", context.DeadlineExceeded), Neutral, true},
		{&lm.Error{Kind: lm.ErrTimeout, Err: context.DeadlineExceeded}, Bad, false},
		{errors.Join(kind(lm.ErrBackend), kind(lm.ErrContextLength)), Neutral, false},
		{errors.New("who knows"), Neutral, false},
	} {
		if got := Judge(tt.err); got != tt.want {
			t.Errorf("Judge(%v) = %v, want %v", tt.err, got, tt.want)
		}
		if tt.err != nil && Final(tt.err) != tt.final {
			t.Errorf("Final(%v) = %v, want %v", tt.err, !tt.final, tt.final)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"a"}, "a"},
		{[]string{"a", "a"}, "a"},
		{[]string{"a", "b"}, "x(a | b)"},
		{[]string{"a", ""}, ""},
		{[]string{""}, ""},
	} {
		if got := Name("x", tt.names); got != tt.want {
			t.Errorf("Name(%q) = %q, want %q", tt.names, got, tt.want)
		}
	}
}
