package fallback_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/fallback"
	"github.com/whetgo/whet/lm/lmtest"
)

// fake is an LM with a name that counts its calls; err is its answer where it is not nil.
type fake struct {
	name string

	mu    sync.Mutex
	err   error
	calls int
}

func (f *fake) Name() string { return f.name }

func (f *fake) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	return &lm.Response{Text: "I am " + f.name, Usage: lm.Usage{Calls: 1}}, nil
}

func (f *fake) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func kind(k lm.ErrorKind) error { return &lm.Error{Kind: k, Message: "as told"} }

func request() *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User("Who are you?")}} }

func of(t *testing.T, lms []lm.LM, opts ...fallback.Option) *fallback.LM {
	t.Helper()
	f, err := fallback.Of(lms, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSuite(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(t *testing.T) lm.LM {
		down := &fake{name: "down", err: kind(lm.ErrUnavailable)}
		return of(t, []lm.LM{down, lmtest.Answer(func(*lm.Request) (string, error) { return "one two three four five", nil })})
	}, lmtest.Capabilities{Messages: true, Prompt: true})
}

func TestWhichErrors(t *testing.T) {
	t.Parallel()
	always := fallback.If(func(error) bool { return true })
	never := fallback.If(func(error) bool { return false })
	for _, tt := range []struct {
		err  error
		next bool
		opts []fallback.Option
	}{
		{kind(lm.ErrBackend), true, nil},
		{kind(lm.ErrRateLimit), true, nil},
		{kind(lm.ErrTimeout), true, nil},
		{&lm.Error{Kind: lm.ErrTimeout, Err: context.DeadlineExceeded}, true, nil},
		{kind(lm.ErrUnavailable), true, nil},
		{kind(lm.ErrQuota), true, nil},
		{kind(lm.ErrModel), true, nil},
		{kind(lm.ErrContextLength), true, nil},
		{kind(lm.ErrAuth), false, nil},
		{kind(lm.ErrRefused), false, nil},
		{kind(lm.ErrUnsupported), false, nil},
		{kind(lm.ErrInvalidRequest), false, nil},
		{kind(lm.ErrBudget), false, nil},
		{errors.New("who knows"), false, nil},
		{context.Canceled, false, nil},
		{kind(lm.ErrAuth), true, []fallback.Option{always}},
		{errors.New("who knows"), true, []fallback.Option{always}},
		{kind(lm.ErrInvalidRequest), false, []fallback.Option{always}},
		{kind(lm.ErrBudget), false, []fallback.Option{always}},
		{fmt.Errorf("within: %w", context.DeadlineExceeded), false, []fallback.Option{always}},
		{kind(lm.ErrBackend), false, []fallback.Option{never}},
	} {
		t.Run(fmt.Sprintf("%v %d", tt.err, len(tt.opts)), func(t *testing.T) {
			t.Parallel()
			first, second := &fake{name: "first", err: tt.err}, &fake{name: "second"}
			resp, err := of(t, []lm.LM{first, second}, tt.opts...).Generate(t.Context(), request())
			if !tt.next {
				if err != tt.err || second.count() != 0 { //nolint:errorlint // the very error, not one around it
					t.Fatalf("error %v after %d calls of the second, want %v after none", err, second.count(), tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != "I am second" || resp.Model != "second" {
				t.Errorf("reply %q of %q, want the second's", resp.Text, resp.Model)
			}
		})
	}
}

func TestAllFail(t *testing.T) {
	t.Parallel()
	a := &fake{name: "a", err: kind(lm.ErrQuota)}
	b := &fake{err: &lm.Error{Kind: lm.ErrRateLimit, RetryAfter: time.Minute}}
	_, err := of(t, []lm.LM{a, b}).Generate(t.Context(), request())
	var all *fallback.Error
	if !errors.As(err, &all) || len(all.Attempts) != 2 || all.Attempts[0].Name != "a" || all.Attempts[1].Name != "" {
		t.Fatalf("error %#v, want both attempts", err)
	}
	if !errors.Is(err, lm.ErrQuota) || !errors.Is(err, lm.ErrRateLimit) || !lm.IsRetryable(err) {
		t.Errorf("%v does not hold the errors of both", err)
	}
	if want := "lm/fallback: no reply: 2 failed: a: lm: quota used up: as told; an LM without a name: lm: rate limit reached"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestFinalError has an error that must not look retryable because of one before it.
func TestFinalError(t *testing.T) {
	t.Parallel()
	a, b, c := &fake{name: "a", err: kind(lm.ErrBackend)}, &fake{name: "b", err: kind(lm.ErrBudget)}, &fake{name: "c"}
	_, err := of(t, []lm.LM{a, b, c}).Generate(t.Context(), request())
	var all *fallback.Error
	if !errors.As(err, &all) || len(all.Attempts) != 2 || !errors.Is(err, lm.ErrBudget) || lm.IsRetryable(err) || c.count() != 0 {
		t.Errorf("error %v after %d calls of the third, want the budget's, which is not retryable", err, c.count())
	}
	if !strings.Contains(err.Error(), "a: lm: backend failure") {
		t.Errorf("error %q does not tell of the first LM", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	first := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		cancel()
		return nil, kind(lm.ErrBackend)
	})
	second := &fake{name: "second"}
	f := of(t, []lm.LM{first, second}, fallback.Failures(1))
	if _, err := f.Generate(ctx, request()); !errors.Is(err, context.Canceled) || second.count() != 0 {
		t.Errorf("error %v after %d calls of the second, want %v after none", err, second.count(), context.Canceled)
	}
	if h := f.Health()[0]; h.Failures != 0 || h.Down {
		t.Errorf("health %+v: a call whose caller had left counted", h)
	}
	if _, err := f.Generate(ctx, request()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v with a context that had ended", err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := &fake{name: "first", err: kind(lm.ErrBackend)}, &fake{name: "second"}
		f := of(t, []lm.LM{first, second})
		ask := func(want string) {
			t.Helper()
			if resp, err := f.Generate(t.Context(), request()); err != nil || resp.Model != want {
				t.Fatalf("reply %v, error %v, want one of %s", resp, err, want)
			}
		}
		for range 8 {
			ask("second")
		}
		if first.count() != 5 {
			t.Errorf("the first was asked %d times, want 5", first.count())
		}
		if h := f.Health(); !h[0].Down || h[0].Failures != 5 || h[0].Wait != 30*time.Second || h[0].Name != "first" || h[1].Down {
			t.Errorf("health = %+v", h)
		}
		time.Sleep(30 * time.Second)
		ask("second") // the probe fails
		ask("second")
		if first.count() != 6 {
			t.Errorf("the first was asked %d times, want one probe more", first.count())
		}
		first.set(nil)
		ask("second") // for the cooldown is not over
		time.Sleep(30 * time.Second)
		ask("first")
		ask("first")
	})
}

func TestAllSkipped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{name: "a", err: kind(lm.ErrBackend)}, &fake{name: "b", err: kind(lm.ErrQuota)}
		f := of(t, []lm.LM{a, b}, fallback.Failures(1), fallback.Cooldown(time.Minute))
		_, _ = f.Generate(t.Context(), request())
		time.Sleep(15 * time.Second)
		_, err := f.Generate(t.Context(), request())
		var all *fallback.Error
		if !errors.As(err, &all) || len(all.Attempts) != 2 || !all.Attempts[0].Skipped || !all.Attempts[1].Skipped || a.count() != 1 {
			t.Fatalf("error %v after %d calls, want two that were skipped", err, a.count())
		}
		var first *lm.Error
		if !errors.As(err, &first) || first.Kind != lm.ErrUnavailable || first.RetryAfter != 45*time.Second || !lm.IsRetryable(err) {
			t.Errorf("error %v: want unavailable for 45s, after which it may be retried", err)
		}
	})
}

func TestOneProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := &fake{name: "first", err: kind(lm.ErrBackend)}, &fake{name: "second"}
		slow := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
			time.Sleep(time.Second)
			return first.Generate(ctx, r)
		})
		f := of(t, []lm.LM{slow, second}, fallback.Failures(1), fallback.Cooldown(time.Minute))
		_, _ = f.Generate(t.Context(), request())
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := f.Generate(t.Context(), request()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if first.count() != 2 {
			t.Errorf("the first was asked %d times, want one probe for 20 requests", first.count())
		}
	})
}

