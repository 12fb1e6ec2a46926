package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var log tail
	for range 3 {
		n, err := log.Write([]byte(strings.Repeat("x", 900) + "\n"))
		require.NoError(t, err)
		assert.Equal(t, 901, n)
	}
	_, err := log.Write([]byte("the end"))
	require.NoError(t, err)
	got := log.String()
	assert.Len(t, got, tailSize)
	assert.True(t, strings.HasSuffix(got, "x\nthe end"))
}

// TestServerThatEnds wants an error at once, and not after the time that a server has.
func TestServerThatEnds(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("false")
	if err != nil {
		t.Skip("there is no program that only fails: ", err)
	}
	_, err = startServer(t.Context(), binary, "model.gguf", "", 1, 512)
	require.ErrorContains(t, err, "it has ended")

	_, err = startServer(t.Context(), "/no such file", "model.gguf", "", 1, 512)
	require.Error(t, err)
}
