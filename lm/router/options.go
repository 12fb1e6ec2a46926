package router

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm"
)

// Option changes how a router works.
type Option func(*LM) error

// Policy says what becomes of a request without a score.
type Policy int

// What becomes of a request without a score.
const (
	// Fail returns the error; it is the default.
	Fail Policy = iota
	// UseStrong sends the request to the strong model, and UseWeak to the weak one.
	UseStrong
	UseWeak
)

// OnError says what becomes of a request whose score function failed; the default is Fail.
func OnError(p Policy) Option {
	return func(r *LM) error {
		if p < Fail || p > UseWeak {
			return invalid("OnError is %d; it must be Fail, UseStrong or UseWeak", int(p))
		}
		r.policy = p
		return nil
	}
}

// Decision is where a request goes, and why.
type Decision struct {
	// Strong reports that it goes to the strong model, and Model is the name of the one
	// that it goes to; it may be empty.
	Strong bool
	Model  string
	// Score is the request's, and NaN where there is none, and Threshold the router's.
	Score, Threshold float64
	// Err is why there is no score.
	Err error
}

// Notify calls f with each decision before the request is sent, and not for a request that
// fails for want of a score. f gets the request's context, may be called by several
// goroutines at once, and holds up the request until it returns.
func Notify(f func(context.Context, Decision)) Option {
	return func(r *LM) error {
		if f == nil {
			return invalid("the function of Notify is nil; leave the option out for none")
		}
		r.notify = f
		return nil
	}
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "router", Message: fmt.Sprintf(format, args...)}
}
