// Package balance spreads requests over several LMs that answer alike, such as the same
// model on several servers.
//
//	model, err := balance.New([]lm.LM{server1, server2})
//
// A request goes to the member with the least requests in flight for its [Member].Weight.
// Members that are equal in this take turns, by their weights too: the choice depends on
// nothing but the requests before. A stream is in flight until it ends.
//
// # Failures
//
// Where a member is down, busy, out of quota or not usable (an error that
// [lm.IsRetryable] reports, or of kind lm.ErrUnavailable, lm.ErrQuota or lm.ErrModel) the
// request goes to another one, to each at most once; see [If] and [Attempts]. Errors of
// kind lm.ErrInvalidRequest or lm.ErrBudget and those of a context end the request at once.
// A stream moves on only while nothing was shown. Where no member has a reply the error
// is an [*Error] that holds those of all. What failed attempts have cost, as far as their
// [lm.Error].Partial says, is added to the usage of the reply, or to that of the Partial
// which errors.As finds in the error; see [lm.UsageOf].
//
// A member that has failed 5 times in a row ([Failures]) gets no requests for 30 seconds
// ([Cooldown]). Then one is let through to it, and what comes of it decides. Requests whose
// caller has left count neither way.
//
// # Names
//
// All members must have the same name (see [lm.Named]), which is the name of the whole; a
// cache in front would otherwise give the replies of one model for those of another. The
// name of an lm/openai model holds the server's address where that is not the provider's
// own: give both one name by openai.Name. [Mixed] allows other names. [lm.Response].Model says who has answered.
package balance
