//go:build llamacpp

package llamacpp

// #cgo pkg-config: llama
// #cgo CFLAGS: -O3
// #include <stdlib.h>
// #include <llama.h>
// #include "shim.h"
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// llamaEngine is an engine that llama.cpp runs.
type llamaEngine struct {
	c     *C.whet_engine
	facts info
	vocab int
}

// available reports whether llama.cpp was built in.
const available = true

// load opens a model file that checkFile has found to be whole.
func load(path string, cfg config) (engine, string) {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var ci C.whet_info
	c := C.whet_load(name, C.int32_t(cfg.gpuLayers), &ci)
	if c == nil {
		return nil, "llama.cpp cannot load it: " + reason()
	}
	if why := unfit(&ci); why != "" {
		C.whet_free(c)
		return nil, why
	}
	train := int(ci.train_context)
	context := cfg.context
	if context == 0 {
		context = min(train, defaultContext)
	}
	if context > train {
		C.whet_free(c)
		return nil, tooLong(context, train)
	}
	sizes := cfg.limits(context)
	if rc := C.whet_start(c, C.whet_sizes{
		context: C.int32_t(sizes.cells), batch: C.int32_t(sizes.batch), sequences: C.int32_t(sizes.sequences),
		outputs: C.int32_t(sizes.outputs), threads: C.int32_t(cfg.threads), bare: cFlag(cfg.bare),
	}); rc != 0 {
		C.whet_free(c)
		if rc == C.WHET_NO_MEMORY {
			return nil, "it has no KV cache, as a model that computes embeddings; " + plainOnly
		}
		return nil, "llama.cpp cannot make a context for it: " + reason()
	}
	e := &llamaEngine{c: c, vocab: int(ci.vocab)}
	e.facts = info{
		limits: sizes, vocab: int(ci.vocab), addBOS: ci.add_bos != 0, bos: int32(ci.bos), endOfTurn: int32(ci.eot),
		patience: patience(uint64(ci.params), int(ci.layers), int(ci.width)),
	}
	if e.facts.endOfTurn < 0 {
		e.facts.endOfTurn = int32(ci.eos)
	}
	if t := C.whet_chat_template(c); t != nil {
		e.facts.chatTemplate = C.GoString(t)
	}
	return e, ""
}

const plainOnly = "this package runs models that continue a text token by token, with attention to all that stands before"

// unfit says why a model would be computed wrongly here, or "". Prefixes are shared by
// copying a part of a sequence and cutting it back, which llama.cpp does not do, or
// ignores, where a state sums up what was read.
func unfit(ci *C.whet_info) string {
	switch {
	case ci.recurrent != 0:
		return "it is a recurrent model, whose state cannot be cut back to a shorter text; " + plainOnly
	case ci.hybrid != 0:
		return "it is a hybrid of attention and recurrent layers, whose state cannot be cut back to a shorter text; " + plainOnly
	case ci.diffusion != 0:
		return "it is a diffusion model; " + plainOnly
	case ci.encoder != 0:
		return "it has an encoder; " + plainOnly
	}
	return ""
}

// reason says why the call that was just made has failed. C keeps it for each thread, so
// the goroutine must still be on the one of the call.
func reason() string {
	var buf [512]C.char
	C.whet_reason(&buf[0], C.size_t(len(buf)))
	if s := strings.TrimSpace(C.GoString(&buf[0])); s != "" {
		return s
	}
	return "it gave no reason"
}

func (e *llamaEngine) info() info { return e.facts }

func (e *llamaEngine) free() { C.whet_free(e.c); e.c = nil }

func (e *llamaEngine) decode(b *batch) error {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	b.lay()
	var s C.whet_step
	var pin runtime.Pinner // the arrays hold no pointers, but the struct that names them does
	defer pin.Unpin()
	s.n_tokens, s.n_out = C.int32_t(len(b.token)), C.int32_t(len(b.outIndex))
	s.token, s.pos, s.n_seq, s.seq = ints(&pin, b.token), ints(&pin, b.pos), ints(&pin, b.seqCount), ints(&pin, b.seq)
	s.out_index, s.out_want, s.out_targets = ints(&pin, b.outIndex), ints(&pin, b.outWant), ints(&pin, b.outTargets)
	s.target, s.best = ints(&pin, b.target), ints(&pin, b.best)
	if len(b.lse) > 0 {
		pin.Pin(&b.lse[0])
		s.lse = (*C.double)(unsafe.Pointer(&b.lse[0]))
	}
	if len(b.targetLogit) > 0 {
		pin.Pin(&b.targetLogit[0])
		s.target_logit = (*C.float)(unsafe.Pointer(&b.targetLogit[0]))
	}
	switch rc := C.whet_decode(e.c, &s); rc {
	case 0:
		return nil
	case 1:
		return errNoRoom
	case 2:
		return errAborted
	default:
		return decodeError{code: int(rc), reason: reason()}
	}
}

func ints(pin *runtime.Pinner, s []int32) *C.int32_t {
	if len(s) == 0 {
		return nil
	}
	pin.Pin(&s[0])
	return (*C.int32_t)(unsafe.Pointer(&s[0]))
}

func (e *llamaEngine) row(i int) []float32 {
	p := C.whet_row(e.c, C.int32_t(i))
	if p == nil {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), e.vocab)
}

func (e *llamaEngine) handed() int { return int(C.whet_handed(e.c)) }

func (e *llamaEngine) copySeq(src, dst int32, n int) {
	C.whet_copy(e.c, C.int32_t(src), C.int32_t(dst), C.int32_t(n))
}

func (e *llamaEngine) cutSeq(seq int32, n int) bool {
	return C.whet_cut(e.c, C.int32_t(seq), C.int32_t(n)) != 0
}

func (e *llamaEngine) abort(on bool) { C.whet_abort(e.c, cFlag(on)) }

func cFlag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

// length is the number of tokens that llama.cpp holds of a sequence; for tests.
func (e *llamaEngine) length(seq int32) int { return int(C.whet_length(e.c, C.int32_t(seq))) }

// first is the position of the first token that llama.cpp holds of a sequence; for tests.
func (e *llamaEngine) first(seq int32) int { return int(C.whet_first(e.c, C.int32_t(seq))) }

func (e *llamaEngine) tokenize(text string, special bool) []int32 {
	if text == "" {
		return nil
	}
	// A token stands for at least one byte, and a tokenizer may put a space first.
	out := make([]int32, len(text)+2)
	for {
		n := C.whet_tokenize(e.c, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.int32_t(len(text)),
			(*C.int32_t)(unsafe.Pointer(&out[0])), C.int32_t(len(out)), cFlag(special))
		if n >= 0 {
			return out[:n]
		}
		if int(-n) <= len(out) { // not a request for more room: text too long for an int32
			return nil
		}
		out = make([]int32, int(-n))
	}
}

func (e *llamaEngine) piece(token int32) string {
	var buf [64]byte
	n := int(C.whet_piece(e.c, C.int32_t(token), (*C.char)(unsafe.Pointer(&buf[0])), C.int32_t(len(buf))))
	if n >= 0 {
		return string(buf[:n])
	}
	long := make([]byte, -n)
	n = int(C.whet_piece(e.c, C.int32_t(token), (*C.char)(unsafe.Pointer(&long[0])), C.int32_t(len(long))))
	return string(long[:max(n, 0)])
}

func (e *llamaEngine) isEnd(token int32) bool { return C.whet_is_end(e.c, C.int32_t(token)) != 0 }
