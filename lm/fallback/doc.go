// Package fallback puts several LMs behind each other: where the first cannot answer, the
// next one is asked.
//
//	model, err := fallback.New(hosted, local)
//
// # Which errors
//
// The next LM is asked where the error is one that another LM need not have: a retryable
// one (see [lm.IsRetryable]) or one of kind lm.ErrUnavailable, lm.ErrQuota, lm.ErrModel or
// lm.ErrContextLength. [If] puts another rule in place of this one. Whatever the rule, an
// error of kind lm.ErrInvalidRequest or lm.ErrBudget and that of a context end the request
// at once. Retries of one LM are not made here: wrap it into lm/retry first.
//
// Where no LM has a reply the error is an [*Error] that holds those of all.
//
// # Health
//
// An LM that has failed 5 times in a row ([Failures]) is skipped for 30 seconds
// ([Cooldown]). Then one request is let through to it: if it is answered the LM is as good
// as new, and if not it is skipped for as long again. Requests that were at fault
// themselves, too long or malformed, and those whose caller has left count neither way,
// also where the caller has left because the LM was slow: give the LM a timeout of its own.
//
// # Replies
//
// [lm.Response].Model says who has answered. A stream moves on to the next LM only while
// nothing of the reply was shown. What failed attempts have cost, as far as their
// [lm.Error].Partial says, is added to the usage of the reply, or, where there is none, to
// that of the Partial which errors.As finds in the error; see [lm.UsageOf].
//
// The name of the whole (see [lm.Named]) lists all, as any may have answered, so that a cache in front does
// not mix its replies with those of one LM alone. To keep the replies of each LM apart,
// put a cache before each.
package fallback
