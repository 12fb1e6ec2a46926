package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

func labels(texts ...string) []lm.Alternative {
	out := make([]lm.Alternative, len(texts))
	for i, t := range texts {
		out[i].Text = t
	}
	return out
}

// someRequests are of every form, many with a prefix in common.
func someRequests(n int) []*lm.Request {
	shared := strings.Repeat("Text: abc Label: ham\n", 4)
	var out []*lm.Request
	for i := range n {
		seed := lm.Seed(uint64(i))
		varying := fmt.Sprintf("Text: message %d says %d\n", i, i*i)
		choice := lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: labels(" ham", " spam", " spammer", " x")}
		switch i % 6 {
		case 0, 1:
			out = append(out, &lm.Request{Prompt: shared + varying + "Label:", Shape: &lm.Shape{Segments: []lm.Segment{choice, {Literal: "\n\n"}}}})
		case 2:
			out = append(out, &lm.Request{Prompt: shared + varying, MaxTokens: 7 + i%5, Seed: seed})
		case 3:
			out = append(out, &lm.Request{Prompt: "Other " + varying, MaxTokens: 20, Temperature: lm.Temperature(1), TopP: lm.Temperature(0.9), Seed: seed, Stop: []string{"e", "zz"}})
		case 4:
			out = append(out, &lm.Request{Messages: []lm.Message{lm.System("rules"), lm.User(varying)}, MaxTokens: 9, Seed: seed, Shape: &lm.Shape{Segments: []lm.Segment{
				{Literal: "Why: "}, {Hole: lm.HoleText, Name: "why"}, {Literal: "\nLabel:"}, choice, {Literal: "\n"}, {Hole: lm.HoleBool, Name: "sure"}, {Literal: "."},
			}}})
		default:
			out = append(out, &lm.Request{Prompt: shared + varying, Temperature: lm.Temperature(0.7), Seed: seed, Shape: &lm.Shape{Segments: []lm.Segment{choice}}})
		}
	}
	return out
}

// alike reports whether two replies are the same but for what was cached.
func alike(a, b *lm.Response) bool {
	if a.Text != b.Text || a.Finish != b.Finish || len(a.Choices) != len(b.Choices) || a.Usage.PromptTokens != b.Usage.PromptTokens ||
		a.Usage.CompletionTokens != b.Usage.CompletionTokens {
		return false
	}
	for i := range a.Choices {
		if a.Choices[i].Picked != b.Choices[i].Picked {
			return false
		}
		for k := range a.Choices[i].Options {
			if math.Abs(a.Choices[i].Options[k].LogProb-b.Choices[i].Options[k].LogProb) > 1e-9 {
				return false
			}
		}
	}
	return true
}

// Requests that run together, with shared prefixes, evictions and cancellations
// around them, get what each gets from a fresh model of its own.
func TestTogetherAsAlone(t *testing.T) {
	t.Parallel()
	requests := someRequests(60)
	want := make([]*lm.Response, len(requests))
	for i, r := range requests {
		alone, _ := openFake(t, 512)
		var err error
		if want[i], err = alone.Generate(t.Context(), r); err != nil {
			t.Fatal(i, err)
		}
		alone.Close()
	}
	for _, cells := range []int{512, 768, 4096} {
		t.Run(fmt.Sprint(cells, " cells"), func(t *testing.T) {
			t.Parallel()
			m, f := openFake(t, cells, func(f *fakeEngine) { f.facts.patience = 600 })
			var wg sync.WaitGroup
			for i, r := range requests {
				wg.Go(func() {
					got, err := m.Generate(t.Context(), r)
					if err != nil {
						t.Error(i, err)
					} else if !alike(got, want[i]) {
						t.Errorf("request %d: got %+v\nwant %+v", i, got, want[i])
					}
				})
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
					defer cancel()
					if got, err := m.Generate(ctx, r); err == nil && !alike(got, want[i]) {
						t.Errorf("request %d, to be cancelled: got %+v\nwant %+v", i, got, want[i])
					} else if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(i, err)
					}
				})
			}
			wg.Wait()
			m.Close()
			checkAccount(t, m, f)
			if f.mostIn < 2 {
				t.Error("no two requests were evaluated together")
			}
		})
	}
}

// checkAccount compares the scheduler's account of the cache with the decoder's, and
// sees that only what is kept for its prefix is left.
func checkAccount(t *testing.T, m *Model, f *fakeEngine) {
	t.Helper()
	s := m.scheduler
	if used := s.limits.cells - s.kv.room(); used != len(f.refs) {
		t.Errorf("the account says %d cells, the decoder has %d", used, len(f.refs))
	}
	s.forgetAll()
	if s.kv.room() != s.limits.cells || len(f.refs) != 0 || len(s.kv.ids) != s.limits.sequences {
		t.Errorf("left over: %d cells, %d sequences", s.limits.cells-s.kv.room(), s.limits.sequences-len(s.kv.ids))
	}
}

