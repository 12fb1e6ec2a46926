//go:build llamacpp

package llamacpp

// #include <stdlib.h>
// #include "shim_embed.h"
import "C"

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"
)

// llamaEmbedder is an engine for embeddings that llama.cpp runs.
type llamaEmbedder struct {
	c       *C.whet_embedder
	weights *C.whet_engine
	owned   bool // the weights are freed with it
	about   embedFacts
}

// loadEmbedder opens a model file that checkFile has found to be whole.
func loadEmbedder(path string, cfg embedConfig) (embedEngine, string) {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var ci C.whet_info
	weights := C.whet_load(name, C.int32_t(cfg.model.gpuLayers), &ci)
	if weights == nil {
		return nil, "llama.cpp cannot load it: " + reason()
	}
	e, why := embedOn(weights, cfg)
	if e == nil {
		C.whet_free(weights)
		return nil, why
	}
	e.owned = true
	return e, ""
}

// embedOn makes a context for embeddings on weights that are loaded.
func embedOn(weights *C.whet_engine, cfg embedConfig) (*llamaEmbedder, string) {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	var f C.whet_embed_facts
	C.whet_embed_look(weights, &f)
	if why := unfitToEmbed(&f); why != "" {
		return nil, why
	}
	pool, why := cfg.pool.resolve(int(f.pooling))
	if why != "" {
		return nil, why
	}
	train := int(f.train_context)
	if cfg.model.context > train {
		return nil, tooLong(cfg.model.context, train)
	}
	e := &llamaEmbedder{weights: weights, about: embedFacts{width: int(f.width), pool: pool, whole: f.whole != 0}}
	for {
		l := cfg.limits(train, int(f.vocab), e.about.whole)
		e.about.limits = l
		sizes := C.whet_embed_sizes{
			context: C.int32_t(l.context), batch: C.int32_t(l.batch), sequences: C.int32_t(l.texts), threads: C.int32_t(cfg.model.threads),
		}
		if cfg.theirs {
			sizes.pooling = map[Pool]C.int32_t{PoolMean: filePoolMean, PoolCLS: filePoolCLS, PoolLast: filePoolLast}[pool]
		}
		rc := C.whet_embed_start(weights, sizes, &e.c)
		if rc == C.WHET_FAILED {
			return nil, "llama.cpp cannot make a context for it: " + reason()
		}
		if rc != C.WHET_WHOLE || e.about.whole {
			return e, ""
		}
		// Its file does not say that a text must be computed in one step, for which the
		// step must be long enough.
		C.whet_embed_free(e.c)
		e.about.whole = true
	}
}

// unfitToEmbed says why there are no vectors of a model, or "".
func unfitToEmbed(f *C.whet_embed_facts) string {
	const only = "; there are embeddings of encoders and of causal models with attention"
	switch {
	case f.recurrent != 0:
		return "it is a recurrent model" + only
	case f.hybrid != 0:
		return "it is a hybrid of attention and recurrent layers" + only
	case f.diffusion != 0:
		return "it is a diffusion model" + only
	case f.decoder != 0:
		return "it has an encoder and a decoder" + only
	case f.no_vocab != 0:
		return "it has no tokenizer, without which a text has no tokens"
	case f.no_bos != 0:
		return "its tokenizer puts a token before a text, and its file does not say which (tokenizer.ggml.bos_token_id)"
	case f.no_eos != 0:
		return "its tokenizer puts a token after a text, and its file does not say which (tokenizer.ggml.eos_token_id)"
	case f.no_sep != 0:
		return "its tokenizer puts a token after a text, and its file does not say which (tokenizer.ggml.seperator_token_id)"
	case f.width < 1:
		return fmt.Sprintf("its states have %d numbers", int(f.width))
	}
	return ""
}

func (e *llamaEmbedder) facts() embedFacts { return e.about }

func (e *llamaEmbedder) step(b *embedBatch) error {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	rc := C.whet_embed_step(e.c, C.int32_t(len(b.token)), intArray(b.token), intArray(b.pos), intArray(b.seq), intArray(b.into),
		(*C.double)(unsafe.Pointer(unsafe.SliceData(b.sum))))
	switch rc {
	case 0:
		return nil
	case 2:
		return errAborted
	default:
		return decodeError{code: int(rc), reason: reason()}
	}
}

func intArray(s []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(s))) }

func (e *llamaEmbedder) forget(seq int32) { C.whet_embed_forget(e.c, C.int32_t(seq)) }

func (e *llamaEmbedder) abort(on bool) { C.whet_embed_abort(e.c, cFlag(on)) }

func (e *llamaEmbedder) tokenize(text string) []int32 {
	// A token stands for at least one byte, a tokenizer may put a space first, and the
	// model a token before and one after.
	out := make([]int32, len(text)+4)
	for {
		n := int(C.whet_embed_tokenize(e.weights, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.int32_t(len(text)), intArray(out), C.int32_t(len(out))))
		if n >= 0 {
			return slices.Clone(out[:n])
		}
		if -n <= len(out) { // not a request for more room: too many tokens for an int32
			return nil
		}
		out = make([]int32, -n)
	}
}

func (e *llamaEmbedder) free() {
	C.whet_embed_free(e.c)
	e.c = nil
	if e.owned {
		C.whet_free(e.weights)
	}
	e.weights = nil
}
