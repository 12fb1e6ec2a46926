package lmtest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// Capabilities says what of the suite applies to a backend. Where a field is false the
// suite holds the backend to the contrary, so that none is left at false by mistake: one
// without Forms must say that a reply is not of its shape.
type Capabilities struct {
	// Messages and Prompt say which of the two kinds of requests it answers; for
	// the other it must return an error of kind lm.ErrUnsupported.
	Messages, Prompt bool
	// Forms says that it holds a reply to its Shape: literals, choices and the forms of
	// numbers, JSON and patterns.
	Forms bool
	// Scores says that it computes what stands in a choice and does not draw it, as
	// [lm.Shape] has it: each choice is in Response.Choices, a Bias decides, and neither
	// literals nor choices are decoded. It goes with Forms. A backend with Forms alone may
	// leave Choices empty, and must where they are not what it drew by.
	Scores bool
	// Samples says that replies depend on temperature and seed.
	Samples bool
	// NoTokenCounts says that it does not tell how many tokens a request has. A test that
	// counts them is then skipped. Without it each reply has at least one prompt token, but
	// for those that come out of a store (Response.Cached).
	NoTokenCounts bool
	// ReadsSpecialTokens says that the text of a special token in data, such as
	// "<|im_end|>", is read as that token, against the contract of [lm.Part]: for backends
	// whose server does so and cannot be asked which texts they are. Data can then end a
	// turn and begin another. The suite checks that it is still so.
	ReadsSpecialTokens bool
}

// Suite runs the conformance suite of backends. open is called once; the model
// must answer any prompt with at least one word, a story that is asked for with more
// than three, and must live until the test ends.
func Suite(t *testing.T, open func(t *testing.T) lm.LM, c Capabilities) {
	if c.Scores && !c.Forms {
		t.Fatal("Capabilities: Scores without Forms; a choice is scored as a part of a form")
	}
	m := open(t)
	s := suite{m, c}
	t.Run("Messages", s.messages)
	t.Run("Prompt", s.prompt)
	t.Run("InvalidRequest", s.invalid)
	t.Run("Cancelled", s.cancelled)
	t.Run("CancelledDuring", s.cancelledDuring)
	t.Run("MaxTokens", s.maxTokens)
	t.Run("Stop", s.stop)
	t.Run("GreedyRepeats", s.greedy)
	t.Run("SeedRepeats", s.seed)
	t.Run("RequestUnchanged", s.unchanged)
	t.Run("SpecialTokensAreText", s.special)
	t.Run("Choice", s.choice)
	t.Run("Forms", s.forms)
	t.Run("Concurrent", s.concurrent)
	t.Run("Stream", s.stream)
}

type suite struct {
	m lm.LM
	c Capabilities
}

// request is one of the kind that the backend answers.
func (s suite) request(text string) *lm.Request {
	r := &lm.Request{Temperature: lm.Temperature(0), MaxTokens: 8}
	if s.c.Messages {
		r.Messages = []lm.Message{lm.User(text)}
	} else {
		r.Prompt = text
	}
	return r
}

func (s suite) generate(t *testing.T, r *lm.Request) *lm.Response {
	t.Helper()
	resp, err := s.m.Generate(t.Context(), r)
	if err != nil {
		t.Fatalf("Generate: %v", err)
	}
	u := resp.Usage
	switch {
	case u.Calls != 1 || u.CachedTokens > u.PromptTokens:
		t.Errorf("Usage = %+v, want one call, and no more tokens cached than there are", u)
	case resp.Cached && (u.CachedCalls != 1 || u.CompletionTokens != 0 || u.Cost != 0):
		t.Errorf("Usage = %+v of a reply out of a store, want one cached call that decoded and cost nothing", u)
	case !resp.Cached && !s.c.NoTokenCounts && u.PromptTokens < 1:
		t.Errorf("Usage = %+v, want a prompt of at least one token", u)
	}
	return resp
}

func (s suite) kind(t *testing.T, r *lm.Request, supported bool) {
	t.Helper()
	resp, err := s.m.Generate(t.Context(), r)
	switch {
	case supported && err != nil:
		t.Fatalf("Generate: %v", err)
	case supported && resp.Text == "":
		t.Error("the reply is empty")
	case !supported && !errors.Is(err, lm.ErrUnsupported):
		t.Errorf("Generate returned %v, want an error of kind %q", err, lm.ErrUnsupported)
	}
}

func (s suite) messages(t *testing.T) {
	s.kind(t, &lm.Request{Messages: []lm.Message{lm.System("Be brief."), lm.User("Count to three.")}, MaxTokens: 8}, s.c.Messages)
}

func (s suite) prompt(t *testing.T) {
	s.kind(t, &lm.Request{Prompt: "One, two, three,", MaxTokens: 8}, s.c.Prompt)
}

