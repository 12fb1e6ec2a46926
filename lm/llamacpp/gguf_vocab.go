package llamacpp

import "fmt"

const (
	keyTokenizer = "tokenizer.ggml.model"
	keyTokens    = "tokenizer.ggml.tokens"
)

// checkTokenizer reports a vocabulary whose parts do not fit together, or that would end
// the process when a text is put into tokens.
func checkTokenizer(m ggufMeta) error {
	model, ok := m.values[keyTokenizer]
	switch {
	case !ok:
		return fmt.Errorf("it has no %q: without a tokenizer no text can be read", keyTokenizer)
	case model.kind != ggufString:
		return wrongType(keyTokenizer, model, "text")
	case model.text == "none" || model.text == "no_vocab" || model.text == "test":
		return fmt.Errorf("%q is %q: without a tokenizer no text can be read", keyTokenizer, model.text)
	}
	tokens, ok := m.values[keyTokens]
	switch {
	case !ok:
		return fmt.Errorf("it has no %q", keyTokens)
	case !tokens.list(ggufString):
		return wrongType(keyTokens, tokens, "an array of text")
	case tokens.count == 0:
		return fmt.Errorf("%q is empty", keyTokens)
	}
	if err := m.besides(tokens.count, "tokenizer.ggml.scores", ggufFloat32, ggufInt32); err != nil {
		return err
	}
	if err := m.besides(tokens.count, "tokenizer.ggml.token_type", ggufInt32); err != nil {
		return err
	}
	if err := m.special(tokens.count); err != nil {
		return err
	}
	switch model.text {
	case "gpt2", "gemma4", "hybriddna", "whitespace":
		return m.merges()
	case "llama":
		return m.spelled()
	}
	return nil // other kinds have all they need, or llama.cpp says that it does not know them
}

// besides checks an array that has a value for each token, if it is there.
func (m *ggufMeta) besides(tokens uint64, key string, of ...uint32) error {
	v, ok := m.values[key]
	if !ok {
		return nil
	}
	for _, kind := range of {
		if v.list(kind) {
			if v.count < tokens {
				return fmt.Errorf("%q has %d values, and there are %d tokens", key, v.count, tokens)
			}
			return nil
		}
	}
	return wrongType(key, v, "an array of "+ggufTypes[of[0]].name)
}

// special checks which tokens begin and end a text. Where llama.cpp finds a number that
// is no token it takes another one and goes on, with texts that do not end.
func (m *ggufMeta) special(tokens uint64) error {
	for _, name := range []string{"bos", "eos", "eot"} {
		key := "tokenizer.ggml." + name + "_token_id"
		v, ok := m.values[key]
		if !ok {
			continue
		}
		id, ok := v.uint32()
		if !ok {
			return wrongType(key, v, "u32")
		}
		if uint64(id) >= tokens {
			return fmt.Errorf("%q is %d, and there are %d tokens", key, id, tokens)
		}
	}
	return nil
}

func (m *ggufMeta) merges() error {
	const key = "tokenizer.ggml.merges"
	v, ok := m.values[key]
	if !ok {
		if m.values["tokenizer.ggml.pre"].text == "kimi-k2" { // which has none
			return nil
		}
		return fmt.Errorf("it has no %q, which its tokenizer needs", key)
	}
	if !v.list(ggufString) {
		return wrongType(key, v, "an array of text")
	}
	return nil
}

// spelled checks that each byte is a token: a tokenizer of this kind takes those for what
// is in no other, and ends the process where there is none.
func (m *ggufMeta) spelled() error {
	for b := range 256 {
		_, named := m.words.find(fmt.Appendf(nil, "<0x%02X>", b))
		if _, plain := m.words.find([]byte{byte(b)}); !named && !plain {
			return fmt.Errorf("none of its tokens stands for the byte %#02x, so not every text has tokens", b)
		}
	}
	return nil
}
