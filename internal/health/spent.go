package health

import (
	"errors"

	"github.com/whetgo/whet/lm"
)

// stopped is the kind of an error that only tells what was paid before a caller has left:
// it is none that anybody tries again.
const stopped lm.ErrorKind = "stopped"

// spentBy is what failed attempts have cost, as far as they tell.
func spentBy(failures []Failure) lm.Usage {
	var sum lm.Usage
	for _, f := range failures {
		if !f.Skipped { // or it would be that of another request
			sum = sum.Add(lm.UsageOf(f.Err))
		}
	}
	return sum
}

// withSpent adds what failed attempts have cost to a reply, which may be another's, too.
func withSpent(resp *lm.Response, spent lm.Usage) *lm.Response {
	if spent == (lm.Usage{}) {
		return resp
	}
	c := *resp
	c.Usage = spent.Add(resp.Usage)
	return &c
}

// charge adds what attempts before it have cost to an error.
func charge(err error, spent lm.Usage) error {
	if spent == (lm.Usage{}) {
		return err
	}
	kind := stopped
	if e, ok := errors.AsType[*lm.Error](err); ok {
		kind = e.Kind
	}
	return &charged{err, &lm.Error{Kind: kind, Message: "attempts before have failed", Partial: &lm.Response{Usage: spent}}}
}

// charged is an error that is its cause in all, and tells besides what attempts before it
// have cost. The sum of both is what errors.As finds, and each is in the tree once.
type charged struct {
	err    error
	before *lm.Error
}

func (c *charged) Error() string { return c.err.Error() }

func (c *charged) Unwrap() []error { return []error{c.err, c.before} }

func (c *charged) As(target any) bool {
	to, ok := target.(**lm.Error)
	if !ok {
		return false
	}
	e, ok := errors.AsType[*lm.Error](c.err)
	if !ok {
		e = c.before
	} else {
		e = withTotal(e, c.before.Partial.Usage.Add(lm.UsageOf(c.err)))
	}
	*to = e
	return true
}

// withTotal returns an error like e whose Partial has the usage u.
func withTotal(e *lm.Error, u lm.Usage) *lm.Error {
	c, partial := *e, lm.Response{}
	if e.Partial != nil {
		partial = *e.Partial
	}
	partial.Usage = u
	c.Partial = &partial
	return &c
}

// As is the As method of an error made of failures: the *lm.Error that it finds is the first,
// with what all attempts have cost.
func As(failures []Failure, final bool, target any) bool {
	to, ok := target.(**lm.Error)
	if !ok || final {
		return false // the last failure tells all: see Causes
	}
	u := spentBy(failures)
	if u == (lm.Usage{}) {
		return false
	}
	for _, f := range failures {
		if e, ok := errors.AsType[*lm.Error](f.Err); ok {
			*to = withTotal(e, u)
			return true
		}
	}
	return false
}

// told is a failure of an earlier request: it is what it is, but for what it has cost, which
// nobody is to count again.
type told struct{ err error }

func (t told) Error() string { return t.err.Error() }

func (t told) Is(target error) bool { return errors.Is(t.err, target) }

func (t told) As(target any) bool {
	if to, ok := target.(**lm.Error); ok {
		e, ok := errors.AsType[*lm.Error](t.err)
		if ok {
			c := *e
			c.Partial, c.Err = nil, nil
			*to = &c
		}
		return ok
	}
	return errors.As(t.err, target)
}