// forgetAll drops what is kept.
func (s *scheduler) forgetAll() {
	for s.kept.leaves > 0 {
		s.evict()
	}
	if s.last != nil {
		s.kv.drop(s.last)
		s.last = nil
	}
}

func TestChoiceScores(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, prompt, follow string
		texts                []string
	}{
		{"whole words", "Label:", "\n", []string{" ham", " spam"}},
		{"one begins another", "Label:", "\n", []string{" spam", " spammer"}},
		{"joint with the literal", "Label: ", "\n", []string{"ham", "egg"}},
		{"joint with the prompt", "Label: s", "\n\n", []string{"pam", "pxx"}},
		{"nothing follows", "Label:", "", []string{" ham", " spam"}},
		{"many", "Label:", "\n", strings.Split(" a, b, c, aa, ab, ac, ba, bb, bc, ca, caa, cab, cac, cad, dddddddd, ddddddde, ddddddee, x1, x2, x3, x4, x5, x6, x7, x8, x9, y1a, y2a, y3a, y4a, y5a, y6a, y7a, y8a, y9a, z1aa, z2aa, z3aa, z4aa, z5aa, z6aa, z7aa, z8aa, z9aa", ",")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, f := openFake(t, 1024)
			segments := []lm.Segment{{Hole: lm.HoleChoice, Name: "c", Choices: labels(test.texts...)}}
			if test.follow != "" {
				segments = append(segments, lm.Segment{Literal: test.follow})
			}
			got, err := m.Generate(t.Context(), &lm.Request{Prompt: test.prompt, Shape: &lm.Shape{Segments: segments}})
			if err != nil {
				t.Fatal(err)
			}
			scores := make([]float64, len(test.texts))
			for i, text := range test.texts {
				all := append([]int32{fakeBegin}, f.tokenize(test.prompt+text+test.follow, false)...)
				// What is common to all has no part in the normalised value, so the
				// whole text may be scored, up to the first token of what follows.
				bytes := 0
				for k, token := range all {
					if bytes > len(test.prompt)+len(text) {
						all = all[:k]
						break
					}
					bytes += len(f.piece(token))
				}
				scores[i] = fakeChoice(all[:1], all[1:])
			}
			norm := logSumExp(scores)
			best := 0
			for i, o := range got.Choices[0].Options {
				if math.Abs(o.LogProb-(scores[i]-norm)) > 1e-4 {
					t.Errorf("%q: log-probability %f, want %f", o.Text, o.LogProb, scores[i]-norm)
				}
				if scores[i] > scores[best] {
					best = i
				}
			}
			if got.Choices[0].Picked != best || got.Text != test.texts[best]+test.follow || !got.Shaped || got.Usage.CompletionTokens != 0 {
				t.Errorf("picked %d of %d: %+v", got.Choices[0].Picked, best, got)
			}
		})
	}
}

func TestBias(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 512)
	ask := func(r *lm.Request, biases ...float64) lm.Choice {
		c := labels(" a", " b", " c")
		for i, b := range biases {
			c[i].Bias = b
		}
		r.Prompt, r.Shape = "Label:", &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleChoice, Name: "l", Choices: c}, {Literal: "\n"}}}
		resp, err := m.Generate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Choices[0]
	}
	plain := ask(&lm.Request{})
	for i := range 3 {
		biases := make([]float64, 3)
		biases[i] = 50
		got := ask(&lm.Request{}, biases...)
		if got.Picked != i || got.Options[i].Prob < 0.99 || got.Options[i].LogProb != plain.Options[i].LogProb {
			t.Errorf("with a bias on %d: %+v", i, got)
		}
	}
	sum, picked := 0.0, map[int]int{}
	for _, o := range plain.Options {
		sum += o.Prob
		if math.Abs(math.Log(o.Prob)-o.LogProb) > 1e-9 {
			t.Errorf("without bias Prob is not exp(LogProb): %+v", o)
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the probabilities sum up to %f", sum)
	}
	for seed := range uint64(600) {
		r := &lm.Request{Temperature: lm.Temperature(1), Seed: &seed}
		// Biases that make all alike: each must be drawn about as often.
		picked[ask(r, -plain.Options[0].LogProb, -plain.Options[1].LogProb, -plain.Options[2].LogProb).Picked]++
	}
	for i := range 3 {
		if picked[i] < 150 || picked[i] > 250 {
			t.Errorf("drawn %v times", picked)
		}
	}
}

