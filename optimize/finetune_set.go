package optimize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
)

// Split is a part of the data.
type Split string

// The splits of [FinetuneData].
const (
	TrainSplit Split = "train"
	ValidSplit Split = "valid"
)

// ChatMessage is a turn of a conversation to train on.
type ChatMessage struct {
	// Role is "system", "user" or "assistant".
	Role string `json:"role"`
	// Content is the text.
	Content string `json:"content"`
}

// FinetuneRecord is one call of one predictor as a conversation that ends with the answer.
type FinetuneRecord struct {
	// Messages are the conversation: the system message, demos as turns of their own, the
	// question and the answer.
	Messages []ChatMessage
	// Predictor is the name of the predictor that was called, and Example that of the example
	// in the run for which it was: its ID, or "number 17" (from 1).
	Predictor, Example string
	// Score is what the metric gave the run.
	Score float64
}

// FinetuneRecords are the records of one split. See [FinetuneRecords.Write].
type FinetuneRecords []FinetuneRecord

// Of returns the records of the predictor of that name, in their order: to train a model for
// it alone.
func (rs FinetuneRecords) Of(predictor string) FinetuneRecords {
	var out FinetuneRecords
	for _, r := range rs {
		if r.Predictor == predictor {
			out = append(out, r)
		}
	}
	return out
}

// DropReason says why something is no record.
type DropReason string

// Why runs and calls are dropped.
const (
	// DropFailed is a run in which the program or the metric failed.
	DropFailed DropReason = "the run failed"
	// DropRejected is a run whose answer the metric did not accept.
	DropRejected DropReason = "the metric rejected the answer"
	// DropForeign is a call of a predictor that the program does not have, such as the
	// teacher's own.
	DropForeign DropReason = "the predictor is not the program's"
	// DropUnused is a call on which the answer does not rest, one that failed and was made
	// good, or one whose answer is that of an earlier call.
	DropUnused DropReason = "the answer does not rest on the call"
	// DropUnwritten is a call that cannot be written as texts: one with an image, a sound or a
	// file, or without any input.
	DropUnwritten DropReason = "the call cannot be written as texts"
	// DropShared is a validation record whose prompt is also in the training records.
	DropShared DropReason = "the prompt is also in the training records"
)

// dropReasons are in the order of reports.
var dropReasons = [...]DropReason{DropFailed, DropRejected, DropForeign, DropUnused, DropUnwritten, DropShared}

// FinetuneDrop is something that was not kept.
type FinetuneDrop struct {
	Split Split
	// Example is the name of the run's example, and Predictor that of the call's predictor;
	// "" where the whole run was dropped, and for DropForeign.
	Example, Predictor string
	Why                DropReason
	// Score is what the metric gave the run, and Err what went wrong, where something did.
	Score float64
	Err   error
}

// FinetuneSet is what [FinetuneData] has made.
type FinetuneSet struct {
	// Train are the training records, shuffled, and Valid those of the validation examples, in
	// the order of these.
	Train, Valid FinetuneRecords
	// Dropped is what was not kept, in the order of the examples, training ones first.
	Dropped []FinetuneDrop
	// Calls counts the calls of language models, also those of the metric, and Usage what
	// they cost.
	Calls Calls
	Usage lm.Usage
}

// dropShared takes the validation records out whose prompts are in the training records.
func (s *FinetuneSet) dropShared() {
	prompt := func(r FinetuneRecord) string {
		var b strings.Builder
		for _, m := range r.Messages[:len(r.Messages)-1] {
			fmt.Fprintf(&b, "%s %d\n%s", m.Role, len(m.Content), m.Content)
		}
		return b.String()
	}
	seen := map[string]bool{}
	for _, r := range s.Train {
		seen[prompt(r)] = true
	}
	s.Valid = slices.DeleteFunc(s.Valid, func(r FinetuneRecord) bool {
		if !seen[prompt(r)] {
			return false
		}
		s.Dropped = append(s.Dropped, FinetuneDrop{Split: ValidSplit, Example: r.Example, Predictor: r.Predictor, Why: DropShared, Score: r.Score})
		return true
	})
}

// Count returns how many runs and calls of a split were dropped for that reason.
func (s *FinetuneSet) Count(split Split, why DropReason) int {
	n := 0
	for _, d := range s.Dropped {
		if d.Split == split && d.Why == why {
			n++
		}
	}
	return n
}

// why counts what was dropped of a split.
func (s *FinetuneSet) why(split Split) string {
	var parts []string
	for _, reason := range dropReasons {
		if n := s.Count(split, reason); n > 0 {
			parts = append(parts, fmt.Sprintf("%d where %s", n, reason))
		}
	}
	if parts == nil {
		return "nothing was dropped"
	}
	return "dropped " + strings.Join(parts, ", ")
}

// String sums the set up in a few lines.
func (s *FinetuneSet) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "train: %d records; %s\n", len(s.Train), s.why(TrainSplit))
	if len(s.Valid) > 0 || s.why(ValidSplit) != "nothing was dropped" {
		fmt.Fprintf(&b, "valid: %d records; %s\n", len(s.Valid), s.why(ValidSplit))
	}
	fmt.Fprintf(&b, "%d calls requested, %d paid", s.Calls.Requested, s.Calls.Paid)
	return b.String()
}

// nothing is the error of a set without training records.
func (s *FinetuneSet) nothing(examples int) error {
	err := fmt.Errorf("%w of %d training examples: %s", ErrNoTraces, examples, s.why(TrainSplit))
	for _, d := range s.Dropped {
		if d.Err != nil {
			return fmt.Errorf("%w; the first error, of the example %s: %w", err, d.Example, d.Err)
		}
	}
	return err
}
