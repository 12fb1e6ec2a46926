//go:build !llamacpp

package gbnf

import "testing"

// openPeer returns nil: llama.cpp is not there to compare with.
func openPeer(t *testing.T) func(*testing.T, string) peerFunc {
	t.Log("not compared with llama.cpp: built without the tag llamacpp")
	return nil
}