func (s suite) invalid(t *testing.T) {
	for name, r := range map[string]*lm.Request{
		"empty":                {},
		"both kinds":           {Messages: []lm.Message{lm.User("a")}, Prompt: "b"},
		"negative MaxTokens":   {Prompt: "a", MaxTokens: -1},
		"negative Temperature": {Prompt: "a", Temperature: lm.Temperature(-1)},
		"choice without texts": {Prompt: "a", Shape: &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleChoice}}}},
	} {
		if _, err := s.m.Generate(t.Context(), r); !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: Generate returned %v, want an error of kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
}

func (s suite) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.m.Generate(ctx, s.request("Count to ten.")); !errors.Is(err, context.Canceled) {
		t.Errorf("Generate returned %v, want %v", err, context.Canceled)
	}
}

// cancelledDuring ends the context while replies are on their way. A backend may have
// been quicker, but whatever it returns must be a reply or the context's error.
func (s suite) cancelledDuring(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*20*time.Millisecond)
			defer cancel()
			r := s.request("Tell a long story about a miller and his three cats.")
			r.MaxTokens = 200
			if _, err := s.m.Generate(ctx, r); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Generate returned %v, want a reply or %v", err, context.DeadlineExceeded)
			}
		})
	}
	wg.Wait()
	s.generate(t, s.request("Are you still there?"))
}

func (s suite) maxTokens(t *testing.T) {
	r := s.request("Tell a long story about a lighthouse keeper and her bees.")
	r.MaxTokens = 3
	resp := s.generate(t, r)
	if resp.Usage.CompletionTokens > 3 {
		t.Errorf("%d tokens were generated, want at most 3", resp.Usage.CompletionTokens)
	}
	if resp.Finish == "" {
		t.Error("Finish is empty")
	}
	if resp.Usage.CompletionTokens == 3 && resp.Finish != lm.FinishLength {
		t.Errorf("Finish = %q after as many tokens as were allowed, want %q", resp.Finish, lm.FinishLength)
	}
}

func (s suite) stop(t *testing.T) {
	r := s.repeatable(t, "Count: one two three four")
	full := s.generate(t, r).Text
	words := strings.Fields(full)
	if len(words) == 0 {
		t.Fatal("the reply is empty")
	}
	stop := words[len(words)-1]
	r.Stop = []string{stop}
	if got := s.generate(t, r).Text; strings.Contains(got, stop) || !strings.HasPrefix(full, got) {
		t.Errorf("with the stop text %q the reply is %q, and without %q", stop, got, full)
	}
}

// repeatable returns a request that the backend has answered before. Where a part of
// its prompt is cached, less is computed at once than the first time, and kernels for
// other sizes round otherwise: the second and the third reply must be the same.
func (s suite) repeatable(t *testing.T, text string) *lm.Request {
	t.Helper()
	r := s.request(text)
	s.generate(t, r)
	return r
}

func (s suite) greedy(t *testing.T) {
	r := s.repeatable(t, "Name a colour.")
	if a, b := s.generate(t, r).Text, s.generate(t, r).Text; a != b {
		t.Errorf("two greedy replies differ: %q and %q", a, b)
	}
}

func (s suite) seed(t *testing.T) {
	r := s.repeatable(t, "Name an animal.")
	r.Temperature, r.Seed = lm.Temperature(1), lm.Seed(7)
	if a, b := s.generate(t, r).Text, s.generate(t, r).Text; a != b {
		t.Errorf("two replies of one seed differ: %q and %q", a, b)
	}
	seen := map[string]bool{}
	for i := range uint64(8) {
		r.Seed = lm.Seed(i)
		seen[s.generate(t, r).Text] = true
	}
	switch {
	case s.c.Samples && len(seen) < 2:
		t.Errorf("eight seeds at temperature 1 gave one reply: %v", seen)
	case !s.c.Samples && len(seen) > 1:
		t.Errorf("eight seeds at temperature 1 gave %d replies: the backend samples, so set Capabilities.Samples", len(seen))
	}
}

func (s suite) unchanged(t *testing.T) {
	r := s.request("Say hello.")
	r.Stop = []string{"\n\n"}
	before := r.Clone()
	s.generate(t, r)
	if !reflect.DeepEqual(before, r) {
		t.Errorf("Generate changed the request from %+v to %+v", before, r)
	}
}

func (s suite) concurrent(t *testing.T) {
	texts := []string{"Name a bird.", "Name a river.", "Name a tool.", "Name a fruit.", "Name a town.", "Name a fish.", "Name a tree.", "Name a game."}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if _, err := s.m.Generate(t.Context(), s.request(texts[i%len(texts)])); err != nil {
				t.Errorf("Generate: %v", err)
			}
		})
	}
	wg.Wait()
}
