package llamacpp

import (
	"slices"
	"sync"
)

// tokenized is a text and its tokens.
type tokenized struct {
	text   string
	tokens []int32
}

// lookBack is how many tokens before its end a text is tokenised anew when it grows.
const lookBack = 32

// extend returns the text with more at its end, in the tokens that the model would
// see: where both meet, a token may belong to both. Tokens depend on what stands near
// them, so only the last ones are made anew, and all where the first half of those
// comes out in another way than before.
func (t tokenized) extend(v vocabulary, more string) tokenized {
	if more == "" {
		return t
	}
	whole := t.text + more
	if from := len(t.tokens) - lookBack; from > 0 {
		if start := t.start(v, from); start > 0 {
			fresh := v.tokenize(whole[start:], false)
			known := t.tokens[from : from+lookBack/2]
			if len(fresh) >= len(known) && slices.Equal(fresh[:len(known)], known) {
				return tokenized{whole, append(t.tokens[:from:from], fresh...)}
			}
		}
	}
	return tokenized{whole, v.tokenize(whole, false)}
}

// start returns at which byte the token of this index begins, or -1 where the tokens
// do not spell the text.
func (t tokenized) start(v vocabulary, index int) int {
	at := len(t.text)
	for i := len(t.tokens) - 1; i >= index; i-- {
		piece := v.piece(t.tokens[i])
		at -= len(piece)
		if at < 0 || t.text[at:at+len(piece)] != piece {
			return -1
		}
	}
	return at
}

// cut returns the longest beginning of the text, up to n bytes, that consists of whole
// tokens.
func (t tokenized) cut(v vocabulary, n int) tokenized {
	at, i := len(t.text), len(t.tokens)
	for at > n && i > 0 {
		i--
		piece := v.piece(t.tokens[i])
		if at -= len(piece); at < 0 || t.text[at:at+len(piece)] != piece {
			return tokenized{}
		}
	}
	return tokenized{t.text[:at], t.tokens[:i:i]}
}

const (
	recentTexts = 4       // prompts of so many programs are remembered
	messageText = 1 << 20 // bytes of all messages that are
)

// texts remembers tokens: those of whole messages, since a program's instructions and
// demos come with each request, and those of the last prompts, since the next will
// begin as one of them did. A tokenizer takes as long for a prompt of ours as the model
// for a token or two.
type texts struct {
	mu       sync.Mutex
	messages map[string][]int32
	bytes    int
	recent   []tokenized // the last used first
}

// message returns the tokens of a text that will probably come again as a whole.
func (x *texts) message(v vocabulary, text string) []int32 {
	x.mu.Lock()
	tokens, ok := x.messages[text]
	x.mu.Unlock()
	if ok {
		return tokens
	}
	tokens = v.tokenize(text, false)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.bytes += len(text); x.bytes > messageText || x.messages == nil {
		x.messages, x.bytes = map[string][]int32{}, len(text)
	}
	x.messages[text] = tokens
	return tokens
}

// prompt returns the tokens of a text that probably begins as an earlier one did.
func (x *texts) prompt(v vocabulary, text string) tokenized {
	x.mu.Lock()
	var best tokenized
	shared, at := 0, -1
	for i, t := range x.recent {
		if n := commonBytes(t.text, text); n > shared {
			best, shared, at = t, n, i
		}
	}
	x.mu.Unlock()
	known := best.cut(v, shared)
	out := known.extend(v, text[len(known.text):])
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case at >= 0 && 2*shared >= len(text) && at < len(x.recent): // it takes the place of the one like it
		x.recent = slices.Delete(x.recent, at, at+1)
	case len(x.recent) == recentTexts:
		x.recent = x.recent[:recentTexts-1]
	}
	x.recent = slices.Insert(x.recent, 0, out)
	return out
}

func commonBytes(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
