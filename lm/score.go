package lm

import "context"

// Scorer is an LM that says how likely it finds a text, without generating any.
type Scorer interface {
	LM
	// Score returns the log-probability of each continuation: that the model's reply to
	// r begins with it. Nothing is normalised, and a continuation's end does not count
	// unless it holds one. The tokens are those that the model's tokenizer makes of
	// prompt and continuation together; other divisions of the same text into tokens
	// are not summed up. The Shape, the sampling and the limits of r play no part.
	Score(ctx context.Context, r *Request, continuations ...string) (*Scores, error)
}

// Scores are the log-probabilities of some continuations.
type Scores struct {
	// Continuations are in the order of the call.
	Continuations []Continuation
	// Usage is what they cost.
	Usage Usage
	// Model names the model that computed them.
	Model string
}

// Continuation is how likely a model finds a text.
type Continuation struct {
	Text string
	// LogProb is the natural logarithm of the probability, the sum of the tokens'.
	LogProb float64
	// Tokens is how many tokens were counted; LogProb/Tokens compares texts of
	// different lengths.
	Tokens int
}
