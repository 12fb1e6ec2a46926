// Package router sends the requests that need it to a strong model and the others to a
// weak one, which is cheaper or faster.
//
//	model, err := router.New(weak, strong, score, 0.7)
//
// The score says how much a request needs the strong model, from 0 to 1: a classifier, a
// rule, or the weak model's own doubt. Where it is at least the threshold the strong model
// answers. [Calibrate] finds the threshold that sends a wanted share of requests there,
// from the scores of some that are typical.
//
// # Thresholds
//
// From what both models have answered to some requests, an [Outcome] for each, [Fit] works
// out what every threshold makes of them: a [Curve] with the threshold for a wished share
// ([Curve.ForShare]), for a wished quality at the least cost ([Curve.ForQuality]) and for a
// wished cost at the best quality ([Curve.ForCost]), and with the measures of RouteLLM:
// [Curve.PGR], [Curve.APGR] and [Curve.CPT]. It serves a cascade as well, whose score is
// known only after the weak answer: see [Plan]. Fitting has no randomness.
//
// # Failures
//
// Without a score a request cannot be routed: where the score function returns an error,
// or a number that is not in 0 to 1, the request fails, or goes to the side that [OnError]
// names. A context's error always comes back.
//
// # Replies and names
//
// [lm.Response].Model says who has answered, [Notify] reports each decision, and
// [LM.Stats] counts requests, errors and usage of each side. What the score function
// spends is not in them.
//
// The router's name (see [lm.Named]) lists both models and the threshold. As the score function has no name,
// a cache in front of a router would keep the replies of one score function for another:
// put a cache before each model instead.
//
// A router that chooses between programs, by what the weak one has answered, is a matter
// of package module.
package router
