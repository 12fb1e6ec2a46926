package lmtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestScriptedRunsOut(t *testing.T) {
	t.Parallel()
	m := lmtest.Script("one", "two")
	for _, want := range []string{"one", "two"} {
		resp, err := m.Generate(context.Background(), &lm.Request{Prompt: "a b c"})
		if err != nil || resp.Text != want || resp.Finish != lm.FinishStop || resp.Model != "scripted" || resp.Shaped {
			t.Fatalf("got %+v, %v; want %s", resp, err, want)
		}
		if u := (lm.Usage{Calls: 1, PricedCalls: 1, PromptTokens: 3, CompletionTokens: 1}); resp.Usage != u {
			t.Errorf("usage %+v, want %+v", resp.Usage, u)
		}
	}
	_, err := m.Generate(context.Background(), &lm.Request{Prompt: "a"})
	if !errors.Is(err, lm.ErrUnavailable) || !strings.Contains(err.Error(), "2 replies and this is call 3") {
		t.Errorf("after the last reply: %v", err)
	}
	if m.Calls() != 3 || len(m.Requests()) != 3 {
		t.Errorf("%d calls and %d requests, want 3", m.Calls(), len(m.Requests()))
	}
}

func TestScriptedCuts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		reply  string
		r      lm.Request
		want   string
		finish lm.FinishReason
	}{
		{"stop", "a b END c", lm.Request{Stop: []string{"END"}}, "a b ", lm.FinishStop},
		{"first of two stops", "a; b. c", lm.Request{Stop: []string{".", ";"}}, "a", lm.FinishStop},
		{"empty stop", "a b", lm.Request{Stop: []string{""}}, "a b", lm.FinishStop},
		{"max tokens", "a  b\nc d", lm.Request{MaxTokens: 3}, "a  b\nc", lm.FinishLength},
		{"as many as allowed", "a b c", lm.Request{MaxTokens: 3}, "a b c", lm.FinishStop},
		{"stop before max tokens", "a b c d", lm.Request{Stop: []string{" c"}, MaxTokens: 3}, "a b", lm.FinishStop},
		{"max tokens before stop", "a b c d", lm.Request{Stop: []string{" d"}, MaxTokens: 2}, "a b", lm.FinishLength},
		{"empty reply", "", lm.Request{MaxTokens: 1}, "", lm.FinishStop},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.r.Prompt = "x"
			resp, err := lmtest.Script(tt.reply).Generate(context.Background(), &tt.r)
			if err != nil || resp.Text != tt.want || resp.Finish != tt.finish {
				t.Errorf("got %+v, %v; want %q, %s", resp, err, tt.want, tt.finish)
			}
		})
	}
}

func TestScriptedRefuses(t *testing.T) {
	t.Parallel()
	m := lmtest.Script("a")
	if _, err := m.Generate(context.Background(), &lm.Request{}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("empty request: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Generate(ctx, &lm.Request{Prompt: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if m.Calls() != 0 {
		t.Error("a refused request counts as a call")
	}
	cause := errors.New("no")
	failing := lmtest.Answer(func(*lm.Request) (string, error) { return "", cause })
	if _, err := failing.Generate(context.Background(), &lm.Request{Prompt: "x"}); !errors.Is(err, cause) {
		t.Errorf("error of the answer: %v", err)
	}
}

func TestScriptedKeepsCopies(t *testing.T) {
	t.Parallel()
	m := lmtest.Script("a")
	r := &lm.Request{Messages: []lm.Message{lm.User("before")}}
	if _, err := m.Generate(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	r.Messages[0] = lm.User("after")
	if got := m.Requests()[0].Messages[0].Text(); got != "before" {
		t.Errorf("the kept request says %q", got)
	}
}

func TestScriptedConcurrently(t *testing.T) {
	t.Parallel()
	const n = 50
	var replies []string
	for i := range n {
		replies = append(replies, fmt.Sprint(i))
	}
	script := lmtest.Script(replies...)
	same := lmtest.Answer(func(r *lm.Request) (string, error) { return r.Prompt, nil })
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			resp, err := script.Generate(context.Background(), &lm.Request{Prompt: "x"})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			seen[resp.Text] = true
			mu.Unlock()
			prompt := fmt.Sprint("row ", i)
			if resp, err := same.Generate(context.Background(), &lm.Request{Prompt: prompt}); err != nil || resp.Text != prompt {
				t.Errorf("got %+v, %v", resp, err)
			}
		})
	}
	wg.Wait()
	if len(seen) != n || script.Calls() != n {
		t.Errorf("%d different replies in %d calls, want %d", len(seen), script.Calls(), n)
	}
}
