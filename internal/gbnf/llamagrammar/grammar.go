//go:build llamacpp

package llamagrammar

// #cgo pkg-config: llama
// #include <stdlib.h>
// #include <string.h>
// #include <math.h>
// #include <llama.h>
//
// static void quiet(enum ggml_log_level level, const char *text, void *unused) {
//     (void) level; (void) text; (void) unused;
// }
//
// static struct llama_model *open_vocab(const char *path) {
//     llama_log_set(quiet, NULL);
//     llama_backend_init();
//     struct llama_model_params p = llama_model_default_params();
//     p.vocab_only = true;
//     return llama_model_load_from_file(path, p);
// }
//
// // allowed asks about one token alone: the others of the vocabulary do not matter.
// static int allowed(struct llama_sampler *s, llama_token t) {
//     llama_token_data one = { t, 0.0f, 0.0f };
//     llama_token_data_array all = { &one, 1, -1, false };
//     llama_sampler_apply(s, &all);
//     return !isinf(one.logit);
// }
//
// // matches returns how many of the tokens the grammar takes, plus one where it takes
// // all and the text may end there.
// static int32_t matches(struct llama_sampler *s, const struct llama_vocab *v, const llama_token *t, int32_t n) {
//     for (int32_t i = 0; i < n; i++) {
//         if (!allowed(s, t[i])) return i;
//         llama_sampler_accept(s, t[i]);
//     }
//     return n + allowed(s, llama_vocab_eos(v));
// }
import "C"

import (
	"fmt"
	"unsafe"
)

// Vocab is the vocabulary of a model.
type Vocab struct {
	model *C.struct_llama_model
	vocab *C.struct_llama_vocab
}

// Open reads the vocabulary of a GGUF file.
func Open(path string) (*Vocab, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	m := C.open_vocab(name)
	if m == nil {
		return nil, fmt.Errorf("llama.cpp cannot read the vocabulary of %s", path)
	}
	return &Vocab{m, C.llama_model_get_vocab(m)}, nil
}

// Close frees the vocabulary. Its grammars must not be used any more.
func (v *Vocab) Close() { C.llama_model_free(v.model) }

// Grammar is a grammar that llama.cpp has read. It is not safe for concurrent use.
type Grammar struct {
	vocab   *Vocab
	sampler *C.struct_llama_sampler
}

// Parse reads a grammar whose root is "root".
func (v *Vocab) Parse(gbnf string) (*Grammar, error) {
	text, root := C.CString(gbnf), C.CString("root")
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(root))
	s := C.llama_sampler_init_grammar(v.vocab, text, root)
	if s == nil {
		return nil, fmt.Errorf("llama.cpp does not read the grammar:\n%.2000s", gbnf)
	}
	return &Grammar{v, s}, nil
}

// Close frees the grammar.
func (g *Grammar) Close() { C.llama_sampler_free(g.sampler) }

// Accepts reports whether a text is one of the grammar's, token by token as the model
// would write it. can is false for a text that it cannot write, as its vocabulary lacks
// some bytes of rare characters.
func (g *Grammar) Accepts(text string) (ok, can bool) {
	tokens := g.vocab.tokens(text)
	if g.vocab.text(tokens) != text {
		return false, false
	}
	s := C.llama_sampler_clone(g.sampler)
	defer C.llama_sampler_free(s)
	var first *C.llama_token
	if len(tokens) > 0 {
		first = &tokens[0]
	}
	return int(C.matches(s, g.vocab.vocab, first, C.int32_t(len(tokens)))) == len(tokens)+1, true
}

func (v *Vocab) tokens(text string) []C.llama_token {
	if text == "" {
		return nil
	}
	data := C.CString(text)
	defer C.free(unsafe.Pointer(data))
	out := make([]C.llama_token, len(text)+8)
	n := C.llama_tokenize(v.vocab, data, C.int32_t(len(text)), &out[0], C.int32_t(len(out)), false, false)
	return out[:max(0, n)]
}

func (v *Vocab) text(tokens []C.llama_token) string {
	var out []byte
	var piece [256]C.char
	for _, t := range tokens {
		n := C.llama_token_to_piece(v.vocab, t, &piece[0], C.int32_t(len(piece)), 0, false)
		out = append(out, C.GoBytes(unsafe.Pointer(&piece[0]), max(0, n))...)
	}
	return string(out)
}
