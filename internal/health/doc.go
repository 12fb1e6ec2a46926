// Package health is what lm/fallback and lm/balance share: a [Breaker] for each LM, which
// says whether it is worth asking, and [Try], the loop that asks one LM after the other.
package health
