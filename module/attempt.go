package module

import (
	"github.com/whetgo/whet/trace"
)

// Attempt is one rollout of a [BestOfN] or [Refine]; the trace has it after the calls
// of the attempt.
type Attempt struct {
	// N is the number of the attempt, from 0.
	N int
	// Reward is what it was given; 0 where Err is not nil.
	Reward float64
	// Err is why it has no reward: the program's error or the reward function's.
	Err error
	// Chosen says that this is the attempt that was answered.
	Chosen bool
	// Dropped says that the program's answer does not rest on it: another attempt was
	// chosen, or the answer of this BestOfN was not needed. [Attempts] fills it in.
	Dropped bool
	// Advice is, by predictor, what a [Refine] told them in this attempt; nil for none.
	// Where the adviser's last reply could not be read it is that of the attempt before, and
	// AdviceErr says why.
	Advice    map[string]string
	AdviceErr error
}

// Attempts returns the attempts in a trace, in order.
func Attempts(t *trace.Trace) []Attempt {
	return notesOf(t, func(n *Attempt, dropped bool) { n.Dropped = dropped })
}
