package price

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
)

// scale is a billionth of a dollar in the amount of one token: 1e-18 dollars.
const scale = 1_000_000_000

// Cost returns what one call that was answered with this usage at this time costs. The
// provider is its id in the table or another name for it; where it is empty, the model's
// name decides. The second result is false where the cost is not known; see the package's
// comment. The usage of several calls together has the tier of one with a prompt as long as
// all of theirs, so sum costs and not usages.
func (t *Table) Cost(provider, model string, u lm.Usage, at time.Time) (lm.Money, bool) {
	if isLocal(provider) {
		return 0, !isHosted(provider, model)
	}
	p, ok := t.find(provider, model, at)
	if !ok {
		return 0, false
	}
	return p.cost(u)
}

// local are the providers whose models run on the user's own machines.
func isLocal(provider string) bool {
	return slices.Contains([]string{"llamacpp", "llama-server", "ollama", "vllm", "lmstudio"}, strings.ToLower(strings.TrimSpace(provider)))
}

// isHosted reports whether a model of Ollama is one that its maker runs, for money.
func isHosted(provider, model string) bool {
	model = strings.ToLower(model)
	return strings.EqualFold(strings.TrimSpace(provider), "ollama") && (strings.HasSuffix(model, ":cloud") || strings.HasSuffix(model, "-cloud"))
}

// cost works out a bill.
func (p *prices) cost(u lm.Usage) (lm.Money, bool) {
	prompt, completion := int64(u.PromptTokens), int64(u.CompletionTokens)
	read, written, reasoning := int64(u.CachedTokens), int64(u.CacheWriteTokens), int64(u.ReasoningTokens)
	if len(p.Other) > 0 || prompt+completion == 0 || min(prompt, completion, read, written, reasoning) < 0 {
		return 0, false
	}
	// Whether sounds were among the cached tokens is not told, and what a model's own cost
	// is not in the table.
	audio := int64(u.AudioPromptTokens)
	ownPrice := audio != 0 && !p.Audio.same(p.Input)
	if audio < 0 || u.AudioCompletionTokens != 0 || ownPrice && (p.Audio == nil || read+written > 0) {
		return 0, false
	}
	sum := new(big.Int) // in 1e-18 dollars
	add := func(tokens int64, r *rate) {
		sum.Add(sum, new(big.Int).Mul(big.NewInt(tokens), big.NewInt(int64(r.at(prompt)))))
	}
	// What has a price of its own is no part of the rest.
	input, output := prompt, completion
	if ownPrice {
		input -= audio
		add(audio, p.Audio)
	}
	if p.CacheRead != nil {
		input -= read
		add(read, p.CacheRead)
	}
	if p.CacheWrite != nil {
		input -= written
		add(written, p.CacheWrite)
	}
	if p.Reasoning != nil {
		output -= reasoning
		add(reasoning, p.Reasoning)
	}
	if input < 0 || output < 0 || input > 0 && p.Input == nil || output > 0 && p.Output == nil {
		return 0, false
	}
	if input > 0 {
		add(input, p.Input)
	}
	if output > 0 {
		add(output, p.Output)
	}
	if p.Requests != nil {
		// A thousand requests have the price that a million tokens have elsewhere.
		add(1000*int64(max(u.Calls, 1)), p.Requests)
	}
	// Half a billionth is rounded up.
	sum.Add(sum, big.NewInt(scale/2)).Quo(sum, big.NewInt(scale))
	if !sum.IsInt64() {
		return 0, false
	}
	return lm.Money(sum.Int64()), true
}

// plain reports whether the parts of a request cost what text does, or the usage tells them
// from text.
func (p *prices) plain(r *lm.Request, u lm.Usage) bool {
	for _, m := range r.Messages {
		for _, part := range m.Parts {
			if part.Blob == nil {
				continue
			}
			switch part.Blob.Kind {
			case lm.BlobAudio:
				// Sound nearly always has another price than text, so a table that is silent
				// about it does not say that it costs the same.
				if u.AudioPromptTokens == 0 && (p.Audio == nil || !p.Audio.same(p.Input)) {
					return false
				}
			case lm.BlobImage:
				if p.Image != nil && !p.Image.same(p.Input) {
					return false
				}
			case lm.BlobFile:
				// A file may hold either.
				for _, rate := range []*rate{p.Audio, p.Image, p.Video} {
					if rate != nil && !rate.same(p.Input) {
						return false
					}
				}
			}
		}
	}
	return true
}
