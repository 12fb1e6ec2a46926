package lm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrorKind says what sort of failure an [Error] is. Each kind is itself an
// error, so errors.Is(err, lm.ErrContextLength) works.
type ErrorKind string

// Error returns the kind's text.
func (k ErrorKind) Error() string { return string(k) }

// The kinds of errors.
const (
	// ErrInvalidRequest: the request is malformed; the same request fails again.
	ErrInvalidRequest ErrorKind = "invalid request"
	// ErrContextLength: prompt and reply do not fit the model's context.
	ErrContextLength ErrorKind = "context length exceeded"
	// ErrUnsupported: the backend cannot do what the request asks for.
	ErrUnsupported ErrorKind = "unsupported"
	// ErrUnavailable: the backend is not there: not built in, closed, or not found.
	ErrUnavailable ErrorKind = "unavailable"
	// ErrModel: the model file or name is not usable.
	ErrModel ErrorKind = "unusable model"
	// ErrBackend: the backend failed in a way that is not the caller's fault, and may
	// not the next time.
	ErrBackend ErrorKind = "backend failure"
	// ErrRateLimit: too many requests or tokens for now; Error.RetryAfter says, where the
	// provider does, for how long.
	ErrRateLimit ErrorKind = "rate limit reached"
	// ErrTimeout: no answer came in time, the caller's own context apart.
	ErrTimeout ErrorKind = "timed out"
	// ErrAuth: the key is missing, wrong, or not allowed to do this.
	ErrAuth ErrorKind = "not authorized"
	// ErrQuota: the account has nothing left to pay with.
	ErrQuota ErrorKind = "quota used up"
	// ErrRefused: the provider does not let this request or its reply pass.
	ErrRefused ErrorKind = "refused by the provider"
	// ErrBudget: what the caller allowed to spend is spent; see package lm/budget.
	ErrBudget ErrorKind = "budget spent"
)

// Error is what an LM returns when it cannot answer. It never holds a key.
type Error struct {
	// Kind is the sort of failure.
	Kind ErrorKind
	// Provider names the backend, for example "llamacpp".
	Provider string
	// Model names the model, where one is known.
	Model string
	// Message says what was wrong, what was expected and what to do.
	Message string
	// Status is the HTTP status, 0 where there is none, and Code the provider's own word
	// for the failure, for example "context_length_exceeded".
	Status int
	Code   string
	// RetryAfter is how long the provider asks to wait; 0 where it does not say.
	RetryAfter time.Duration
	// RequestID is the provider's number of the request, for its support.
	RequestID string
	// Partial is what had come of a reply that broke off, and what it has cost; it is nil
	// where nothing had. See [UsageOf].
	Partial *Response
	// Err is the cause, if there is one.
	Err error
}

// Error returns provider, model, kind, status, code, message, request ID and cause in one
// line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("lm")
	if e.Provider != "" {
		b.WriteString("/" + e.Provider)
	}
	if e.Model != "" {
		fmt.Fprintf(&b, " (%s)", e.Model)
	}
	b.WriteString(": " + string(e.Kind))
	switch {
	case e.Status != 0 && e.Code != "":
		fmt.Fprintf(&b, " (HTTP %d, %s)", e.Status, e.Code)
	case e.Status != 0:
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	case e.Code != "":
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// Unwrap returns the kind and the cause, so that errors.Is finds both.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ContextLengthError is the cause of an Error of kind ErrContextLength. All
// numbers are tokens.
type ContextLengthError struct {
	// Prompt is the length of the prompt and Reply what was reserved for the reply.
	Prompt, Reply int
	// Limit is the length of the context.
	Limit int
}

// Over returns by how many tokens the request is too long.
func (e *ContextLengthError) Over() int { return e.Prompt + e.Reply - e.Limit }

// Error says by how much the request is too long.
func (e *ContextLengthError) Error() string {
	return fmt.Sprintf("the prompt takes %d tokens and the reply %d, which is %d more than the context of %d holds; shorten the input, use fewer demos or open the model with a larger context",
		e.Prompt, e.Reply, e.Over(), e.Limit)
}

// IsRetryable reports whether the same request may succeed later: whether its error is of
// kind [ErrBackend], [ErrRateLimit] or [ErrTimeout].
func IsRetryable(err error) bool {
	return errors.Is(err, ErrBackend) || errors.Is(err, ErrRateLimit) || errors.Is(err, ErrTimeout)
}

// UsageOf returns what calls that failed have cost: the sum of the usages of all [Error.Partial]
// in an error and its causes, each counted once. It is zero where nothing is told, which does
// not mean that nothing was paid.
func UsageOf(err error) Usage {
	var sum Usage
	var seen []*Response
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*Error); ok { //nolint:errorlint // the tree is walked here
			if e == nil {
				return
			}
			if e.Partial != nil && !slices.Contains(seen, e.Partial) {
				seen = append(seen, e.Partial)
				sum = sum.Add(e.Partial.Usage)
			}
		}
		switch e := err.(type) { //nolint:errorlint // the tree is walked here
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				walk(err)
			}
		}
	}
	walk(err)
	return sum
}
