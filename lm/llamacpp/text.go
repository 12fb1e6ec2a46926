package llamacpp

import "slices"

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
