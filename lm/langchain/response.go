package langchain

import (
	"math"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

// response joins all choices, since one reply is asked for and some clients make a choice
// of each of its parts. Finish is empty where no choice has a reason to stop.
func response(content *llms.ContentResponse) (*lm.Response, error) {
	resp := &lm.Response{}
	seen := false
	refused := ""
	if content != nil {
		for _, c := range content.Choices {
			if c == nil {
				continue
			}
			seen = true
			resp.Text += c.Content
			addReasoning(resp, c)
			for _, t := range c.ToolCalls {
				call := lm.ToolCall{ID: t.ID}
				if t.FunctionCall != nil {
					call.Name, call.Arguments = t.FunctionCall.Name, t.FunctionCall.Arguments
				}
				resp.ToolCalls = append(resp.ToolCalls, call)
			}
			if c.StopReason != "" {
				var ok bool
				if resp.Finish, ok = finish(c.StopReason); !ok {
					refused = c.StopReason
				}
			}
			if resp.Usage.PromptTokens == 0 {
				// Each choice repeats the usage of the whole.
				resp.Usage = usage(c.GenerationInfo)
			}
		}
	}
	resp.Usage.Calls = 1
	if !seen {
		return nil, &lm.Error{Kind: lm.ErrBackend, Provider: provider, Message: "the client returned neither a reply nor an error"}
	}
	if refused != "" {
		e := &lm.Error{Kind: lm.ErrRefused, Provider: provider, Code: refused, Message: "the provider held the reply back"}
		if resp.Text != "" {
			e.Partial = resp
		}
		return nil, e
	}
	if len(resp.ToolCalls) > 0 && resp.Finish != lm.FinishLength {
		resp.Finish = lm.FinishTools
	}
	return resp, nil
}

func addReasoning(resp *lm.Response, c *llms.ContentChoice) {
	thought := c.ReasoningContent
	if thought == "" {
		thought, _ = c.GenerationInfo["ThinkingContent"].(string)
	}
	// Some clients repeat it beside the reply.
	if !strings.Contains(resp.Reasoning, thought) {
		resp.Reasoning += thought
	}
}

// settle sets a Finish that no choice has told.
func settle(resp *lm.Response, r *lm.Request) {
	if resp.Finish != "" {
		return
	}
	resp.Finish = lm.FinishStop
	if r.MaxTokens > 0 && resp.Usage.CompletionTokens >= r.MaxTokens {
		resp.Finish = lm.FinishLength
	}
}

// finish reads a reason to stop; false means that the provider held the reply back. A
// reason that is not known stays as it is.
func finish(reason string) (lm.FinishReason, bool) {
	word := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(reason))
	switch strings.TrimPrefix(word, "finishreason") {
	case "stop", "endturn", "stopsequence", "eos", "eostoken", "complete", "done":
		return lm.FinishStop, true
	case "length", "maxtokens", "modellength":
		return lm.FinishLength, true
	case "toolcalls", "tooluse", "functioncall":
		return lm.FinishTools, true
	case "contentfilter", "contentfiltered", "safety", "recitation", "refusal", "guardrailintervened", "blocklist", "prohibitedcontent":
		return "", false
	}
	return lm.FinishReason(reason), true
}

// usage reads what clients say under different names.
func usage(info map[string]any) lm.Usage {
	u := lm.Usage{
		PromptTokens:     count(info, "PromptTokens", "input_tokens"),
		CachedTokens:     count(info, "PromptCachedTokens", "CachedTokens", "CacheReadInputTokens"),
		CacheWriteTokens: count(info, "CacheCreationInputTokens"),
		CompletionTokens: count(info, "CompletionTokens", "OutputTokens", "output_tokens"),
		ReasoningTokens:  count(info, "ReasoningTokens", "CompletionReasoningTokens", "ThinkingTokens"),
	}
	if rest := count(info, "InputTokens"); u.PromptTokens == 0 {
		// Anthropic does not count those of the cache among the others.
		u.PromptTokens = rest + u.CachedTokens + u.CacheWriteTokens
	}
	u.CachedTokens = min(u.CachedTokens, u.PromptTokens)
	u.ReasoningTokens = min(u.ReasoningTokens, u.CompletionTokens)
	return u
}

// count returns the first of some numbers that is there and not 0.
func count(info map[string]any, names ...string) int {
	for _, name := range names {
		n := 0
		switch v := info[name].(type) {
		case int:
			n = v
		case int32:
			n = int(v)
		case int64:
			n = int(v)
		case float64:
			if v > 0 && v <= math.MaxInt32 {
				n = int(v)
			}
		}
		if n > 0 {
			return n
		}
	}
	return 0
}
