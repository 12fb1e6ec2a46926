package llamacpp

import (
	"bytes"
	"fmt"
	"hash/maphash"
)

// ggufWords are the texts of the tokens. There are hundreds of thousands in some files, of
// which a map of strings would take most of the time that a header does.
type ggufWords struct {
	seed   maphash.Seed
	texts  []byte         // one after the other
	ends   []int          // of each in texts
	tokens map[uint64]int // the first with a hash
	others map[string]int // those whose hash another has
}

// add notes the text of the next token, which must be that of no other: llama.cpp would
// end the process.
func (w *ggufWords) add(text []byte) error {
	if w.tokens == nil {
		w.seed, w.tokens, w.others = maphash.MakeSeed(), map[uint64]int{}, map[string]int{}
	}
	token := len(w.ends)
	if len(text) == 0 {
		text = fmt.Appendf(nil, "[EMPTY_%d]", token) // as llama.cpp calls it
	}
	if first, ok := w.find(text); ok {
		return fmt.Errorf("tokens %d and %d are both %.100q, and each must have a text of its own", first, token, text)
	}
	if hash := maphash.Bytes(w.seed, text); w.has(hash) {
		w.others[string(text)] = token
	} else {
		w.tokens[hash] = token
	}
	w.texts = append(w.texts, text...)
	w.ends = append(w.ends, len(w.texts))
	return nil
}

func (w *ggufWords) has(hash uint64) bool { _, ok := w.tokens[hash]; return ok }

// find returns the token of a text.
func (w *ggufWords) find(text []byte) (token int, ok bool) {
	if token, ok = w.tokens[maphash.Bytes(w.seed, text)]; !ok {
		return 0, false
	}
	begin := 0
	if token > 0 {
		begin = w.ends[token-1]
	}
	if bytes.Equal(w.texts[begin:w.ends[token]], text) {
		return token, true
	}
	token, ok = w.others[string(text)]
	return token, ok
}
