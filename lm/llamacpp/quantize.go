//go:build llamacpp

package llamacpp

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
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
