package llamacpp

import (
	"fmt"

	"github.com/whetgo/whet/lm"
)

const provider = "llamacpp"

func failure(kind lm.ErrorKind, format string, args ...any) *lm.Error {
	return &lm.Error{Kind: kind, Provider: provider, Message: fmt.Sprintf(format, args...)}
}

func backendFailure(err error) *lm.Error {
	return &lm.Error{Kind: lm.ErrBackend, Provider: provider, Err: err}
}

func closed() *lm.Error {
	return failure(lm.ErrUnavailable, "the model is closed")
}

// decodeError is a failure that llama.cpp reports.
type decodeError struct {
	code   int
	reason string
}

func (e decodeError) Error() string {
	return fmt.Sprintf("llama_decode failed with %d: %s", e.code, e.reason)
}
