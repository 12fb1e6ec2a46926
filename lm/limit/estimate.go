package limit

import (
	"context"

	"github.com/whetgo/whet/lm"
)

const (
	// bytesPerToken is that of English text with the tokenizers of the day, about.
	bytesPerToken = 4
	// blobTokens is what an image of common size is charged as, about.
	blobTokens = 1000
)

// estimate is how many tokens a request takes with its reply, which is reply where the
// request does not bound it. Its only errors are the context's.
func estimate(ctx context.Context, m lm.LM, r *lm.Request, reply int) (int, error) {
	if r.MaxTokens > 0 {
		reply = r.MaxTokens
	}
	prompt, err := promptTokens(ctx, m, r)
	// More than any limit is enough to know, and the sum does not overflow.
	return min(prompt, maxPerMinute+1) + min(reply, maxPerMinute+1), err
}

func promptTokens(ctx context.Context, m lm.LM, r *lm.Request) (int, error) {
	if t, ok := lm.As[lm.Tokenizer](m); ok {
		if n, err := t.CountTokens(ctx, r); err == nil {
			return n, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return guess(r), nil
}

// guess estimates the tokens of a prompt by its size.
func guess(r *lm.Request) int {
	size, blobs := len(r.Prompt), 0
	for _, m := range r.Messages {
		for _, p := range m.Parts {
			size += len(p.Text)
			if p.Blob != nil {
				blobs++
			}
		}
		for _, c := range m.ToolCalls {
			size += len(c.Name) + len(c.Arguments)
		}
	}
	for _, t := range r.Tools {
		size += len(t.Name) + len(t.Description) + len(t.Parameters)
	}
	if r.ResponseFormat != nil {
		size += len(r.ResponseFormat.Schema)
	}
	return (size+bytesPerToken-1)/bytesPerToken + blobs*blobTokens
}
