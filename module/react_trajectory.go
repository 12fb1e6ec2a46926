package module

import (
	"time"

	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// Trajectory is what a [ReAct] did before it answered.
type Trajectory struct {
	// Steps are its steps in order, all of them.
	Steps []ToolStep
	// Forgotten is how many of the first steps the model was no longer shown in the end,
	// because the prompt had become too long for it.
	Forgotten int
	// Stopped says why no further step came; "" where an error ended the run.
	Stopped StopReason
}

// StopReason says why a [ReAct] took no further step.
type StopReason string

// Why a ReAct stops.
const (
	// StopFinish: the model called the tool finish.
	StopFinish StopReason = "finish"
	// StopMaxIters: it took as many steps as [MaxIters] allows.
	StopMaxIters StopReason = "max iterations"
	// StopUnreadable: three replies after each other named no tool that could be read.
	StopUnreadable StopReason = "unreadable replies"
	// StopContextLength: the steps did not fit the model's context, also without the
	// oldest of them.
	StopContextLength StopReason = "context length exceeded"
)

// ToolStep is one step of a [ReAct].
type ToolStep struct {
	// Thought is what the model wrote before it chose the tool.
	Thought string
	// Tool names the tool, and Args are the arguments as the model gave them. Tool is ""
	// where the reply could not be read.
	Tool string
	Args signature.Record
	// Observation is what the model was shown then: the result, or what went wrong.
	Observation string
	// Err is why there was no result: a [*ToolError] of a call, and a
	// [*TruncatedError] or an *adapter.ParseError where the reply could not be read.
	Err error
	// Start and Duration say when the tool was called and how long it took.
	Start    time.Time
	Duration time.Duration
	// Dropped says that the program's answer does not rest on this call: see trace.Step.
	Dropped bool
}

// ToolSteps returns the calls of tools in a trace, in order: what a metric reads that
// judges how an answer was found. Those of which the answer does not rest are among them,
// with Dropped set; the tool finish, which calls nothing, and replies that could not be read
// are not.
func ToolSteps(t *trace.Trace) []ToolStep {
	return notesOf(t, func(n *ToolStep, dropped bool) { n.Dropped = dropped })
}

// record adds the call of a tool to a trace.
func (s ToolStep) record(t *trace.Trace) {
	t.Add(trace.Step{Inputs: s.Args, Err: s.Err, Note: s, Start: s.Start, Duration: s.Duration})
}
