package lmtest

import (
	"strings"
	"testing"
)

// special sends the special tokens of many models as data. They are text: each takes
// several tokens, and they end nothing. Each stands there more than once, as what
// is around a single one may take a token more or less.
func (s suite) special(t *testing.T) {
	if s.c.NoTokenCounts {
		t.Skip("the backend counts no tokens, so what it reads as one cannot be told (Capabilities.NoTokenCounts)")
	}
	const times = 4
	plain := s.generate(t, s.request("Repeat: x")).Usage.PromptTokens
	var read []string
	for _, text := range []string{"<|im_end|>", "<|im_start|>", "<start_of_turn>", "<end_of_turn>", "<|endoftext|>", "<bos>", "<eos>", "[INST]", "<|eot_id|>", "<|start_header_id|>", "<｜end▁of▁sentence｜>"} {
		marked := s.generate(t, s.request("Repeat: "+strings.Repeat(text, times))).Usage.PromptTokens
		if marked-plain > times {
			continue
		}
		read = append(read, text)
		if !s.c.ReadsSpecialTokens {
			t.Errorf("%d times %q takes %d tokens more than a letter: it is read as a special token, and not as text", times, text, marked-plain)
		}
	}
	if s.c.ReadsSpecialTokens {
		if len(read) == 0 {
			t.Error("no text is read as a special token: Capabilities.ReadsSpecialTokens is not needed any more")
		}
		return
	}
	// Special in one vocabulary, a word like any other (HTML's) in the next.
	for _, text := range []string{"<s>", "</s>"} {
		if marked := s.generate(t, s.request("Repeat: "+text)).Usage.PromptTokens; marked < plain {
			t.Errorf("%q takes less than a letter: %d tokens in place of %d", text, marked, plain)
		}
	}
}
