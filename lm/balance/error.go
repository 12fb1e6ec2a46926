package balance

import "github.com/whetgo/whet/internal/health"

// Error is returned where no member had a reply; an error that ends a request at its first
// member is returned as it is. errors.Is and errors.As look into the errors of all members, so
// that it is retryable where one of them is; but where the last error has ended the request,
// they look into that one alone.
type Error struct {
	// Attempts are the members in the order of their turns.
	Attempts []Attempt
	final    bool
}

// Attempt is a member that had its turn.
type Attempt struct {
	// Name is the member's; it may be empty.
	Name string
	// Skipped reports that the member was not asked, because it had failed before. Err says
	// so then, and has the last failure for its cause.
	Skipped bool
	// Err is why there is no reply.
	Err error
}

// Error tells in one line what happened with each member.
func (e *Error) Error() string { return health.Describe("lm/balance", e.failures()) }

// Unwrap returns the errors of all members, or only the last where that one has ended the
// request.
func (e *Error) Unwrap() []error { return health.Causes(e.failures(), e.final) }

// As makes the *lm.Error that errors.As finds the one whose Partial has the usage of all
// attempts, so that nothing that was paid is lost.
func (e *Error) As(target any) bool { return health.As(e.failures(), e.final, target) }

func (e *Error) failures() []health.Failure {
	failures := make([]health.Failure, len(e.Attempts))
	for i, a := range e.Attempts {
		failures[i] = health.Failure(a)
	}
	return failures
}

func join(failures []health.Failure, final bool) error {
	e := &Error{Attempts: make([]Attempt, len(failures)), final: final}
	for i, f := range failures {
		e.Attempts[i] = Attempt(f)
	}
	return e
}
