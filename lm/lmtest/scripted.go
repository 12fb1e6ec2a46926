package lmtest

import (
	"context"
	"fmt"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Scripted is an LM that answers from a script and remembers what it was asked.
// It is safe for concurrent use; with several callers the replies go out in the
// order of the calls.
type Scripted struct {
	mu       sync.Mutex
	replies  []string
	answer   func(*lm.Request) (string, error)
	requests []*lm.Request
}

// Script returns an LM that gives these replies one after the other, and an
// error of kind lm.ErrUnavailable when they are used up.
func Script(replies ...string) *Scripted { return &Scripted{replies: replies} }

// Answer returns an LM that computes each reply from the request. answer may be
// called by several goroutines at once.
func Answer(answer func(*lm.Request) (string, error)) *Scripted { return &Scripted{answer: answer} }

// Name implements lm.Named.
func (s *Scripted) Name() string { return "scripted" }

// Generate implements lm.LM. The Shape is ignored, as by a backend that cannot
// enforce it. Every word of the reply counts as one token; of the prompt every word
// does and every mark, also within a word.
func (s *Scripted) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r.Clone())
	s.mu.Unlock()
	var text string
	switch {
	case s.answer != nil:
		var err error
		if text, err = s.answer(r); err != nil {
			return nil, err
		}
	case n < len(s.replies):
		text = s.replies[n]
	default:
		return nil, &lm.Error{
			Kind: lm.ErrUnavailable, Provider: "scripted",
			Message: fmt.Sprintf("the script has %d replies and this is call %d", len(s.replies), n+1),
		}
	}
	text, finish := cut(text, r)
	return &lm.Response{
		Text: text, Finish: finish, Model: "scripted",
		Usage: lm.Usage{Calls: 1, PricedCalls: 1, PromptTokens: countMarks(promptText(r)), CompletionTokens: countWords(text)},
	}, nil
}

// Requests returns copies of the requests so far, in order.
func (s *Scripted) Requests() []*lm.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*lm.Request(nil), s.requests...)
}

// Calls returns the number of requests so far.
func (s *Scripted) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}
