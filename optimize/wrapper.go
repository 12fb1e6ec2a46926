package optimize

import (
	"context"

	"github.com/whetgo/whet/lm"
)

// likeInner returns wrapper with what inner can beyond answering: a language
// model that is wrapped still has its name and counts tokens, and one that cannot
// does not pretend to.
func likeInner(wrapper, inner lm.LM) lm.LM {
	tokenizer, counts := inner.(lm.Tokenizer)
	named, ok := inner.(lm.Named)
	switch ok = ok && named.Name() != ""; {
	case ok && counts:
		return namedTokenizer{namedLM{wrapper, named}, tokenizer}
	case ok:
		return namedLM{wrapper, named}
	case counts:
		return countingLM{wrapper, tokenizer}
	}
	return wrapper
}

type namedLM struct {
	lm.LM
	inner lm.Named
}

// Name implements lm.Named.
func (m namedLM) Name() string { return m.inner.Name() }

type countingLM struct {
	lm.LM
	inner lm.Tokenizer
}

// CountTokens implements lm.Tokenizer.
func (m countingLM) CountTokens(ctx context.Context, r *lm.Request) (int, error) {
	return m.inner.CountTokens(ctx, r)
}

type namedTokenizer struct {
	namedLM
	counting lm.Tokenizer
}

// CountTokens implements lm.Tokenizer.
func (m namedTokenizer) CountTokens(ctx context.Context, r *lm.Request) (int, error) {
	return m.counting.CountTokens(ctx, r)
}
