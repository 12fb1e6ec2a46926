package lm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/budget"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/fallback"
	"github.com/whetgo/whet/lm/limit"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/lm/price"
	"github.com/whetgo/whet/lm/retry"
)

// Service is what a program keeps of its models: one for all of its requests.
type Service struct {
	Model   lm.LM
	Store   *cache.Store
	Limiter *limit.Limiter
	Budget  *budget.Budget

	hosted, local *openai.Model
}

// NewService puts the stack together. opts are those of the hosted model.
func NewService(ctx context.Context, file string, opts ...openai.Option) (_ *Service, err error) {
	s := &Service{
		Limiter: limit.New(limit.Requests(500), limit.Tokens(200_000), limit.Concurrency(16)),
		Budget:  budget.New(budget.Limits{Money: 5 * lm.USD}),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.hosted, err = openai.New("gpt-4o-mini", append(opts, openai.Timeout(time.Minute))...); err != nil {
		return nil, err
	}
	if s.local, err = openai.New("ollama/llama3.2:1b", openai.Timeout(5*time.Minute)); err != nil {
		return nil, err
	}
	if s.Store, err = cache.Open(ctx, file); err != nil {
		return nil, err
	}
	priced := price.With(price.Default())
	first := lm.Chain(s.hosted, retry.With(), s.Limiter.Wrap, s.Budget.Wrap, priced)
	second := lm.Chain(s.local, limit.With(limit.Concurrency(2)), s.Budget.Wrap, priced)
	either, err := fallback.New(first, second)
	if err != nil {
		return nil, err
	}
	s.Model = s.Store.Wrap(either)
	return s, nil
}

// Close waits for calls in flight and gives back file and connections.
func (s *Service) Close() error {
	var errs []error
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	for _, m := range []*openai.Model{s.hosted, s.local} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// Ask answers one question. A seed and a temperature are part of what is asked, so that an
// answer out of the store is one to the same question.
func (s *Service) Ask(ctx context.Context, question string) (*lm.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	resp, err := s.Model.Generate(ctx, &lm.Request{
		Messages: []lm.Message{lm.User(question)}, Temperature: lm.Temperature(0), Seed: lm.Seed(1), MaxTokens: 400,
	})
	var typed *lm.Error
	switch {
	case err == nil:
		return resp, nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return nil, err // the caller has left, or waited long enough
	case errors.Is(err, lm.ErrBudget):
		return nil, fmt.Errorf("no money left: %w", err)
	case errors.Is(err, lm.ErrContextLength), errors.Is(err, lm.ErrInvalidRequest), errors.Is(err, lm.ErrRefused):
		return nil, fmt.Errorf("ask something else: %w", err)
	case lm.IsRetryable(err) && errors.As(err, &typed):
		return nil, fmt.Errorf("try again in %v: %w", max(typed.RetryAfter, time.Minute), err)
	default: // a key, a quota, a model's name: for who runs the service
		return nil, fmt.Errorf("not able to answer: %w", err)
	}
}

// A service asks a hosted model, and a local one where that fails. What was answered before
// comes out of a file, and no more is spent than 5 dollars.
func Example_stack() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"model":"gpt-4o-mini","choices":[{"message":{"content":"Green."},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":1000,"completion_tokens":100}}`)
	}))
	defer server.Close()
	dir, err := os.MkdirTemp("", "stack")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	// A program leaves the three options out and sets OPENAI_API_KEY.
	s, err := NewService(ctx, filepath.Join(dir, "answers.db"),
		openai.BaseURL(server.URL), openai.Key("no-key"), openai.Name("openai:gpt-4o-mini"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		resp, err := s.Ask(ctx, "What colour is grass?")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text, resp.Usage.Cost, resp.Cached)
	}
	fmt.Println("spent:", s.Budget.Spent().Cost)
	fmt.Println("closed:", s.Close())
	// Output:
	// Green. $0.00021 false
	// Green. $0.00 true
	// spent: $0.00021
	// closed: <nil>
}

// TestDocStack compares the program in docs/lm.md with this one.
func TestDocStack(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/lm.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_stack_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(doc), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("there is no program")
	}
	for _, b := range blocks {
		code, _, _ := strings.Cut(b, "```")
		if !strings.Contains(string(source), code) {
			t.Errorf("this is not in the program that is tested:\n%s", code)
		}
	}
}
