package balance_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/balance"
	"github.com/whetgo/whet/lm/lmtest"
)

// fake is a member that notes its calls in a list that several share.
type fake struct {
	name, id string
	took     time.Duration
	log      *log

	mu  sync.Mutex
	err error
}

type log struct {
	mu  sync.Mutex
	ids []string
}

func (l *log) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, id)
}

// taken returns the calls since the last time.
func (l *log) taken() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := strings.Join(l.ids, "")
	l.ids = nil
	return out
}

func (f *fake) Name() string { return f.name }

func (f *fake) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	f.log.add(f.id)
	if f.took > 0 {
		time.Sleep(f.took) // in a bubble of synctest alone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return &lm.Response{Text: f.id, Usage: lm.Usage{Calls: 1}}, nil
}

func (f *fake) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func kind(k lm.ErrorKind) error { return &lm.Error{Kind: k, Message: "as told"} }

func request() *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User("Who are you?")}} }

func weighted(t *testing.T, members []balance.Member, opts ...balance.Option) *balance.LM {
	t.Helper()
	b, err := balance.Weighted(members, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// three returns members A, B and C of one model, with a list of their calls.
func three(weights ...int) ([]*fake, []balance.Member, *log) {
	l := &log{}
	var fakes []*fake
	var members []balance.Member
	for i, id := range []string{"A", "B", "C"} {
		f := &fake{name: "m", id: id, log: l}
		m := balance.Member{LM: f}
		if i < len(weights) {
			m.Weight = weights[i]
		}
		fakes, members = append(fakes, f), append(members, m)
	}
	return fakes, members, l
}

func TestSuite(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(t *testing.T) lm.LM {
		answer := func(*lm.Request) (string, error) { return "one two three four five", nil }
		return weighted(t, []balance.Member{{LM: lmtest.Answer(answer)}, {LM: lmtest.Answer(answer), Weight: 3}})
	}, lmtest.Capabilities{Messages: true, Prompt: true})
}

// TestTurns asks one request after the other, so that all members are always equal.
func TestTurns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		weights []int
		want    string
	}{
		{nil, "ABCABCABC"},
		{[]int{1, 1, 1}, "ABCABCABC"},
		{[]int{1, 2, 3}, "CBACBCCBACBC"},
		{[]int{5, 1, 1}, "AABACAAAABACAA"},
	} {
		_, members, l := three(tt.weights...)
		b := weighted(t, members)
		for range len(tt.want) {
			if _, err := b.Generate(t.Context(), request()); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.taken(); got != tt.want {
			t.Errorf("weights %v: %s, want %s", tt.weights, got, tt.want)
		}
	}
}

// TestLeastInFlight starts 12 requests that do not end before the last has begun.
func TestLeastInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fakes, members, l := three(1, 2, 3)
		for _, f := range fakes {
			f.took = time.Second
		}
		b := weighted(t, members)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := b.Generate(t.Context(), request()); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for i, s := range b.Stats() {
			if want := 2 * (i + 1); s.InFlight != want || s.Requests != want || s.Weight != i+1 || s.Name != "m" {
				t.Errorf("member %d: %+v, want %d in flight", i, s, want)
			}
		}
		wg.Wait()
		for i, s := range b.Stats() {
			if s.InFlight != 0 {
				t.Errorf("member %d: %d in flight after all have ended", i, s.InFlight)
			}
		}
		l.taken()
	})
}

// TestSlowMember gets less, as its requests stay in flight.
func TestSlowMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fakes, members, l := three()
		fakes[0].took, fakes[1].took, fakes[2].took = 10*time.Second, time.Second, time.Second
		b := weighted(t, members)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 10 {
					if _, err := b.Generate(t.Context(), request()); err != nil {
						t.Error(err)
					}
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		got := l.taken()
		if a, b := strings.Count(got, "A"), strings.Count(got, "B"); a*2 > b {
			t.Errorf("the slow member got %d of 30 requests, and a quick one %d", a, b)
		}
	})
}

func TestFailingMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fakes, members, l := three()
		fakes[1].set(kind(lm.ErrBackend))
		b := weighted(t, members, balance.Failures(2), balance.Cooldown(time.Minute))
		ask := func() {
			t.Helper()
			if _, err := b.Generate(t.Context(), request()); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			ask()
		}
		if got := l.taken(); strings.Count(got, "B") != 2 || len(got) != 8 {
			t.Errorf("calls %s, want B twice, and another in its place each time", got)
		}
		if s := b.Stats()[1]; !s.Down || s.Failures != 2 || s.Wait != time.Minute || s.InFlight != 0 {
			t.Errorf("stats of B = %+v, want it down", s)
		}
		fakes[1].set(nil)
		time.Sleep(time.Minute)
		for range 3 {
			ask()
		}
		if got := l.taken(); strings.Count(got, "B") == 0 || b.Stats()[1].Down {
			t.Errorf("calls %s after the cooldown, want B among them", got)
		}
	})
}

func TestAllFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts []balance.Option
		err  error
		want int
	}{
		{"all", nil, kind(lm.ErrRateLimit), 3},
		{"two attempts", []balance.Option{balance.Attempts(2)}, kind(lm.ErrRateLimit), 2},
		{"too long for each of them", nil, kind(lm.ErrContextLength), 0},
		{"final", nil, kind(lm.ErrBudget), 0},
		{"rule", []balance.Option{balance.If(func(err error) bool {
			return balance.Default(err) || errors.Is(err, lm.ErrContextLength)
		})}, kind(lm.ErrContextLength), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fakes, members, l := three()
			for _, f := range fakes {
				f.set(tt.err)
			}
			_, err := weighted(t, members, tt.opts...).Generate(t.Context(), request())
			var all *balance.Error
			if tt.want == 0 {
				if err != tt.err || l.taken() != "A" { //nolint:errorlint // the very error, not one around it
					t.Errorf("error %v, want %v as it is, of the first member alone", err, tt.err)
				}
				return
			}
			if !errors.As(err, &all) || len(all.Attempts) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("error %v, want one of %d attempts", err, tt.want)
			}
			if got := l.taken(); got != "ABC"[:tt.want] {
				t.Errorf("calls %s, want each member once at most", got)
			}
		})
	}
}

func TestAllDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fakes, members, l := three()
		for _, f := range fakes {
			f.set(kind(lm.ErrBackend))
		}
		b := weighted(t, members, balance.Failures(1))
		_, _ = b.Generate(t.Context(), request())
		l.taken()
		_, err := b.Generate(t.Context(), request())
		var all *balance.Error
		if !errors.As(err, &all) || len(all.Attempts) != 3 || !all.Attempts[2].Skipped || l.taken() != "" {
			t.Fatalf("error %v, want three members that were skipped", err)
		}
		if want := "lm/balance: no reply: 0 failed, 3 skipped: m: "; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %q, want it to begin with %q", err, want)
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	a, b, none := &fake{name: "a"}, &fake{name: "b"}, &fake{}
	for _, tt := range []struct {
		lms   []lm.LM
		mixed bool
		want  string
		err   string
	}{
		{[]lm.LM{a, a}, false, "a", ""},
		{[]lm.LM{a, b}, false, "", `member 2 is "b" and member 1 is "a"`},
		{[]lm.LM{a, none}, false, "", "member 2 has no name"},
		{[]lm.LM{none, none}, false, "", "member 1 has no name"},
		{[]lm.LM{none}, false, "", ""},
		{[]lm.LM{a, b}, true, "balance(a | b)", ""},
		{[]lm.LM{a, none}, true, "", ""},
	} {
		var opts []balance.Option
		if tt.mixed {
			opts = append(opts, balance.Mixed())
		}
		m, err := balance.New(tt.lms, opts...)
		if (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || !errors.Is(err, lm.ErrInvalidRequest)) {
			t.Errorf("error %v, want %q", err, tt.err)
		}
		if err == nil && lm.NameOf(m) != tt.want {
			t.Errorf("Name = %q, want %q", m.Name(), tt.want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	a := []balance.Member{{LM: &fake{name: "a"}}}
	for name, f := range map[string]func() (*balance.LM, error){
		"no member": func() (*balance.LM, error) { return balance.New(nil) },
		"nil LM":    func() (*balance.LM, error) { return balance.New([]lm.LM{nil}) },
		"negative":  func() (*balance.LM, error) { return balance.Weighted([]balance.Member{{LM: a[0].LM, Weight: -1}}) },
		"too heavy": func() (*balance.LM, error) {
			return balance.Weighted([]balance.Member{{LM: a[0].LM, Weight: 1_000_001}})
		},
		"attempts": func() (*balance.LM, error) { return balance.Weighted(a, balance.Attempts(0)) },
		"failures": func() (*balance.LM, error) { return balance.Weighted(a, balance.Failures(0)) },
		"cooldown": func() (*balance.LM, error) { return balance.Weighted(a, balance.Cooldown(-1)) },
		"rule":     func() (*balance.LM, error) { return balance.Weighted(a, balance.If(nil)) },
	} {
		if m, err := f(); m != nil || !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	fakes, members, l := three(1, 2, 3)
	fakes[2].set(kind(lm.ErrBackend))
	b := weighted(t, members, balance.Failures(3), balance.Cooldown(time.Microsecond))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if _, err := b.Generate(t.Context(), request()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := l.taken()
	if n := strings.Count(got, "A") + strings.Count(got, "B"); n != 16*50 {
		t.Errorf("%d replies of 800 requests", n)
	}
	for i, s := range b.Stats() {
		if s.InFlight != 0 {
			t.Errorf("member %d: %d in flight after all have ended", i, s.InFlight)
		}
	}
}
