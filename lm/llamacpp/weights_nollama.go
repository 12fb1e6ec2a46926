//go:build !llamacpp

package llamacpp

import "errors"

func quantize(string, string, int) error { return errors.New("llama.cpp is not built in") }

func thisHost() host { return host{} }
