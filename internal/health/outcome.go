package health

import (
	"context"
	"errors"

	"github.com/whetgo/whet/lm"
)

// Outcome is what a call says about the health of its LM.
type Outcome int

// What a call says about its LM.
const (
	// Neutral: nothing. The request was at fault, or its caller has left.
	Neutral Outcome = iota
	// Good: it works.
	Good
	// Bad: it does not work, whatever the request.
	Bad
)

// Judge returns what an error, or nil, says about the LM that returned it. A request that
// is too long says nothing, even where it stands beside other failures.
func Judge(err error) Outcome {
	switch {
	case err == nil:
		return Good
	case Elsewhere(err) && !Final(err) && !errors.Is(err, lm.ErrContextLength):
		return Bad
	default:
		return Neutral
	}
}

// Elsewhere reports whether the same request may succeed with another LM that is like
// this one: whether this one is down, busy, out of quota or not usable.
func Elsewhere(err error) bool {
	return lm.IsRetryable(err) || errors.Is(err, lm.ErrUnavailable) || errors.Is(err, lm.ErrQuota) || errors.Is(err, lm.ErrModel)
}

// Final reports whether an error ends a request whatever other LMs there are: the request
// is malformed, the caller has spent what it allowed, or a context has ended. A timeout of
// the LM's own, which may have a context's error for its cause, is not final.
func Final(err error) bool {
	if errors.Is(err, lm.ErrInvalidRequest) || errors.Is(err, lm.ErrBudget) {
		return true
	}
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return ended && !lm.IsRetryable(err)
}