func TestName(t *testing.T) {
	t.Parallel()
	a, b, none := &fake{name: "a"}, &fake{name: "b"}, &fake{}
	for _, tt := range []struct {
		lms  []lm.LM
		want string
	}{
		{[]lm.LM{a, b}, "fallback(a | b)"},
		{[]lm.LM{a, a}, "a"},
		{[]lm.LM{a, none}, ""},
	} {
		if got := lm.NameOf(of(t, tt.lms)); got != tt.want {
			t.Errorf("Name = %q, want %q", got, tt.want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	a := []lm.LM{&fake{name: "a"}}
	for name, f := range map[string]func() (*fallback.LM, error){
		"no LM":     func() (*fallback.LM, error) { return fallback.Of(nil) },
		"nil LM":    func() (*fallback.LM, error) { return fallback.New(a[0], nil) },
		"first nil": func() (*fallback.LM, error) { return fallback.New(nil) },
		"failures":  func() (*fallback.LM, error) { return fallback.Of(a, fallback.Failures(0)) },
		"cooldown":  func() (*fallback.LM, error) { return fallback.Of(a, fallback.Cooldown(0)) },
		"rule":      func() (*fallback.LM, error) { return fallback.Of(a, fallback.If(nil)) },
	} {
		if m, err := f(); m != nil || !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
}
