package retry

import (
	"fmt"
	"time"
)

// Reason says why a call was not tried again.
type Reason string

// Why a call was not tried again.
const (
	// NotRetryable: the last error is none that a further attempt may mend.
	NotRetryable Reason = "the last error is not one to try again"
	// NoAttempts: all [Attempts] are made.
	NoAttempts Reason = "no more are allowed"
	// NoTime: the wait does not fit into [Total].
	NoTime Reason = "the next wait does not fit into the time allowed for waiting"
	// NoDeadline: the wait would go on beyond the deadline of the context.
	NoDeadline Reason = "the next wait goes on beyond the context's deadline"
	// BudgetSpent: the [Budget] that calls share holds no retry.
	BudgetSpent Reason = "the retries that all calls share are used up"
	// Shown: a part of the stream has been shown.
	Shown Reason = "a part of the reply has been shown"
)

// Error is what a call returns that gave up.
type Error struct {
	// Attempts is how many were made, at least 1.
	Attempts int
	// Reason says why there are no more.
	Reason Reason
	// Err is the error of the last attempt, usually an *lm.Error.
	Err error
}

// Error says how many attempts were made, why no more, and what the last error was.
func (e *Error) Error() string {
	s := "s"
	if e.Attempts == 1 {
		s = ""
	}
	return fmt.Sprintf("lm/retry: gave up after %d attempt%s, since %s: %v", e.Attempts, s, e.Reason, e.Err)
}

// Unwrap returns the error of the last attempt.
func (e *Error) Unwrap() error { return e.Err }

// Attempt is an attempt that failed.
type Attempt struct {
	// Number is 1 for the first attempt of a call.
	Number int
	// Err is its error.
	Err error
	// Wait is the time until the next attempt begins; see Reason.
	Wait time.Duration
	// Reason says why there is no next attempt; it is empty where there is one.
	Reason Reason
}