// A prefix that many requests share is evaluated once, also when they come at once.
func TestSharedPrefixOnce(t *testing.T) {
	t.Parallel()
	m, f := openFake(t, 2048, func(f *fakeEngine) { f.delay = 2 * time.Millisecond })
	shared := strings.Repeat("0123456789", 30)
	var wg sync.WaitGroup
	var mu sync.Mutex
	prompt, cached := 0, 0
	for i := range 24 {
		wg.Go(func() {
			r, err := m.Generate(t.Context(), &lm.Request{Prompt: fmt.Sprintf("%s%c?", shared, 'a'+i), Shape: &lm.Shape{Segments: []lm.Segment{
				{Hole: lm.HoleChoice, Choices: labels(" a", " b")}, {Literal: "\n"},
			}}})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			prompt, cached = prompt+r.Usage.PromptTokens, cached+r.Usage.CachedTokens
			mu.Unlock()
		})
	}
	wg.Wait()
	m.Close()
	if computed := prompt - cached; computed != 301+24*2 {
		t.Errorf("%d prompt tokens were computed; the shared 301 and 2 for each request are %d", computed, 301+24*2)
	}
	// 4 more for each: " a" and " b" differ in their second token.
	if s := m.scheduler.stats; s.Computed > 301+24*(2+1+2) {
		t.Errorf("%d tokens were evaluated", s.Computed)
	}
	checkAccount(t, m, f)
}

func TestLimitsAndFinish(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 256)
	long := strings.Repeat("x", 300)
	_, err := m.Generate(t.Context(), &lm.Request{Prompt: long})
	var over *lm.ContextLengthError
	if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &over) || over.Over() != 301+40-256 {
		t.Errorf("a prompt that is too long: %v", err)
	}
	if _, err := m.Generate(t.Context(), &lm.Request{Prompt: long[:200], MaxTokens: 56}); !errors.Is(err, lm.ErrContextLength) {
		t.Errorf("a reply that may be too long: %v", err)
	}
	// Not even one so long that sums overflow.
	_, err = m.Generate(t.Context(), &lm.Request{Prompt: "p", MaxTokens: math.MaxInt})
	if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &over) || over.Reply < 256 || over.Over() <= 0 {
		t.Errorf("a reply without bound: %v", err)
	}
	r, err := m.Generate(t.Context(), &lm.Request{Prompt: long[:200], MaxTokens: 5})
	if err != nil || r.Usage.CompletionTokens > 5 || (r.Finish == lm.FinishLength) != (r.Usage.CompletionTokens == 5) {
		t.Errorf("%+v %v", r, err)
	}
	// A form whose text is cut off is still filled.
	r, err = m.Generate(t.Context(), &lm.Request{Prompt: "p", MaxTokens: 3, Shape: &lm.Shape{Segments: []lm.Segment{
		{Hole: lm.HoleText, Name: "why"}, {Literal: "\nLabel:"}, {Hole: lm.HoleChoice, Name: "l", Choices: labels(" a", " b")}, {Literal: "\n"}, {Hole: lm.HoleText}, {Literal: "!"},
	}}})
	if err != nil || r.Finish != lm.FinishLength || len(r.Choices) != 1 || !strings.HasSuffix(r.Text, "\n!") || r.Usage.CompletionTokens != 3 {
		t.Errorf("%+v %v", r, err)
	}
	// Nothing to compute at all.
	r, err = m.Generate(t.Context(), &lm.Request{Prompt: "p", Shape: &lm.Shape{Segments: []lm.Segment{{Literal: "a"}, {Hole: lm.HoleChoice, Name: "l", Choices: labels("b")}, {Literal: "c"}}}})
	if err != nil || r.Text != "abc" || len(r.Choices) != 1 || r.Choices[0].Options[0].Prob != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestCancelStopsStep(t *testing.T) {
	t.Parallel()
	m, f := openFake(t, 512, func(f *fakeEngine) { f.delay = time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := m.Generate(onlyDone{ctx}, &lm.Request{Prompt: "a long wait"})
			done <- err
		}()
	}
	waitForStep(t, m, true)
	cancel()
	for range 3 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	waitForStep(t, m, false) // it would take an hour
	m.Close()
	checkAccount(t, m, f)
}

// onlyDone is a context that ends, and calls nothing when it does: as one whose functions
// were taken back first.
type onlyDone struct{ context.Context }

func (onlyDone) AfterFunc(func()) func() bool { return func() bool { return true } }

// Value hides the context within from those who would ask it instead.
func (onlyDone) Value(any) any { return nil }

// waitForStep waits until a step runs, or until none does.
func waitForStep(t *testing.T, m *Model, runs bool) {
	t.Helper()
	for {
		m.scheduler.mu.Lock()
		got := len(m.scheduler.inStep) > 0
		m.scheduler.mu.Unlock()
		if got == runs {
			return
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	m, f := openFake(t, 512, func(f *fakeEngine) { f.delay = time.Hour })
	done := make(chan error)
	for range 12 {
		go func() {
			_, err := m.Generate(t.Context(), &lm.Request{Prompt: "p"})
			done <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	m.Close()
	m.Close()
	for range 12 {
		if err := <-done; !errors.Is(err, lm.ErrUnavailable) {
			t.Error(err)
		}
	}
	if !f.freed.Load() {
		t.Error("the engine is not freed")
	}
	if _, err := m.Generate(t.Context(), &lm.Request{Prompt: "p"}); !errors.Is(err, lm.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := m.CountTokens(t.Context(), &lm.Request{Prompt: "p"}); !errors.Is(err, lm.ErrUnavailable) {
		t.Error(err)
	}
}
