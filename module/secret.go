package module

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// lmKeys are the parameters of a language model that a file may have. Providers have
// too many names for keys and addresses to tell those.
var lmKeys = []string{
	"_dspy_lm_class", "model", "model_type", "finetuning_model", "cache", "num_retries",
	"temperature", "max_tokens", "max_completion_tokens", "top_p", "top_k", "seed", "stop", "n",
	"presence_penalty", "frequency_penalty", "reasoning_effort", "response_format",
}

// emptyLMKeys are parameters that DSPy writes always, and that may hold anything.
var emptyLMKeys = []string{"launch_kwargs", "train_kwargs"}

// maxLMText is how many characters a text of a language model's entry may have.
const maxLMText = 256

// cleanLM returns a language model's entry with nothing but what is known to be
// harmless, in a canonical form (compact, with no needless escapes, order and numbers
// as they are), and the names of what was left out. raw must be a valid JSON object.
func cleanLM(raw json.RawMessage) (clean json.RawMessage, dropped []string) {
	var b bytes.Buffer
	b.WriteByte('{')
	ms, _ := objectOf(raw)
	for _, m := range ms {
		value, ok := cleanValue(m)
		if !ok {
			dropped = append(dropped, m.key)
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		writeText(&b, m.key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), dropped
}

// cleanValue returns what a file may have of a parameter, and whether it is all.
func cleanValue(m member) ([]byte, bool) {
	ms, isObject := objectOf(m.raw)
	switch {
	case slices.Contains(emptyLMKeys, m.key):
		if isObject && len(ms) == 0 {
			return []byte("{}"), true
		}
		return []byte("null"), isNull(m.raw)
	case !slices.Contains(lmKeys, m.key) || isObject:
		return nil, false
	}
	var b bytes.Buffer
	items, isList := listOf(m.raw)
	if !isList {
		ok := writeScalar(&b, m.raw)
		return b.Bytes(), ok
	}
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		if _, ok := textOf(item); !ok || !writeScalar(&b, item) {
			return nil, false
		}
	}
	b.WriteByte(']')
	return b.Bytes(), true
}

// writeScalar writes a value that is no object, no list and no secret by its look.
func writeScalar(b *bytes.Buffer, raw json.RawMessage) bool {
	text, ok := textOf(raw)
	if !ok {
		b.Write(bytes.TrimSpace(raw))
		return true
	}
	writeText(b, text)
	return utf8.RuneCountInString(text) <= maxLMText && !isSecretText(text)
}

func writeText(b *bytes.Buffer, s string) {
	text, _ := signature.MarshalValue(s) // a text can always be written
	b.Write(text)
}

// isSecretText reports whether a text is an address or a key by its look, or an
// object or a list that may hold one.
func isSecretText(text string) bool {
	plain := strings.ToLower(strings.TrimSpace(text))
	if strings.Contains(plain, "://") || strings.Contains(plain, "-----begin") || strings.HasPrefix(plain, "bearer ") || strings.HasPrefix(plain, "basic ") {
		return true
	}
	for _, start := range []string{"sk-", "sk_", "gsk_", "hf_", "ghp_", "github_pat_", "aiza", "akia", "xai-"} {
		if strings.HasPrefix(plain, start) {
			return true
		}
	}
	return plain != "" && strings.ContainsRune("{[", rune(plain[0])) && len(plain) > 2 && json.Valid([]byte(plain))
}

// leftOutOfLM is the note for what cleanLM left out.
func leftOutOfLM(dropped []string) string {
	return "left out of its lm, which keeps a model's name and its usual parameters, without keys and addresses: " + strings.Join(dropped, ", ")
}
