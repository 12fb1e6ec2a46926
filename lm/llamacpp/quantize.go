//go:build llamacpp

package llamacpp

// #include <stdlib.h>
// #include <ggml.h>
// #include <llama.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// The numbers of llama.cpp's file types that are used here.
const typeF32 = 0

// quantize writes a copy of a model file with its weights in another form.
func quantize(from, to string, fileType int) error {
	runtime.LockOSThread() // see reason
	defer runtime.UnlockOSThread()
	src, dst := C.CString(from), C.CString(to)
	defer C.free(unsafe.Pointer(src))
	defer C.free(unsafe.Pointer(dst))
	if rc := C.whet_quantize(src, dst, C.int32_t(fileType)); rc != 0 {
		return fmt.Errorf("llama.cpp cannot rewrite %s (%d): %s", from, int(rc), reason())
	}
	return nil
}

// thisHost returns what llama.cpp says of itself and of the machine; the CPU's model
// is for the caller to add. It is asked once, since llama.cpp keeps the text in a buffer
// that two callers may not fill at once.
var thisHost = sync.OnceValue(func() host {
	C.whet_init() // a GPU's driver would greet the terminal otherwise
	return host{
		llama: C.GoString(C.ggml_version()) + " " + C.GoString(C.ggml_commit()) + " " + C.GoString(C.llama_print_system_info()),
		gpu:   bool(C.llama_supports_gpu_offload()),
	}
})
