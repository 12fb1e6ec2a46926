package health

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/whetgo/whet/lm"
)

// Turn is an LM's turn to answer a request.
type Turn struct {
	// Name is the LM's, for errors and for replies that name no model; it may be empty.
	Name string
	LM   lm.LM
	// Skipped is why the LM is not asked; nil where it is.
	Skipped error
	// Done is told once what came of it, where the LM is asked.
	Done func(Outcome, error)
}

// Failure is an LM that was tried, or skipped, and why.
type Failure struct {
	Name    string
	Skipped bool
	Err     error
}

// Try asks one LM after the other. It serves one request. What failed attempts have cost is
// added to the usage of the reply, or to the Partial of the error that ends the request.
type Try struct {
	// Next returns whose turn it is, or false when there is nobody left.
	Next func() (Turn, bool)
	// Onward reports whether an error lets the next LM try. It is not asked about
	// errors that are [Final].
	Onward func(error) bool
	// Join makes an error of all failures. With final set the last of them has ended the
	// request, and the ones before are only told.
	Join func(failures []Failure, final bool) error
}

// Generate returns the reply of the first LM that has one.
func (t Try) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	var failed []Failure
	for {
		if err := ctx.Err(); err != nil {
			return nil, charge(err, spentBy(failed))
		}
		turn, ok := t.Next()
		if !ok {
			return nil, t.Join(failed, false)
		}
		if turn.Skipped != nil {
			failed = append(failed, Failure{turn.Name, true, turn.Skipped})
			continue
		}
		resp, err := turn.generate(ctx, r)
		if err == nil {
			return withSpent(resp, spentBy(failed)), nil
		}
		if failed, err = t.judge(ctx, failed, turn.Name, err, false); err != nil {
			return nil, err
		}
	}
}

// Stream shows the reply of the first LM that has one. Once something was shown the next
// LM is not asked.
func (t Try) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		var failed []Failure
		for {
			if err := ctx.Err(); err != nil {
				yield(nil, charge(err, spentBy(failed)))
				return
			}
			turn, ok := t.Next()
			if !ok {
				yield(nil, t.Join(failed, false))
				return
			}
			if turn.Skipped != nil {
				failed = append(failed, Failure{turn.Name, true, turn.Skipped})
				continue
			}
			shown, left, err := turn.stream(ctx, r, spentBy(failed), yield)
			if left || err == nil {
				return
			}
			if failed, err = t.judge(ctx, failed, turn.Name, err, shown); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// judge returns the failures with one more, or the error that ends the request.
func (t Try) judge(ctx context.Context, failed []Failure, name string, err error, shown bool) ([]Failure, error) {
	if ended := ctx.Err(); ended != nil {
		if errors.Is(err, ended) {
			return nil, charge(err, spentBy(failed)) // it may hold what had come of the reply
		}
		// What this attempt has cost is paid, whatever its error says.
		return nil, charge(ended, spentBy(append(failed, Failure{Name: name, Err: err})))
	}
	final := shown || Final(err) || !t.Onward(err)
	if final && len(failed) == 0 {
		return nil, err
	}
	failed = append(failed, Failure{Name: name, Err: err})
	if final {
		return nil, t.Join(failed, true)
	}
	return failed, nil
}

func (turn Turn) generate(ctx context.Context, r *lm.Request) (resp *lm.Response, err error) {
	outcome := Neutral // also where the LM panics
	defer func() { turn.Done(outcome, err) }()
	resp, err = turn.LM.Generate(ctx, r)
	if err == nil && resp == nil {
		err = turn.broken("the LM returned neither a reply nor an error")
	}
	outcome = judgeCall(ctx, err)
	if err != nil {
		return nil, err
	}
	return Named(resp, turn.Name), nil
}

func (turn Turn) stream(ctx context.Context, r *lm.Request, spent lm.Usage, yield func(*lm.Event, error) bool) (shown, left bool, err error) {
	outcome := Neutral
	defer func() { turn.Done(outcome, err) }()
	whole := false
	for event, e := range lm.Stream(ctx, turn.LM, r) {
		if e != nil {
			err = e
			break
		}
		if event == nil {
			continue
		}
		if event.Response != nil {
			whole = true
			event = &lm.Event{Text: event.Text, Reasoning: event.Reasoning, Response: withSpent(Named(event.Response, turn.Name), spent)}
		}
		if whole || event.Text != "" || event.Reasoning != "" {
			shown = true
		}
		if !yield(event, nil) {
			if shown {
				outcome = Good
			}
			return shown, true, nil
		}
	}
	if err == nil && !whole {
		err = turn.broken("the stream ended without a whole reply")
	}
	outcome = judgeCall(ctx, err)
	return shown, false, err
}

func (turn Turn) broken(what string) error {
	return &lm.Error{Kind: lm.ErrBackend, Model: turn.Name, Message: what + "; this is a fault of the LM's implementation"}
}

// judgeCall is Judge, but that an LM is not blamed for what it says after its caller has left.
func judgeCall(ctx context.Context, err error) Outcome {
	if err != nil && ctx.Err() != nil {
		return Neutral
	}
	return Judge(err)
}

// Named returns resp with a Model: its own, or else name.
func Named(resp *lm.Response, name string) *lm.Response {
	if resp.Model != "" || name == "" {
		return resp
	}
	c := *resp // it may be another's, too
	c.Model = name
	return &c
}

// Describe tells of failures in one line, each with its LM's place and name.
func Describe(who string, failures []Failure) string {
	var b strings.Builder
	skipped := 0
	for _, f := range failures {
		if f.Skipped {
			skipped++
		}
	}
	fmt.Fprintf(&b, "%s: no reply: %d failed", who, len(failures)-skipped)
	if skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", skipped)
	}
	for i, f := range failures {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		name := f.Name
		if name == "" {
			name = "an LM without a name"
		}
		fmt.Fprintf(&b, "%s%s: %v", sep, name, f.Err)
	}
	return b.String()
}

// Causes returns what an error made of failures unwraps to: all of them, or, where the
// last has ended the request, only that one, with what those before have cost.
func Causes(failures []Failure, final bool) []error {
	if n := len(failures); final && n > 0 {
		return []error{charge(failures[n-1].Err, spentBy(failures[:n-1]))}
	}
	errs := make([]error, len(failures))
	for i, f := range failures {
		errs[i] = f.Err
	}
	return errs
}

// Name returns the name of several LMs of which any may answer: the one that all have, or
// one that lists them, or "" where one has none and so nobody can tell.
func Name(who string, names []string) string {
	same := true
	for _, n := range names {
		if n == "" {
			return ""
		}
		same = same && n == names[0]
	}
	if same && len(names) > 0 {
		return names[0]
	}
	return who + "(" + strings.Join(names, " | ") + ")"
}
